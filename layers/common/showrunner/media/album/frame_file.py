"""A stream on the disk as a list of frames: those of an hour would fill the memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FrameFile:
    """`offsets` are where the frames begin, and where the last one ends."""

    path: Path
    offsets: array[int]

    @classmethod
    def of(cls, path: Path, sizes: Iterable[int]) -> FrameFile:
        offsets = array("Q", [0])
        for size in sizes:
            offsets.append(offsets[-1] + size)
        return cls(path, offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> bytes:
        return self.read(index, index + 1)

    def read(self, first: int, last: int) -> bytes:
        """The frames from `first` up to, not including, `last`; what is beyond the end is left out."""
        begin, end = (self.offsets[min(index, len(self))] for index in (first, last))
        with self.path.open("rb") as file:
            file.seek(begin)
            return file.read(end - begin)
