"""Speech clips: WAV in and out, trimming, and the proof that a clip is speech. Standard library only.

A clip that passes `verify_clip` is not empty, not silent, and neither far too short nor far too long for its text.
"""

from __future__ import annotations

import io
import sys
import wave
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from showrunner.errors import BadOutput

FULL_SCALE = 32768
SILENCE = 10 ** (-50 / 20) * FULL_SCALE  # samples below -50 dBFS count as silence
QUIET_PEAK = 10 ** (-40 / 20) * FULL_SCALE  # a clip whose loudest sample is below -40 dBFS is inaudible
AUDIBLE_SHARE = 0.15  # of the clip's 50 ms windows; a click or a single breath stays below it
SECONDS_PER_CHARACTER = (0.02, 0.5)
DIGIT_WEIGHT = 5  # one digit is spoken as a whole word
SLACK_SECONDS = 3.0  # short texts vary more
SAMPLE_RATES = range(8_000, 192_001)


@dataclass(frozen=True, slots=True)
class Clip:
    """Mono, signed 16-bit little-endian PCM; `sample_rate` in Hz."""

    pcm: bytes
    sample_rate: int

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / self.sample_rate


def samples(clip: Clip) -> array[int]:
    """The clip's samples as signed 16-bit integers."""
    values = array("h")
    values.frombytes(clip.pcm[: len(clip.pcm) // 2 * 2])
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _window_peaks(values: Sequence[int], size: int) -> list[int]:
    return [
        max(max(window), -min(window))
        for window in (values[start : start + size] for start in range(0, len(values), size))
    ]


def trim_silence(clip: Clip, lead_seconds: float = 0.01, tail_seconds: float = 0.04) -> Clip:
    """Cut silence from both ends, down to `lead_seconds` and `tail_seconds`; a clip that is all silence stays."""
    size = max(1, clip.sample_rate // 200)
    peaks = _window_peaks(samples(clip), size)
    loud = [index for index, peak in enumerate(peaks) if peak >= SILENCE]
    if not loud:
        return clip
    start = max(0, loud[0] * size - round(lead_seconds * clip.sample_rate))
    end = (loud[-1] + 1) * size + round(tail_seconds * clip.sample_rate)
    return Clip(clip.pcm[start * 2 : end * 2], clip.sample_rate)


def join_clips(clips: Sequence[Clip], pause_seconds: float) -> Clip:
    """Join clips of one sample rate with a pause between them."""
    rates = {clip.sample_rate for clip in clips}
    if len(rates) != 1:
        raise BadOutput(f"The voice answered with differing sample rates ({', '.join(map(str, sorted(rates)))} Hz).")
    rate = rates.pop()
    return Clip(bytes(2 * round(pause_seconds * rate)).join(clip.pcm for clip in clips), rate)


def verify_clip(clip: Clip, text: str) -> None:
    """Raise `BadOutput`, saying what is wrong, unless the clip can be this text spoken."""
    if len(clip.pcm) < 2:
        raise BadOutput("The voice returned no audio.")
    if len(clip.pcm) % 2 or clip.sample_rate not in SAMPLE_RATES:
        raise BadOutput(f"The voice returned audio that is not 16-bit PCM ({clip.sample_rate} Hz).")
    peaks = _window_peaks(samples(clip), max(1, clip.sample_rate // 20))
    if max(peaks) < QUIET_PEAK:
        raise BadOutput(f"The voice returned {clip.seconds:.1f} s of silence.")
    audible = sum(peak >= QUIET_PEAK for peak in peaks) / len(peaks)
    if audible < AUDIBLE_SHARE:
        raise BadOutput(f"The voice returned a clip that is silent for {1 - audible:.0%} of its {clip.seconds:.1f} s.")
    letters = sum(DIGIT_WEIGHT if letter.isdigit() else 1 for letter in text)
    least, most = SECONDS_PER_CHARACTER[0] * len(text), SECONDS_PER_CHARACTER[1] * letters + SLACK_SECONDS
    if not least <= clip.seconds <= most:
        raise BadOutput(
            f"The voice returned {clip.seconds:.1f} s for {len(text)} characters; "
            f"between {least:.1f} and {most:.1f} s are plausible."
        )


def to_wav(clip: Clip) -> bytes:
    """The clip as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(clip.sample_rate)
        file.writeframes(clip.pcm)
    return buffer.getvalue()


def from_wav(data: bytes) -> Clip:
    """The clip in a WAV file; raise `BadOutput` for anything but complete mono 16-bit PCM."""
    try:
        with wave.open(io.BytesIO(data), "rb") as file:
            channels, width, rate, frames = file.getparams()[:4]
            if (channels, width) != (1, 2):
                raise BadOutput(f"A speech clip must be mono 16-bit PCM, not {channels} channels of {8 * width} bits.")
            pcm = file.readframes(frames)
    except (wave.Error, EOFError, RuntimeError) as error:
        raise BadOutput(f"A speech clip is not a readable WAV file: {error or 'it ends early'}.") from error
    if len(pcm) != 2 * frames:
        raise BadOutput(f"A speech clip is cut off: {len(pcm)} of {2 * frames} bytes of audio.")
    return Clip(pcm, rate)
