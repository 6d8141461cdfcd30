"""How long a script will sound: the pauses between lines, and speech by the voice's rate.

The writer budgets with these figures and the mastering stage places lines with the same ones, so the length that
was planned is the length that is heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

# Seconds of silence before a line, by what comes before it, and around the whole.
SAME_SPEAKER_PAUSE = 0.35
CHANGE_OF_SPEAKER_PAUSE = 0.5
SECTION_PAUSE = 1.2
LEAD_IN = 0.3
LEAD_OUT = 0.8

# English read at about 165 words a minute is about 15 characters a second, spaces included.
USUAL_CHARACTERS_PER_SECOND = 15.0


@dataclass(frozen=True, slots=True)
class Timed:
    """What timing needs to know of a line: `characters` are those of its speakable text."""

    section: str
    speaker: str
    characters: int


def pause_between(before: Timed, after: Timed) -> float:
    """Return the seconds of silence between two lines that follow each other."""
    if before.section != after.section:
        return SECTION_PAUSE
    if before.speaker != after.speaker:
        return CHANGE_OF_SPEAKER_PAUSE
    return SAME_SPEAKER_PAUSE


def speech_seconds(characters: int, characters_per_second: float) -> float:
    """Return how long a voice speaks `characters` of plain text."""
    return characters / characters_per_second


def script_seconds(lines: Sequence[Timed], characters_per_second: Mapping[str, float]) -> float:
    """Return the seconds of the whole script, pauses included. Rates are by speaker name."""
    speech = sum(
        speech_seconds(line.characters, characters_per_second.get(line.speaker, USUAL_CHARACTERS_PER_SECOND))
        for line in lines
    )
    pauses = sum(pause_between(before, after) for before, after in pairwise(lines))
    return speech + pauses
