"""When each line of an episode is heard: natural pauses, fitted to the asked length. Pure arithmetic."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from showrunner.pacing import CHANGE_OF_SPEAKER_PAUSE, LEAD_IN, LEAD_OUT, SAME_SPEAKER_PAUSE, SECTION_PAUSE

VARIATION = 0.15  # pauses of exactly one length sound mechanical
PAUSE_SCALE = (0.6, 1.6)
TEMPO = (0.96, 1.04)
GOOD_ENOUGH = 0.01


@dataclass(frozen=True, slots=True)
class Line:
    """One spoken line; `seconds` is the length of its clip."""

    section: str
    speaker: str
    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Pacing:
    """`pauses[i]` is the silence before line i, before the tempo is applied; the result lasts `seconds`."""

    pauses: tuple[float, ...]
    lead_out: float
    tempo: float
    seconds: float


def natural_pauses(lines: Sequence[Line]) -> list[float]:
    """The seconds before each line: the lead-in, then short, longer at another speaker, longest at a section."""
    pauses = [LEAD_IN]
    for index, (before, line) in enumerate(pairwise(lines), start=1):
        if line.section != before.section:
            pause = SECTION_PAUSE
        elif line.speaker != before.speaker:
            pause = CHANGE_OF_SPEAKER_PAUSE
        else:
            pause = SAME_SPEAKER_PAUSE
        pauses.append(pause * (1 + VARIATION * _chance(f"{index} {line.text}")))
    return pauses


def fit(lines: Sequence[Line], target_seconds: float) -> Pacing:
    """Come as near to `target_seconds` as sounds natural.

    Pauses are scaled first; only when that leaves more than one per cent is the tempo changed. A script that is much
    too long or too short stays so: no voice is hurried or dragged by more than four per cent.
    """
    pauses = natural_pauses(lines)
    between = sum(pauses[1:])
    fixed = LEAD_IN + LEAD_OUT + sum(line.seconds for line in lines)
    scale = _within((target_seconds - fixed) / between, PAUSE_SCALE) if between else 1.0
    seconds = fixed + scale * between
    off = abs(seconds - target_seconds) > GOOD_ENOUGH * target_seconds
    tempo = _within(seconds / target_seconds, TEMPO) if off else 1.0
    scaled = (LEAD_IN, *(scale * pause for pause in pauses[1:]))
    return Pacing(scaled, LEAD_OUT, tempo, seconds / tempo)


def _within(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])


def _chance(seed: str) -> float:
    """A number from -1 to 1 that is always the same for the same seed."""
    return int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=4).digest(), "big") / 2**31 - 1
