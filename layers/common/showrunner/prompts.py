"""Versioned prompt files, and source texts put into them as material.

A prompt is `prompts/<name>.v<number>.md` beside the function that uses it. Its name is part of a job's input, so a
published version is never edited: a better prompt is a new version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from showrunner.errors import InvalidInput
from showrunner.script import Show, SourceText

_NAME = re.compile(r"[a-z][a-z_]*\.v[1-9][0-9]*")
_BLANK = re.compile(r"\{\{(\w+)\}\}")
_OUR_TAGS = re.compile(
    r"</?\s*(?:sources?|notes?|lines|transcript|passages|conversation|question)\b[^>]*>", re.IGNORECASE
)
_WORD = re.compile(r"\w{4,}")
_CUT = "[…]"

# What a prompt adds after the provider declined an earlier version.
CAUTION = (
    "An earlier version of this text was declined by the provider's safety filter. Write soberly, leave out graphic or "
    "dangerous detail, and leave out what cannot be told without it."
)


def render(folder: Path, name: str, blanks: Mapping[str, str]) -> str:
    """Return the prompt `name` with its `{{blanks}}` filled once: what is filled in is never looked at again.

    Raises `InvalidInput` for a version that does not exist, `KeyError` for a blank that is not given.
    """
    path = folder / f"{name}.md"
    if not _NAME.fullmatch(name) or not path.is_file():
        known = ", ".join(sorted(one.name.removesuffix(".md") for one in folder.glob("*.md")))
        raise InvalidInput(f"prompt: {name!r} does not exist; allowed: {known}.")
    return _BLANK.sub(lambda blank: blanks[blank[1]], path.read_text("utf-8"))


def as_material(sources: Sequence[SourceText], most_characters: int, about: str = "") -> str:
    """Return the sources between tags, together at most about `most_characters`.

    Each source gets a fair part; a longer one keeps the paragraphs that share most words with `about`, in order.
    Tags of ours inside a text are taken out, so that it cannot end its own frame.
    """
    left, pieces = most_characters, []
    by_size = sorted(range(len(sources)), key=lambda number: len(sources[number].text))
    texts: dict[int, str] = {}
    for done, number in enumerate(by_size):
        texts[number] = excerpt(sources[number].text, left // (len(sources) - done), about)
        left -= len(texts[number])
    for number, source in enumerate(sources):
        title = _OUR_TAGS.sub("", source.title).replace('"', "'")
        text = _OUR_TAGS.sub("", texts[number])
        pieces.append(f'<source id="{source.id}" title="{title}">\n{text}\n</source>')
    return "\n\n".join(pieces)


def excerpt(text: str, most_characters: int, about: str = "") -> str:
    """Return the text, or the paragraphs that share most words with `about` where it is longer than allowed."""
    if len(text) <= most_characters:
        return text
    paragraphs = text.split("\n\n")
    wanted = set(_WORD.findall(about.lower()))
    ranked = sorted(range(len(paragraphs)), key=lambda i: (-len(wanted & set(_WORD.findall(paragraphs[i].lower()))), i))
    kept: set[int] = set()
    left = most_characters - len(_CUT) - 2
    for i in ranked:
        if len(paragraphs[i]) + 2 <= left:
            kept.add(i)
            left -= len(paragraphs[i]) + 2
    if not kept:
        return f"{text[: max(0, most_characters - len(_CUT) - 1)]} {_CUT}"
    return "\n\n".join([*(paragraphs[i] for i in sorted(kept)), _CUT])


def as_words(text: str) -> str:
    """Return the text on one line, without tags of ours."""
    return " ".join(_OUR_TAGS.sub("", text).split())


def form_of(show: Show) -> str:
    """Say what kind of show it is and who speaks."""
    names = " and ".join(show.hosts)
    return f"a conversation between {names}" if len(show.hosts) > 1 else f"a bulletin spoken by {names}"


def as_list(items: Sequence[str]) -> str:
    """Return a Markdown list, each item on one line."""
    return "\n".join(f"- {' '.join(item.split())}" for item in items) or "- none"
