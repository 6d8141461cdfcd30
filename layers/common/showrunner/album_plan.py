"""The plan of a long ambience video: what each track is to sound like and what each picture is to show."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Two prompts of which more than this part of the words is the same are one.
_MOST_ALIKE = 0.75
_WORD = re.compile(r"\w+")
_SEPARATOR = re.compile(r"[,;/\n]+")

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^<>\n\r\t]+$")]
Prompt = Annotated[str, StringConstraints(strip_whitespace=True, min_length=20, max_length=2000)]


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AlbumMaterial(_Plain):
    """What an album is planned from. `seed` makes two albums of one niche and mood different."""

    channel: str
    brand_niche: str
    niche: str
    moods: tuple[str, ...]
    minutes: int
    tracks: int
    seed: UUID


class TrackPlan(_Plain):
    """`share` is the track's part of the album's length, in any unit."""

    title: Line
    prompt: Prompt
    share: float = Field(default=1.0, gt=0)


class AlbumPlan(_Plain):
    """Track n is heard while picture n is seen."""

    title: Line
    description: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^<>]*$")]
    tags: list[Line] = Field(max_length=40)
    tracks: list[TrackPlan]
    pictures: list[Prompt]


def moods_of(keywords: str) -> tuple[str, ...]:
    """Return the moods of a comma-separated list, each once, in order; at least one."""
    found = dict.fromkeys(" ".join(part.split()).lower() for part in _SEPARATOR.split(keywords))
    return tuple(mood for mood in found if mood) or ("calm",)


def are_alike(one: str, other: str) -> bool:
    """Whether two prompts share so many of their words that they would be made into the same."""
    words, others = (set(_WORD.findall(text.casefold())) for text in (one, other))
    return len(words & others) > _MOST_ALIKE * len(words | others)
