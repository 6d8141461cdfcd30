"""What YouTube takes with a video, by its rules: title, description with chapters, tags.

Chapters: the first at 0:00, at least three, ascending, each at least 10 seconds long. A title has at most 100
characters, a description 5,000 bytes, tags 500 characters together; none of them has angle brackets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_TITLE_CHARACTERS = 100
MOST_DESCRIPTION_BYTES = 5000
MOST_TAG_CHARACTERS = 500
FEWEST_CHAPTERS = 3
SHORTEST_CHAPTER_SECONDS = 10
_ANGLES = re.compile(r"[<>]")


@dataclass(frozen=True, slots=True)
class Mark:
    """A chapter begins at `seconds`, a whole number: YouTube knows nothing finer."""

    seconds: int
    title: str

    def line(self, whole: float) -> str:
        minutes, seconds = divmod(self.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        if whole >= 3600:
            return f"{hours}:{minutes:02}:{seconds:02} {self.title}"
        return f"{minutes + 60 * hours}:{seconds:02} {self.title}"


def marks_of(chapters: Sequence[tuple[float, str]], whole: float) -> list[Mark]:
    """Return the chapters that YouTube would show, `whole` seconds being the video's length.

    One that is too short is joined to the one before it.
    """
    marks: list[Mark] = []
    for start, title in sorted(chapters, key=lambda chapter: chapter[0]):
        seconds = int(start) if marks else 0
        far_enough = not marks or seconds - marks[-1].seconds >= SHORTEST_CHAPTER_SECONDS
        if far_enough and (not marks or whole - seconds >= SHORTEST_CHAPTER_SECONDS):
            marks.append(Mark(seconds, clean(title) or f"Part {len(marks) + 1}"))
    return marks


def chapter_text(marks: Sequence[Mark], whole: float) -> str:
    return "".join(f"{mark.line(whole)}\n" for mark in marks)


def title_of(title: str, niche: str) -> str:
    return (clean(title) or clean(niche) or "Ambience")[:MOST_TITLE_CHARACTERS].rstrip()


def description_of(text: str, marks: Sequence[Mark], whole: float, *, is_synthetic: bool) -> str:
    """Return the text, the chapters and a note. Chapters that YouTube would not take are left out: a list that it
    ignores helps nobody. Where all of it is too long, the text is cut."""
    parts = [chapter_text(marks, whole).strip()] if len(marks) >= FEWEST_CHAPTERS else []
    if is_synthetic:
        parts.append("Music and pictures of this video are synthetic.")
    rest = "\n\n".join(parts)
    room = MOST_DESCRIPTION_BYTES - len(rest.encode()) - 2
    body = _ANGLES.sub("", text).strip().encode()[: max(room, 0)].decode(errors="ignore").strip()
    return "\n\n".join(part for part in (body, rest) if part)


def tags_of(tags: Sequence[str]) -> list[str]:
    """Return as many as fit, each once: YouTube counts commas, and quotes around a tag of more than one word."""
    kept: dict[str, str] = {}
    room = MOST_TAG_CHARACTERS
    for tag in tags:
        plain = clean(tag.replace('"', "").replace(",", " "))
        cost = len(plain) + (3 if " " in plain else 1)
        if plain and plain.casefold() not in kept and cost <= room:
            kept[plain.casefold()] = plain
            room -= cost
    return list(kept.values())


def clean(text: str) -> str:
    return " ".join(_ANGLES.sub("", text).split())
