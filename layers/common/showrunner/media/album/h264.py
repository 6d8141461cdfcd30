"""Raw H.264 (Annex B of ITU-T H.264) as a list of frames; each of ours is one slice and what stands before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from showrunner.errors import BadOutput

_START = b"\0\0\1"
_SLICE, _IDR_SLICE, _SPS, _PPS = 1, 5, 7, 8


@dataclass(frozen=True, slots=True)
class Stream:
    """`frames` in the order of decoding, which is that of display; `headers` are the parameter sets."""

    frames: tuple[bytes, ...]
    headers: tuple[bytes, ...]


def read_stream(data: bytes) -> Stream:
    """Split a stream into frames. Raises `BadOutput` when it does not begin with a frame that stands alone."""
    frames: list[bytes] = []
    headers: list[bytes] = []
    pending = 0
    for start, end, kind in _units(data):
        if kind in (_SPS, _PPS):
            headers.append(data[start:end].rstrip(b"\0"))
        if kind in (_SLICE, _IDR_SLICE):
            if not frames and kind != _IDR_SLICE:
                break
            frames.append(data[pending:end])
            pending = end
    if not frames or len(headers) < 2:
        raise BadOutput("The video part does not begin with a whole picture; it has to be made again.")
    return Stream(tuple(frames), tuple(dict.fromkeys(headers)))


def _units(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The NAL units: start and end, with the start code, and type."""
    at = data.find(_START)
    while at >= 0:
        following = data.find(_START, at + 3)
        begin = at - 1 if at and data[at - 1] == 0 else at
        end = len(data) if following < 0 else following - 1 if data[following - 1] == 0 else following
        if at + 3 < len(data):
            yield begin, end, data[at + 3] & 0x1F
        at = following
