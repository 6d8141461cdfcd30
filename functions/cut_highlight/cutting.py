"""Where a passage of speech is cut, and how: in the pause beside a line, else where it is quietest, with soft edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from showrunner.errors import BadOutput
from showrunner.media.ffmpeg import input_file, run_ffmpeg
from showrunner.media.mastering import SAMPLE_RATE, Mix

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# A mark this near to where a line begins or ends means the line.
NEAR_A_LINE_SECONDS = 0.4
# How much of the pause beside a line goes with it.
BREATH_SECONDS = 0.2
# How far from a mark inside a line the pause between two words may be, and how long the look at each place is.
SEARCH_SECONDS = 0.5
LOOK_SECONDS = 0.03
FADE_SECONDS = 0.02


class Heard(Protocol):
    """A line with its times in seconds."""

    @property
    def start_seconds(self) -> float: ...
    @property
    def end_seconds(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Edge:
    """A cut may be anywhere between these times, in seconds; where they are one, it is there."""

    earliest: float
    latest: float


def edges_of(start: float, end: float, lines: Sequence[Heard], whole: float) -> tuple[Edge, Edge]:
    """Return where to begin and where to end; `whole` is how long the episode is."""
    return _begin(start, lines, whole), _end(end, lines, whole)


def _begin(at: float, lines: Sequence[Heard], whole: float) -> Edge:
    for place, line in enumerate(lines):
        if abs(line.start_seconds - at) <= NEAR_A_LINE_SECONDS:
            before = lines[place - 1].end_seconds if place else 0.0
            cut = max(before, line.start_seconds - BREATH_SECONDS, 0.0)
            return Edge(cut, cut)
    return _around(at, whole)


def _end(at: float, lines: Sequence[Heard], whole: float) -> Edge:
    for place, line in enumerate(lines):
        if abs(line.end_seconds - at) <= NEAR_A_LINE_SECONDS:
            after = lines[place + 1].start_seconds if place + 1 < len(lines) else whole
            cut = min(after, line.end_seconds + BREATH_SECONDS, whole)
            return Edge(cut, cut)
    return _around(at, whole)


def _around(at: float, whole: float) -> Edge:
    return Edge(max(0.0, at - SEARCH_SECONDS), min(whole, at + SEARCH_SECONDS))


def cut(audio: Path, begin: Edge, end: Edge, output: Path, timeout: float) -> tuple[Mix, float]:
    """Write the passage as PCM to `output`; return it and where in the episode it begins, in seconds."""
    import numpy as np

    decoded = output.with_suffix(".whole.pcm")
    # After the input: the position is then exact to the sample, whatever the file's index says.
    span = ["-ss", f"{begin.earliest:.3f}", "-t", f"{end.latest - begin.earliest:.3f}"]
    raw = ["-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "s16le", f"file:{decoded}"]
    run_ffmpeg([*input_file(audio), "-map", "0:a:0", *span, *raw], timeout=timeout)
    samples = np.frombuffer(decoded.read_bytes(), "<i2").astype(np.float32)
    decoded.unlink()
    first = _quietest(samples, 0.0, begin.latest - begin.earliest)
    last = _quietest(samples, end.earliest - begin.earliest, end.latest - begin.earliest)
    if last - first < SAMPLE_RATE // 2:
        raise BadOutput("The episode's audio is shorter than its transcript says; rebuild master_episode.")
    passage = samples[first:last].copy()
    edge = round(FADE_SECONDS * SAMPLE_RATE)
    ramp = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, edge, endpoint=False, dtype=np.float32))
    passage[:edge] *= ramp
    passage[-edge:] *= ramp[::-1]
    output.write_bytes(np.rint(passage).astype("<i2").tobytes())
    return Mix(output, SAMPLE_RATE, len(passage)), begin.earliest + first / SAMPLE_RATE


def _quietest(samples: npt.NDArray[np.float32], earliest: float, latest: float) -> int:
    """Return the middle of the quietest moment between two times, as a sample's number."""
    import numpy as np

    low, high = round(earliest * SAMPLE_RATE), min(round(latest * SAMPLE_RATE), len(samples))
    window = round(LOOK_SECONDS * SAMPLE_RATE)
    if high - low <= window:
        return min(low, len(samples))
    power = np.cumsum(np.concatenate(([0.0], samples[low:high].astype(np.float64) ** 2)))
    return low + int(np.argmin(power[window:] - power[:-window])) + window // 2
