"""Everything added up: blocks of samples, each with what sounds in it, the room, and the piece's two ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from showrunner.providers.music.ambient.form import FADE_IN_SECONDS, FADE_OUT_SECONDS
from showrunner.providers.music.ambient.instruments import LOOP, SAMPLE_RATE, Sound, ramp
from showrunner.providers.music.ambient.parts import HeldNote, Note
from showrunner.providers.music.ambient.reverb import BLOCK, Reverb
from showrunner.providers.music.ambient.sounds import Sounds
from showrunner.providers.music.ambient.textures import CONTROL, Bed, Grain, Texture

# How much of each goes into the room.
ROOM = {
    "pad": 0.3, "strings": 0.35, "choir": 0.5, "drone": 0.1, "flute": 0.5, "harp": 0.4, "lute": 0.3,
    "piano": 0.35, "bells": 0.6, "drum": 0.2, "shaker": 0.25, "grain": 0.15,
}  # fmt: skip
TEXTURE_LEVEL = 0.8
_GOLDEN = 0.618034


class Voice(Protocol):
    """Something that sounds until the sample `end`."""

    @property
    def end(self) -> int: ...

    def add(self, dry: Sound, send: Sound, start: int) -> None:
        """Add the part that lies in the block from `start` to the stereo `dry` and the mono `send`."""
        ...


@dataclass(frozen=True, slots=True)
class StruckVoice:
    at: int
    sound: Sound
    left: float
    right: float
    room: float

    @property
    def end(self) -> int:
        return self.at + len(self.sound)

    def add(self, dry: Sound, send: Sound, start: int) -> None:
        low, high = max(self.at, start), min(self.end, start + BLOCK)
        part = self.sound[low - self.at : high - self.at]
        where = slice(low - start, high - start)
        dry[0, where] += np.float32(self.left) * part
        dry[1, where] += np.float32(self.right) * part
        send[where] += np.float32(self.room * (self.left + self.right) / 2) * part


@dataclass(frozen=True, slots=True)
class HeldVoice:
    note: HeldNote
    loop: Sound

    @property
    def end(self) -> int:
        return self.note.end

    def add(self, dry: Sound, send: Sound, start: int) -> None:
        note = self.note
        low, high = max(note.at, start, 0), min(note.end, start + BLOCK)
        gain = self._envelope(low, high) * np.float32(note.gain)
        # Each note enters the loop elsewhere, so that a chord which returns is not the same again.
        offset = int(note.at * _GOLDEN)
        for begin, end, where in _pieces(low + offset, high - low):
            part = self.loop[:, where] * gain[begin:end]
            dry[:, low - start + begin : low - start + end] += part
            part *= np.float32(ROOM[note.timbre] / 2)
            send[low - start + begin : low - start + end] += part[0]
            send[low - start + begin : low - start + end] += part[1]

    def _envelope(self, low: int, high: int) -> Sound:
        """Quarter sines: where one note follows another, their powers add up to one."""
        note = self.note
        gain = np.ones(high - low, np.float32)
        rising = min(high, note.at + note.attack) - low
        if rising > 0:
            gain[:rising] *= _quarter_sine(low - note.at, low - note.at + rising, note.attack)
        falling = max(low, note.end - note.release)
        if falling < high:
            gain[falling - low :] *= _quarter_sine(note.end - high, note.end - falling, note.release)[::-1]
        return gain


def _quarter_sine(begin: int, end: int, length: int) -> Sound:
    return np.asarray(np.sin(np.arange(begin, end, dtype=np.float32) * np.float32(np.pi / 2 / length)), np.float32)


def _pieces(position: int, count: int) -> Iterator[tuple[int, int, slice]]:
    """Cut `count` samples that begin at `position` of an endless loop into runs: from, to, and where in the loop."""
    done = 0
    while done < count:
        at = (position + done) % LOOP
        length = min(LOOP - at, count - done)
        yield done, done + length, slice(at, at + length)
        done += length


def blocks(
    notes: Sequence[Note], textures: Sequence[Texture], sounds: Sounds, reverb: Reverb, samples: int
) -> Iterator[Sound]:
    """Yield the piece as stereo blocks, `samples` in all."""
    grains = [grain for each in textures for grain in each.grains]
    waiting: list[Note | Grain] = sorted([*notes, *grains], key=lambda event: event.at, reverse=True)
    beds = [bed for each in textures for bed in each.beds]
    active: list[Voice] = []
    ends = _Ends(samples)
    for start in range(0, samples, BLOCK):
        while waiting and waiting[-1].at < start + BLOCK:
            active.append(_voice(waiting.pop(), sounds))
        dry, send = np.zeros((2, BLOCK), np.float32), np.zeros(BLOCK, np.float32)
        for voice in active:
            voice.add(dry, send, start)
        active = [voice for voice in active if voice.end > start + BLOCK]
        for bed in beds:
            _add_bed(bed, dry, start)
        dry += reverb.process(send)
        ends.fade(dry, start)
        yield dry[:, : min(BLOCK, samples - start)]


def _voice(event: Note | Grain, sounds: Sounds) -> Voice:
    if isinstance(event, HeldNote):
        return HeldVoice(event, sounds.loop(event.timbre, event.pitches))
    if isinstance(event, Grain):
        return StruckVoice(
            event.at, event.sound, TEXTURE_LEVEL * event.left, TEXTURE_LEVEL * event.right, ROOM["grain"]
        )
    sound = sounds.note(event.timbre, event.pitch)
    return StruckVoice(event.at, sound, event.left, event.right, ROOM[event.timbre])


def _add_bed(bed: Bed, dry: Sound, start: int) -> None:
    first = start // CONTROL
    levels = bed.levels[first : first + BLOCK // CONTROL + 1] * np.float32(TEXTURE_LEVEL)
    levels = np.pad(levels, (0, BLOCK // CONTROL + 1 - len(levels)), mode="edge")
    share = np.arange(CONTROL, dtype=np.float32) / CONTROL
    gain = (levels[:-1, None] + np.diff(levels)[:, None] * share).ravel()
    for begin, end, where in _pieces(start, BLOCK):
        dry[:, begin:end] += bed.loop[:, where] * gain[begin:end]


class _Ends:
    """Smooth ends, whatever sounds there."""

    def __init__(self, samples: int) -> None:
        self._rise = ramp(min(int(FADE_IN_SECONDS * SAMPLE_RATE), samples // 4))
        self._fall = ramp(min(int(FADE_OUT_SECONDS * SAMPLE_RATE), samples // 4))[::-1]
        self._falls_at = samples - len(self._fall)

    def fade(self, block: Sound, start: int) -> None:
        if start < len(self._rise):
            part = self._rise[start : start + BLOCK]
            block[:, : len(part)] *= part
        begin = max(start, self._falls_at)
        if begin < start + BLOCK:
            part = self._fall[begin - self._falls_at :][: start + BLOCK - begin]
            block[:, begin - start : begin - start + len(part)] *= part
