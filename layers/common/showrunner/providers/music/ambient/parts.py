"""The notes of every layer, as events in samples: what the harmony and the form leave to each instrument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from showrunner.providers.music.ambient.form import Slot
from showrunner.providers.music.ambient.harmony import Chord, chord_tones, scale_tones
from showrunner.providers.music.ambient.instruments import HELD, SAMPLE_RATE
from showrunner.providers.music.ambient.wishes import SUSTAINED, Character

# Gains: held sounds have a level of 0.1 RMS before it, struck ones peaks of 1.
GAINS = {
    "pad": 1.0, "strings": 0.9, "choir": 0.8, "drone": 0.55, "flute": 0.5, "bass": 0.6, "pedal": 0.45,
    "harp": 0.3, "lute": 0.26, "piano": 0.32, "bells": 0.15, "drum": 0.4, "shaker": 0.05,
}  # fmt: skip
_HUMAN_SECONDS = 0.008  # how far from the beat a player is
_LOWEST = 36  # the MIDI number from which drones are counted


@dataclass(frozen=True, slots=True)
class HeldNote:
    """Samples from `at` to `end`, of which the first `attack` rise and the last `release` fall."""

    at: int
    end: int
    attack: int
    release: int
    timbre: str
    pitches: tuple[int, ...]
    gain: float


@dataclass(frozen=True, slots=True)
class StruckNote:
    """`left` and `right` are gains."""

    at: int
    timbre: str
    pitch: int
    left: float
    right: float


Note = HeldNote | StruckNote


def notes_of(
    character: Character, slots: Sequence[Slot], chords: Sequence[Chord], random: np.random.Generator
) -> list[Note]:
    """Return all notes of the piece, in the order of their beginning."""
    notes: list[Note] = []
    for index, (slot, chord) in enumerate(zip(slots, chords, strict=True)):
        home = _LOWEST + (character.tonic - _LOWEST) % 12
        notes.append(_held(slot, "drone", (chord.bass,), GAINS["bass"], first=index == 0))
        notes.append(_held(slot, "drone", (home + 12, home + 24), GAINS["pedal"], first=index == 0))
        for layer, level in slot.levels.items():
            player = _Player(character, slot, chord, level, random)
            notes += _sustained(player, layer, first=index == 0) if layer in _LONG else _PLAYERS[layer](player)
    return sorted(notes, key=lambda note: note.at)


@dataclass(frozen=True, slots=True)
class _Player:
    character: Character
    slot: Slot
    chord: Chord
    level: float
    random: np.random.Generator

    @property
    def beat(self) -> float:
        return 60 / self.character.bpm

    def grid(self, per_beat: float) -> Iterator[tuple[int, float]]:
        """Number and time of every step of the slot; the last ones leave room for the end."""
        step = self.beat / per_beat
        for number in range(int((self.slot.end - self.slot.start) / step + 1e-6)):
            yield number, self.slot.start + number * step

    def strike(self, timbre: str, at: float, pitch: int, force: float, place: float | None = None) -> StruckNote:
        """One note; without a `place` (0 left, 1 right) low notes are on the left, as on a keyboard."""
        late = float(self.random.normal(0, _HUMAN_SECONDS / 2)) if at > 0 else 0.0
        share = 0.5 + (pitch - 66) / 70 if place is None else place
        angle = float(np.clip(share, 0.15, 0.85)) * np.pi / 2
        gain = GAINS[timbre] * self.level * force * float(self.random.uniform(0.85, 1.1))
        moment = max(0, round((at + late) * SAMPLE_RATE))
        return StruckNote(moment, timbre, pitch, gain * float(np.cos(angle)), gain * float(np.sin(angle)))


def _held(slot: Slot, timbre: str, pitches: tuple[int, ...], gain: float, *, first: bool) -> HeldNote:
    """A chord over its slot, overlapping its neighbours; the first one sounds at once."""
    shape = HELD[timbre]
    attack, release = int(shape.attack * SAMPLE_RATE), int(shape.release * SAMPLE_RATE)
    start = round(slot.start * SAMPLE_RATE) - (attack if first else attack // 2)
    return HeldNote(start, round(slot.end * SAMPLE_RATE) + release // 2, attack, release, timbre, pitches, gain)


def _sustained(player: _Player, layer: str, *, first: bool) -> list[Note]:
    pitches = player.chord.voices
    if layer == "drone":
        home = _LOWEST + (player.character.tonic - _LOWEST) % 12
        pitches = (home, home + 7 if (home + 7) % 12 in player.chord.scale else home + 12, home + 12)
    return [_held(player.slot, layer, pitches, GAINS[layer] * player.level, first=first)]


def _arpeggio(player: _Player, timbre: str, low: int, high: int, per_beat: int) -> list[Note]:
    """Up and down the chord, with rests; each chord begins its own way."""
    tones = chord_tones(player.chord, low, high)
    order = tones + tones[-2:0:-1]
    start, presence = int(player.random.integers(len(order))), 0.55 + 0.4 * player.character.energy
    notes: list[Note] = []
    for number, at in player.grid(per_beat):
        on_bar = number % (per_beat * player.character.beats_per_bar) == 0
        if on_bar or player.random.random() < presence:
            pitch = order[(start + number) % len(order)]
            notes.append(player.strike(timbre, at, pitch, 1.0 if on_bar else float(player.random.uniform(0.5, 0.85))))
    return notes


def _harp(player: _Player) -> list[Note]:
    return _arpeggio(player, "harp", 55, 81, 2)


def _lute(player: _Player) -> list[Note]:
    return _arpeggio(player, "lute", 50, 72, 2)


def _piano(player: _Player) -> list[Note]:
    """A soft chord on each first beat and a few notes in between."""
    bar, notes = player.character.beats_per_bar, []
    tones = chord_tones(player.chord, 60, 81)
    for number, at in player.grid(1):
        if number % bar == 0:
            notes.append(player.strike("piano", at, player.chord.bass + 12, 0.8))
            chosen = player.random.choice(tones[: len(tones) // 2 + 1], 2, replace=False)
            notes += [player.strike("piano", at + 0.02 * n, int(pitch), 0.6) for n, pitch in enumerate(chosen)]
        elif player.random.random() < 0.35 + 0.4 * player.character.energy:
            half = player.beat / 2 if player.random.random() < 0.25 else 0.0
            notes.append(player.strike("piano", at + half, int(player.random.choice(tones)), 0.65))
    return list(notes)


def _bells(player: _Player) -> list[Note]:
    tones = chord_tones(player.chord, 72, 91)
    chance_of_one = 0.22 + 0.25 * player.character.energy
    return [
        player.strike("bells", at, int(player.random.choice(tones)), float(player.random.uniform(0.6, 1.0)))
        for number, at in player.grid(1)
        if number == 0 or player.random.random() < chance_of_one
    ]


def _flute(player: _Player) -> list[Note]:
    """A slow line that moves by steps and comes to rest on a note of the chord."""
    shape, notes = HELD["flute"], []
    scale, at = scale_tones(player.chord, 67, 86), player.slot.start
    pitch = int(player.random.choice(chord_tones(player.chord, 69, 81)))
    while at < player.slot.end - 2 * player.beat:
        length = player.beat * int(player.random.choice((1, 2, 3), p=(0.3, 0.5, 0.2)))
        if player.random.random() < 0.7:
            end = at + min(length * 0.95, player.slot.end - at)
            gain = GAINS["flute"] * player.level * float(player.random.uniform(0.8, 1.0))
            edges = (int(shape.attack * SAMPLE_RATE), int(shape.release * SAMPLE_RATE))
            start, stop = round(at * SAMPLE_RATE), round((end + shape.release) * SAMPLE_RATE)
            notes.append(HeldNote(start, stop, *edges, "flute", (pitch,), gain))
        place = min(range(len(scale)), key=lambda index: abs(scale[index] - pitch))
        step = int(player.random.choice((-2, -1, 1, 2), p=(0.2, 0.35, 0.3, 0.15)))
        pitch = scale[int(np.clip(place + step, 0, len(scale) - 1))]
        at += length
    return list(notes)


def _drum(player: _Player) -> list[Note]:
    """A soft frame drum: the first beat, sometimes an answer before the bar ends."""
    bar, notes = player.character.beats_per_bar, []
    for number, at in player.grid(2):
        place = number % (2 * bar)
        if place == 0:
            notes.append(player.strike("drum", at, 40, 1.0, 0.5))
        elif place == bar + bar % 2 and player.character.energy > 0.3:
            notes.append(player.strike("drum", at, 43, 0.6, 0.45))
        elif place == 2 * bar - 1 and player.random.random() < player.character.energy * 0.6:
            notes.append(player.strike("drum", at, 47, 0.45, 0.58))
    return list(notes)


def _shaker(player: _Player) -> list[Note]:
    return [
        player.strike("shaker", at, 0, 1.0 if number % 2 else 0.55, 0.62)
        for number, at in player.grid(2)
        if number % 2 or player.random.random() < 0.7
    ]


_LONG = (*SUSTAINED, "drone")
_PLAYERS = {
    "harp": _harp,
    "lute": _lute,
    "piano": _piano,
    "bells": _bells,
    "flute": _flute,
    "drum": _drum,
    "shaker": _shaker,
}
