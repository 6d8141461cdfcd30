"""Which units of the sources are worth telling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from showrunner.script import SourceText
from showrunner.writing.passages import Passage, Unit, passages_of
from showrunner.writing.terms import Terms, Weights, overlap
from showrunner.writing.wishes import Wishes

_NO_TERMS: Terms = frozenset()


@dataclass(frozen=True, slots=True)
class Emphasis:
    """What raises or lowers a unit: `wanted` terms (of notes), `liked` (of memories), `stale` (of earlier titles)."""

    wanted: Terms = _NO_TERMS
    liked: Terms = _NO_TERMS
    stale: Terms = _NO_TERMS


def passages_in(sources: Sequence[SourceText], language: str, wishes: Wishes) -> list[Passage]:
    """Return the passages of all sources in order, without what the show wants left out."""
    kept: list[Passage] = []
    for number, source in enumerate(sources):
        for passage in passages_of(source.text, number, language):
            if not wishes.allow(passage.heading, language):
                continue
            units = tuple(unit for unit in passage.units if wishes.allow(unit.text, language))
            if units:
                kept.append(Passage(number, passage.index, passage.heading, units, passage.terms))
    return kept


def score_units(
    passages: Sequence[Passage], emphasis: Emphasis, only: Sequence[Passage] | None = None
) -> dict[Unit, float]:
    """Return a score above 0 per unit (of `only`, where given): telling terms, good position, standing on its own."""
    counts = Counter(term for passage in passages for unit in passage.units for term in unit.terms)
    weights = Weights([passage.terms for passage in passages], counts)
    scores: dict[Unit, float] = {}
    for passage in passages if only is None else only:
        for unit in passage.units:
            score = weights.mean(unit.terms) + 0.25 * weights.mean(unit.terms & passage.terms)
            score *= 2.2 if unit.opens_passage else 1.15 if unit.opens_paragraph else 1.0
            score *= 0.35 if unit.leaning else 1.0
            score *= 0.6 if unit.first_person else 1.0
            score *= 0.7 if unit.words < 8 else 1.0
            score *= 1 + 0.6 * min(3, len(unit.terms & emphasis.wanted))
            score *= 1 + 0.2 * min(2, len(unit.terms & emphasis.liked))
            score *= 0.8 ** min(3, len(unit.terms & emphasis.stale))
            scores[unit] = score + 0.01
    return scores


def best(scores: dict[Unit, float], units: Sequence[Unit], most: int) -> list[Unit]:
    """Return up to `most` units by score that do not say the same twice."""
    chosen: list[Unit] = []
    for unit in sorted(units, key=lambda one: (-scores[one], one.source, one.place)):
        if len(chosen) == most:
            break
        if not says_the_same(unit, chosen):
            chosen.append(unit)
    return chosen


def says_the_same(unit: Unit, others: Sequence[Unit]) -> bool:
    """Return whether most of the unit's terms are already in one of the others."""
    return any(overlap(unit.terms, other.terms) > 0.7 for other in others)
