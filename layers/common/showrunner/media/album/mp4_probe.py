"""What an MP4 file says of its samples (ISO/IEC 14496-12), read from its header: no frame is decoded."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from showrunner.errors import BadOutput

_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta")
_MOST_HEADER_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Track:
    """`kind` is `vide`, `soun` or another handler's; `deltas` are (count, length) runs in ticks of `timescale` to the
    second; `edit` is the first edit's start in ticks and its length in seconds."""

    kind: str
    codec: str
    timescale: int
    samples: int
    deltas: tuple[tuple[int, int], ...]
    edit: tuple[int, float] | None
    reorders: bool

    @property
    def seconds(self) -> float:
        return sum(count * delta for count, delta in self.deltas) / self.timescale


@dataclass(frozen=True, slots=True)
class Mp4:
    """`starts_fast` is whether the header stands before the media, so that a browser plays while it loads."""

    tracks: tuple[Track, ...]
    seconds: float
    starts_fast: bool
    chapters: int

    def track(self, kind: str) -> Track:
        """The one track of a kind. Raises `BadOutput` when there is none, or more than one."""
        found = [track for track in self.tracks if track.kind == kind]
        if len(found) != 1:
            raise BadOutput(f"The video file has {len(found)} tracks of kind {kind} instead of 1.")
        return found[0]


def probe(path: Path) -> Mp4:
    """Read a file's header. Raises `BadOutput` when it is not MP4 or is cut off."""
    size = path.stat().st_size
    order: list[bytes] = []
    header = b""
    with path.open("rb") as file:
        for kind, start, length in _top_level(file, size):
            order.append(kind)
            if kind == b"moov" and length <= _MOST_HEADER_BYTES:
                file.seek(start)
                header = file.read(length)
    if not header or b"mdat" not in order:
        raise BadOutput("The video file has no header or no media.")
    try:
        return _read(header, starts_fast=order.index(b"moov") < order.index(b"mdat"))
    except (struct.error, LookupError) as error:
        raise BadOutput("The video file's header cannot be read.") from error


def _top_level(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, start of content and its length of each box of the file."""
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            raise BadOutput("The video file is cut off.")
        length, kind = struct.unpack(">I4s", head[:8])
        skip = 8
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack(">Q", head[8:])
            skip = 16
        length = length or size - at
        if length < skip or at + length > size:
            raise BadOutput("The video file is cut off.")
        yield kind, at + skip, length - skip
        at += length


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if length < 8:
            return
        yield kind, data[at + 8 : at + length]
        at += length


def _flat(data: bytes) -> dict[bytes, bytes]:
    """The content of each box, containers opened; of boxes that come again, the first."""
    found: dict[bytes, bytes] = {}
    for kind, content in _boxes(data):
        found.setdefault(kind, content)
        if kind in _CONTAINERS:
            for inner, inside in _flat(content).items():
                found.setdefault(inner, inside)
    return found


def _read(header: bytes, *, starts_fast: bool) -> Mp4:
    movie = _flat(header)
    scale, length = _times(movie[b"mvhd"])
    tracks = tuple(_track(content, scale) for kind, content in _boxes(header) if kind == b"trak")
    chapters = movie[b"chpl"][8] if b"chpl" in movie else 0
    return Mp4(tracks, length / scale, starts_fast, chapters)


def _times(box: bytes) -> tuple[int, int]:
    """Timescale and duration of a movie or media header."""
    if box[0]:
        scale, length = struct.unpack_from(">IQ", box, 20)
    else:
        scale, length = struct.unpack_from(">II", box, 12)
    return int(scale), int(length)


def _track(content: bytes, movie_scale: int) -> Track:
    boxes = _flat(content)
    scale, _ = _times(boxes[b"mdhd"])
    runs = struct.unpack_from(">I", boxes[b"stts"], 4)[0]
    pairs = struct.unpack_from(f">{2 * runs}I", boxes[b"stts"], 8)
    return Track(
        kind=boxes[b"hdlr"][8:12].decode("latin-1"),
        codec=boxes[b"stsd"][12:16].decode("latin-1"),
        timescale=scale,
        samples=struct.unpack_from(">I", boxes[b"stsz"], 8)[0],
        deltas=tuple(zip(pairs[::2], pairs[1::2], strict=True)),
        edit=_edit(boxes.get(b"elst"), movie_scale),
        reorders=b"ctts" in boxes,
    )


def _edit(box: bytes | None, movie_scale: int) -> tuple[int, float] | None:
    if box is None or not struct.unpack_from(">I", box, 4)[0]:
        return None
    length, start = struct.unpack_from(">Qq" if box[0] else ">Ii", box, 8)
    return int(start), length / movie_scale
