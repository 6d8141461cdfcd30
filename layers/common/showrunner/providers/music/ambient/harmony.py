"""Chords in a mode, and how they follow one another with little movement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

SCALES = {
    "ionian": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "aeolian": (0, 2, 3, 5, 7, 8, 10),
}

# Phrases of four chords as degrees of the scale, 0 is the tonic. Each begins at home, so that the key is never in
# doubt; what makes a mode itself (the flat second, the raised fourth or sixth) is in its phrases.
PHRASES = {
    "ionian": ((0, 5, 3, 4), (0, 3, 0, 4), (0, 4, 5, 3), (0, 2, 3, 0), (0, 3, 5, 0), (0, 3, 4, 0)),
    "dorian": ((0, 3, 0, 6), (0, 6, 3, 0), (0, 2, 3, 0), (0, 4, 3, 0), (0, 1, 0, 3)),
    "phrygian": ((0, 1, 0, 6), (0, 1, 2, 1), (0, 5, 1, 0), (0, 6, 1, 0), (0, 3, 1, 0)),
    "lydian": ((0, 1, 0, 4), (0, 1, 4, 0), (0, 4, 1, 0), (0, 2, 1, 0), (0, 5, 1, 0)),
    "mixolydian": ((0, 6, 3, 0), (0, 3, 6, 0), (0, 6, 0, 4), (0, 4, 6, 0), (0, 3, 0, 6)),
    "aeolian": ((0, 5, 2, 6), (0, 3, 0, 4), (0, 5, 3, 0), (0, 6, 5, 0), (0, 2, 5, 6), (0, 3, 5, 4)),
}
# Notes above the triad, as steps of the scale from the root: none, the seventh, the ninth.
_COLOURS = ((), (6,), (8,))
LOWEST, HIGHEST = 52, 74  # where the voices of a chord lie, in MIDI numbers
_BASS = 36


@dataclass(frozen=True, slots=True)
class Chord:
    """`voices` are MIDI numbers from low to high, `bass` lies below; `scale` are the twelve-tone classes around it."""

    degree: int
    voices: tuple[int, ...]
    bass: int
    scale: tuple[int, ...]


def chords_of(tonic: int, mode: str, count: int, random: np.random.Generator) -> list[Chord]:
    """Return `count` chords: two phrases that alternate, varied as they return, beginning and ending at home."""
    phrases = PHRASES[mode]
    first, second = (phrases[index] for index in random.choice(len(phrases), 2, replace=False))
    scale = SCALES[mode]
    classes = tuple((tonic + step) % 12 for step in scale)
    chords: list[Chord] = []
    for index in range(count):
        phrase = second if index // 4 % 4 == 2 else first
        degree = 0 if index == count - 1 else phrase[index % 4]
        colour = () if degree == 0 and index in (0, count - 1) else _COLOURS[int(random.choice(3, p=(0.5, 0.25, 0.25)))]
        wanted = [classes[(degree + step) % 7] for step in (0, 2, 4, *colour)]
        voices = _nearest(wanted, chords[-1].voices if chords else (57, 60, 64, 67))
        chords.append(Chord(degree, voices, _BASS + (classes[degree] - _BASS) % 12, classes))
    return chords


def _nearest(classes: Sequence[int], before: Sequence[int]) -> tuple[int, ...]:
    """The position of a chord in which each voice moves least, none meets another, and none leaves the range."""
    places = [[pitch for pitch in range(LOWEST, HIGHEST + 1) if pitch % 12 == wanted] for wanted in classes]
    candidates = [tuple(sorted(voices)) for voices in product(*places) if _is_open(voices)]
    return min(candidates, key=lambda voices: (_movement(voices, before), voices))


def _is_open(voices: Sequence[int]) -> bool:
    ordered = sorted(voices)
    steps = [high - low for low, high in pairwise(ordered)]
    return min(steps) >= 2 and ordered[-1] - ordered[0] <= 19 and steps[0] >= 3


def _movement(voices: Sequence[int], before: Sequence[int]) -> float:
    # A voice that comes in anew moves from nowhere.
    moves = sorted(min(abs(voice - other) for other in before) for voice in voices)[: len(before)]
    moved = sum(move**2 for move in moves)
    drift = abs(sum(voices) / len(voices) - (LOWEST + HIGHEST) / 2)
    return moved + 0.5 * drift


def chord_tones(chord: Chord, low: int, high: int) -> list[int]:
    """The chord's notes between two MIDI numbers."""
    classes = {voice % 12 for voice in chord.voices}
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in classes]


def scale_tones(chord: Chord, low: int, high: int) -> list[int]:
    """The mode's notes between two MIDI numbers."""
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in chord.scale]
