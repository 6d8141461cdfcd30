"""What a show's memories ask of the offline writer.

It understands four kinds, in the show's language: subjects to leave out ("never mention prices"), a name for the
listeners ("call listeners 'friends'"), words to open with and words to end with ("end with 'Stay curious.'").
Any other memory raises the weight of sentences that share its words, and is listed in the outline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from showrunner.writing.languages import Language, language_of
from showrunner.writing.terms import Terms, stem, terms_of, words_of

_QUOTES = "\"'“”„‘’«»‹› "
_LIST = re.compile(r",|;|/|\b(?:or|and|oder|und|ou|et|o|y|e)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wishes:
    """`avoided` are subjects as sets of word forms: a sentence that has all forms of one is left out."""

    avoided: tuple[Terms, ...] = ()
    audience: str = ""
    opening: str = ""
    ending: str = ""
    others: tuple[str, ...] = ()

    def allow(self, text: str, language: str) -> bool:
        """Return whether `text` keeps clear of every avoided subject."""
        if not self.avoided:
            return True
        known = language_of(language)
        forms = {stem(word, known) for word in words_of(text)}
        return not any(subject <= forms for subject in self.avoided)


def wishes_of(memories: Sequence[str], language: str) -> Wishes:
    """Read the memories; each is understood as one kind of wish."""
    known = language_of(language)
    avoided: list[Terms] = []
    others: list[str] = []
    found: dict[str, str] = {}
    for memory in memories:
        kind, wanted = _read(memory, known)
        if kind == "avoid":
            avoided += _subjects(wanted, known)
        elif kind:
            found.setdefault(kind, wanted)
        elif terms_of(memory, language):
            others.append(memory.strip())
    return Wishes(tuple(avoided), others=tuple(others), **found)


def _read(memory: str, known: Language) -> tuple[str, str]:
    for kind, pattern in (
        ("audience", known.audience),
        ("opening", known.opening),
        ("ending", known.ending),
        ("avoid", known.avoid),
    ):
        if match := re.search(pattern, memory, re.IGNORECASE):
            wanted = match[1].strip()
            if kind in {"opening", "ending"}:
                return kind, wanted.strip(_QUOTES)
            return kind, wanted.rstrip(".!").strip(_QUOTES)
    return "", ""


def _subjects(wanted: str, known: Language) -> list[Terms]:
    subjects = []
    for part in _LIST.split(wanted):
        words = [word for word in words_of(part) if word not in known.stopwords]
        if words:
            subjects.append(frozenset(stem(word, known) for word in words))
    return subjects
