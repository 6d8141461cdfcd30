"""A track as AAC at the album's loudness, in frames that can be cut and joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from showrunner.errors import BadOutput
from showrunner.media.album import adts
from showrunner.media.album.format import (
    AAC_FRAME,
    AUDIO_ENCODER,
    CEILING_DBTP,
    LOUDNESS_TOLERANCE_LU,
    PROGRAMME_LUFS,
    SAMPLE_RATE,
)
from showrunner.media.ffmpeg import input_file, run_ffmpeg
from showrunner.media.loudness import UNMEASURABLE_LUFS, Loudness, measure

EDGE_SECONDS = 0.01  # fades that keep a track from beginning or ending with a click
LENGTH_TOLERANCE = 0.25  # a provider may be that far from the asked length; what came is what counts
TAKES = 4
NEAR_ENOUGH_LU = 0.2  # each track nearer than the whole has to be
LIMITER_HEADROOM_DB = 1.0  # what encoding may add to the peaks
BETWEEN_SAMPLES_DB = 1.0  # what the peaks of music may have above its samples
_OVERSAMPLING = 4  # true peaks lie between the samples (ITU-R BS.1770, annex 2)


@dataclass(frozen=True, slots=True)
class AudioUnit:
    """`samples` at 48 kHz; loudness in LUFS and true peak in dBTP, measured on what was encoded."""

    samples: int
    integrated_lufs: float
    true_peak_dbtp: float

    @property
    def seconds(self) -> float:
        return self.samples / SAMPLE_RATE


def encode_track(source: Path, out: Path, *, expected_seconds: float, remaining: Callable[[], float]) -> AudioUnit:
    """Encode any audio file that ffmpeg reads, at -14 LUFS and at most -1 dBTP.

    `remaining` gives the seconds left. Raises `BadOutput` when the source is no audio, silent, or further than a
    quarter from the expected length, and `Transient` when the time is up.
    """
    plain = measure(input_file(source), timeout=remaining(), filters=f"aresample={SAMPLE_RATE}")
    if plain.integrated <= UNMEASURABLE_LUFS:
        raise BadOutput("The track is silent.")
    if abs(plain.seconds - expected_seconds) > LENGTH_TOLERANCE * expected_seconds:
        raise BadOutput(f"The track lasts {plain.seconds:.1f} s; {expected_seconds:.1f} s were asked for.")
    gain, ceiling = PROGRAMME_LUFS - plain.integrated, CEILING_DBTP - LIMITER_HEADROOM_DB
    # Limiting costs more than all else, and most music leaves room: what was encoded is measured in any case.
    is_limited = plain.true_peak + gain + BETWEEN_SAMPLES_DB > ceiling
    for _ in range(TAKES):
        heard = _take(source, out, plain.seconds, gain, ceiling if is_limited else None, remaining)
        miss, over = PROGRAMME_LUFS - heard.integrated, heard.true_peak - CEILING_DBTP
        if abs(miss) <= NEAR_ENOUGH_LU and over <= 0:
            break
        gain += miss
        if over > 0:
            ceiling -= over + 0.1 if is_limited else 0.0
            is_limited = True
    if abs(miss) > LOUDNESS_TOLERANCE_LU or over > 0:
        raise BadOutput(
            f"The track has {heard.integrated:.1f} LUFS and peaks at {heard.true_peak:.1f} dBTP; it must have "
            f"{PROGRAMME_LUFS:.0f} LUFS within {LOUDNESS_TOLERANCE_LU} and at most {CEILING_DBTP:.0f} dBTP."
        )
    # The first frame is the encoder's priming; the last is filled up with silence.
    samples = (len(adts.read_frames(out.read_bytes())) - 1) * AAC_FRAME
    return AudioUnit(samples, heard.integrated, heard.true_peak)


def _take(
    source: Path, out: Path, seconds: float, gain: float, ceiling: float | None, remaining: Callable[[], float]
) -> Loudness:
    chain = (
        f"aresample={SAMPLE_RATE},aformat=channel_layouts=stereo,afade=t=in:d={EDGE_SECONDS},"
        f"afade=t=out:st={max(seconds - EDGE_SECONDS, 0):.4f}:d={EDGE_SECONDS},volume={gain:.3f}dB"
    )
    if ceiling is not None:
        limiter = f"alimiter=limit={10 ** (ceiling / 20):.6f}:attack=5:release=50:level=0:latency=1"
        chain += f",aresample={_OVERSAMPLING * SAMPLE_RATE},{limiter},aresample={SAMPLE_RATE}"
    run_ffmpeg([*input_file(source), "-map", "0:a:0", "-af", chain, *AUDIO_ENCODER, f"file:{out}"], timeout=remaining())
    return measure(input_file(out), timeout=remaining(), true_peak=True)
