"""The room: a stream of blocks folded with noise that dies away, high tones sooner than low ones."""

from __future__ import annotations

import numpy as np

from showrunner.providers.music.ambient.instruments import SAMPLE_RATE, Sound

BLOCK = 1 << 17  # samples in, samples out; also the longest the room can sound: 2.7 seconds
_PREDELAY = int(0.018 * SAMPLE_RATE)
# Bands as (upper edge in Hz, share of the time to -60 dB, gain).
_BANDS = ((250, 0.9, 0.5), (900, 1.0, 1.0), (2_500, 0.75, 0.8), (7_000, 0.45, 0.5))
_LOWEST = 140


class Reverb:
    """Mono in, stereo out, by overlap-add: the second half of each transform is added to the next block."""

    def __init__(self, seconds: float, random: np.random.Generator) -> None:
        self._room = [np.fft.rfft(_response(seconds, random), 2 * BLOCK) for _ in range(2)]
        self._rest = np.zeros((2, BLOCK), np.float32)

    def process(self, send: Sound) -> Sound:
        """Return the room's answer to the next `BLOCK` samples."""
        spectrum = np.fft.rfft(send, 2 * BLOCK)
        out = np.empty((2, BLOCK), np.float32)
        for side, room in enumerate(self._room):
            whole = np.fft.irfft(spectrum * room, 2 * BLOCK)
            np.add(whole[:BLOCK], self._rest[side], out=out[side])
            self._rest[side] = whole[BLOCK:]
        return out


def _response(seconds: float, random: np.random.Generator) -> Sound:
    """One side's impulse response, of unit energy."""
    times = np.arange(BLOCK, dtype=np.float32) / SAMPLE_RATE
    hertz = np.fft.rfftfreq(BLOCK, 1 / SAMPLE_RATE)
    noise = np.fft.rfft(random.standard_normal(BLOCK, dtype=np.float32))
    response, low = np.zeros(BLOCK, np.float32), float(_LOWEST)
    for high, share, gain in _BANDS:
        band = gain / (1 + (low / np.maximum(hertz, 1)) ** 6) / (1 + (hertz / high) ** 6)
        response += np.fft.irfft(noise * band, BLOCK) * np.exp(-6.9 / (seconds * share) * times)
        low = high
    # The room fills within some hundredths of a second, and is silent where the block ends.
    response *= 1 - np.exp(-times / 0.012)
    response *= np.clip((times[-1] - times) / 0.3, 0, 1)
    response = np.roll(response, _PREDELAY)
    response[:_PREDELAY] = 0
    return np.asarray(response / np.sqrt(np.sum(response**2)), np.float32)
