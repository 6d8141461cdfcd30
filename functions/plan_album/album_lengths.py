"""How long each track of an album is, so that the whole has exactly the length that was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from showrunner.errors import InvalidInput
from showrunner.media.album.format import GRID_SAMPLES, SAMPLE_RATE

_SHORTEST_SECONDS = 10.0


def lengths_of(shares: Sequence[float], seconds: float, crossfade_seconds: float) -> list[float]:
    """Return each track's length in seconds, to the hundredth; a share is how long until the next begins.

    All begin on the grid of the album's timeline, so that they cross for as long as is asked and add up exactly.
    Raises `InvalidInput` when a track would be too short to be heard between its crossfades.
    """
    whole = sum(shares)
    steps = [round(share / whole * seconds * SAMPLE_RATE / GRID_SAMPLES) for share in shares[:-1]]
    grid = GRID_SAMPLES / SAMPLE_RATE
    lengths = [round(step * grid + crossfade_seconds, 2) for step in steps]
    lengths.append(round(seconds - sum(steps) * grid, 2))
    if len(lengths) > 1 and min(lengths) < max(_SHORTEST_SECONDS, 2 * crossfade_seconds + 4 * grid):
        raise InvalidInput(
            f"track_count: {len(lengths)} tracks in {seconds / 60:g} minutes leave one of them {min(lengths):.1f} s; "
            "ask for fewer tracks or more minutes."
        )
    return lengths
