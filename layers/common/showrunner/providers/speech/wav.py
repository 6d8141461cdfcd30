"""WAV files as servers send them: also those streamed before their length was known."""

from __future__ import annotations

import struct
from array import array
from sys import byteorder

from showrunner.clips import Clip
from showrunner.errors import BadOutput, Transient

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
# A writer that cannot seek back declares the largest size it can think of: 2^31 or 2^32, less a header.
_UNKNOWN_SIZE = 0x7FFF0000


def read_wav(body: bytes) -> Clip:
    """Return the first channel's audio as 16-bit PCM.

    Accepts 16-bit PCM and 32-bit float (RIFF/WAVE, "Multimedia Programming Interface and Data Specifications 1.0").
    Raises `Transient` when the file breaks off and `BadOutput` when it is something else.
    """
    if len(body) < 12 or body[:4] != b"RIFF" or body[8:12] != b"WAVE":
        raise BadOutput("The speech provider's answer is not a WAV file.")
    at, layout = 12, None
    while at + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, at)
        at += 8
        if name == b"fmt " and at + 16 <= len(body):
            layout = (*struct.unpack_from("<HHIIHH", body, at), body[at + 24 : at + 26])
        if name == b"data":
            if layout is None:
                break
            return _clip(layout, _data(body, at, size))
        at += size + size % 2
    raise BadOutput("The speech provider's WAV file has no audio in it.")


def _data(body: bytes, at: int, size: int) -> bytes:
    available = len(body) - at
    if size == 0 or size >= _UNKNOWN_SIZE:
        return body[at:]
    if size > available:
        raise Transient(f"The speech provider's audio broke off after {available} of {size} bytes.")
    return body[at : at + size]


def _clip(layout: tuple[int, int, int, int, int, int, bytes], data: bytes) -> Clip:
    kind, channels, rate, _, _, bits, subformat = layout
    if kind == _EXTENSIBLE and len(subformat) == 2:
        kind = int.from_bytes(subformat, "little")
    if not (channels and 8000 <= rate <= 192_000 and (kind, bits) in ((_PCM, 16), (_FLOAT, 32))):
        raise BadOutput(f"The speech provider's WAV is of a kind that cannot be used ({bits} bits, {rate} Hz).")
    frame = channels * bits // 8
    whole = data[: len(data) // frame * frame]
    samples = array("h" if kind == _PCM else "f", whole)
    if byteorder == "big":
        samples.byteswap()
    first = samples[::channels]
    if kind == _FLOAT:
        first = array("h", (round(max(-1.0, min(1.0, sample)) * 32767) for sample in first))
    if byteorder == "big":
        first.byteswap()
    return Clip(first.tobytes(), rate)
