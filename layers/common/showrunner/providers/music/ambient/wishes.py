"""What a prompt asks for, as the character of a piece."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from showrunner.providers.music.ambient.seeds import chance
from showrunner.providers.music.ambient.vocabulary import (
    ACCIDENTALS,
    INSTRUMENTS,
    MODE_NAMES,
    MOODS,
    NOT_MEANT,
    NOTES,
    PLAIN,
    TEMPO_WORDS,
    TEXTURES,
    Mood,
)

SLOWEST, FASTEST = 40.0, 140.0
SUSTAINED = ("pad", "strings", "choir")
MOST_LAYERS = 6
MOST_TEXTURES = 2

_MODE = "major|minor|ionian|aeolian|dorian|phrygian|lydian|mixolydian"
# The article is no note: "in a minor key" and "a major theme" name a mode alone, "in A minor" a key.
_KEY = re.compile(
    r"\b(?:([A-G])|(?:in|key of|key:?)\s+([a-g]))[\s-]?(#|♯|♭|b|sharp|flat)?[\s-]?"
    rf"\b({_MODE})\b(?!\s+(?:key|theme|mood))"
)
_MODE_ALONE = re.compile(rf"\b({_MODE})\b")
_TEMPO = re.compile(r"(\d{2,3})\s*(?:[-–]\s*\d{2,3}\s*)?bpm|\btempo\D{0,3}(\d{2,3})\b")


@dataclass(frozen=True, slots=True)
class Character:
    """`tonic` is a pitch class (C is 0), `bpm` counts beats; `brightness` and `energy` are 0 to 1, `space` seconds."""

    tonic: int
    mode: str
    bpm: float
    beats_per_bar: int
    layers: tuple[str, ...]
    textures: tuple[str, ...]
    brightness: float
    energy: float
    space: float


def character_of(prompt: str, mood: str, seed: str) -> Character:
    """Read the words of the prompt, then those of the mood; the seed decides what they leave open."""
    text = f"{prompt} {mood}".lower()
    moods = [each for each in MOODS if _names(text, each.words)] or [PLAIN]
    random = chance(seed, "character")
    chosen = moods[int(random.integers(len(moods)))]
    # Everything is drawn whether it is asked for or not, so that naming a key does not change the tempo.
    tonic, mode = int(random.integers(12)), chosen.modes[int(random.integers(len(chosen.modes)))]
    bpm = float(random.uniform(*chosen.tempo))
    brightness, energy, space = random.uniform(-0.12, 0.12), random.uniform(-0.1, 0.1), random.uniform(0.85, 1.15)
    asked_tonic, asked_mode = _key(f"{prompt} {mood}")
    return Character(
        tonic=tonic if asked_tonic is None else asked_tonic,
        mode=asked_mode or mode,
        bpm=_tempo(text, bpm),
        beats_per_bar=3 if _names(text, ("waltz", "3/4", "triple")) else 4,
        layers=_layers(text, chosen, random),
        textures=tuple(name for name, stems in TEXTURES.items() if _names(text, stems))[:MOST_TEXTURES],
        brightness=float(np.clip(_mean([each.brightness for each in moods]) + brightness, 0.05, 0.95)),
        energy=float(np.clip(_mean([each.energy for each in moods]) + energy, 0.05, 0.95)),
        space=_mean([each.space for each in moods]) * float(space),
    )


def _key(text: str) -> tuple[int | None, str | None]:
    found = _KEY.search(text)
    if found:
        note, accidental = (found[1] or found[2]).lower(), found[3] or ""
        return (NOTES[note] + ACCIDENTALS[accidental]) % 12, MODE_NAMES[found[4]]
    alone = _MODE_ALONE.search(text.lower())
    return None, MODE_NAMES[alone[1]] if alone else None


def _tempo(text: str, drawn: float) -> float:
    found = _TEMPO.search(text)
    if found:
        return float(np.clip(int(found[1] or found[2]), SLOWEST, FASTEST))
    for word, factor in TEMPO_WORDS.items():
        if _names(text, (word,)):
            drawn *= factor
    return float(np.clip(drawn, SLOWEST, FASTEST))


def _layers(text: str, mood: Mood, random: np.random.Generator) -> tuple[str, ...]:
    """What is named, else some of what the mood likes; always something sustained to carry the harmony."""
    named = [layer for layer, stems in INSTRUMENTS.items() if _names(text, stems)]
    liked = [layer for layer in mood.layers if layer not in named]
    random.shuffle(liked)
    is_enough = len(named) >= 2 or (named and _names(text, ("solo", "only")))
    layers = named if is_enough else named + liked[: int(random.integers(3, 5)) - len(named)]
    if not any(layer in SUSTAINED for layer in layers):
        layers = [SUSTAINED[int(random.integers(len(SUSTAINED)))], *layers]
    carriers = [layer for layer in layers if layer in SUSTAINED]
    return tuple(carriers + [layer for layer in layers if layer not in SUSTAINED])[:MOST_LAYERS]


def _names(text: str, stems: Sequence[str]) -> bool:
    """Whether a word begins as one of the stems does."""
    return any(
        match[1] not in NOT_MEANT
        for stem in stems
        for match in re.finditer(rf"(?<![\w-])({re.escape(stem)}[\w-]*)", text)
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
