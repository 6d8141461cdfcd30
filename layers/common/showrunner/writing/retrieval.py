"""Which texts speak of what was asked: Okapi BM25 over the terms of `writing.terms`.

Formula: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the inverse
document frequency that cannot become negative.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from showrunner.writing.languages import SUPPORTED, language_of
from showrunner.writing.terms import terms_of, words_of

_SATURATION = 1.2
_LENGTH_WEIGHT = 0.75
_SHORTEST_BEGINNING = 4
_SHORTEST_WORD = 3


def search_terms(text: str, language: str) -> list[str]:
    """Return the content words of `text`; of a language without a word list, all words of some length."""
    if _code(language) in SUPPORTED:
        return terms_of(text, language)
    return [word for word in words_of(text) if len(word) >= _SHORTEST_WORD]


def language_of_question(question: str, usual: str) -> str:
    """Return the supported language whose small words `question` has most of, or `usual` where that is not clear."""
    words = words_of(question)
    counts = {code: sum(word in _small_words(code) for word in words) for code in SUPPORTED}
    best = max(counts.values())
    leading = [code for code, count in counts.items() if count == best]
    if best < 2 or len(leading) > 1 or _code(usual) in leading:
        return usual
    return leading[0]


class Index:
    """Documents as lists of terms, to be ranked by queries."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self._counts = [Counter(document) for document in documents]
        self._lengths = [len(document) for document in documents]
        self._mean = max(1.0, sum(self._lengths) / max(1, len(documents)))
        self._spread = Counter(term for counts in self._counts for term in counts)

    def known(self, term: str) -> frozenset[str]:
        """Return the terms of the documents that are `term`, or begin like it: inflections, compounds."""
        if len(term) < _SHORTEST_BEGINNING:
            return frozenset({term} & self._spread.keys())
        return frozenset(
            other
            for other in self._spread
            if other.startswith(term) or (len(other) >= _SHORTEST_BEGINNING and term.startswith(other))
        )

    def scores(self, query: Iterable[str]) -> list[float]:
        """Return how well each document answers to the query; 0 where it has none of its terms."""
        scores = [0.0] * len(self._counts)
        for term in dict.fromkeys(query):
            forms = self.known(term)
            often = [sum(counts[form] for form in forms) for counts in self._counts]
            spread = sum(1 for times in often if times)
            rarity = math.log(1 + (len(often) - spread + 0.5) / (spread + 0.5))
            for place, times in enumerate(often):
                size = 1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * self._lengths[place] / self._mean
                scores[place] += rarity * times * (_SATURATION + 1) / (times + _SATURATION * size)
        return scores

    def coverage(self, query: Iterable[str]) -> list[float]:
        """Return for each document which part of the query's terms it has, 0 to 1."""
        wanted = [self.known(term) for term in dict.fromkeys(query)]
        return [sum(not forms.isdisjoint(counts) for forms in wanted) / max(1, len(wanted)) for counts in self._counts]


@lru_cache(maxsize=len(SUPPORTED))
def _small_words(code: str) -> frozenset[str]:
    return language_of(code).stopwords


def _code(language: str) -> str:
    return language.lower().replace("_", "-").split("-")[0]
