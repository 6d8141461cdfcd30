"""What is left to do with an episode that was really made: ask about it, see its highlights, cut one."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.stack import Stack
from showrunner.media.ffmpeg import input_file
from showrunner.media.loudness import measure
from tests.rigs.finished_episode import Listener
from tests.rigs.laptop import OFFLINE_SPEAKERS, Laptop
from tests.rigs.rows import act_as_user
from tests.rigs.shows import Show


@pytest.fixture(scope="module")
def made(running_stack: Any) -> tuple[Show, uuid.UUID]:
    """A minute of the article about tides, from its text to its feed."""
    laptop: Laptop = running_stack.laptop
    show = laptop.show(speakers=OFFLINE_SPEAKERS)
    production = laptop.request(show)
    laptop.wait_until_completed(production)
    return show, production


@pytest.fixture
def connection(stack: Stack) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(stack.database_url, autocommit=True) as open_connection:
        yield open_connection


def test_a_question_about_an_episode_is_answered_with_places_that_exist(
    laptop: Laptop, made: tuple[Show, uuid.UUID], connection: psycopg.Connection[Any]
) -> None:
    show, _ = made
    listener = Listener(connection, show.user, show)

    answer = listener.ask("What do the Moon and the Earth do to the tide?")
    laptop.wait(lambda: listener.answer(answer)[0] in ("completed", "failed"), "the answer is written")

    status, content, citations, error = listener.answer(answer)
    assert (status, error) == ("completed", None)
    assert citations
    assert [int(mark) for mark in re.findall(r"\[(\d+)\]", content)] == list(range(1, len(citations) + 1))
    [(episode_seconds,)] = laptop.rows("select duration_seconds from public.episodes where id = %s", show.episode)
    transcript = laptop.rows(
        "select block_id::text, text, start_seconds::float8, end_seconds::float8 from public.spoken_lines "
        "where episode_id = %s", show.episode,
    )  # fmt: skip
    lines = {block: (text, start, end) for block, text, start, end in transcript}
    for citation in citations:
        if citation["source_id"] is None:
            text, start, end = lines[citation["block_id"]]
            assert citation["quote"] in text
            assert (citation["start_seconds"], citation["end_seconds"]) == (start, end)
            assert 0 <= start < end <= episode_seconds
        else:
            assert citation["source_id"] == str(show.source)


def test_what_the_episode_does_not_tell_is_said_so(
    laptop: Laptop, made: tuple[Show, uuid.UUID], connection: psycopg.Connection[Any]
) -> None:
    show, _ = made
    listener = Listener(connection, show.user, show)

    answer = listener.ask("Who invented the telephone?", "another")
    laptop.wait(lambda: listener.answer(answer)[0] in ("completed", "failed"), "the answer is written")

    assert listener.answer(answer)[:3] == (
        "completed", "This episode does not tell. Neither it nor its sources speak of that.", []
    )  # fmt: skip


def test_a_proposed_highlight_is_cut_at_its_length_and_the_episodes_loudness(
    laptop: Laptop, stack: Stack, made: tuple[Show, uuid.UUID], connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    show, _ = made
    of_episode = "from public.highlights where episode_id = %s and user_id is null"
    laptop.wait(lambda: laptop.rows(f"select id {of_episode}", show.episode), "highlights are proposed")
    highlight, start, end, quote = laptop.rows(
        f"select id, start_seconds::float8, end_seconds::float8, quote {of_episode} limit 1", show.episode
    )[0]

    act_as_user(connection, show.user)
    connection.execute("select public.export_highlight(%s, 'clip')", [highlight])
    clip = "select clip_status::text, clip_error, clip_text, clip_asset_id from public.highlights where id = %s"
    laptop.wait(lambda: laptop.rows(clip, highlight)[0][0] in ("completed", "failed"), "the clip is cut")

    status, error, text, asset = laptop.rows(clip, highlight)[0]
    assert (status, error) == ("completed", None)
    assert quote in text
    key, seconds, lufs = laptop.rows(
        "select key, duration_seconds::float8, integrated_lufs::float8 from public.assets where id = %s", asset
    )[0]
    media_file(stack, key, tmp_path / "clip.mp3")
    measured = measure(input_file(tmp_path / "clip.mp3"), timeout=60, true_peak=True)
    assert measured.seconds == pytest.approx(seconds, abs=0.06)
    assert end - start <= measured.seconds <= end - start + 0.5
    assert measured.integrated == pytest.approx(-16, abs=0.5)
    assert measured.integrated == pytest.approx(lufs, abs=0.1)
    assert measured.true_peak <= -1


def media_file(stack: Stack, key: str, path: Path) -> None:
    import boto3

    from showrunner.media_store import MediaStore

    where = stack.addresses
    s3 = boto3.client(
        "s3",
        endpoint_url=where.endpoint_url,
        region_name=where.region,
        aws_access_key_id="laptop",
        aws_secret_access_key="laptop",
    )
    MediaStore(s3, where.bucket).download(key, path)


def test_the_show_remembers_what_the_episode_told(laptop: Laptop, made: tuple[Show, uuid.UUID]) -> None:
    show, _ = made
    review = "select status::text from public.episode_reviews where episode_id = %s"
    laptop.wait(lambda: laptop.rows(review, show.episode) == [("completed",)], "the episode is reviewed")

    told = laptop.rows("select kind::text from public.agent_memories where project_id = %s and learned", show.project)
    assert {"topic", "fact"} <= {kind for (kind,) in told}
