"""What the offline writer knows of each language it can write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from showrunner.errors import InvalidInput

SUPPORTED = ("de", "en", "es", "fr", "it", "pt")


@dataclass(frozen=True, slots=True)
class Language:
    """One language: function words for scoring, and the phrases that hosts say around the facts.

    `dependent` are first words of sentences that lean on the sentence before, `pointing` are words that do so among
    the first few. `avoid`, `audience`, `opening` and
    `ending` are regular expressions for a show's memories; their one group is the topic or the words to use.
    `articles` and `prepositions` tell names in running text; both are empty where capitals do not mark names.
    """

    code: str
    stopwords: frozenset[str]
    dependent: frozenset[str]
    pointing: frozenset[str]
    first_person: frozenset[str]
    conjunction: str
    quotes: tuple[str, str]
    articles: frozenset[str]
    prepositions: frozenset[str]
    plural_endings: tuple[str, ...]
    avoid: str
    audience: str
    opening: str
    ending: str
    phrases: Mapping[str, tuple[str, ...]]


def words(text: str) -> frozenset[str]:
    """Return the words of `text` as a set."""
    return frozenset(text.split())


def language_of(tag: str) -> Language:
    """Return the language of a BCP 47 tag; raise `InvalidInput` when the offline writer does not know it."""
    code = tag.lower().replace("_", "-").split("-")[0]
    if code not in SUPPORTED:
        raise InvalidInput(
            f"language: the offline writer writes {', '.join(SUPPORTED)}, not {tag!r}; choose one of these or another "
            "writer."
        )
    language = import_module(f"showrunner.writing.languages.{code}").LANGUAGE
    assert isinstance(language, Language)
    return language
