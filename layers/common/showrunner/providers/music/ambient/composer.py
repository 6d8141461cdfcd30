"""From a prompt to a file: the steps in their order."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from showrunner.providers.music.ambient.form import slots_of
from showrunner.providers.music.ambient.harmony import chords_of
from showrunner.providers.music.ambient.instruments import SAMPLE_RATE
from showrunner.providers.music.ambient.mix import blocks
from showrunner.providers.music.ambient.parts import notes_of
from showrunner.providers.music.ambient.reverb import Reverb
from showrunner.providers.music.ambient.seeds import chance
from showrunner.providers.music.ambient.sounds import Sounds
from showrunner.providers.music.ambient.textures import texture
from showrunner.providers.music.ambient.wishes import character_of

PEAK = 0.5  # -6 dBFS
_BEND = 0.3
_FRAME = 8  # bytes of one stereo sample
_AT_ONCE = 1 << 17


def compose(prompt: str, mood: str, seconds: float, seed: str, out: Path, on_progress: Callable[[float], None]) -> None:
    """Write `round(seconds * 48000)` stereo samples as a WAV file of floats, peaking at -6 dBFS.

    `on_progress` gets the share done, some twenty times a minute of music; what it raises ends the work.
    """
    character = character_of(prompt, mood, seed)
    samples = round(seconds * SAMPLE_RATE)
    slots = slots_of(character, seconds, chance(seed, "form"))
    chords = chords_of(character.tonic, character.mode, len(slots), chance(seed, "harmony"))
    notes = notes_of(character, slots, chords, chance(seed, "parts"))
    textures = [texture(name, samples, chance(seed, name)) for name in character.textures]
    reverb = Reverb(character.space, chance(seed, "room"))
    peak, done = 0.0, 0
    with out.open("w+b") as file:
        file.write(_header(samples))
        for block in blocks(notes, textures, Sounds(seed, character.brightness), reverb, samples):
            peak = max(peak, float(block.max()), -float(block.min()))
            done += block.shape[1]
            file.write(block.T.astype("<f4").tobytes())
            on_progress(done / samples)
        _level(file, samples, peak)


def _level(file: BinaryIO, samples: int, peak: float) -> None:
    """Bring the whole piece to its level, once its peak is known."""
    start = len(_header(samples))
    for at in range(0, samples, _AT_ONCE):
        file.seek(start + at * _FRAME)
        part = np.frombuffer(file.read(_AT_ONCE * _FRAME), "<f4") * np.float32(1 / peak)
        # A cubic bend takes a little off the highest peaks and leaves what is soft as it is.
        part = (part * np.float32(1 + _BEND) - part * part * part * np.float32(_BEND)) * np.float32(PEAK)
        file.seek(start + at * _FRAME)
        file.write(part.tobytes())


def _header(samples: int) -> bytes:
    """RIFF/WAVE with 32-bit IEEE floats, which need a `fact` chunk."""
    size = samples * _FRAME
    layout = struct.pack("<HHIIHHH", 3, 2, SAMPLE_RATE, SAMPLE_RATE * _FRAME, _FRAME, 32, 0)
    chunks = b"fmt " + struct.pack("<I", len(layout)) + layout + b"fact" + struct.pack("<II", 4, samples)
    chunks += b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks) + size) + b"WAVE" + chunks
