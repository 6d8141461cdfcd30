"""Words, terms and what they weigh: the small part of information retrieval that the offline writer needs."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from showrunner.writing.languages import Language, language_of

Terms = frozenset[str]

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:[.,]\d+)*")
_LINKS = frozenset({"of", "de", "da", "di", "du", "do", "des", "del", "della", "dos", "von", "van", "y"})
_SHORTEST_NAME = 4
_MOST_NAME_WORDS = 4
_SHORTEST_TERM = 3


def words_of(text: str) -> list[str]:
    """Return the words of `text` in lower case."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def terms_of(text: str, language: str) -> list[str]:
    """Return the content words of `text`, brought to one form for singular and plural."""
    known = language_of(language)
    return [
        stem(word, known)
        for word in words_of(text)
        if len(word) >= _SHORTEST_TERM and word not in known.stopwords and not word[0].isdigit()
    ]


def stem(word: str, language: Language) -> str:
    """Take off plural and inflection endings while at least three letters stay: enough to match, not linguistics."""
    return _stem(word, language.plural_endings)


@lru_cache(maxsize=65_536)
def _stem(word: str, endings: tuple[str, ...]) -> str:
    word = word.removesuffix("'s")
    for ending in endings:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            # Again: what an ending leaves may end like a singular that loses its own.
            return _stem(word[: -len(ending)], endings)
    return word


class Weights:
    """How much a term says: often in the sources, but not everywhere in them."""

    def __init__(self, documents: Sequence[Terms], counts: Counter[str]) -> None:
        self._documents = len(documents)
        self._spread = Counter(term for document in documents for term in document)
        self._counts = counts

    def of(self, term: str) -> float:
        rarity = 0.5 + math.log((1 + self._documents) / (1 + self._spread[term]))
        return math.log1p(self._counts[term]) * max(rarity, 0.2)

    def mean(self, terms: Iterable[str]) -> float:
        """Return the mean weight, softened so that very short sentences do not win."""
        weights = [self.of(term) for term in terms]
        return sum(weights) / (len(weights) + 3)


def overlap(left: Terms, right: Terms) -> float:
    """Return how alike two sets of terms are: 0 for nothing in common, 1 for the same (cosine)."""
    if not left or not right:
        return 0.0
    return len(left & right) / math.sqrt(len(left) * len(right))


def names_in(text: str, language: str) -> list[str]:
    """Return names of people and places, with their article: capitalised words in a row, or one after a preposition."""
    known = language_of(language)
    if not known.prepositions:
        return []
    tokens = text.split()
    names = []
    at = 0
    while at < len(tokens):
        run = _run(tokens[at:])
        before = tokens[at - 1].lower() if at else ""
        name = " ".join(run).rstrip(".,;:!?\"')»”").removesuffix("'s")
        if run and run[0].lower() not in known.stopwords and len(name) >= _SHORTEST_NAME and name[-1].isalpha():
            after = tokens[at + len(run)].lower() if at + len(run) < len(tokens) else ""
            stands_alone = not run[-1][-1].isalnum() or after.strip(",.;") in known.stopwords
            if before in known.articles and len(run) > 1:
                names.append(f"{before} {name}")
            elif len(run) > 1 or (before in known.prepositions and stands_alone):
                names.append(name)
        at += max(1, len(run))
    return names


def _run(tokens: Sequence[str]) -> list[str]:
    """Return the capitalised words at the beginning of `tokens`, with the small words that link them."""
    run: list[str] = []
    for token in tokens[:_MOST_NAME_WORDS]:
        if not (token[0].isupper() or (run and token in _LINKS)):
            break
        run.append(token)
        if not token[-1].isalnum():
            break
    while run and run[-1] in _LINKS:
        run.pop()
    return run


def key_terms(texts: Sequence[str], elsewhere: Sequence[Terms], language: str, most: int) -> list[str]:
    """Return the words that are frequent in `texts` and rare in `elsewhere`, as they are most often written."""
    known = language_of(language)
    forms: dict[str, Counter[str]] = {}
    for text in texts:
        for word in _WORD.findall(text):
            lower = word.lower()
            if len(word) >= 4 and lower not in known.stopwords and not word[0].isdigit():
                forms.setdefault(stem(lower, known), Counter())[word] += 1
    spread = Counter(term for terms in elsewhere for term in terms)
    ranked = sorted(forms, key=lambda term: (-forms[term].total() * (1 + len(term) / 20) / (1 + spread[term]), term))
    return [sorted(forms[term].items(), key=lambda form: (-form[1], form[0]))[0][0] for term in ranked[:most]]


def things(texts: Sequence[str], elsewhere: Sequence[Terms], language: str, most: int) -> list[str]:
    """Return what `texts` talk about most and others less: nouns, known by an article or, in German, by a capital."""
    known = language_of(language)
    forms: dict[str, Counter[str]] = {}
    for text in texts:
        tokens = text.replace("’", "'").replace("'", "' ").split() if known.articles else text.split()
        for before, token, after in zip(tokens[:-1], tokens[1:], [*tokens[2:], "."], strict=True):
            word = token.rstrip(".,;:!?\"')")
            ends = word != token or after.lower().rstrip(".,") in known.stopwords
            if len(word) < _SHORTEST_NAME or word.lower() in known.stopwords or not word.isalpha():
                continue
            if known.articles and before.lower() in known.articles and ends:
                forms.setdefault(stem(word.lower(), known), Counter())[f"{before.lower()} {word}"] += 1
            elif not known.articles and word[0].isupper() and before[-1] not in '.!?:"':
                forms.setdefault(stem(word.lower(), known), Counter())[word] += 1
    spread = Counter(term for terms in elsewhere for term in terms)
    ranked = sorted(forms, key=lambda term: (-(forms[term].total() ** 2) / (1 + spread[term]), term))
    return [min(forms[term].items(), key=lambda form: (-form[1], form[0]))[0] for term in ranked[:most]]
