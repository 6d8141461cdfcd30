"""From one mono PCM file to an MP3 of the right loudness, proved on the encoded file.

The gain is found on an excerpt, since a limiter takes loudness away that a plain subtraction does not foresee; then
the whole is encoded once, decoded, measured, and encoded again only if it missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from showrunner.errors import BadOutput
from showrunner.media.ffmpeg import input_file, input_pcm, run_ffmpeg
from showrunner.media.loudness import UNMEASURABLE_LUFS, Loudness, measure

SAMPLE_RATE = 44_100
BITRATE = "96k"
OVERSAMPLING = 4  # BS.1770-4, annex 2: true peaks are found at four times the rate
EXCERPTS, EXCERPT_SECONDS = 12, 10
NEAR_ENOUGH_LU = 0.3  # below the promised 0.5, since the meter reports one decimal
PEAK_MARGIN_DB = 0.1  # for the same reason
ROUNDS = 3
MOST_GAIN_DB = 40.0

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Target:
    """Loudness in LUFS and the highest true peak in dBTP."""

    integrated: float = -16.0
    tolerance: float = 0.5
    true_peak: float = -1.0


@dataclass(frozen=True, slots=True)
class Mix:
    """Mono 16-bit PCM in a file, before tempo and loudness; `samples` long at `rate` Hz."""

    path: Path
    rate: int
    samples: int


def master(
    mix: Mix, tempo: float, target: Target, output: Path, remaining: Callable[[], float], progress: Progress
) -> Loudness:
    """Write `output` (MP3, mono, 44.1 kHz, constant bit rate) and return what decoding it measures.

    `tempo` changes the speed and not the pitch; `remaining` gives the seconds left, `progress` is told 0 to 1.
    Raises `BadOutput` when the mix is silent or the target is still missed after three rounds.
    """
    seconds = mix.samples / mix.rate / tempo
    ceiling, aim = target.true_peak - 0.5, target.integrated
    gain = _find_gain(mix, aim, ceiling, None, remaining())
    result = Loudness(UNMEASURABLE_LUFS, 0.0, 0.0)
    for round_number in range(ROUNDS):

        def within_round(share: float, start: float = round_number / ROUNDS) -> None:
            progress(start + share / ROUNDS)

        _encode(
            mix, tempo, _chain(mix, gain, ceiling), output, remaining(), lambda at: within_round(0.7 * at / seconds)
        )
        result = measure(
            input_file(output),
            timeout=remaining(),
            true_peak=True,
            on_progress=lambda at: within_round(0.7 + 0.3 * at / seconds),
        )
        miss = target.integrated - result.integrated
        over = result.true_peak - (target.true_peak - PEAK_MARGIN_DB)
        if abs(miss) <= NEAR_ENOUGH_LU and over <= 0:
            break
        if over > 0:
            ceiling -= over + 0.1
        aim += miss
        gain = _find_gain(mix, aim, ceiling, gain, remaining())
    _prove(result, target, seconds)
    progress(1.0)
    return result


def _chain(mix: Mix, gain_db: float, ceiling_db: float) -> str:
    """Gain, then a limiter that sees the peaks between the samples."""
    return (
        f"aresample={OVERSAMPLING * mix.rate},volume={gain_db:.3f}dB,"
        f"alimiter=level_in=1:limit={10 ** (ceiling_db / 20):.6f}:attack=5:release=50:level=0:latency=1,"
        f"aresample={SAMPLE_RATE}"
    )


def _find_gain(mix: Mix, aim: float, ceiling: float, start: float | None, timeout: float) -> float:
    """Return the gain in dB after which the excerpt has the loudness `aim`."""

    def loudness_at(gain: float) -> float:
        return measure(
            input_pcm(mix.rate), timeout=timeout, feed=_excerpt(mix), filters=_chain(mix, gain, ceiling)
        ).integrated

    if start is None:
        plain = measure(input_pcm(mix.rate), timeout=timeout, feed=_excerpt(mix)).integrated
        if plain <= UNMEASURABLE_LUFS:
            raise BadOutput("The episode's audio is silent; rebuild the lines from their text.")
        start = aim - plain
    gain, found = start, loudness_at(start)
    for _ in range(4):
        if abs(aim - found) <= 0.05 or abs(gain) > MOST_GAIN_DB:
            break
        # The more is limited, the less a decibel of gain adds: overshoot the plain correction a little.
        gain += (aim - found) * 1.3
        found = loudness_at(gain)
    return gain


def _excerpt(mix: Mix) -> Iterator[bytes]:
    """Pieces from all over the mix; the whole of it when it is short."""
    wanted = EXCERPTS * EXCERPT_SECONDS * mix.rate
    with mix.path.open("rb") as file:
        if mix.samples <= wanted:
            while block := file.read(1 << 18):
                yield block
            return
        for index in range(EXCERPTS):
            file.seek(2 * (index * (mix.samples - EXCERPT_SECONDS * mix.rate) // (EXCERPTS - 1)))
            yield file.read(2 * EXCERPT_SECONDS * mix.rate)


def _encode(mix: Mix, tempo: float, chain: str, output: Path, timeout: float, on_progress: Progress) -> None:
    filters = chain if tempo == 1.0 else f"atempo={tempo:.6f},{chain}"
    encoder = ["-c:a", "libmp3lame", "-b:a", BITRATE, "-ar", str(SAMPLE_RATE), "-ac", "1"]
    plain = ["-map_metadata", "-1", "-id3v2_version", "0", "-write_id3v1", "0", "-fflags", "+bitexact"]
    arguments = [*input_pcm(mix.rate, mix.path), "-af", filters, *encoder, *plain, "-f", "mp3", f"file:{output}"]
    run_ffmpeg(arguments, timeout=timeout, on_progress=on_progress)


def _prove(result: Loudness, target: Target, seconds: float) -> None:
    if abs(result.integrated - target.integrated) > target.tolerance:
        raise BadOutput(
            f"The mastered audio has {result.integrated:.1f} LUFS; it must have "
            f"{target.integrated:.1f} LUFS within {target.tolerance}."
        )
    if result.true_peak > target.true_peak:
        raise BadOutput(f"The mastered audio peaks at {result.true_peak:.1f} dBTP, above {target.true_peak:.1f}.")
    if abs(result.seconds - seconds) > 0.1 + 0.001 * seconds:
        raise BadOutput(f"The mastered audio lasts {result.seconds:.1f} s instead of {seconds:.1f} s.")
