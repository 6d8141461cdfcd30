"""Chapters of an episode: one per section of the script, and their JSON by the podcast namespace.

Format: https://github.com/Podcastindex-org/podcast-namespace (JSON chapters 1.2).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

SHORTEST_SECONDS = 10.0  # below that players show them badly and some ignore the whole list


@dataclass(frozen=True, slots=True)
class Chapter:
    """From `start` to `end`, in seconds."""

    start: float
    end: float
    title: str


def chapters_of(starts: Sequence[tuple[str, float]], seconds: float, untitled: str) -> list[Chapter]:
    """Return the chapters for lines given as (section, start), in order, of audio that lasts `seconds`.

    The first begins at 0; a section too short to be a chapter joins the one before it (the first one: the next).
    """
    sections: list[tuple[str, float]] = []
    for title, start in starts:
        title = title.strip() or untitled
        if not sections or sections[-1][0] != title:
            sections.append((title, start if sections else 0.0))
    ends = [start for _, start in sections[1:]] + [seconds]
    chapters: list[Chapter] = []
    for (title, start), end in zip(sections, ends, strict=True):
        if chapters and chapters[-1].end - chapters[-1].start < SHORTEST_SECONDS:
            # Only the first can be short here: it gives its time to this one.
            chapters[-1] = Chapter(chapters[-1].start, end, title)
        elif chapters and end - start < SHORTEST_SECONDS:
            chapters[-1] = Chapter(chapters[-1].start, end, chapters[-1].title)
        else:
            chapters.append(Chapter(start, end, title))
    return chapters


def chapters_json(chapters: Sequence[Chapter], episode_title: str, show_name: str) -> bytes:
    """Return the file for `podcast:chapters`."""
    document = {
        "version": "1.2.0",
        "title": episode_title,
        "podcastName": show_name,
        "chapters": [
            {"startTime": round(chapter.start, 3), "endTime": round(chapter.end, 3), "title": chapter.title}
            for chapter in chapters
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode()
