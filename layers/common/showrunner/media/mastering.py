"""From one mono PCM file to an MP3 of the right loudness, proved on the encoded file.

A limiter and an encoder both take loudness away that no subtraction foresees (LAME scales some bit rates down), so
the gain is found by takes: encode, decode, measure, correct. Takes of a long mix are made of an excerpt until they are
right; then the whole is encoded, measured, and encoded again only if it missed.
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
EXCERPTS, EXCERPT_SECONDS = 12, 10.0
USUAL_LOSS_DB = 1.2  # what limiter and encoder take from speech; the first take starts from it
HEADROOM_DB = 0.5  # an encoder adds to peaks
PEAK_MARGIN_DB = 0.1  # since the meter reports one decimal
NEAR_ENOUGH_LU = 0.3  # for the same reason below the promised 0.5
NEAR_ENOUGH_IN_EXCERPT_LU = 0.1
TAKES = 5
LEAST_SLOPE = 0.2  # material that gains less than this per decibel is limited to pieces already

Progress = Callable[[float], None]
Remaining = Callable[[], float]


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

    @property
    def is_long(self) -> bool:
        """Whether an excerpt of it is shorter than itself."""
        return self.samples > EXCERPTS * round(EXCERPT_SECONDS * self.rate)


@dataclass(frozen=True, slots=True)
class _Setting:
    """Gain and the limiter's ceiling, in dB."""

    gain: float
    ceiling: float


@dataclass(frozen=True, slots=True)
class _Studio:
    """What every take needs: the mix, its tempo, where the file goes, how much time is left."""

    mix: Mix
    tempo: float
    output: Path
    remaining: Remaining


def master(mix: Mix, tempo: float, target: Target, output: Path, remaining: Remaining, progress: Progress) -> Loudness:
    """Write `output` (MP3, mono, 44.1 kHz, constant bit rate) and return what decoding it measures.

    `tempo` changes the speed and not the pitch; `remaining` gives the seconds left, `progress` is told 0 to 1.
    Raises `BadOutput` when the mix is silent or the target is still missed after five takes.
    """
    studio = _Studio(mix, tempo, output, remaining)
    plain = measure(input_pcm(mix.rate), timeout=remaining(), feed=_excerpt(mix)).integrated
    if plain <= UNMEASURABLE_LUFS:
        raise BadOutput("The episode's audio is silent; rebuild the lines from their text.")
    setting = _Setting(target.integrated - plain + USUAL_LOSS_DB, target.true_peak - HEADROOM_DB)
    if mix.is_long:

        def rehearse(setting: _Setting, _number: int) -> Loudness:
            return _take(studio, setting, lambda share: None, excerpt=True)

        setting, _ = _settle(rehearse, setting, target, NEAR_ENOUGH_IN_EXCERPT_LU)

    def perform(setting: _Setting, number: int) -> Loudness:
        # How many takes it needs is not known: each fills most of what is left of the bar.
        done, left = 1 - 0.3**number, 0.7 * 0.3**number
        return _take(studio, setting, lambda share: progress(done + left * share))

    _, result = _settle(perform, setting, target, NEAR_ENOUGH_LU)
    _prove(result, target, mix.samples / mix.rate / tempo)
    progress(1.0)
    return result


def _settle(
    take: Callable[[_Setting, int], Loudness], setting: _Setting, target: Target, near_enough: float
) -> tuple[_Setting, Loudness]:
    """Repeat a take until it is near enough; return the setting to go on with, and what the last take measured."""
    slope = 0.7  # LU that one more decibel adds: less than one, since the more is added, the more is limited
    before: tuple[float, float] | None = None
    for number in range(TAKES):
        heard = take(setting, number)
        miss = target.integrated - heard.integrated
        over = heard.true_peak - (target.true_peak - PEAK_MARGIN_DB)
        if abs(miss) <= near_enough and over <= 0:
            break
        if before is not None and before[0] != setting.gain:
            measured = (heard.integrated - before[1]) / (setting.gain - before[0])
            slope = min(max(measured, LEAST_SLOPE), 1.0)
        before = setting.gain, heard.integrated
        setting = _Setting(setting.gain + miss / slope, setting.ceiling - (over + 0.1 if over > 0 else 0.0))
    return setting, heard


def _take(studio: _Studio, setting: _Setting, progress: Progress, *, excerpt: bool = False) -> Loudness:
    """Encode with this setting, decode, measure."""
    mix = studio.mix
    feed = _excerpt(mix) if excerpt else None
    source = input_pcm(mix.rate) if excerpt else input_pcm(mix.rate, mix.path)
    seconds = mix.samples / mix.rate / studio.tempo
    encoder = ["-c:a", "libmp3lame", "-b:a", BITRATE, "-ar", str(SAMPLE_RATE), "-ac", "1", "-f", "mp3"]
    plain = ["-map_metadata", "-1", "-id3v2_version", "0", "-write_id3v1", "0", "-fflags", "+bitexact"]
    run_ffmpeg(
        [*source, "-af", _chain(mix.rate, studio.tempo, setting), *encoder, *plain, f"file:{studio.output}"],
        timeout=studio.remaining(),
        feed=feed,
        on_progress=lambda at: progress(0.7 * at / seconds),
    )
    return measure(
        input_file(studio.output),
        timeout=studio.remaining(),
        true_peak=True,
        on_progress=lambda at: progress(0.7 + 0.3 * at / seconds),
    )


def _chain(rate: int, tempo: float, setting: _Setting) -> str:
    """Tempo, gain, and a limiter that sees the peaks between the samples."""
    limit = 10 ** (setting.ceiling / 20)
    return (
        (f"atempo={tempo:.6f}," if tempo != 1.0 else "")
        + f"aresample={OVERSAMPLING * rate},volume={setting.gain:.3f}dB,"
        + f"alimiter=limit={limit:.6f}:attack=5:release=50:level=0:latency=1,aresample={SAMPLE_RATE}"
    )


def _excerpt(mix: Mix) -> Iterator[bytes]:
    """Pieces from all over the mix; the whole of it when it is short."""
    with mix.path.open("rb") as file:
        if not mix.is_long:
            while block := file.read(1 << 18):
                yield block
            return
        piece = round(EXCERPT_SECONDS * mix.rate)
        for index in range(EXCERPTS):
            file.seek(2 * (index * (mix.samples - piece) // (EXCERPTS - 1)))
            yield file.read(2 * piece)


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
