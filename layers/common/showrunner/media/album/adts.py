"""AAC in ADTS (ISO/IEC 13818-7) as a list of frames, and where two encodings of the same sound may be joined."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Protocol

from showrunner.errors import BadOutput
from showrunner.media.album.frame_file import FrameFile

_HEADER = 7
_CPE = 1  # channel pair element: what a stereo frame begins with


class Frames(Protocol):
    def __getitem__(self, index: int, /) -> bytes: ...


def read_frames(data: bytes) -> list[bytes]:
    """Split a stream into frames. Raises `BadOutput` when it is not whole."""
    ends = list(accumulate(_sizes(data), initial=0))
    return [data[start:end] for start, end in pairwise(ends)]


def open_frames(path: Path) -> FrameFile:
    """The frames of a stream on the disk. Raises `BadOutput` when it is not whole."""
    return FrameFile.of(path, _sizes(path.read_bytes()))


def _sizes(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        header = data[at : at + _HEADER]
        if len(header) < _HEADER or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
            raise BadOutput("The audio part is not AAC in ADTS; it has to be made again.")
        length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
        if length <= _HEADER or at + length > len(data):
            raise BadOutput("The audio part is cut off; it has to be made again.")
        yield length
        at += length


def window(frame: bytes) -> int | None:
    """The window sequence and shape of both channels, as one number; None where they do not share one.

    The bits after the header: element (3), instance (4), common_window (1), reserved (1), window_sequence (2),
    window_shape (1).
    """
    start = _HEADER if frame[1] & 1 else _HEADER + 2
    bits = int.from_bytes(frame[start : start + 2], "big")
    if bits >> 13 != _CPE or not bits >> 8 & 1:
        return None
    return bits >> 4 & 0b111


def joint(before: Frames, after: Frames, candidates: range) -> int | None:
    """The first index of `candidates` at which `after` may take over from `before`; both have the same sound there.

    A frame overlaps the one before it: what the overlap leaves out of one is in the other, so they must be cut with
    the same windows.
    """
    for index in candidates:
        pairs = ((before[at], after[at]) for at in (index - 1, index))
        if all(window(one) is not None and window(one) == window(other) for one, other in pairs):
            return index
    return None
