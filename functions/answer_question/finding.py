"""What of an episode and of its sources may answer a question: all of a short episode, the best of a long one."""

from __future__ import annotations

from collections.abc import Sequence

from showrunner.conversation import AnswerMaterial, Excerpt, HeardLine, Remark
from showrunner.script import SourceText
from showrunner.speech_text import chunks, speakable
from showrunner.writing.answer import query_of
from showrunner.writing.retrieval import Index, search_terms

# About 8,000 tokens of transcript and 3,000 of sources.
MOST_LINE_CHARACTERS = 32_000
MOST_EXCERPT_CHARACTERS = 12_000
EXCERPT_CHARACTERS = 700
MOST_EXCERPTS = 12


def material_for(
    question: str, earlier: Sequence[Remark], language: str, lines: Sequence[HeardLine], sources: Sequence[SourceText]
) -> AnswerMaterial:
    """Return the lines and passages to answer from, under marks that say where in the episode they stand."""
    bare = AnswerMaterial(language=language, question=question, earlier=list(earlier), lines={}, excerpts={})
    query = query_of(bare)
    kept = _lines(query, language, lines)
    excerpts = _excerpts(query, language, sources)
    return bare.model_copy(
        update={
            "lines": {f"L{number}": line for number, line in kept},
            "excerpts": {f"S{number}": excerpt for number, excerpt in enumerate(excerpts, start=1)},
        }
    )


def _lines(query: Sequence[str], language: str, lines: Sequence[HeardLine]) -> list[tuple[int, HeardLine]]:
    """Return the lines with their numbers from 1; of a long episode the best with their neighbours, in order."""
    scores = Index([search_terms(line.text, language) for line in lines]).scores(query)
    left = MOST_LINE_CHARACTERS
    kept: set[int] = set()
    for at in sorted(range(len(lines)), key=lambda at: (-scores[at], at)):
        around = [near for near in (at, at - 1, at + 1) if 0 <= near < len(lines) and near not in kept]
        for near in around:
            if len(lines[near].text) <= left:
                kept.add(near)
                left -= len(lines[near].text)
    return [(at + 1, lines[at]) for at in sorted(kept)]


def _excerpts(query: Sequence[str], language: str, sources: Sequence[SourceText]) -> list[Excerpt]:
    passages = [
        Excerpt(source_id=source.id, title=source.title, text=piece)
        for source in sources
        for paragraph in source.text.split("\n\n")
        for piece in chunks(speakable(paragraph), EXCERPT_CHARACTERS)
    ]
    scores = Index([search_terms(passage.text, language) for passage in passages]).scores(query)
    ranked = sorted((at for at, score in enumerate(scores) if score > 0), key=lambda at: (-scores[at], at))
    left = MOST_EXCERPT_CHARACTERS
    kept: list[int] = []
    for at in ranked[:MOST_EXCERPTS]:
        if len(passages[at].text) <= left:
            kept.append(at)
            left -= len(passages[at].text)
    return [passages[at] for at in sorted(kept)]
