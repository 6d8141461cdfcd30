"""One section of a script: which units it takes so that it lasts as long as it should."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby

from showrunner.pacing import USUAL_CHARACTERS_PER_SECOND, Timed, script_seconds
from showrunner.script import OutlineSection, ScriptLine, SectionMaterial, SectionScript, SpokenLine
from showrunner.writing.dialogue import Setting, compose
from showrunner.writing.languages import language_of
from showrunner.writing.outline import source_name
from showrunner.writing.passages import Passage, Unit
from showrunner.writing.phrasing import Phrasing, seed_of
from showrunner.writing.scoring import Emphasis, passages_in, says_the_same, score_units
from showrunner.writing.terms import Terms, overlap, terms_of
from showrunner.writing.wishes import wishes_of

_CLOSE_ENOUGH_SECONDS = 0.3
_BRIEF_SECONDS = 110.0
_MOST_ATTEMPTS = 60
# How many seconds of misfit one point of score is worth when units are exchanged.
_SECONDS_PER_SCORE = 1.0
_GOES_ON = 1.7
_MOST_LAST_UNITS = 2
# Other choices of phrases that are tried where the facts alone do not give the right length.
_VARIANTS = 8
_NEAREST = 12
_WITHIN_REACH_SECONDS = 10.0
_LITTLE_IN_COMMON = 0.05


@dataclass(frozen=True, slots=True)
class _Draft:
    units: tuple[Unit, ...]
    lines: tuple[SpokenLine, ...]
    misfit: float


def write_section(material: SectionMaterial) -> SectionScript:
    """Return the section's lines, as near to `material.seconds` as the material that is left allows."""
    language = language_of(material.show.language)
    wishes = wishes_of(material.show.memories, language.code)
    section = material.outline.sections[material.section]
    whole = sum(one.share for one in material.outline.sections)
    setting = Setting(
        language=language,
        show=material.show.name,
        hosts=tuple(material.show.hosts),
        outline=material.outline,
        section=material.section,
        wishes=wishes,
        source_names=tuple(source_name(source, language) for source in material.sources),
        is_brief=material.seconds / section.share * whole < _BRIEF_SECONDS,
    )
    said = "\n".join(line.text for line in (*material.before, *material.after))
    phrasing = Phrasing(
        language,
        seed_of(material.outline.title, section.title, *(source.title for source in material.sources)),
        [line.text for line in material.before],
    )
    scores = _candidates(material, said, language.code)
    writer = _Fitting(material, setting, phrasing, scores)
    draft = writer.fit()
    return SectionScript(lines=list(draft.lines))


def _candidates(material: SectionMaterial, said: str, language: str) -> dict[Unit, float]:
    """Return the units of this section's passages that nobody has said yet, with their scores."""
    wishes = wishes_of(material.show.memories, language)
    section = material.outline.sections[material.section]
    if not section.source_ids:
        return {}
    passages = passages_in(material.sources, language, wishes)
    wanted = _notes(section.points, language)
    assigned = _assigned(passages, material, language)
    scores = score_units(passages, Emphasis(wanted=wanted), [passage for passage, _ in assigned])
    ending = material.outline.sections[-1].points if len(material.outline.sections) > 1 else []
    closes = material.section == len(material.outline.sections) - 1
    return {
        unit: scores[unit] * _emphasis(section, passage, unit) * strength
        for passage, strength in assigned
        for unit in passage.units
        if not any(sentence in said for sentence in unit.sentences) and (closes or unit.sentences[0] not in ending)
    }


def _emphasis(section: OutlineSection, passage: Passage, unit: Unit) -> float:
    """What the outline quotes comes first, and what stands under the section's own heading."""
    return (1.6 if unit.sentences[0] in section.points else 1.0) * (1.5 if _carries(section, [passage]) else 1.0)


def _notes(points: Sequence[str], language: str) -> Terms:
    """Return the terms of points that are not sentences of a source: what a person wants told."""
    wishes = [point for point in points if not point.endswith((".", "!", "?"))]
    return frozenset(term for point in wishes for term in terms_of(point, language))


def _assigned(passages: Sequence[Passage], material: SectionMaterial, language: str) -> list[tuple[Passage, float]]:
    """Return this section's passages, each with how well it fits, 0 to 1.

    A section has the passages whose heading it carries or whose sentences it quotes. One that quotes nothing (a person
    or a language model wrote it) has those it shares more words with than the other sections do.
    """
    section = material.outline.sections[material.section]
    own = [passage for passage in passages if material.sources[passage.source].id in section.source_ids]
    quoted = [passage for passage in own if _quotes(section, passage)]
    if quoted:
        ends = material.section == len(material.outline.sections) - 1 and not _carries(section, quoted)
        return [(_only_quoted(passage, section) if ends else passage, 1.0) for passage in quoted]
    free = [passage for passage in own if not any(_quotes(other, passage) for other in material.outline.sections)]
    mine = []
    for passage in free:
        fits = [
            overlap(passage.terms, _section_terms((other.title, *other.points), language))
            for other in material.outline.sections
        ]
        if fits[material.section] >= max(_LITTLE_IN_COMMON, 0.6 * max(fits)):
            mine.append((passage, fits[material.section]))
    return mine or [(passage, 1.0) for passage in free]


def _quotes(section: OutlineSection, passage: Passage) -> bool:
    return _carries(section, [passage]) or any(unit.sentences[0] in section.points for unit in passage.units)


def _carries(section: OutlineSection, passages: Sequence[Passage]) -> bool:
    return any(passage.heading and passage.heading.casefold() == section.title.casefold() for passage in passages)


def _only_quoted(passage: Passage, section: OutlineSection) -> Passage:
    return replace(passage, units=tuple(unit for unit in passage.units if unit.sentences[0] in section.points))


@lru_cache(maxsize=512)
def _section_terms(texts: tuple[str, ...], language: str) -> Terms:
    return frozenset(term for text in texts for term in terms_of(text, language))


class _Fitting:
    """Looks for the units that fill the time: the best ones first, then exchanges until the length is right.

    A passage is entered by its opening, and of a paragraph it takes the beginning, however much of it: a sentence out
    of the middle rarely makes sense alone.
    """

    def __init__(
        self, material: SectionMaterial, setting: Setting, phrasing: Phrasing, scores: dict[Unit, float]
    ) -> None:
        self._material = material
        self._setting = setting
        self._phrasing = phrasing
        self._scores = scores
        self._mean = sum(scores.values()) / len(scores) if scores else 1.0
        self._ordered = sorted(scores, key=lambda one: (one.source, one.place))
        self._passages: dict[tuple[int, int], list[list[Unit]]] = {}
        for passage, units in groupby(self._ordered, key=lambda one: (one.source, one.passage)):
            self._passages[passage] = [
                list(paragraph) for _, paragraph in groupby(units, key=lambda one: one.paragraph)
            ]
        rates = [material.rates[host] for host in setting.hosts if host in material.rates]
        self._rate = sum(rates) / len(rates) if rates else USUAL_CHARACTERS_PER_SECOND

    def fit(self) -> _Draft:
        if self._setting.is_last and not self._setting.is_first:
            last = self._ordered[:_MOST_LAST_UNITS]
            return min((self._draft(last, variant) for variant in range(_VARIANTS)), key=lambda one: abs(one.misfit))
        draft = self._draft(self._first_choice())
        drafts = [draft]
        tried = {frozenset(draft.units)}
        while len(drafts) < _MOST_ATTEMPTS and abs(draft.misfit) > _CLOSE_ENOUGH_SECONDS:
            units = self._changed(draft, tried)
            if units is None:
                break
            tried.add(frozenset(units))
            draft = self._draft(units)
            drafts.append(draft)
        drafts.sort(key=lambda one: abs(one.misfit))
        if _CLOSE_ENOUGH_SECONDS < abs(drafts[0].misfit) < _WITHIN_REACH_SECONDS:
            others = [self._draft(one.units, variant) for one in drafts[:_NEAREST] for variant in range(1, _VARIANTS)]
            drafts = sorted([drafts[0], *others], key=lambda one: abs(one.misfit))
        return drafts[0]

    def _draft(self, units: Sequence[Unit], variant: int = 0) -> _Draft:
        ordered = tuple(sorted(units, key=lambda unit: (unit.source, unit.place)))
        lines = tuple(compose(self._setting, ordered, self._phrasing.copy(variant)))
        return _Draft(ordered, lines, self._material.seconds - self._length(lines))

    def _length(self, lines: Sequence[SpokenLine]) -> float:
        title = self._material.outline.sections[self._material.section].title
        before = self._material.before[-1:]
        placed = [*before, *(ScriptLine(section=title, speaker=line.speaker, text=line.text) for line in lines)]
        timed = [Timed(line.section, line.speaker, len(line.text)) for line in placed]
        return script_seconds(timed, self._material.rates) - script_seconds(timed[: len(before)], self._material.rates)

    def _first_choice(self) -> list[Unit]:
        left = self._draft(()).misfit
        chosen: list[Unit] = []
        refused: set[Unit] = set()
        while options := [unit for unit in self._next(chosen) if unit not in refused]:
            begun = {(unit.source, unit.passage, unit.paragraph) for unit in chosen[-1:]}
            unit = max(options, key=lambda one: self._appeal(one, begun))
            if self._seconds(unit) > left or says_the_same(unit, chosen):
                refused.add(unit)
            else:
                chosen.append(unit)
                left -= self._seconds(unit)
        if not chosen and self._needs_facts:
            chosen = sorted(self._next(()), key=self._seconds)[:1]
        return chosen

    @property
    def _needs_facts(self) -> bool:
        """A section that was announced must say something; the welcome and the closing stand without facts."""
        return not (self._setting.is_first or self._setting.is_last)

    def _appeal(self, unit: Unit, begun: set[tuple[int, int, int]]) -> tuple[float, int]:
        """A paragraph that was just begun is rather gone on with than left for another."""
        goes_on = (unit.source, unit.passage, unit.paragraph) in begun
        return self._scores[unit] * (_GOES_ON if goes_on else 1.0), -unit.place

    def _next(self, chosen: Collection[Unit]) -> list[Unit]:
        """Return the units that may be added: the opening of a passage, after it the next unit of each paragraph."""
        taken = set(chosen)
        begun = {(unit.source, unit.passage) for unit in taken}
        units = []
        for passage, paragraphs in self._passages.items():
            nexts = [next((unit for unit in paragraph if unit not in taken), None) for paragraph in paragraphs]
            open_ones = [unit for unit in nexts if unit]
            units += open_ones if passage in begun else open_ones[:1]
        return units

    def _last(self, chosen: Collection[Unit]) -> list[Unit]:
        """Return the units that may be removed: the last one taken of each paragraph, the opening after all others."""
        taken = set(chosen)
        units = []
        for paragraphs in self._passages.values():
            lasts = [next((unit for unit in reversed(paragraph) if unit in taken), None) for paragraph in paragraphs]
            present = [unit for unit in lasts if unit]
            opening = paragraphs[0][0]
            units += [unit for unit in present if unit is not opening or present == [opening]]
        return units

    def _changed(self, draft: _Draft, tried: set[frozenset[Unit]]) -> list[Unit] | None:
        """Return the best untried addition, removal or exchange for what the draft lacks or has too much."""
        taken = set(draft.units)
        options: list[tuple[float, int, frozenset[Unit]]] = []
        for removed in (None, *self._last(taken)):
            kept = taken - {removed} if removed else taken
            for added in (None, *(unit for unit in self._next(kept) if unit is not removed)):
                gain = (self._seconds(added) if added else 0.0) - (self._seconds(removed) if removed else 0.0)
                loss = (self._scores[removed] if removed else 0.0) - (self._scores[added] if added else 0.0)
                cost = abs(draft.misfit - gain) + _SECONDS_PER_SCORE * max(0.0, loss / self._mean)
                options.append((cost, len(options), frozenset((kept | {added}) if added else kept)))
        untried = [option for option in options if option[2] not in tried and (option[2] or not self._needs_facts)]
        return list(min(untried, key=lambda option: option[:2])[2]) if untried else None

    def _seconds(self, unit: Unit) -> float:
        return (len(unit.text) + 12) / self._rate + 0.4
