"""From a text to a published episode, and what a second look at it costs.

One episode is made once. Every test has a copy of the database as it was then, and the same S3.
"""

import io
import json
import uuid
import wave
from dataclasses import dataclass
from pathlib import Path

import boto3
import psycopg
import pytest
from moto import mock_aws
from mutagen.mp3 import MP3

from tests.conftest import DatabaseForOneTest
from tests.rigs.line import BUCKET, Line, function
from tests.rigs.rows import act_as_user, sign_up
from tests.rigs.shows import Show, add_episode, make_show

ARTICLE = (Path(__file__).parents[2] / "examples" / "article.md").read_text()

BUILDS = "select status::text, build from public.productions where kind = 'episode'"


@dataclass(frozen=True)
class Made:
    """The database in which the episode was made, and what making it took."""

    database: DatabaseForOneTest
    show: Show
    production: uuid.UUID
    jobs: int
    round_trips: int


MADE = pytest.StashKey[Made]()


@pytest.fixture(scope="module", autouse=True)
def bucket():
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield


@pytest.fixture
def made(postgres, template, request):
    module = request.node.getparent(pytest.Module)
    if MADE not in module.stash:
        database = DatabaseForOneTest(postgres, f"test_{uuid.uuid4().hex}")
        postgres.create_database(database.name, template)
        module.addfinalizer(lambda: postgres.drop_database(database.name))
        module.stash[MADE] = make_an_episode(database)
    return module.stash[MADE]


def make_an_episode(database):
    line = Line(database.login_url)
    with (
        psycopg.connect(database.owner_url, autocommit=True) as owner,
        psycopg.connect(database.owner_url, autocommit=True) as caller,
    ):
        show = make_show(owner, sign_up(owner), ARTICLE, minutes=1)
        act_as_user(caller, show.user)
        production = make(line, caller, show.episode, "first")
        jobs, round_trips = len(line.handled), line.database.round_trips
        # The episode's review is a production of its own, which the next sweep starts.
        finish(line)
    line.close()
    return Made(database, show, production, jobs, round_trips)


@pytest.fixture
def database(postgres, made):
    copy = DatabaseForOneTest(postgres, f"test_{uuid.uuid4().hex}")
    postgres.create_database(copy.name, made.database.name)
    yield copy
    postgres.drop_database(copy.name)


@pytest.fixture
def show(made):
    return made.show


@pytest.fixture
def caller(as_user, show):
    """The show's owner, as a client app connects."""
    return as_user(show.user)


def make(line, caller, episode, key, before=None):
    """Request an episode and work on it: to its end, or up to the stage `before`. The production's id."""
    production = caller.execute("select public.request_production('episode', %s, %s)", [episode, key]).fetchone()[0]
    finish(line, before)
    return production


def rebuild(line, caller, production):
    caller.execute("select public.rebuild_production(%s)", [production])
    finish(line)


def finish(line, before=None):
    function("sweep_jobs").sweep(line.services)
    line.run(before=before)


def rows(owner, query, *values):
    return owner.execute(query.encode(), values).fetchall()


def spoken(owner):
    """key of each line → (job, attempt, asset)"""
    return {
        key: (job, attempt, output["asset"]["id"])
        for key, job, attempt, output in rows(
            owner,
            "select key, id, attempt, output from public.jobs where stage = 'speak_line' and status = 'succeeded'",
        )
    }


def spoken_by(owner, production):
    """(text, voice, language) of each line → (asset, how many calls it took)"""
    return {
        tuple(words): (asset, calls)
        for words, asset, calls in rows(
            owner,
            "select array[input ->> 'text', input ->> 'voice', input ->> 'language'], output -> 'asset' ->> 'id', "
            "(select count(*) from public.usage_events where job_id = jobs.id) "
            "from public.jobs where stage = 'speak_line' and production_id = %s",
            production,
        )
    }


def test_a_text_becomes_a_published_episode(owner, made):
    production = "select status::text, progress, error from public.productions where kind = 'episode'"
    assert rows(owner, production) == [("completed", 100, None)]
    episode = owner.execute(
        "select generation_status::text, generation_progress, status::text, title, duration_seconds, "
        "published_at is not null, generation_job_id from public.episodes"
    ).fetchone()
    assert episode[:3] == ("completed", 100, "published")
    assert episode[3]
    assert float(episode[4]) == pytest.approx(60, rel=0.05)
    assert episode[5:] == (True, made.production)


def test_the_mp3_is_what_its_row_says(owner, line):
    key, lufs, peak, seconds = owner.execute(
        "select key, integrated_lufs, true_peak_dbtp, duration_seconds from public.assets where kind = 'episode_audio'"
    ).fetchone()
    assert float(lufs) == pytest.approx(-16, abs=0.5)
    assert peak <= -1
    audio = MP3(io.BytesIO(line.services.media_store.get(key)))
    assert audio.info.length == pytest.approx(float(seconds), abs=0.1)
    assert {"TIT2", "TALB", "CTOC:toc"} <= set(audio.tags) or any(name.startswith("CTOC") for name in audio.tags)
    assert any(name.startswith("APIC") for name in audio.tags)
    assert any(name.startswith("CHAP") for name in audio.tags)


def test_every_asset_row_has_its_file_with_that_size_and_hash(owner, line):
    assets = rows(owner, "select key, bytes, sha256 from public.assets")
    assert assets
    for key, size, sha256 in assets:
        stored = line.services.media_store.head(key)
        assert (stored.bytes, stored.sha256) == (size, sha256), key


def test_every_job_took_one_attempt_and_the_counters_agree_with_the_rows(owner):
    assert rows(owner, "select distinct status::text, attempt from public.jobs") == [("succeeded", 1)]
    stages = rows(owner, "select stage, total, remaining, failed from public.production_stages")
    counted = rows(owner, "select stage, count(*)::int, 0, 0 from public.jobs group by stage")
    assert sorted(stages) == sorted(counted)


def test_a_job_costs_two_round_trips(made):
    # The sweep asks twice; publishing reads the show and its episodes once.
    assert made.round_trips <= 2 * made.jobs + 4


def test_doubled_messages_speak_nothing_twice(owner, line, show):
    before = spoken(owner)
    usage = rows(owner, "select count(*), sum(characters) from public.usage_events")

    for job in [job for job, _, _ in before.values()] * 2:
        line.dispatcher.send([{"id": job, "stage": "speak_line", "organization_id": show.organization}])
    line.run()

    assert spoken(owner) == before
    assert rows(owner, "select count(*), sum(characters) from public.usage_events") == usage


def test_editing_one_line_speaks_that_line_and_nothing_else(owner, line, caller, made):
    before = spoken(owner)
    block = rows(owner, "select id from public.blocks order by position offset 2 limit 1")[0][0]
    caller.execute("update public.blocks set markdown = 'A lighthouse keeps its **word**.' where id = %s", [block])

    preview = caller.execute("select stage, key, reason from public.preview_rebuild(%s)", [made.production]).fetchall()
    rebuild(line, caller, made.production)

    assert preview == [
        ("speak_line", str(block), "changed"),
        ("master_episode", "", "changed"),
        ("publish_episode", "", "follows"),
    ]
    assert [stage for stage, _ in line.handled] == [stage for stage, _, _ in preview]
    after = spoken(owner)
    assert {key for key in after if after[key] != before[key]} == {str(block)}
    assert rows(owner, BUILDS) == [("completed", 2)]


def test_the_new_line_is_in_the_new_transcript_and_the_old_enclosure_is_not_reused(owner, line, caller, made):
    old = rows(owner, "select audio_asset_id from public.episodes")
    owner.execute("update public.blocks set markdown = 'Pineapples are quite rare here.' where position = "
                  "(select min(position) + 1 from public.blocks)")  # fmt: skip

    rebuild(line, caller, made.production)

    assert rows(owner, "select audio_asset_id from public.episodes") != old
    key = owner.execute(
        "select key from public.assets join public.episodes on transcript_asset_id = assets.id"
    ).fetchone()[0]
    assert "Pineapples are quite rare here." in line.services.media_store.get(key).decode().replace("\n", " ")


def test_changing_a_speakers_voice_speaks_that_speakers_lines_and_no_others(owner, line, caller, made):
    before = spoken(owner)
    owner.execute("update public.projects set speakers = %s", [json.dumps(
        [{"name": "Ada", "voice": "espeak/cora"}, {"name": "Ben", "voice": "espeak/ben"}])])  # fmt: skip
    of_ada = {str(row[0]) for row in rows(owner, "select id from public.blocks where speaker = 'Ada'")}

    rebuild(line, caller, made.production)

    after = spoken(owner)
    assert of_ada
    assert {key for key in after if after[key] != before[key]} == of_ada


def test_a_rebuild_without_a_change_runs_nothing(owner, line, caller, made):
    rebuild(line, caller, made.production)

    assert line.handled == []
    assert rows(owner, BUILDS) == [("completed", 2)]


def test_a_line_that_another_episode_has_spoken_is_not_spoken_again(owner, line, caller, show, made):
    same = make_show(owner, show.user, ARTICLE, minutes=1)

    production = make(line, caller, same.episode, "the same again")

    first, second = spoken_by(owner, made.production), spoken_by(owner, production)
    shared = first.keys() & second.keys()
    assert shared
    assert {words: second[words] for words in shared} == {words: (first[words][0], 0) for words in shared}
    assert all(calls == 1 for _, calls in first.values())
    assert rows(owner, "select count(*) from public.audio_cache where usage_count = 2") == [(len(shared),)]


def test_planning_notes_are_used_once_and_marked_with_their_episode(owner, line, caller, show):
    owner.execute(
        "insert into public.planning_notes (organization_id, project_id, note) values (%s, %s, %s)",
        [show.organization, show.project, "Say more about the keepers who lived there."],
    )
    episodes = [add_episode(owner, show.organization, show.project, number, 1) for number in (2, 3)]

    for episode in episodes:
        make(line, caller, episode, str(episode), before="write_script")

    assert rows(owner, "select status::text, consumed_in_episode_id from public.planning_notes") == [
        ("consumed", episodes[0])
    ]
    notes = rows(
        owner,
        "select jsonb_array_length(input -> 'planning_notes') from public.jobs "
        "join public.productions on productions.id = production_id "
        "where stage = 'write_outline' order by productions.created_at",
    )
    assert notes == [(0,), (1,), (0,)]


def test_a_series_does_not_repeat_its_titles(owner, line, caller, show):
    for number, before in ((2, None), (3, "write_script")):
        episode = add_episode(owner, show.organization, show.project, number, 1)
        make(line, caller, episode, f"number {number}", before)

    titles = [title for (title,) in rows(owner, "select title from public.episodes order by number")]
    known = rows(
        owner,
        "select input -> 'previous_titles' from public.jobs join public.productions on productions.id = production_id "
        "where stage = 'write_outline' order by productions.created_at",
    )
    assert known == [([],), (titles[:1],), (titles[1::-1],)]
    assert len(set(titles)) == 3


def test_lines_are_mono_wav_files(owner, line):
    key = rows(owner, "select key from public.assets where kind = 'speech' limit 1")[0][0]
    with wave.open(io.BytesIO(line.services.media_store.get(key))) as clip:
        assert (clip.getnchannels(), clip.getsampwidth()) == (1, 2)


def test_feed_transcript_and_chapters_are_there(owner):
    kinds = dict(rows(owner, "select kind, content_type from public.assets where kind <> 'speech'"))
    assert kinds["transcript"].startswith("text/vtt")
    assert kinds["chapters"] == "application/json+chapters"
    assert kinds["feed"].startswith("application/rss+xml")
    assert kinds["cover"] == "image/jpeg"
