"""The sounds of places: noise beds whose levels rise and fall, and grains such as drops, crackles and chirps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from showrunner.providers.music.ambient.instruments import LOOP, SAMPLE_RATE, Sound, finished

CONTROL = 512  # samples between two points of a level curve
BED_RMS = 0.1
_GRAINS = 12  # different ones of each kind


@dataclass(frozen=True, slots=True)
class Bed:
    """A stereo loop of noise, and its level at every `CONTROL` samples of the piece."""

    loop: Sound
    levels: Sound


@dataclass(frozen=True, slots=True)
class Grain:
    """A short sound at a sample, `left` and `right` its gains."""

    at: int
    sound: Sound
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Texture:
    beds: tuple[Bed, ...]
    grains: tuple[Grain, ...]


def texture(name: str, samples: int, random: np.random.Generator) -> Texture:
    """Return the named texture for so many samples."""
    return _TEXTURES[name](samples, random)


def _rain(samples: int, random: np.random.Generator) -> Texture:
    hiss = Bed(_noise(random, 1_200, 9_000, -0.5), 0.75 + 0.25 * _drift(samples, 9.0, random))
    body = Bed(_noise(random, 180, 1_500, -1.0), 0.5 + 0.3 * _drift(samples, 13.0, random))
    drops = [_sine(random.uniform(900, 3_800), random.uniform(0.008, 0.03), 1.15) for _ in range(_GRAINS)]
    return Texture((hiss, body), _scattered(drops, samples, 11.0, (0.01, 0.07), random))


def _wind(samples: int, random: np.random.Generator) -> Texture:
    gust = _drift(samples, 7.0, random)
    low = Bed(_noise(random, 90, 420, -0.6), 0.5 + 0.5 * gust)
    high = Bed(_noise(random, 380, 1_400, -1.2), 0.08 + 0.6 * gust**2)
    return Texture((low, high), ())


def _fire(samples: int, random: np.random.Generator) -> Texture:
    roar = Bed(_noise(random, 60, 360, -0.8), 0.55 + 0.35 * _drift(samples, 1.1, random))
    hiss = Bed(_noise(random, 1_500, 7_000, -1.0), 0.12 + 0.14 * _drift(samples, 2.3, random))
    crackles = [_burst(random, random.uniform(0.004, 0.018)) for _ in range(_GRAINS)]
    return Texture((roar, hiss), _scattered(crackles, samples, 5.0, (0.02, 0.16), random))


def _waves(samples: int, random: np.random.Generator) -> Texture:
    swell = _swells(samples, random)
    body = Bed(_noise(random, 70, 700, -0.9), 0.3 + 0.8 * swell)
    foam = Bed(_noise(random, 900, 7_500, -0.8), 0.05 + 0.75 * swell**2.2)
    return Texture((body, foam), ())


def _stream(samples: int, random: np.random.Generator) -> Texture:
    flow = Bed(_noise(random, 350, 5_000, -0.7), 0.6 + 0.25 * _drift(samples, 3.0, random))
    bubbles = [_sine(random.uniform(380, 1_300), random.uniform(0.02, 0.06), 1.4) for _ in range(_GRAINS)]
    return Texture((flow,), _scattered(bubbles, samples, 8.0, (0.015, 0.07), random))


def _birds(samples: int, random: np.random.Generator) -> Texture:
    air = Bed(_noise(random, 250, 4_000, -1.2), 0.2 + 0.1 * _drift(samples, 8.0, random))
    return Texture((air,), _scattered([_song(random) for _ in range(8)], samples, 0.28, (0.02, 0.08), random))


def _night(samples: int, random: np.random.Generator) -> Texture:
    air = Bed(_noise(random, 150, 1_200, -1.0), 0.25 + 0.1 * _drift(samples, 11.0, random))
    return Texture((air,), _scattered([_cricket(random) for _ in range(5)], samples, 0.9, (0.01, 0.045), random))


_TEXTURES = {
    "rain": _rain,
    "wind": _wind,
    "fire": _fire,
    "waves": _waves,
    "stream": _stream,
    "birds": _birds,
    "night": _night,
}


def _noise(random: np.random.Generator, low: float, high: float, slope: float) -> Sound:
    """A seamless stereo loop of noise between two frequencies, falling as f**slope, smooth at both ends."""
    hertz = np.arange(LOOP // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE / LOOP)
    used = int(min(high * 2, 20_000) * LOOP / SAMPLE_RATE)
    inside = np.maximum(hertz[1:used], 1)
    shape = inside**slope / (1 + (low / inside) ** 4) / (1 + (inside / high) ** 6)
    loop = np.empty((2, LOOP), np.float32)
    for side in range(2):
        spectrum = np.zeros(LOOP // 2 + 1, np.complex64)
        spectrum[1:used] = shape * np.exp(np.complex64(2j * np.pi) * random.random(used - 1, dtype=np.float32))
        loop[side] = np.fft.irfft(spectrum, LOOP)
    # What both sides share keeps the noise whole in mono.
    loop += 0.35 * loop[::-1]
    loop *= BED_RMS / np.sqrt(np.mean(loop[:, ::8] ** 2))
    return loop


def _points(samples: int) -> int:
    return samples // CONTROL + 2


def _drift(samples: int, period: float, random: np.random.Generator) -> Sound:
    """A curve between 0 and 1 that wanders with about this period in seconds."""
    count = max(4, int(samples / SAMPLE_RATE / period * 2) + 4)
    marks = random.random(count)
    where = np.linspace(0, count - 1.001, _points(samples))
    index = where.astype(int)
    share = 0.5 - 0.5 * np.cos(np.pi * (where - index))
    return np.asarray(marks[index] * (1 - share) + marks[index + 1] * share, np.float32)


def _swells(samples: int, random: np.random.Generator) -> Sound:
    """Waves on a shore: each rises slowly, breaks, and runs out."""
    times = np.arange(_points(samples)) * (CONTROL / SAMPLE_RATE)
    curve = np.zeros(len(times))
    at = -4.0
    while at < times[-1]:
        rise, fall, height = random.uniform(2.5, 4.0), random.uniform(3.5, 6.0), random.uniform(0.55, 1.0)
        since = times - at
        up = 0.5 - 0.5 * np.cos(np.pi * np.clip(since / rise, 0, 1))
        down = 0.5 + 0.5 * np.cos(np.pi * np.clip((since - rise) / fall, 0, 1))
        curve = np.maximum(curve, height * up * down)
        at += rise + fall * random.uniform(0.5, 0.8)
    return curve.astype(np.float32)


def _scattered(
    sounds: list[Sound], samples: int, rate: float, gains: tuple[float, float], random: np.random.Generator
) -> tuple[Grain, ...]:
    """Grains at random moments, `rate` a second, soft ones more often than loud ones."""
    count = int(random.poisson(rate * samples / SAMPLE_RATE))
    moments = np.sort(random.integers(0, samples, count))
    levels = gains[0] * (gains[1] / gains[0]) ** (random.random(count) ** 2)
    places = random.uniform(0.15, 0.85, count) * np.pi / 2
    which = random.integers(0, len(sounds), count)
    return tuple(
        Grain(int(at), sounds[int(index)], float(level * np.cos(place)), float(level * np.sin(place)))
        for at, index, level, place in zip(moments, which, levels, places, strict=True)
    )


def _sine(hertz: float, decay: float, rise: float) -> Sound:
    """A drop: a sine that dies away while its pitch rises by the factor `rise`."""
    times = np.arange(int(6 * decay * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * hertz * times * (1 + (rise - 1) * times / times[-1] / 2)
    return finished((np.sin(phase) * np.exp(-times / decay)).astype(np.float32), 0.0015)


def _burst(random: np.random.Generator, decay: float) -> Sound:
    times = np.arange(int(6 * decay * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.convolve(random.standard_normal(len(times)), np.hanning(9) / 4, "same")
    return finished((noise * np.exp(-times / decay)).astype(np.float32), 0.0015)


def _song(random: np.random.Generator) -> Sound:
    """A few notes of a bird: short glides."""
    notes = []
    for _ in range(int(random.integers(2, 6))):
        times = np.arange(int(random.uniform(0.06, 0.16) * SAMPLE_RATE)) / SAMPLE_RATE
        glide = random.uniform(-900, 900) * times / times[-1]
        bend = random.uniform(0, 250) * np.sin(2 * np.pi * 28 * times)
        phase = 2 * np.pi * np.cumsum(random.uniform(2_400, 4_200) + glide + bend) / SAMPLE_RATE
        notes += [np.sin(phase) * np.hanning(len(times)), np.zeros(int(random.uniform(0.02, 0.1) * SAMPLE_RATE))]
    return finished(np.concatenate(notes).astype(np.float32), 0.002)


def _cricket(random: np.random.Generator) -> Sound:
    times = np.arange(int(random.uniform(0.3, 0.6) * SAMPLE_RATE)) / SAMPLE_RATE
    pulses = np.clip(np.sin(2 * np.pi * random.uniform(24, 32) * times), 0, 1)
    tone = np.sin(2 * np.pi * random.uniform(3_900, 4_700) * times)
    return finished((tone * pulses * np.hanning(len(times))).astype(np.float32), 0.01)
