"""ID3v2.3 tags of an episode's MP3, with chapter frames and cover.

Standards: id3.org's ID3v2.3.0 and "ID3v2 Chapter Frame Addendum 1.0". Version 2.3 is what every player reads.
"""

# mutagen declares itself typed, but its frames are not.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mutagen.id3 import (
    APIC,
    CHAP,
    COMM,
    CTOC,
    ID3,
    TALB,
    TCON,
    TDRC,
    TIT2,
    TLEN,
    TPE1,
    TRCK,
    CTOCFlags,
    Encoding,
    PictureType,
)

from chapter_marks import Chapter

_NO_OFFSET = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Tags:
    """What a player shows. `date` is ISO 8601 or empty, `cover` a JPEG, `seconds` the length of the audio."""

    title: str
    artist: str
    album: str
    summary: str
    number: int | None
    date: str
    seconds: float
    chapters: Sequence[Chapter]
    cover: bytes


def write_tags(path: Path, tags: Tags) -> None:
    """Write the tags into the MP3 file at `path`."""
    id3 = ID3()
    id3.add(TIT2(Encoding.UTF16, tags.title))
    id3.add(TPE1(Encoding.UTF16, tags.artist))
    id3.add(TALB(Encoding.UTF16, tags.album))
    id3.add(TCON(Encoding.UTF16, "Podcast"))
    id3.add(TLEN(Encoding.LATIN1, str(round(tags.seconds * 1000))))
    if tags.number is not None:
        id3.add(TRCK(Encoding.LATIN1, str(tags.number)))
    if tags.date:
        id3.add(TDRC(Encoding.LATIN1, tags.date))
    if tags.summary:
        id3.add(COMM(Encoding.UTF16, "eng", "", tags.summary))
    id3.add(APIC(Encoding.LATIN1, "image/jpeg", PictureType.COVER_FRONT, "Cover", tags.cover))
    _add_chapters(id3, tags.chapters)
    id3.update_to_v23()
    id3.save(path, v1=0, v2_version=3)


def _add_chapters(id3: ID3, chapters: Sequence[Chapter]) -> None:
    names = [f"chp{index}" for index in range(len(chapters))]
    flags = CTOCFlags.TOP_LEVEL | CTOCFlags.ORDERED
    id3.add(CTOC(element_id="toc", flags=flags, child_element_ids=names, sub_frames=[]))
    for name, chapter in zip(names, chapters, strict=True):
        id3.add(
            CHAP(
                element_id=name,
                start_time=round(chapter.start * 1000),
                end_time=round(chapter.end * 1000),
                start_offset=_NO_OFFSET,
                end_offset=_NO_OFFSET,
                sub_frames=[TIT2(Encoding.UTF16, chapter.title)],
            )
        )
