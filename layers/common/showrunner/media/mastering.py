"""From one mono PCM file to an MP3 of the right loudness, proved on the encoded file.

The gain is found on an excerpt, through the limiter and through the encoder, since both take loudness away that a
plain subtraction does not foresee (LAME scales some bit rates down). Then the whole is encoded once, decoded,
measured, and encoded again only if it missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
HEADROOM_DB = 0.5  # an encoder adds to peaks
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
    setting = _rehearsed(mix, target, output.with_suffix(".rehearsal.mp3"), remaining)
    result = Loudness(UNMEASURABLE_LUFS, 0.0, 0.0)
    for round_number in range(ROUNDS):

        def within_round(share: float, start: float = round_number / ROUNDS) -> None:
            progress(start + share / ROUNDS)

        filters = _chain(mix, setting.gain, setting.ceiling, tempo)
        whole = input_pcm(mix.rate, mix.path)
        _encode(whole, filters, output, remaining(), on_progress=lambda at: within_round(0.7 * at / seconds))
        result = measure(
            input_file(output),
            timeout=remaining(),
            true_peak=True,
            on_progress=lambda at: within_round(0.7 + 0.3 * at / seconds),
        )
        if _near_enough(result, target):
            break
        setting = _corrected(mix, setting, result, target, remaining)
    _prove(result, target, seconds)
    progress(1.0)
    return result


@dataclass(frozen=True, slots=True)
class _Setting:
    """`gain` and `ceiling` in dB; `aim` is the loudness that the excerpt has to have before it is encoded."""

    gain: float
    ceiling: float
    aim: float


def _rehearsed(mix: Mix, target: Target, path: Path, remaining: Callable[[], float]) -> _Setting:
    """Find gain and ceiling by encoding the excerpt."""
    plain = measure(input_pcm(mix.rate), timeout=remaining(), feed=_excerpt(mix)).integrated
    if plain <= UNMEASURABLE_LUFS:
        raise BadOutput("The episode's audio is silent; rebuild the lines from their text.")
    ceiling = target.true_peak - HEADROOM_DB
    gain = _find_gain(mix, target.integrated, ceiling, target.integrated - plain, remaining)
    setting = _Setting(gain, ceiling, target.integrated)
    _encode(input_pcm(mix.rate), _chain(mix, gain, ceiling), path, remaining(), feed=_excerpt(mix))
    heard = measure(input_file(path), timeout=remaining(), true_peak=True)
    path.unlink()
    return _corrected(mix, setting, heard, target, remaining)


def _corrected(
    mix: Mix, setting: _Setting, heard: Loudness, target: Target, remaining: Callable[[], float]
) -> _Setting:
    """The setting that makes up for what was heard of an encoded file."""
    over = heard.true_peak - (target.true_peak - PEAK_MARGIN_DB)
    ceiling = setting.ceiling - (over + 0.1 if over > 0 else 0.0)
    aim = setting.aim + target.integrated - heard.integrated
    return _Setting(_find_gain(mix, aim, ceiling, setting.gain, remaining), ceiling, aim)


def _near_enough(result: Loudness, target: Target) -> bool:
    quiet_enough = result.true_peak <= target.true_peak - PEAK_MARGIN_DB
    return quiet_enough and abs(result.integrated - target.integrated) <= NEAR_ENOUGH_LU


def _chain(mix: Mix, gain_db: float, ceiling_db: float, tempo: float = 1.0) -> str:
    """Tempo, gain, and a limiter that sees the peaks between the samples."""
    return (
        (f"atempo={tempo:.6f}," if tempo != 1.0 else "")
        + f"aresample={OVERSAMPLING * mix.rate},volume={gain_db:.3f}dB,"
        + f"alimiter=level_in=1:limit={10 ** (ceiling_db / 20):.6f}:attack=5:release=50:level=0:latency=1,"
        + f"aresample={SAMPLE_RATE}"
    )


def _find_gain(mix: Mix, aim: float, ceiling: float, start: float, remaining: Callable[[], float]) -> float:
    """Return the gain in dB after which the limited excerpt has the loudness `aim`."""
    gain = start
    for _ in range(5):
        chain = _chain(mix, gain, ceiling)
        found = measure(input_pcm(mix.rate), timeout=remaining(), feed=_excerpt(mix), filters=chain).integrated
        if abs(aim - found) <= 0.05 or abs(gain) > MOST_GAIN_DB:
            break
        # The more is limited, the less a decibel of gain adds: overshoot the plain correction a little.
        gain += (aim - found) * 1.4
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


def _encode(
    source: Sequence[str],
    filters: str,
    output: Path,
    timeout: float,
    *,
    feed: Iterator[bytes] | None = None,
    on_progress: Progress | None = None,
) -> None:
    encoder = ["-c:a", "libmp3lame", "-b:a", BITRATE, "-ar", str(SAMPLE_RATE), "-ac", "1"]
    plain = ["-map_metadata", "-1", "-id3v2_version", "0", "-write_id3v1", "0", "-fflags", "+bitexact"]
    arguments = [*source, "-af", filters, *encoder, *plain, "-f", "mp3", f"file:{output}"]
    run_ffmpeg(arguments, timeout=timeout, feed=feed, on_progress=on_progress)


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
