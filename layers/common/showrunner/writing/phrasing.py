"""Choosing among phrases: the same material always gives the same choice, and nothing is said twice in a row."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from showrunner.writing.languages import Language

_BLANK = re.compile(r"\{\w+\}")
_NEVER = -1_000_000


class Phrasing:
    """Gives the phrase of a kind that was said longest ago; ties fall by a hash of the seed."""

    def __init__(self, language: Language, seed: str, said: Sequence[str] = ()) -> None:
        self._language = language
        self._seed = seed
        self._clock = 0
        self._last_said: dict[str, int] = {}
        phrases = {phrase: _marker(phrase) for kind in language.phrases.values() for phrase in kind}
        for text in said:
            self._clock += 1
            for phrase, marker in phrases.items():
                if marker and marker in text:
                    self._last_said[phrase] = self._clock

    def copy(self, variant: int = 0) -> Phrasing:
        """Return one with the same memory; variant 0 chooses as this one would, others break ties differently."""
        twin = Phrasing(self._language, f"{self._seed}/{variant}" if variant else self._seed)
        twin._clock = self._clock
        twin._last_said = dict(self._last_said)
        return twin

    def say(self, kind: str, /, **blanks: str) -> str:
        """Return a phrase of `kind` with its blanks filled; one that needs a blank that is empty is not chosen."""
        self._clock += 1
        fitting = [phrase for phrase in self._language.phrases[kind] if _can_fill(phrase, blanks)]
        phrase = min(fitting, key=lambda one: (self._last_said.get(one, _NEVER), self._rank(one)))
        self._last_said[phrase] = self._clock
        return phrase.format(**blanks)

    def _rank(self, phrase: str) -> str:
        return hashlib.sha256(f"{self._seed}|{phrase}".encode()).hexdigest()


def seed_of(*parts: str) -> str:
    """Return a seed that depends on nothing but the content."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def in_words(items: Sequence[str], language: Language) -> str:
    """Join as in speech: "a, b and c"."""
    items = list(dict.fromkeys(items))
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {language.conjunction} {items[-1]}"


def quoted(title: str, language: Language) -> str:
    """Put a title into the language's quotation marks."""
    opening, closing = language.quotes
    return f"{opening}{title}{closing}"


def _can_fill(phrase: str, blanks: Mapping[str, str]) -> bool:
    needed = [name[1:-1] for name in _BLANK.findall(phrase)]
    return all(blanks.get(name) for name in needed)


def _marker(phrase: str) -> str:
    return max((piece.strip() for piece in _BLANK.split(phrase)), key=len)
