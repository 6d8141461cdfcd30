"""Raw H.264 (Annex B of ITU-T H.264) as a list of frames; each of ours is one slice and what stands before it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from showrunner.errors import BadOutput
from showrunner.media.album.frame_file import FrameFile

_START = b"\0\0\1"
_SLICE, _IDR_SLICE, _SPS, _PPS = 1, 5, 7, 8


@dataclass(frozen=True, slots=True)
class Stream:
    """`frames` in the order of decoding, which is that of display; `headers` are the parameter sets."""

    frames: tuple[bytes, ...]
    headers: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class StreamFile:
    """The same of a stream that stays on the disk."""

    frames: FrameFile
    headers: tuple[bytes, ...]


def read_stream(data: bytes) -> Stream:
    """Split a stream into frames. Raises `BadOutput` when it does not begin with a frame that stands alone."""
    ends, headers = _split(data)
    return Stream(tuple(data[start:end] for start, end in pairwise([0, *ends])), headers)


def open_stream(path: Path) -> StreamFile:
    """The frames of a stream on the disk. Raises `BadOutput` as `read_stream` does."""
    ends, headers = _split(path.read_bytes())
    return StreamFile(FrameFile(path, array("Q", [0, *ends])), headers)


def stands_alone(frame: bytes) -> bool:
    """Whether the frame is decoded without any other."""
    return any(kind == _IDR_SLICE for _, _, kind in _units(frame))


def _split(data: bytes) -> tuple[list[int], tuple[bytes, ...]]:
    """Where each frame ends, and the parameter sets."""
    ends: list[int] = []
    headers: list[bytes] = []
    for start, end, kind in _units(data):
        if kind in (_SPS, _PPS):
            headers.append(data[start:end].rstrip(b"\0"))
        if kind in (_SLICE, _IDR_SLICE):
            if not ends and kind != _IDR_SLICE:
                break
            ends.append(end)
    if not ends or len(headers) < 2:
        raise BadOutput("The video part does not begin with a whole picture; it has to be made again.")
    return ends, tuple(dict.fromkeys(headers))


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
