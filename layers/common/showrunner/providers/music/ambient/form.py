"""The slow shape of a piece: where its chords stand and which layers play when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from showrunner.providers.music.ambient.wishes import Character

CHORD_SECONDS = 6.5  # a chord lasts as many whole bars as come nearest to it
SECTION_CHORDS = 4
FADE_IN_SECONDS, FADE_OUT_SECONDS = 1.2, 3.0


@dataclass(frozen=True, slots=True)
class Slot:
    """One chord's time, in seconds from the start. `levels` has the layers that play in it, 0 to 1."""

    start: float
    end: float
    levels: dict[str, float]


def slots_of(character: Character, seconds: float, random: np.random.Generator) -> list[Slot]:
    """Lay out the piece. The last slot takes what is left over, so that none is shorter than a chord."""
    bar = character.beats_per_bar * 60 / character.bpm
    length = bar * max(1, round(CHORD_SECONDS / bar))
    count = max(1, int(seconds / length + 0.25))
    levels = _levels(character.layers, -(-count // SECTION_CHORDS), random)
    return [
        Slot(index * length, seconds if index == count - 1 else (index + 1) * length, levels[index // SECTION_CHORDS])
        for index in range(count)
    ]


def _levels(layers: Sequence[str], sections: int, random: np.random.Generator) -> list[dict[str, float]]:
    """One layer carries all along; the others enter one after the other, rest now and then, and leave before the end.

    In a short piece there is no time for that: everything is there from the start.
    """
    carrier, *others = layers
    if sections <= 2:
        return [dict.fromkeys(layers, 1.0) for _ in range(sections)]
    random.shuffle(others)
    plan: list[dict[str, float]] = []
    for section in range(sections):
        way = section / (sections - 1)
        playing = max(1, round(len(others) * float(np.sin(np.pi * np.clip(0.12 + 0.8 * way, 0, 1)) ** 0.6)))
        shift = section // 2 if section > 1 else 0
        ordered = [others[(index + shift) % len(others)] for index in range(len(others))] if others else []
        levels = {carrier: 1.0}
        for layer in ordered[:playing]:
            levels[layer] = float(random.uniform(0.75, 1.0))
        plan.append(levels)
    return plan
