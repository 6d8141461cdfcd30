"""Marks of an answer: `[L3]` and `[S1]` name what it rests on, and become `[1]`, `[2]` … with a citation each.

Text arrives in pieces of any size, so a mark may come in two; what might still become one is held back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from showrunner.conversation import Excerpt, HeardLine
from showrunner.script import Value
from showrunner.speech_text import split_sentences
from showrunner.writing.retrieval import search_terms

MOST_QUOTE_CHARACTERS = 400

_MARK = r"[LS]\d{1,5}"
# Bare numbers are marks of earlier answers, which a writer may copy: here they would point at something else.
_MARKS = re.compile(rf"[ \t]*\[\s*(none|\d{{1,3}}|{_MARK}(?:\s*[,;]\s*{_MARK})*)\s*\]", re.IGNORECASE)
_PERHAPS_A_MARK = re.compile(r"[ \t]*(?:\[[^\]]{0,80})?\Z")


class Citation(Value):
    """What an answer rests on: a line of the episode with its times in seconds, or a source; `quote` is found there."""

    block_id: UUID | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None
    source_id: UUID | None = None
    quote: str


@dataclass
class CitedText:
    """An answer as it is written. `text` is what may be shown; `says_none`: it said that the material does not tell."""

    lines: Mapping[str, HeardLine]
    excerpts: Mapping[str, Excerpt]
    language: str
    text: str = ""
    says_none: bool = False
    citations: list[Citation] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    _held: str = ""

    def add(self, piece: str) -> None:
        """Take a piece; marks in it that are whole become citations, marks of nothing disappear."""
        arrived = self._held + piece
        held = _PERHAPS_A_MARK.search(arrived)
        end = held.start() if held else len(arrived)
        self._held = arrived[end:]
        self._show(arrived[:end])

    def end(self) -> None:
        """Show what was held back; there is no more to come."""
        self._show(self._held)
        self._held = ""
        self.text = self.text.strip()

    def _show(self, text: str) -> None:
        start = 0
        for found in _MARKS.finditer(text):
            self.text += text[start : found.start()]
            self.text += self._numbers_of(found[1])
            start = found.end()
        self.text += text[start:]
        self.text = self.text.lstrip()

    def _numbers_of(self, marks: str) -> str:
        numbers = []
        for mark in re.split(r"\s*[,;]\s*", marks):
            if mark.casefold() == "none":
                self.says_none = True
            elif number := self._number(mark.upper()):
                numbers.append(number)
        return "".join(f" [{number}]" for number in numbers)

    def _number(self, mark: str) -> int | None:
        if mark not in self.lines and mark not in self.excerpts:
            return None
        if mark not in self._numbers:
            self.citations.append(self._citation(mark))
            self._numbers[mark] = len(self.citations)
        return self._numbers[mark]

    def _citation(self, mark: str) -> Citation:
        if line := self.lines.get(mark):
            return Citation(
                block_id=line.block_id,
                start_seconds=line.start_seconds,
                end_seconds=line.end_seconds,
                quote=self._quote(line.text),
            )
        excerpt = self.excerpts[mark]
        return Citation(source_id=excerpt.source_id, quote=self._quote(excerpt.text))

    def _quote(self, text: str) -> str:
        """Return the sentence of `text` that is closest to what the answer says just before the mark."""
        if len(text) <= MOST_QUOTE_CHARACTERS:
            return text
        said = set(search_terms((split_sentences(self.text) or [""])[-1], self.language))
        sentences = split_sentences(text)
        closest = max(sentences, key=lambda sentence: len(said & set(search_terms(sentence, self.language))))
        return closest[:MOST_QUOTE_CHARACTERS]
