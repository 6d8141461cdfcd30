"""WebVTT of an episode: cues of at most two short lines, each with its speaker, at the times of the audio.

Format: https://www.w3.org/TR/webvtt1/. Players that honour the MP3's gapless header (all current ones) hear the
audio without the encoder's delay, so cue times are those of the audio itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from showrunner.speech_text import chunks

LINE_CHARACTERS = 42
CUE_CHARACTERS = 2 * LINE_CHARACTERS
SENTENCE_PAUSE_CHARACTERS = 5  # the time a voice takes at a full stop, in characters


@dataclass(frozen=True, slots=True)
class Caption:
    """What `speaker` says between `start` and `end`, in seconds; plain text."""

    start: float
    end: float
    speaker: str
    text: str


def web_vtt(lines: Sequence[Caption]) -> str:
    """Return the file. A long line becomes several cues that share its time by their length."""
    blocks = ["WEBVTT"]
    for number, cue in enumerate((cue for line in lines for cue in _cues(line)), start=1):
        times = f"{timestamp(cue.start)} --> {timestamp(cue.end)}"
        blocks.append(f"{number}\n{times}\n<v {_voice(cue.speaker)}>{_wrapped(_escaped(cue.text))}")
    return "\n\n".join(blocks) + "\n"


def timestamp(seconds: float) -> str:
    """`hh:mm:ss.ttt`."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _cues(line: Caption) -> Iterator[Caption]:
    pieces = chunks(line.text, CUE_CHARACTERS)
    weights = [len(piece) + (SENTENCE_PAUSE_CHARACTERS if piece[-1] in ".!?" else 0) for piece in pieces[:-1]]
    total = sum(weights) + len(pieces[-1]) if pieces else 0
    start, said = line.start, 0
    for piece, weight in zip(pieces, [*weights, len(pieces[-1])] if pieces else [], strict=True):
        said += weight
        end = line.start + (line.end - line.start) * said / total
        yield Caption(start, end, line.speaker, piece)
        start = end


def _wrapped(text: str) -> str:
    """Two lines of about equal length when one is too long."""
    if len(text) <= LINE_CHARACTERS:
        return text
    spaces = [index for index, letter in enumerate(text) if letter == " "]
    if not spaces:
        return text
    middle = min(spaces, key=lambda index: abs(index - len(text) / 2))
    return f"{text[:middle]}\n{text[middle + 1 :]}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _voice(speaker: str) -> str:
    return _escaped(" ".join(speaker.split()))
