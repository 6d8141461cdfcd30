"""A source as passages: what stands under one heading, as units that can be read aloud on their own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from showrunner.speech_text import speakable, split_sentences
from showrunner.writing.languages import Language, language_of
from showrunner.writing.terms import Terms, key_terms, terms_of, things, words_of

MOST_LINE_WORDS = 45
_MOST_UNIT_WORDS = 60
_MOST_UNIT_SENTENCES = 3
_SHORT_OPENING_WORDS = 12
_FEWEST_SENTENCE_WORDS = 4
_FIRST_WORDS = 7
# A passage without headings is cut about here, so that a chapter has one subject.
_PASSAGE_WORDS = 260

_FENCE = re.compile(r"^\s*(```|~~~)")
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_UNDERLINE = re.compile(r"^\s{0,3}(=+|-{3,})\s*$")
_LIST_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+")
_NEVER_SPOKEN = re.compile(r"^\s*(\||\[[^\]]+\]:\s|<!--|!\[[^\]]*\]\([^)]*\)\s*$|[-*_=\s]{3,}$)")
_CITATION = re.compile(r"\s?\[(?:\d{1,3}(?:\s?[,–-]\s?\d{1,3})*|citation needed|[a-z])\]|\s?\[\^[^\]]+\]")
_ADDRESS = re.compile(r"\bhttps?://|\bwww\.|\S+@\S+\.\w+|[{}<>]|\w+\(\)|==|\\\w")
_NOISE = re.compile(
    r"\b(cookies?|newsletter|copyright|all rights reserved|click here|subscribe|read more|sign up|javascript|"
    r"fig(?:ure|\.)? ?\d|table \d|abb\. ?\d|abbildung \d|tabelle \d|figura \d|tableau \d|isbn)\b|©",
    re.IGNORECASE,
)
_ENDED = re.compile(r"[.!?…]['\")\]»”]*$")


@dataclass(frozen=True, slots=True)
class Unit:
    """One to three sentences that belong together; `place` is its position in the source,
    `paragraph` that of its paragraph in the passage.

    `leaning`: it begins with a word that points back at something outside the unit.
    """

    source: int
    passage: int
    place: int
    paragraph: int
    sentences: tuple[str, ...]
    terms: Terms
    opens_passage: bool = False
    opens_paragraph: bool = False
    leaning: bool = False
    first_person: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.sentences)

    @property
    def words(self) -> int:
        return len(self.text.split())


@dataclass(frozen=True, slots=True)
class Passage:
    """`heading` is empty where the source gives none."""

    source: int
    index: int
    heading: str
    units: tuple[Unit, ...]
    terms: Terms


@lru_cache(maxsize=64)
def passages_of(text: str, source: int, language: str) -> tuple[Passage, ...]:
    """Split a source's Markdown or plain text; headings, tables, code, addresses and citation marks are not units."""
    made: list[Passage] = []
    place = 0
    for heading, paragraphs in _balanced(_outline(text)):
        units: list[Unit] = []
        for number, paragraph in enumerate(paragraphs):
            for unit in _units(paragraph, language):
                opens = not units
                placed = replace(unit, source=source, passage=len(made), place=place, paragraph=number)
                units.append(replace(placed, opens_passage=opens))
                place += 1
        if units:
            terms = frozenset().union(*(unit.terms for unit in units))
            made.append(Passage(source, len(made), heading, tuple(units), terms))
    return tuple(made)


def _outline(text: str) -> Iterator[tuple[str, list[str]]]:
    """Give (heading, paragraphs) in order. A short line on its own without a full stop is a heading too."""
    heading, paragraphs = "", list[str]()
    blocks = list(_blocks(text))
    for index, (is_heading, block) in enumerate(blocks):
        if is_heading or (_reads_like_heading(block) and index + 1 < len(blocks)):
            yield heading, paragraphs
            heading, paragraphs = _clean(block).rstrip(".:"), []
        else:
            paragraphs.append(block)
    yield heading, paragraphs


def _blocks(text: str) -> Iterator[tuple[bool, str]]:
    """Give (is a heading, text) for each block between empty lines; code and tables are left out."""
    lines: list[str] = []
    in_code = False
    for line in [*text.splitlines(), ""]:
        if _FENCE.match(line):
            in_code = not in_code
            continue
        if in_code or (_NEVER_SPOKEN.match(line) and not (lines and _UNDERLINE.match(line))):
            continue
        if lines and len(lines) == 1 and _UNDERLINE.match(line):
            yield True, lines.pop()
            continue
        marked = _HEADING.match(line)
        if (marked or not line.strip() or _LIST_ITEM.match(line)) and lines:
            yield False, " ".join(lines)
            lines = []
        if marked:
            yield True, marked[2]
        elif line.strip():
            lines.append(_LIST_ITEM.sub("", line).strip())


def _reads_like_heading(block: str) -> bool:
    clean = _clean(block)
    return (
        0 < len(clean.split()) <= 9
        and clean[:1].isupper()
        and not clean.endswith((".", "!", ":", ";", ",", "…", ")"))
        and not any(mark in clean for mark in ("http", "@", "©"))
    )


def _balanced(outline: Iterator[tuple[str, list[str]]]) -> Iterator[tuple[str, list[str]]]:
    """Cut what has no heading of its own into pieces of about `_PASSAGE_WORDS`, at paragraphs."""
    for heading, paragraphs in outline:
        if heading or not paragraphs:
            yield heading, paragraphs
            continue
        piece: list[str] = []
        words = 0
        for paragraph in paragraphs:
            piece.append(paragraph)
            words += len(paragraph.split())
            if words >= _PASSAGE_WORDS:
                yield "", piece
                piece, words = [], 0
        if piece:
            yield "", piece


def _units(paragraph: str, language: str) -> Iterator[Unit]:
    """Glue what does not stand alone: a sentence that leans on the last, an answer, what follows a short opening."""
    known = language_of(language)
    glued: list[str] = []
    opens = True
    for sentence in _sentences(paragraph):
        size = _count(glued)
        leans = _leans(sentence, known)
        asked = bool(glued) and glued[-1].rstrip("'\"»)").endswith("?")
        short = opens and len(glued) == 1 and size < _SHORT_OPENING_WORDS
        fits = size + _count([sentence]) <= _MOST_UNIT_WORDS and len(glued) < _MOST_UNIT_SENTENCES
        if glued and (leans or asked or short) and fits:
            glued.append(sentence)
            continue
        if glued:
            yield _unit(glued, language, opens_paragraph=opens)
            opens = False
        glued = [sentence]
    if glued:
        yield _unit(glued, language, opens_paragraph=opens)


def _leans(sentence: str, known: Language) -> bool:
    words = words_of(sentence)
    return bool(words) and (words[0] in known.dependent or not known.pointing.isdisjoint(words[:_FIRST_WORDS]))


def _count(sentences: Sequence[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)


def _unit(sentences: Sequence[str], language: str, *, opens_paragraph: bool) -> Unit:
    known = language_of(language)
    words = [word for sentence in sentences for word in words_of(sentence)]
    return Unit(
        source=0,
        passage=0,
        place=0,
        paragraph=0,
        sentences=tuple(sentences),
        terms=frozenset(term for sentence in sentences for term in terms_of(sentence, language)),
        opens_paragraph=opens_paragraph,
        leaning=_leans(sentences[0], known),
        first_person=any(word in known.first_person for word in words),
    )


def _sentences(paragraph: str) -> Iterator[str]:
    if _ADDRESS.search(paragraph) and len(paragraph.split()) < 8:
        return
    for sentence in split_sentences(_clean(paragraph)):
        words = sentence.split()
        spoken = sum(1 for word in words if any(letter.isalpha() for letter in word))
        if (
            spoken >= _FEWEST_SENTENCE_WORDS
            and spoken * 3 >= len(words) * 2
            and _ENDED.search(sentence)
            and not _ADDRESS.search(sentence)
            and not _NOISE.search(sentence)
            and sentence.count('"') % 2 == 0
            and sentence.count("(") == sentence.count(")")
        ):
            yield from _breaths(sentence)


def _breaths(sentence: str) -> Iterator[str]:
    """Give the sentence whole, or where it is too long for one breath, at its clauses; drop what has none."""
    words = sentence.split()
    if len(words) <= MOST_LINE_WORDS:
        yield sentence
        return
    start = 0
    while len(words) - start > MOST_LINE_WORDS:
        ends = [
            index + 1
            for index in range(start + 8, min(start + MOST_LINE_WORDS, len(words) - 4))
            if words[index].endswith((";", ":", ",")) or words[index] in {"–", "-"}
        ]
        if not ends:
            return
        end = max(ends, key=lambda at: (words[at - 1].endswith(";"), at))
        yield " ".join(words[start:end])
        start = end
    yield " ".join(words[start:])


def _clean(text: str) -> str:
    return speakable(_CITATION.sub("", text))


def subject_of(passage: Passage, others: Sequence[Passage], language: str) -> list[str]:
    """Return two things that the passage is about and the others are less, or words where no things are found."""
    texts = [unit.text for unit in passage.units]
    elsewhere = [other.terms for other in others]
    return things(texts, elsewhere, language, 2) or key_terms(texts, elsewhere, language, 2)
