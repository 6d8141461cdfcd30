"""From a text to a published episode, and what a second look at it costs."""

import io
import json
import wave

import pytest
from mutagen.mp3 import MP3

from tests.rigs.line import function
from tests.rigs.shows import add_episode, make_show


@pytest.fixture
def article():
    from pathlib import Path

    return (Path(__file__).parents[2] / "examples" / "article.md").read_text()


@pytest.fixture
def show(owner, sign_up, article):
    return make_show(owner, sign_up("ada"), article, minutes=1)


def request(line, as_user, show, episode=None, key="first"):
    production = (
        as_user(show.user)
        .execute("select public.request_production('episode', %s, %s)", [episode or show.episode, key])
        .fetchone()[0]
    )
    finish(line)
    return production


def finish(line):
    function("sweep_jobs").sweep(line.services)
    line.run()


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


def test_a_text_becomes_a_published_episode(owner, line, as_user, show):
    production = request(line, as_user, show)

    assert rows(owner, "select status::text, progress, error from public.productions") == [("completed", 100, None)]
    episode = owner.execute(
        "select generation_status::text, generation_progress, status::text, title, duration_seconds, "
        "published_at is not null, generation_job_id from public.episodes"
    ).fetchone()
    assert episode[:3] == ("completed", 100, "published")
    assert episode[3]
    assert float(episode[4]) == pytest.approx(60, rel=0.05)
    assert episode[5:] == (True, production)


def test_the_mp3_is_what_its_row_says(owner, line, as_user, show):
    request(line, as_user, show)

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


def test_every_asset_row_has_its_file_with_that_size_and_hash(owner, line, as_user, show):
    request(line, as_user, show)

    assets = rows(owner, "select key, bytes, sha256 from public.assets")
    assert assets
    for key, size, sha256 in assets:
        stored = line.services.media_store.head(key)
        assert (stored.bytes, stored.sha256) == (size, sha256), key


def test_every_job_took_one_attempt_and_the_counters_agree_with_the_rows(owner, line, as_user, show):
    request(line, as_user, show)

    assert rows(owner, "select distinct status::text, attempt from public.jobs") == [("succeeded", 1)]
    stages = rows(owner, "select stage, total, remaining, failed from public.production_stages")
    counted = rows(owner, "select stage, count(*)::int, 0, 0 from public.jobs group by stage")
    assert sorted(stages) == sorted(counted)


def test_a_job_costs_two_round_trips(owner, line, as_user, show):
    request(line, as_user, show)
    jobs = len(line.handled)
    # The sweep asks twice; publishing reads the show and its episodes once.
    assert line.database.round_trips <= 2 * jobs + 4


def test_doubled_messages_speak_nothing_twice(owner, line, as_user, show):
    request(line, as_user, show)
    before = spoken(owner)
    usage = rows(owner, "select count(*), sum(characters) from public.usage_events")

    for job in [job for job, _, _ in before.values()] * 2:
        line.dispatcher.send([{"id": job, "stage": "speak_line", "organization_id": show.organization}])
    line.run()

    assert spoken(owner) == before
    assert rows(owner, "select count(*), sum(characters) from public.usage_events") == usage


def test_editing_one_line_speaks_that_line_and_nothing_else(owner, line, as_user, show):
    production = request(line, as_user, show)
    connection = as_user(show.user)
    before = spoken(owner)
    block = rows(owner, "select id from public.blocks order by position offset 2 limit 1")[0][0]
    connection.execute("update public.blocks set markdown = 'A lighthouse keeps its **word**.' where id = %s", [block])

    preview = connection.execute("select stage, key, reason from public.preview_rebuild(%s)", [production]).fetchall()
    line.handled.clear()
    connection.execute("select public.rebuild_production(%s)", [production])
    finish(line)

    assert preview == [
        ("speak_line", str(block), "changed"),
        ("master_episode", "", "changed"),
        ("publish_episode", "", "follows"),
    ]
    assert [stage for stage, _ in line.handled] == [stage for stage, _, _ in preview]
    after = spoken(owner)
    assert {key for key in after if after[key] != before[key]} == {str(block)}
    assert rows(owner, "select status::text, build from public.productions") == [("completed", 2)]


def test_the_new_line_is_in_the_new_transcript_and_the_old_enclosure_is_not_reused(owner, line, as_user, show):
    production = request(line, as_user, show)
    old = rows(owner, "select audio_asset_id from public.episodes")
    owner.execute("update public.blocks set markdown = 'Pineapples are quite rare here.' where position = "
                  "(select min(position) + 1 from public.blocks)")  # fmt: skip

    as_user(show.user).execute("select public.rebuild_production(%s)", [production])
    finish(line)

    assert rows(owner, "select audio_asset_id from public.episodes") != old
    key = owner.execute(
        "select key from public.assets join public.episodes on transcript_asset_id = assets.id"
    ).fetchone()[0]
    assert "Pineapples are quite rare here." in line.services.media_store.get(key).decode().replace("\n", " ")


def test_changing_a_speakers_voice_speaks_that_speakers_lines_and_no_others(owner, line, as_user, show):
    production = request(line, as_user, show)
    before = spoken(owner)
    owner.execute("update public.projects set speakers = %s", [json.dumps(
        [{"name": "Ada", "voice": "espeak/cora"}, {"name": "Ben", "voice": "espeak/ben"}])])  # fmt: skip
    of_ada = {str(row[0]) for row in rows(owner, "select id from public.blocks where speaker = 'Ada'")}

    as_user(show.user).execute("select public.rebuild_production(%s)", [production])
    finish(line)

    after = spoken(owner)
    assert of_ada
    assert {key for key in after if after[key] != before[key]} == of_ada


def test_a_rebuild_without_a_change_runs_nothing(owner, line, as_user, show):
    production = request(line, as_user, show)
    line.handled.clear()

    as_user(show.user).execute("select public.rebuild_production(%s)", [production])
    finish(line)

    assert line.handled == []
    assert rows(owner, "select status::text, build from public.productions") == [("completed", 2)]


def test_a_line_that_was_spoken_before_is_reused_by_the_next_episode(owner, line, as_user, show):
    request(line, as_user, show)
    second = add_episode(owner, show.organization, show.project, 2, 1)
    request(line, as_user, show, second, key="second")

    reused = rows(owner, "select count(*) from public.audio_cache where usage_count > 1")
    assert reused[0][0] >= 0
    assert rows(owner, "select count(distinct id) = count(*) from public.assets") == [(True,)]


def test_planning_notes_are_used_once_and_marked_with_their_episode(owner, line, as_user, show):
    owner.execute(
        "insert into public.planning_notes (organization_id, project_id, note) values (%s, %s, %s)",
        [show.organization, show.project, "Say more about the keepers who lived there."],
    )
    request(line, as_user, show)
    second = add_episode(owner, show.organization, show.project, 2, 1)
    request(line, as_user, show, second, key="second")

    assert rows(owner, "select status::text, consumed_in_episode_id from public.planning_notes") == [
        ("consumed", show.episode)
    ]
    inputs = rows(
        owner,
        "select jsonb_array_length(input -> 'planning_notes'), input -> 'previous_titles' from public.jobs "
        "join public.productions on productions.id = production_id "
        "where stage = 'write_outline' order by productions.created_at",
    )
    title = rows(owner, "select title from public.episodes where number = 1")[0][0]
    assert inputs == [(1, []), (0, [title])]


def test_a_series_does_not_repeat_its_titles(owner, line, as_user, show):
    request(line, as_user, show)
    for number in (2, 3):
        episode = add_episode(owner, show.organization, show.project, number, 1)
        request(line, as_user, show, episode, key=f"number {number}")

    titles = rows(owner, "select count(*), count(distinct title) from public.episodes")
    assert titles == [(3, 3)]


def test_lines_are_mono_wav_files(owner, line, as_user, show):
    request(line, as_user, show)

    key = rows(owner, "select key from public.assets where kind = 'speech' limit 1")[0][0]
    with wave.open(io.BytesIO(line.services.media_store.get(key))) as clip:
        assert (clip.getnchannels(), clip.getsampwidth()) == (1, 2)


def test_feed_transcript_and_chapters_are_there(owner, line, as_user, show):
    request(line, as_user, show)

    kinds = dict(rows(owner, "select kind, content_type from public.assets where kind <> 'speech'"))
    assert kinds["transcript"].startswith("text/vtt")
    assert kinds["chapters"] == "application/json+chapters"
    assert kinds["feed"].startswith("application/rss+xml")
    assert kinds["cover"] == "image/jpeg"
