"""Long texts, cut where a speaker would breathe, and spoken passage by passage."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from sys import byteorder
from time import monotonic

from showrunner.errors import BadOutput, InvalidInput, StageError, Transient
from showrunner.providers.speech import Clip, Spoken
from showrunner.usage import ProviderCall

# The end of a sentence in Latin, Greek, Cyrillic, Arabic, Indic and East Asian writing.
_SENTENCE_END = re.compile(r"(?<=[.!?…؟।])[\"'”’)\]]*\s+|(?<=[。！？])")
# A 16-bit sample no louder than this is silence with rounding noise.
_SILENCE = 8


def passages(text: str, limit: int) -> list[str]:
    """Cut `text` into pieces of at most `limit` characters: at sentence ends, else at spaces, else anywhere."""
    pieces: list[str] = []
    rest = text.strip()
    while len(rest) > limit:
        at = _last_cut(rest, limit)
        pieces.append(rest[:at].strip())
        rest = rest[at:].strip()
    return [piece for piece in [*pieces, rest] if piece]


def speak_passages(
    text: str, limit: int, timeout: float, speak: Callable[[str, float], Spoken]
) -> tuple[Clip, list[ProviderCall]]:
    """Speak each passage within what is left of `timeout` seconds and join them to one clip.

    A failure carries the calls of the passages that were already spoken.
    """
    deadline = monotonic() + timeout
    pcm = bytearray()
    calls: list[ProviderCall] = []
    rate = 0
    try:
        for passage in passages(text, limit):
            spoken = speak(passage, deadline - monotonic())
            calls.append(spoken.call)
            if rate not in (0, spoken.clip.sample_rate):
                raise BadOutput("The passages of one line came back with different sample rates.")
            rate = spoken.clip.sample_rate
            pcm += spoken.clip.pcm
        if not calls:
            raise InvalidInput("text: is empty; there is nothing to speak.")
        return audible(bytes(pcm), rate), calls
    except StageError as error:
        error.calls = (*calls, *error.calls)
        raise


def audible(pcm: bytes, sample_rate: int) -> Clip:
    """Return the clip; raise `Transient` when there is no audio and `BadOutput` when it is cut off or silent."""
    if not pcm:
        raise Transient("The speech provider answered without audio.")
    if len(pcm) % 2:
        raise BadOutput("The speech provider's audio is cut off in the middle of a sample.")
    samples = array("h", pcm)
    if byteorder == "big":
        samples.byteswap()
    if max(samples) <= _SILENCE and min(samples) >= -_SILENCE:
        raise BadOutput("The speech provider answered with silence.")
    return Clip(pcm, sample_rate)


def _last_cut(text: str, limit: int) -> int:
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, limit + 1) if match.end() <= limit]
    if ends:
        return ends[-1]
    space = text.rfind(" ", 1, limit)
    return space if space > 0 else limit
