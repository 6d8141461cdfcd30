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
_LONG_CHARACTERS = 320
# Words of questions about an episode that say nothing of what is asked, in the six languages.
_EPISODE = "episode episodes folge folgen episodio episodios épisode épisodes puntata puntate episódio podcast"


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
        sentences = _telling(candidate.text, query, material.language)
        for place, sentence in enumerate(sentences):
            before = f"{candidate.who}: " if place == 0 else ""
            after = f" [{candidate.mark}]" if place == len(sentences) - 1 else ""
            gap = " " if place else "\n\n" if number else ""
            yield f"{gap}{before}{sentence}{after}"


def query_of(material: AnswerMaterial) -> list[str]:
    """Return what to look for: the question's terms, and those of the last one where this one only goes on from it."""
    about = frozenset(search_terms(_EPISODE, material.language))
    terms = [term for term in dict.fromkeys(search_terms(material.question, material.language)) if term not in about]
    if len(terms) < _FEW_TERMS:
        asked = [remark.text for remark in material.earlier if remark.role == "user"]
        terms += [term for term in search_terms(" ".join(asked[-1:]), material.language) if term not in terms]
    return terms


def _telling(text: str, query: list[str], language: str) -> list[str]:
    """Return the sentences of a passage; of a long one the best and what follows it."""
    sentences = split_sentences(text)
    if len(text) <= _LONG_CHARACTERS:
        return sentences
    scores = Index([search_terms(sentence, language) for sentence in sentences]).scores(query)
    best = max(range(len(sentences)), key=lambda at: (scores[at], -at))
    return sentences[best : best + 2]


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
    # Of a source each sentence stands for itself, so that what the episode took from it is not said twice.
    read = [
        _Candidate(mark, excerpt.title or "…", sentence, tuple(search_terms(sentence, language)))
        for mark, excerpt in material.excerpts.items()
        for sentence in split_sentences(excerpt.text)
    ]
    return heard + read
