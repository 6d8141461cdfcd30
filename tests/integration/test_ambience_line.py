"""From a request to an exported video as the database sees it: what runs, what shows, and what one edit costs.

The plan is a real one; the stages of media answer without making any.
"""

from __future__ import annotations

import copy

import pytest
from psycopg.types.json import Jsonb

from showrunner.errors import BadOutput
from showrunner.stage import stage_handler
from tests.rigs.albums import AnyInput, make_channel, make_video, without_media
from tests.rigs.line import function

TRACKS = 20


@pytest.fixture
def album(line):
    return without_media(line)


@pytest.fixture
def ada(sign_up):
    return sign_up("ada")


@pytest.fixture
def video(owner, ada):
    channel = make_channel(owner, ada)
    return make_video(owner, ada, channel, target_duration_minutes=60, track_count=TRACKS)


@pytest.fixture
def person(as_user, ada):
    return as_user(ada)


def request(person, video, key="first"):
    return person.execute("select request_production('ambience', %s, %s)", [video, key]).fetchone()[0]


def finish(album, before=None):
    album.handled.clear()
    function("sweep_jobs").sweep(album.services)
    album.run(before=before)


def handled(album):
    """How many jobs of each stage were worked on."""
    stages = [stage for stage, _ in album.handled]
    return {stage: stages.count(stage) for stage in dict.fromkeys(stages)}


def shown(owner, video):
    return owner.execute("select status::text, error_message from video_jobs where id = %s", [video]).fetchone()


def test_twenty_tracks_and_pictures_one_render_one_export(album, owner, person, video):
    production = request(person, video)

    finish(album)

    assert handled(album) == {
        "plan_album": 1, "compose_track": TRACKS, "paint_image": TRACKS, "render_video": 1, "export_video": 1,
    }  # fmt: skip
    status, progress, made, title = owner.execute(
        "select status::text, progress, production_id, title from video_jobs where id = %s", [video]
    ).fetchone()
    assert (status, progress, made) == ("completed", 100, production)
    assert title.startswith("Royal Court Ambience")
    pairs = "select count(*), min(order_index), max(order_index) from {} where video_job_id = %s"
    for table in ("audio_tracks", "images"):
        assert owner.execute(pairs.format(table), [video]).fetchone() == (TRACKS, 1, TRACKS)
    minutes = owner.execute("select minutes, kind from processed_minutes where subject_id = %s", [video]).fetchone()
    assert minutes == (1, "ambience")


@pytest.mark.parametrize(
    ("before", "status"),
    [
        ("plan_album", "planned"),
        ("compose_track", "generating_music"),
        ("paint_image", "generating_image"),
        ("render_video", "rendering"),
        ("export_video", "ready_for_export"),
        (None, "completed"),
    ],
)
def test_the_status_follows_the_stages(album, owner, person, video, before, status):
    request(person, video)

    finish(album, before=before)

    assert shown(owner, video) == (status, None)


@pytest.mark.parametrize(("prompts", "stage"), [("music_prompts", "compose_track"), ("visual_prompts", "paint_image")])
def test_an_edited_prompt_makes_one_part_and_the_render_again(album, owner, person, video, prompts, stage):
    production = request(person, video)
    finish(album)
    [(before,)] = person.execute("select prompts_json from video_jobs where id = %s", [video]).fetchall()
    edited = copy.deepcopy(before)
    edited[prompts][6]["prompt"] = "Something altogether different, with bells."
    person.execute("update video_jobs set prompts_json = %s where id = %s", [Jsonb(edited), video])

    planned = person.execute("select stage, key from preview_rebuild(%s)", [production]).fetchall()
    person.execute("select rebuild_production(%s)", [production])
    finish(album)

    assert handled(album) == {stage: 1, "render_video": 1, "export_video": 1}
    assert [row for row in planned if row[0] == stage] == [(stage, "7")]
    assert {row[0] for row in planned} == {stage, "render_video", "export_video"}
    assert person.execute("select prompts_json from video_jobs where id = %s", [video]).fetchone() == (edited,)
    assert shown(owner, video) == ("completed", None)


def test_an_edited_title_makes_the_export_again_and_a_chapters_title_the_render(album, person, video):
    production = request(person, video)
    finish(album)

    person.execute("update video_jobs set tags = '{rain}' where id = %s", [video])
    person.execute("select rebuild_production(%s)", [production])
    finish(album)
    assert handled(album) == {"export_video": 1}

    person.execute(
        "update video_jobs set prompts_json = jsonb_set(prompts_json, '{music_prompts,3,title}', '\"Rain\"') "
        "where id = %s",
        [video],
    )
    person.execute("select rebuild_production(%s)", [production])
    finish(album)
    assert handled(album)["render_video"] == 1
    assert set(handled(album)) <= {"render_video", "export_video"}


def test_a_rebuild_without_a_change_runs_nothing(album, person, video):
    production = request(person, video)
    finish(album)

    person.execute("select rebuild_production(%s)", [production])
    finish(album)

    assert handled(album) == {}


def test_a_new_plan_is_asked_for_by_name(album, person, video):
    production = request(person, video)
    finish(album)

    person.execute("select rebuild_production(%s, 'plan_album')", [production])
    finish(album)

    assert handled(album)["plan_album"] == 1


def test_another_painter_paints_all_pictures_and_composes_nothing(album, owner, person, video):
    production = request(person, video)
    finish(album)
    person.execute("update channels set motion = 'drift'")

    person.execute("select rebuild_production(%s)", [production])
    finish(album)

    assert handled(album) == {"paint_image": TRACKS, "render_video": 1, "export_video": 1}


def fail_at(album, stage, message):
    def run(job, services):
        raise BadOutput(message)

    album._handlers[stage] = stage_handler(stage, AnyInput, run, album.services)


@pytest.fixture
def no_second_try(owner):
    """One failure is a job's last: what comes after it is what these tests are about."""
    owner.execute("update engine.pipelines set max_fails = 1 where kind = 'ambience'")


def test_a_failed_track_fails_the_video_and_a_retry_makes_only_what_is_missing(
    album, owner, person, video, no_second_try
):
    good = album._handlers["compose_track"]
    calls = []

    def mostly(event, context):
        calls.append(event)
        return (bad if len(calls) == 5 else good)(event, context)

    fail_at(album, "compose_track", "The track is silent.")
    bad = album._handlers["compose_track"]
    album._handlers["compose_track"] = mostly
    production = request(person, video)
    finish(album)

    status, message = shown(owner, video)
    assert status == "failed"
    assert "The track is silent" in message

    without_media(album)
    person.execute("select retry_production(%s)", [production])
    finish(album)
    assert handled(album) == {"compose_track": 1, "render_video": 1, "export_video": 1}
    assert shown(owner, video) == ("completed", None)


def test_a_render_that_was_killed_is_closed_when_the_production_ends(album, owner, person, video, ada):
    production = request(person, video)
    finish(album, before="render_video")
    owner.execute(
        "insert into render_tasks (organization_id, video_job_id, production_id, status) "
        "values (%s, %s, %s, 'in_progress')",
        [ada, video, production],
    )

    person.execute("select cancel_production(%s)", [production])

    assert shown(owner, video) == ("failed", "Cancelled.")
    tasks = owner.execute("select status::text, error_message, completed_at is not null from render_tasks").fetchall()
    assert tasks == [("failed", "Cancelled.", True)]


def test_each_attempt_of_a_render_is_written_down(album, owner, person, video, ada, no_second_try, monkeypatch):
    module = function("render_video")
    album._handlers["render_video"] = stage_handler("render_video", module.RenderVideoInput, module.run, album.services)

    def fail(job, services, task):
        raise BadOutput("The video peaks at 0.3 dBTP.")

    monkeypatch.setattr(module, "_rendered", fail)
    production = request(person, video)
    # What a worker leaves that was killed.
    owner.execute(
        "insert into render_tasks (organization_id, video_job_id, production_id, status, created_at) "
        "values (%s, %s, %s, 'in_progress', now() - interval '1 hour')",
        [ada, video, production],
    )
    finish(album)

    tasks = person.execute(
        "select status::text, error_message, completed_at is not null, resolution from render_tasks order by created_at"
    ).fetchall()
    assert tasks == [
        ("failed", "It was interrupted.", True, "1920x1080"),
        ("failed", "The video peaks at 0.3 dBTP.", True, "1920x1080"),
    ]
    assert "peaks at 0.3 dBTP" in shown(owner, video)[1]
