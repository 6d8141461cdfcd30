"""What is heard in a finished episode, and what is asked about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from showrunner.database import Database
from showrunner.errors import InvalidInput
from showrunner.script import Value, Words

_SPOKEN_LINES = """
select block_id, section, speaker, text, start_seconds::float8, end_seconds::float8
from public.spoken_lines
where episode_id = %(episode)s
  and organization_id = %(organization)s
order by position
"""


class HeardLine(Value):
    """One line as the episode's audio says it; times in seconds."""

    block_id: UUID
    section: str
    speaker: str
    text: str
    start_seconds: float
    end_seconds: float


class Excerpt(Value):
    """A passage of a source."""

    source_id: UUID
    title: str
    text: str


class Remark(Value):
    """What was said earlier in a conversation."""

    role: Literal["user", "assistant"]
    text: str


class FinishedEpisode(Value):
    """The episode that is talked about. `transcript_sha256` tells one recording of it from another."""

    id: UUID
    title: str
    summary: str
    transcript_sha256: str | None = None


class AnswerMaterial(Value):
    """All that an answer is made from. `lines` and `excerpts` are found by their marks: `L1`, `S1` and so on."""

    language: str
    question: Words
    earlier: list[Remark]
    lines: Mapping[str, HeardLine]
    excerpts: Mapping[str, Excerpt]


class ReviewMaterial(Value):
    """All that an episode's review is made from; `remembered` is what the show remembers already."""

    language: str
    episode: FinishedEpisode
    lines: Annotated[list[HeardLine], Field(min_length=1)]
    remembered: list[str]


class ProposedHighlight(Value):
    """Lines worth marking, by their numbers from 1; `note` says why."""

    first_line: Annotated[int, Field(ge=1)]
    last_line: Annotated[int, Field(ge=1)]
    note: str


class LearnedMemory(Value):
    """What the show should remember: topic told, fact, phrase worn out, promise made. `importance` is 1 to 5."""

    kind: Literal["topic", "fact", "phrase", "promise"]
    content: Words
    importance: Annotated[int, Field(ge=1, le=5)]


class Review(Value):
    """A writer's look back at an episode."""

    highlights: list[ProposedHighlight]
    memories: list[LearnedMemory]


def read_spoken_lines(database: Database, organization_id: UUID, episode_id: UUID) -> list[HeardLine]:
    """Return the episode's lines in order; raise `InvalidInput` when there are none any more."""
    rows = database.call(_SPOKEN_LINES, {"episode": episode_id, "organization": organization_id})
    if not rows:
        raise InvalidInput("episode: nothing of it can be heard; rebuild it from master_episode, then ask again.")
    return [HeardLine.model_validate(row) for row in rows]
