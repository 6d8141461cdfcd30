"""What the documentation says in code: spans and blocks, so that tests can hold it to what exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def spans(page: Path) -> set[str]:
    return set(_SPAN.findall(_BLOCK.sub("", page.read_text())))


def code(page: Path) -> Iterator[str]:
    """Spans, and the lines of blocks; drawings are no code."""
    yield from spans(page)
    for language, block in _BLOCK.findall(page.read_text()):
        if language != "mermaid":
            yield from block.splitlines()


def program(page: Path, language: str) -> str:
    """The page's blocks of a language, one after the other."""
    return "\n".join(block for named, block in _BLOCK.findall(page.read_text()) if named == language)


def links(page: Path) -> list[str]:
    """Targets of links within the repository."""
    found = _LINK.findall(_BLOCK.sub("", page.read_text()))
    return [target for target in found if not target.startswith(("http://", "https://", "mailto:"))]


def anchors(page: Path) -> set[str]:
    """The fragments that the page's headings answer to: lower case, no punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
