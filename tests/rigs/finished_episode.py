"""A finished episode as rows alone: what is heard in it, without the hours of speaking."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg

from showrunner.speech_text import split_sentences
from tests.rigs.rows import act_as_user, insert
from tests.rigs.shows import Show

LINE_SECONDS = 4.0


def finish_episode(owner: psycopg.Connection[Any], show: Show, text: str) -> list[uuid.UUID]:
    """Give the episode a spoken line per sentence, of four seconds each, and audio; return the lines' blocks."""
    sentences = [sentence for part in text.split("\n\n") if part[0] != "#" for sentence in split_sentences(part)]
    blocks = []
    for position, sentence in enumerate(sentences):
        block = insert(owner, "blocks", {
            "organization_id": show.organization, "episode_id": show.episode, "position": position,
            "section": "All", "speaker": "Ada", "markdown": sentence,
        })  # fmt: skip
        start = position * LINE_SECONDS
        owner.execute(
            "insert into public.spoken_lines (episode_id, position, organization_id, block_id, section, speaker, text, "
            "start_seconds, end_seconds) values (%s, %s, %s, %s, 'All', 'Ada', %s, %s, %s)",
            [show.episode, position, show.organization, block, sentence, start, start + 0.9 * LINE_SECONDS],
        )
        blocks.append(block)
    seconds = len(sentences) * LINE_SECONDS
    names = {}
    for kind, content_type in (("episode_audio", "audio/mpeg"), ("transcript", "text/vtt")):
        names[kind] = insert(owner, "assets", {
            "organization_id": show.organization, "kind": kind, "content_type": content_type, "bytes": 1,
            "key": f"organizations/{show.organization}/{kind}/{show.episode}", "sha256": "a" * 64,
            "duration_seconds": seconds if kind == "episode_audio" else None,
        })  # fmt: skip
    owner.execute(
        "update public.episodes set title = 'Tides', audio_asset_id = %s, transcript_asset_id = %s, "
        "duration_seconds = %s where id = %s",
        [names["episode_audio"], names["transcript"], seconds, show.episode],
    )
    return blocks


class Listener:
    """A signed-in member in a conversation about an episode."""

    def __init__(self, connection: psycopg.Connection[Any], user: uuid.UUID, show: Show) -> None:
        act_as_user(connection, user)
        self.connection = connection
        self.session = self._value(
            "insert into public.chat_sessions (organization_id, project_id, episode_id) values (%s, %s, %s) "
            "returning id",
            show.organization, show.project, show.episode,
        )  # fmt: skip

    def ask(self, question: str = "What is a spring tide?", key: str = "first") -> uuid.UUID:
        """Return the answer's message."""
        return uuid.UUID(str(self._value("select public.ask_question(%s, %s, %s)", self.session, question, key)))

    def answer(self, message: uuid.UUID) -> tuple[Any, ...]:
        """status, content, citations, error"""
        row = self.connection.execute(
            "select status::text, content, citations, error from public.chat_messages where id = %s", [message]
        ).fetchone()
        assert row is not None
        return row

    def _value(self, query: str, *values: Any) -> Any:
        row = self.connection.execute(query.encode(), values).fetchone()
        assert row is not None
        return row[0]
