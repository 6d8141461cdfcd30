"""An answer made of the episode's own sentences: nothing is said that was not said there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from showrunner.conversation import AnswerMaterial
from showrunner.speech_text import split_sentences
from showrunner.writing.languages import language_of
from showrunner.writing.phrasing import Phrasing
from showrunner.writing.retrieval import Index, language_of_question, search_terms
from showrunner.writing.terms import overlap

_MOST_PASSAGES = 3
# A passage that scores less than this part of the best one leads away from the question.
_WORTH_SAYING = 0.5
# Short questions must be met in every word: with two words, half of them is a coincidence.
_FEW_TERMS = 2
_ENOUGH_OF_MANY_TERMS = 0.5
_SAYS_THE_SAME = 0.6


@dataclass(frozen=True, slots=True)
class _Candidate:
    mark: str
    who: str
    text: str
    terms: tuple[str, ...]


def write_answer(material: AnswerMaterial) -> Iterator[str]:
    """Give the answer sentence by sentence, each passage with its mark; one phrase and `[none]` where nothing fits."""
    query = query_of(material)
    chosen = _chosen(material, query) if query else []
    if not chosen:
        language = language_of(language_of_question(material.question, material.language))
        yield "[none] " + Phrasing(language, material.question).say("answer_none")
        return
    for number, candidate in enumerate(chosen):
        sentences = split_sentences(candidate.text)
        for place, sentence in enumerate(sentences):
            before = f"{candidate.who}: " if place == 0 else ""
            after = f" [{candidate.mark}]" if place == len(sentences) - 1 else ""
            gap = " " if place else "\n\n" if number else ""
            yield f"{gap}{before}{sentence}{after}"


def query_of(material: AnswerMaterial) -> list[str]:
    """Return what to look for: the question's terms, and those of the last one where this one only goes on from it."""
    terms = list(dict.fromkeys(search_terms(material.question, material.language)))
    if len(terms) < _FEW_TERMS:
        asked = [remark.text for remark in material.earlier if remark.role == "user"]
        terms += [term for term in search_terms(" ".join(asked[-1:]), material.language) if term not in terms]
    return terms


def _chosen(material: AnswerMaterial, query: list[str]) -> list[_Candidate]:
    candidates = _candidates(material)
    index = Index([candidate.terms for candidate in candidates])
    scores = index.scores(query)
    enough = 1.0 if len(query) <= _FEW_TERMS else _ENOUGH_OF_MANY_TERMS
    fitting = [
        (score, place)
        for place, (score, share) in enumerate(zip(scores, index.coverage(query), strict=True))
        if share >= enough and score > 0
    ]
    best = max((score for score, _ in fitting), default=0.0)
    chosen: list[int] = []
    for score, place in sorted(fitting, key=lambda one: (-one[0], one[1])):
        same = any(
            overlap(frozenset(candidates[place].terms), frozenset(candidates[other].terms)) > _SAYS_THE_SAME
            for other in chosen
        )
        if len(chosen) < _MOST_PASSAGES and score >= _WORTH_SAYING * best and not same:
            chosen.append(place)
    return [candidates[place] for place in sorted(chosen)]


def _candidates(material: AnswerMaterial) -> list[_Candidate]:
    language = material.language
    heard = [
        _Candidate(mark, line.speaker, line.text, tuple(search_terms(line.text, language)))
        for mark, line in material.lines.items()
        # A question of the hosts answers nothing.
        if not line.text.rstrip().endswith("?")
    ]
    read = [
        _Candidate(mark, excerpt.title or "…", excerpt.text, tuple(search_terms(excerpt.text, language)))
        for mark, excerpt in material.excerpts.items()
    ]
    return heard + read
