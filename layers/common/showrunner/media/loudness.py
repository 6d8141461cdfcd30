"""Loudness by ITU-R BS.1770 and EBU R 128, measured by ffmpeg's `ebur128`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from showrunner.errors import BadOutput
from showrunner.media.ffmpeg import Finished, input_pcm, run_ffmpeg

# ebur128 reports this for what is too short or too quiet to measure (its absolute gate).
UNMEASURABLE_LUFS = -70.0
_SHORTEST_SECONDS = 3.0

_INTEGRATED = re.compile(r"\bI:\s+(-?[\d.]+|-?inf|nan) LUFS")
_PEAK = re.compile(r"\bPeak:\s+(-?[\d.]+|-?inf|nan) dBFS")


@dataclass(frozen=True, slots=True)
class Loudness:
    """`integrated` in LUFS and `true_peak` in dBTP, both to one decimal; `seconds` is what was measured.

    Where true peaks were not asked for, `true_peak` is the highest sample's.
    """

    integrated: float
    true_peak: float
    seconds: float


def meter(*, true_peak: bool) -> str:
    """The filter that measures; true peaks cost four times as much."""
    return f"ebur128=framelog=quiet:peak={'true' if true_peak else 'sample'}"


def read_meter(finished: Finished) -> Loudness:
    """Read the summary that the filter leaves in the log."""
    integrated, peak = _INTEGRATED.findall(finished.log), _PEAK.findall(finished.log)
    if not (integrated and peak):
        raise BadOutput("The audio's loudness could not be measured.")
    return Loudness(_number(integrated[-1]), _number(peak[-1]), finished.seconds)


def _number(text: str) -> float:
    return max(float(text), UNMEASURABLE_LUFS) if text.lstrip("-") not in {"inf", "nan"} else UNMEASURABLE_LUFS


def measure(
    source: Sequence[str],
    *,
    timeout: float,
    feed: Iterable[bytes] | None = None,
    filters: str = "",
    true_peak: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Loudness:
    """Measure what `source` (input arguments) gives after `filters`, if any. Raises what `run_ffmpeg` raises."""
    chain = ",".join(part for part in (filters, meter(true_peak=true_peak)) if part)
    arguments = [*source, "-map", "0:a:0", "-af", chain, "-f", "null", "-"]
    return read_meter(run_ffmpeg(arguments, timeout=timeout, feed=feed, on_progress=on_progress))


def speech_loudness(clips: Sequence[Callable[[], bytes]], seconds: float, rate: int, timeout: float) -> float:
    """Integrated loudness, in LUFS, of mono PCM clips taken together; `seconds` is their length.

    A word or two is repeated until it is long enough to be measured.
    """
    times = 1 if seconds >= _SHORTEST_SECONDS else int(_SHORTEST_SECONDS / max(seconds, 0.01)) + 1
    feed = (read() for _ in range(times) for read in clips)
    return measure(input_pcm(rate), timeout=timeout, feed=feed).integrated
