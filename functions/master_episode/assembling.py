"""Puts the spoken lines of an episode one after the other into one PCM file, one line in memory at a time."""

from __future__ import annotations

import wave
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from showrunner.errors import BadOutput
from showrunner.media.ffmpeg import input_pcm, run_ffmpeg
from showrunner.media.loudness import UNMEASURABLE_LUFS, speech_loudness
from showrunner.media.mastering import Mix
from showrunner.media.pacing import Pacing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SPEAKER_LUFS = -24.0  # leaves room for peaks until the master is limited
MOST_SPEAKER_GAIN_DB = 20.0
FADE_SECONDS = 0.004
RATES = range(8_000, 96_001)


@dataclass(frozen=True, slots=True)
class Recording:
    """The clip of one line: a mono 16-bit WAV file of `samples` at `rate` Hz."""

    path: Path
    speaker: str
    rate: int
    samples: int

    @property
    def seconds(self) -> float:
        return self.samples / self.rate

    def pcm(self) -> bytes:
        with wave.open(str(self.path), "rb") as file:
            return file.readframes(self.samples)


@dataclass(frozen=True, slots=True)
class Span:
    """When a line is heard, in seconds of the finished audio."""

    start: float
    end: float


def open_recording(path: Path, speaker: str, label: str) -> Recording:
    """Read a clip's header; raise `BadOutput`, naming the line by `label`, unless all of it is there."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate, samples = file.getparams()[:4]
            header = path.stat().st_size - 2 * samples * channels
    except (wave.Error, EOFError, RuntimeError) as error:
        raise BadOutput(f"{label} is not a readable WAV file; rebuild it.") from error
    if (channels, width) != (1, 2) or rate not in RATES:
        raise BadOutput(f"{label} must be mono 16-bit PCM, not {channels} channels of {8 * width} bits at {rate} Hz.")
    if samples == 0 or header < 0:
        raise BadOutput(f"{label} is {'empty' if samples == 0 else 'cut off'}; rebuild it.")
    return Recording(path, speaker, rate, samples)


def speaker_gains(recordings: Sequence[Recording], remaining: Callable[[], float]) -> dict[tuple[str, int], float]:
    """Gain in dB that brings each speaker to the same loudness, by speaker and sample rate."""
    groups: dict[tuple[str, int], list[Recording]] = {}
    for recording in recordings:
        groups.setdefault((recording.speaker, recording.rate), []).append(recording)

    def gain(group: tuple[tuple[str, int], list[Recording]]) -> tuple[tuple[str, int], float]:
        key, members = group
        seconds = sum(member.seconds for member in members)
        loudness = speech_loudness([member.pcm for member in members], seconds, key[1], remaining())
        if loudness <= UNMEASURABLE_LUFS:
            raise BadOutput(f"Everything that {key[0]} says is silent; rebuild those lines.")
        return key, min(max(SPEAKER_LUFS - loudness, -MOST_SPEAKER_GAIN_DB), MOST_SPEAKER_GAIN_DB)

    with ThreadPoolExecutor(2) as pool:
        return dict(pool.map(gain, groups.items()))


def assemble(
    recordings: Sequence[Recording],
    pacing: Pacing,
    gains: dict[tuple[str, int], float],
    path: Path,
    remaining: Callable[[], float],
) -> tuple[Mix, list[Span]]:
    """Write pauses and lines to `path` at the highest rate among them, and say when each line will be heard."""
    rate = max(recording.rate for recording in recordings)
    spans: list[Span] = []
    position = 0
    with path.open("wb") as file:
        for recording, pause in zip(recordings, pacing.pauses, strict=True):
            silence = round(pause * rate)
            file.write(bytes(2 * silence))
            samples = _prepared(recording, gains[recording.speaker, recording.rate], rate, remaining)
            file.write(samples.tobytes())
            start = position + silence
            position = start + len(samples)
            spans.append(Span(start / rate / pacing.tempo, position / rate / pacing.tempo))
        silence = round(pacing.lead_out * rate)
        file.write(bytes(2 * silence))
    return Mix(path, rate, position + silence), spans


def _prepared(recording: Recording, gain_db: float, rate: int, remaining: Callable[[], float]) -> npt.NDArray[np.int16]:
    """The line's samples at `rate`, with its speaker's gain, and soft edges so that no cut clicks."""
    import numpy as np

    pcm = recording.pcm() if recording.rate == rate else _resampled(recording, rate, remaining())
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    samples *= 10 ** (gain_db / 20)
    edge = min(round(FADE_SECONDS * rate), len(samples) // 2)
    ramp = np.linspace(0.0, 1.0, edge, endpoint=False, dtype=np.float32)
    samples[:edge] *= ramp
    samples[len(samples) - edge :] *= ramp[::-1]
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2")


def _resampled(recording: Recording, rate: int, timeout: float) -> bytes:
    output = recording.path.with_suffix(f".{rate}.pcm")
    raw = ["-ar", str(rate), "-f", "s16le", f"file:{output}"]
    run_ffmpeg([*input_pcm(recording.rate), *raw], timeout=timeout, feed=[recording.pcm()])
    pcm = output.read_bytes()
    output.unlink()
    return pcm
