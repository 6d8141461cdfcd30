"""Where each track and picture of an album begins. Pure arithmetic, in samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from showrunner.errors import InvalidInput
from showrunner.media.album.format import FRAME_SAMPLES, GRID_SAMPLES, SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Timeline:
    """`starts` in samples, each on the grid; `samples` is where the last track ends."""

    starts: tuple[int, ...]
    samples: int

    @property
    def frames(self) -> int:
        """Video frames: the last is shown to its end, so the picture is never shorter than the sound."""
        return -(-self.samples // FRAME_SAMPLES)

    def frames_of(self, index: int) -> int:
        """How many frames picture `index` is shown, its crossfade from the one before included."""
        end = self.starts[index + 1] // FRAME_SAMPLES if index + 1 < len(self.starts) else self.frames
        return end - self.starts[index] // FRAME_SAMPLES


def lay_out(samples: Sequence[int], crossfade_seconds: float) -> Timeline:
    """Each track begins on the grid, at least the crossfade before the one before it ends (at most 0.32 s more).

    Raises `InvalidInput` when a track is too short to fade in, be heard and fade out.
    """
    crossfade = round(crossfade_seconds * SAMPLE_RATE)
    starts: list[int] = []
    end = 0
    for number, length in enumerate(samples, start=1):
        if len(samples) > 1 and length < 2 * crossfade + 4 * GRID_SAMPLES:
            raise InvalidInput(
                f"tracks: track {number} lasts {length / SAMPLE_RATE:.1f} s; with crossfades of "
                f"{crossfade_seconds:g} s at least {2 * crossfade_seconds + 4 * GRID_SAMPLES / SAMPLE_RATE:.1f} s "
                "are needed."
            )
        starts.append((end - crossfade) // GRID_SAMPLES * GRID_SAMPLES if starts else 0)
        end = starts[-1] + length
    return Timeline(tuple(starts), end)
