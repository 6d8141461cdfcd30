"""The sound of one chord that is held, and of one note that is struck.

Held sounds are periodic: their spectrum is laid out at once, each harmonic widened to a band with random phases, and
transformed back, which gives an ensemble that never beats twice alike and repeats without a seam (the "PADsynth" idea
of Nasca Octavian Paul). Struck sounds are sums of damped sines, which factor into two small tables and one matrix
product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 48_000
LOOP = 1 << 18  # 5.5 seconds
_STEP = 256
HELD_RMS = 0.1

Sound = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Held:
    """`slope` is how fast harmonics fall (amplitude 1/n**slope), `width` their bandwidth in cents, `odd` the share of
    the even ones; `formants` (Hz, width in Hz, gain) make a voice; times in seconds."""

    slope: float
    width: float
    harmonics: int
    even: float
    formants: tuple[tuple[float, float, float], ...]
    attack: float
    release: float


@dataclass(frozen=True, slots=True)
class Struck:
    """`partials` are (ratio, amplitude, relative decay); `decay` is the time to -60 dB of middle C, in seconds.

    `stretch` is the inharmonicity of stiff strings: partial n sounds at n * sqrt(1 + stretch * n**2).
    """

    partials: tuple[tuple[float, float, float], ...]
    decay: float
    stretch: float = 0.0
    attack: float = 0.003


def _string(count: int, slope: float, pluck: float) -> tuple[tuple[float, float, float], ...]:
    """The harmonics of a string plucked at a share of its length."""
    return tuple(
        (float(n), abs(np.sin(np.pi * n * pluck)) / n**slope + 1e-3, 1 / (1 + 0.35 * (n - 1)))
        for n in range(1, count + 1)
    )


HELD = {
    "pad": Held(1.5, 38, 14, 0.7, (), 2.2, 2.8),
    "strings": Held(1.15, 26, 20, 1.0, ((500, 250, 0.6), (1200, 500, 0.5)), 1.4, 2.0),
    "choir": Held(1.0, 30, 24, 1.0, ((600, 160, 2.2), (1040, 220, 1.4), (2500, 500, 0.5)), 1.8, 2.4),
    "drone": Held(1.3, 14, 16, 0.9, (), 3.0, 3.0),
    "flute": Held(2.1, 12, 6, 0.45, (), 0.14, 0.3),
}
STRUCK = {
    "harp": Struck(_string(10, 1.3, 0.31), 3.2),
    "lute": Struck(_string(14, 1.05, 0.17), 1.9),
    "piano": Struck(_string(12, 1.25, 0.13), 4.0, stretch=0.0004, attack=0.004),
    "bells": Struck(
        ((1.0, 1.0, 1.0), (2.0, 0.35, 0.7), (2.76, 0.3, 0.45), (4.07, 0.12, 0.35), (5.4, 0.12, 0.25), (0.5, 0.15, 1.1)),
        4.5,
        attack=0.005,
    ),
    "drum": Struck(((1.0, 1.0, 1.0), (1.59, 0.45, 0.6), (2.14, 0.25, 0.45), (2.65, 0.12, 0.4)), 0.7, attack=0.006),
}


def frequency(pitch: float) -> float:
    """The frequency in Hz of a MIDI number."""
    return 440.0 * 2 ** ((pitch - 69) / 12)


def held(timbre: Held, pitches: Sequence[int], brightness: float, random: np.random.Generator) -> Sound:
    """Return a stereo loop of `LOOP` samples, of `HELD_RMS`."""
    slope = timbre.slope + 0.7 * (0.5 - brightness)
    bin_hz = SAMPLE_RATE / LOOP
    amplitude = np.zeros(LOOP // 2 + 1, np.float32)
    for pitch in pitches:
        base = frequency(pitch)
        for n in range(1, timbre.harmonics + 1):
            centre = base * n
            if centre > 9_000:
                break
            level = n**-slope * (timbre.even if n % 2 == 0 else 1.0) * _formants(timbre, centre) / base**0.25
            sigma = max((2 ** (timbre.width / 1200) - 1) * centre / 2, 0.25) / bin_hz
            low, high = int(centre / bin_hz - 4 * sigma), int(centre / bin_hz + 4 * sigma) + 2
            bins = np.arange(max(low, 1), high, dtype=np.float32)
            amplitude[bins[0].astype(int) : high] += (
                level / sigma**0.5 * np.exp(-0.5 * ((bins - centre / bin_hz) / sigma) ** 2)
            )
    used = int(np.flatnonzero(amplitude > 0)[-1]) + 1
    phases = random.random(used, dtype=np.float32) * np.float32(2 * np.pi)
    # Both sides share most of their phases, and all of them in the bass: wide, and whole in mono.
    spread = (random.random(used, dtype=np.float32) - np.float32(0.5)) * np.float32(3.6)
    spread *= np.clip((np.arange(used, dtype=np.float32) * bin_hz - 120) / 200, 0, 1)
    loop = np.empty((2, LOOP), np.float32)
    for side, shift in enumerate((-spread / 2, spread / 2)):
        spectrum, turn = np.zeros(LOOP // 2 + 1, np.complex64), phases + shift
        # Sine and cosine of reals take a fifth of the time of a complex exponential.
        spectrum.real[:used] = amplitude[:used] * np.cos(turn)
        spectrum.imag[:used] = amplitude[:used] * np.sin(turn)
        loop[side] = np.fft.irfft(spectrum, LOOP)
    loop *= HELD_RMS / np.sqrt(np.mean(loop[:, ::8] ** 2))
    return loop


def _formants(timbre: Held, hertz: float) -> float:
    return 1.0 + sum(gain * exp(-0.5 * ((hertz - at) / width) ** 2) for at, width, gain in timbre.formants)


def struck(timbre: Struck, pitch: int, brightness: float) -> Sound:
    """Return one note, in mono, with its highest sample at 1."""
    base = frequency(pitch)
    decay = timbre.decay * (261.6 / base) ** 0.45
    rows = []
    for ratio, amplitude, relative in timbre.partials:
        hertz = base * ratio * np.sqrt(1 + timbre.stretch * ratio**2)
        if hertz < 9_000:
            rows.append((hertz, amplitude * ratio ** (0.6 * (brightness - 0.5)), decay * relative))
    hertz, amplitude, seconds = np.array(rows).T
    steps = -(-int(min(decay, 6.0) * SAMPLE_RATE) // _STEP)
    turn = (2j * np.pi * hertz - 6.9 / seconds) / SAMPLE_RATE
    coarse = amplitude * np.exp(np.outer(np.arange(steps) * _STEP, turn))
    fine = np.exp(np.outer(turn, np.arange(_STEP)))
    left = np.concatenate([coarse.real, coarse.imag], axis=1).astype(np.float32)
    right = np.concatenate([fine.imag, fine.real]).astype(np.float32)
    note = (left @ right).ravel()
    return finished(note, timbre.attack)


def finished(note: Sound, attack: float) -> Sound:
    """The note with a smooth beginning and end, and its highest sample at 1."""
    rise, fall = int(attack * SAMPLE_RATE), min(len(note) // 3, int(0.08 * SAMPLE_RATE))
    note[:rise] *= ramp(rise)
    note[-fall:] *= ramp(fall)[::-1]
    # Without what is constant in it; a Hann window takes that away and leaves the ends where they are.
    window = np.cos(np.linspace(0, 2 * np.pi, len(note), dtype=np.float32))
    note -= note.mean() * (1 - window)
    note /= np.abs(note).max()
    return note


def ramp(count: int) -> Sound:
    """Half a cosine from 0 to 1."""
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / count)).astype(np.float32)
