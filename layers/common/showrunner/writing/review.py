"""A look back at an episode without a model: telling passages, subjects told, facts worth remembering."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from showrunner.conversation import LearnedMemory, ProposedHighlight, Review, ReviewMaterial
from showrunner.speech_text import split_sentences
from showrunner.writing.languages import language_of
from showrunner.writing.terms import Terms, Weights, overlap, terms_of

_SECONDS_PER_HIGHLIGHT = 150.0
_FEWEST_HIGHLIGHTS, _MOST_HIGHLIGHTS = 1, 6
_MOST_FACTS = 4
_MOST_TOPICS = 8
# A passage that can stand alone is neither a remark nor a lecture.
_WORDS_OF_A_PASSAGE = range(10, 90)
_SAYS_THE_SAME = 0.6


def write_review(material: ReviewMaterial) -> Review:
    """Return the highlights in the order of the episode, its subjects, and the sentences that say most."""
    known = language_of(material.language)
    terms = [frozenset(terms_of(line.text, known.code)) for line in material.lines]
    weights = Weights(terms, Counter(term for one in terms for term in one))
    inner = _told(material)
    ranked = sorted(inner, key=lambda at: (-weights.mean(terms[at]), at))
    wanted = min(_MOST_HIGHLIGHTS, max(_FEWEST_HIGHLIGHTS, round(_seconds(material) / _SECONDS_PER_HIGHLIGHT)))
    telling = [at for at in ranked if len(material.lines[at].text.split()) in _WORDS_OF_A_PASSAGE]
    telling = [at for at in telling if not material.lines[at].text.rstrip().endswith("?")]
    chosen = sorted(_unlike(telling, terms, wanted))
    highlights = [
        ProposedHighlight(first_line=at + 1, last_line=at + 1, note=material.lines[at].section) for at in chosen
    ]
    facts = [_sentence(material.lines[at].text, known.code, weights) for at in _unlike(telling, terms, _MOST_FACTS)]
    sections = dict.fromkeys(material.lines[at].section for at in inner)
    topics = [section for section in sections if section][:_MOST_TOPICS]
    return Review(
        highlights=highlights,
        memories=[
            *(LearnedMemory(kind="topic", content=topic, importance=3) for topic in topics),
            *(LearnedMemory(kind="fact", content=fact, importance=2) for fact in facts),
        ],
    )


def _told(material: ReviewMaterial) -> list[int]:
    """Return the lines between welcome and goodbye, where the episode has more than those."""
    sections = list(dict.fromkeys(line.section for line in material.lines))
    frame = {sections[0], sections[-1]} if len(sections) > 2 else set()
    return [at for at, line in enumerate(material.lines) if line.section not in frame]


def _seconds(material: ReviewMaterial) -> float:
    return material.lines[-1].end_seconds


def _unlike(ranked: Sequence[int], terms: Sequence[Terms], most: int) -> list[int]:
    chosen: list[int] = []
    for at in ranked:
        if len(chosen) < most and all(overlap(terms[at], terms[other]) <= _SAYS_THE_SAME for other in chosen):
            chosen.append(at)
    return chosen


def _sentence(text: str, language: str, weights: Weights) -> str:
    return max(split_sentences(text), key=lambda sentence: weights.mean(frozenset(terms_of(sentence, language))))
