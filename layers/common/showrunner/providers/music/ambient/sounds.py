"""The sounds that a piece needs, made when they are first heard and kept while they may return."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from showrunner.providers.music.ambient.instruments import HELD, SAMPLE_RATE, STRUCK, Sound, finished, held, struck
from showrunner.providers.music.ambient.seeds import chance

_MOST_LOOPS = 12  # 2 MB each


class Sounds:
    """Chords as loops and struck notes; a chord that was not heard for long is forgotten and made again, the same."""

    def __init__(self, seed: str, brightness: float) -> None:
        self._seed = seed
        self._brightness = brightness
        self._loops: OrderedDict[tuple[str, tuple[int, ...]], Sound] = OrderedDict()
        self._notes: dict[tuple[str, int], Sound] = {}

    def loop(self, timbre: str, pitches: tuple[int, ...]) -> Sound:
        """Return a stereo loop of these pitches together."""
        key = (timbre, pitches)
        if key not in self._loops:
            self._loops[key] = held(HELD[timbre], pitches, self._brightness, chance(self._seed, f"{timbre} {pitches}"))
            if len(self._loops) > _MOST_LOOPS:
                self._loops.popitem(last=False)
        self._loops.move_to_end(key)
        return self._loops[key]

    def note(self, timbre: str, pitch: int) -> Sound:
        """Return one struck note in mono."""
        key = (timbre, pitch)
        if key not in self._notes:
            self._notes[key] = (
                _shake(chance(self._seed, timbre))
                if timbre == "shaker"
                else struck(STRUCK[timbre], pitch, self._brightness)
            )
        return self._notes[key]


def _shake(random: np.random.Generator) -> Sound:
    times = np.arange(int(0.11 * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.diff(random.standard_normal(len(times) + 1))
    return finished((noise * np.exp(-times / 0.025)).astype(np.float32), 0.012)
