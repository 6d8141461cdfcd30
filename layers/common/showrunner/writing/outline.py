"""An outline made of the sources' own headings and sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from showrunner.errors import InvalidInput
from showrunner.pacing import USUAL_CHARACTERS_PER_SECOND
from showrunner.script import Outline, OutlineMaterial, OutlineSection, SourceText
from showrunner.writing.languages import Language, language_of
from showrunner.writing.passages import Passage, Unit, subject_of
from showrunner.writing.phrasing import Phrasing, in_words, seed_of
from showrunner.writing.scoring import Emphasis, best, passages_in, score_units
from showrunner.writing.terms import Terms, overlap, terms_of
from showrunner.writing.wishes import wishes_of

_MOST_SECTIONS = 16
_MOST_POINTS = 6
_MOST_TITLE_WORDS = 14
# Enough material that the script can choose, instead of having to take everything.
_ROOM = 1.25
# How many more sections than usual there may be before neighbours are joined, and what each needs at least.
_FAR_TOO_MANY = 1.5
_LEAST_SECTION_SECONDS = 20.0
_SUFFIX = re.compile(r"\s+[|·•–—]\s+[^|·•–—]*$|\.(?:md|markdown|txt|pdf|html?)$", re.IGNORECASE)

# The longest that the welcome may go on about facts, as a part of the episode.
_MOST_OPENING = 0.08
_MOST_LAST_WORDS = 40

Group = list[Passage]


@dataclass(frozen=True, slots=True)
class _Facts:
    """Facts that go with the welcome or the closing; `seconds` is how long all of them take."""

    points: list[str]
    source_id: UUID
    seconds: float


def write_outline(material: OutlineMaterial) -> Outline:
    """Return an outline whose sections follow the sources' order; raises `InvalidInput` when nothing is usable."""
    language = language_of(material.show.language)
    wishes = wishes_of(material.wishes, language.code)
    passages = passages_in(material.sources, language.code, wishes)
    if not passages:
        raise InvalidInput(
            "sources: no full sentences were found that can be read aloud; give running text, not only lists or tables."
        )
    notes = [note.note for note in material.planning_notes]
    emphasis = Emphasis(
        wanted=_terms([*notes, *material.memories("promise")], language.code),
        liked=_terms(wishes.others, language.code),
        stale=_terms(_told_before(material), language.code),
    )
    scores = score_units(passages, emphasis)
    opener = _opener(passages, material.sources, language)
    groups = _groups([passage for passage in passages if passage is not opener], scores, material, emphasis)
    titles = [_section_title(group, passages, scores, language) for group in groups]
    title = _title(material, groups, titles, scores, language)
    phrasing = Phrasing(language, seed_of(title))
    sections = _with_frame(
        [
            OutlineSection(
                title=heading,
                points=_points(group, scores, heading, notes, wishes.others, phrasing, language),
                source_ids=_source_ids(group, material.sources),
                share=1.0,
            )
            for heading, group in zip(titles, groups, strict=True)
        ],
        _shares(groups, scores, material.target_seconds),
        phrasing,
        material,
        _opening_points(opener, scores, material.sources[0]) if opener else None,
        _last_words(passages, material.sources),
    )
    sections = _note_the_rest(sections, notes, wishes.others, phrasing)
    summary = phrasing.say(
        "summary",
        title=title,
        sources=in_words([source_name(source, language) for source in material.sources[:3]], language),
        titles=in_words(titles[:5], language),
    )
    return Outline(title=title, summary=summary, sections=sections)


def _told_before(material: OutlineMaterial) -> list[str]:
    return [*material.previous_titles, *material.memories("topic")]


def source_name(source: SourceText, language: Language) -> str:
    """Return how hosts call a source: its title without a site's name or a file's ending."""
    name = _SUFFIX.sub("", source.title.strip()).replace("_", " ").strip()
    words = name.split()
    return " ".join(words[:12]) if words else language.phrases["source"][0]


def _terms(texts: Sequence[str], language: str) -> Terms:
    return frozenset(term for text in texts for term in terms_of(text, language))


def _opener(passages: Sequence[Passage], sources: Sequence[SourceText], language: Language) -> Passage | None:
    """Return what stands under the only source's own title: it opens the show."""
    first = passages[0]
    names = {source_name(sources[0], language).casefold(), sources[0].title.strip().casefold()}
    is_opener = len(sources) == 1 and len(passages) > 2 and first.index == 0 and first.heading.casefold() in names
    return first if is_opener else None


def _opening_points(opener: Passage, scores: dict[Unit, float], source: SourceText) -> _Facts:
    units = sorted(best(scores, opener.units, 3), key=lambda unit: unit.place)
    return _Facts([unit.sentences[0] for unit in units], source.id, 0.9 * _seconds([opener]))


def _last_words(passages: Sequence[Passage], sources: Sequence[SourceText]) -> _Facts | None:
    """Return the last words of the only source, where they stand on their own: authors choose them with care."""
    if len(sources) > 1 or len(passages) < 3:
        return None
    units = passages[-1].units
    for last in (units[-2:], units[-1:]):
        words = sum(unit.words for unit in last)
        whole = last[0].paragraph == last[-1].paragraph and not (last[0].leaning or last[0].first_person)
        if whole and 6 <= words <= _MOST_LAST_WORDS:
            text = " ".join(unit.text for unit in last)
            return _Facts([unit.sentences[0] for unit in last], sources[0].id, len(text) / USUAL_CHARACTERS_PER_SECOND)
    return None


def _groups(
    passages: Sequence[Passage], scores: dict[Unit, float], material: OutlineMaterial, emphasis: Emphasis
) -> list[Group]:
    """Choose the passages that become sections: the best ones, one of each source, enough to fill the time."""
    most = min(_MOST_SECTIONS, max(2, round(2.2 * (material.target_seconds / 60) ** 0.5)))
    limit = max(1, min(round(_FAR_TOO_MANY * most), int(0.7 * material.target_seconds / _LEAST_SECTION_SECONDS)))
    most = min(most, limit)
    language = material.show.language

    def merit(passage: Passage) -> float:
        top = best(scores, passage.units, 4)
        stale = max(
            (
                overlap(_terms([passage.heading], language), _terms([title], language))
                for title in _told_before(material)
            ),
            default=0.0,
        )
        substance = min(1.0, sum(unit.words for unit in passage.units) / 80)
        wanted = 1 + 0.5 * len(_terms([passage.heading], language) & emphasis.wanted)
        return sum(scores[unit] for unit in top) / max(1, len(top)) * substance * wanted * (1 - 0.7 * stale)

    ranked = sorted(passages, key=lambda passage: (-merit(passage), passage.source, passage.index))
    chosen: list[Passage] = []
    for source in dict.fromkeys(passage.source for passage in ranked):
        if len(chosen) < most:
            chosen.append(next(passage for passage in ranked if passage.source == source))
    for passage in ranked:
        enough = _seconds(chosen) >= material.target_seconds * _ROOM
        if passage not in chosen and (len(chosen) < most or not enough):
            chosen.append(passage)
    chosen.sort(key=lambda passage: (passage.source, passage.index))
    return _merged([[passage] for passage in chosen], limit)


def _merged(groups: list[Group], most: int) -> list[Group]:
    """Join neighbours until there are not too many, the smallest pair first, within a source where possible."""
    while len(groups) > most:
        pairs = range(len(groups) - 1)
        at = min(
            pairs,
            key=lambda i: (
                groups[i][-1].source != groups[i + 1][0].source,
                _seconds(groups[i]) + _seconds(groups[i + 1]),
                i,
            ),
        )
        groups[at : at + 2] = [groups[at] + groups[at + 1]]
    return groups


def _seconds(passages: Sequence[Passage]) -> float:
    return sum(len(unit.text) for passage in passages for unit in passage.units) / USUAL_CHARACTERS_PER_SECOND


def _section_title(group: Group, passages: Sequence[Passage], scores: dict[Unit, float], language: Language) -> str:
    def merit(passage: Passage) -> float:
        return sum(scores[unit] for unit in passage.units)

    headings = [passage.heading for passage in group if passage.heading]
    if len(group) == len(headings) == 2 and sum(len(heading.split()) for heading in headings) < _MOST_TITLE_WORDS:
        return in_words(headings, language)
    lead = max(group, key=lambda passage: (bool(passage.heading), merit(passage)))
    if lead.heading:
        return _shortened(lead.heading)
    others = [passage for passage in passages if passage not in group]
    words = subject_of(lead, others, language.code)
    title = in_words(words, language) if words else " ".join(lead.units[0].text.split()[:6])
    return title[:1].upper() + title[1:]


def _shortened(title: str) -> str:
    words = title.split()
    return title if len(words) <= _MOST_TITLE_WORDS else " ".join(words[:_MOST_TITLE_WORDS]) + " …"


def _title(
    material: OutlineMaterial, groups: list[Group], titles: list[str], scores: dict[Unit, float], language: Language
) -> str:
    """Return a title that no earlier episode had: the source's, or the leading headings' of several sources."""
    used = {title.casefold().strip() for title in material.previous_titles}
    by_merit = sorted(
        range(len(groups)),
        key=lambda i: -max(scores[unit] for passage in groups[i] for unit in passage.units),
    )
    names = list(dict.fromkeys(source_name(source, language) for source in material.sources))
    base = (
        names[0]
        if len(names) == 1 and material.sources[0].title.strip()
        else in_words([titles[i] for i in sorted(by_merit[:2])], language)
    )
    phrasing = Phrasing(language, seed_of(base))
    angles = [phrasing.say("another_angle", title=base, term=titles[i]) for i in by_merit if titles[i] != base]
    numbered = [f"{base} ({number})" for number in range(2, len(used) + 3)]
    return next(title for title in [base, *angles, *numbered] if title.casefold() not in used)


def _points(
    group: Group,
    scores: dict[Unit, float],
    heading: str,
    notes: Sequence[str],
    memories: Sequence[str],
    phrasing: Phrasing,
    language: Language,
) -> list[str]:
    """Return what the section tells, best sentence of each passage first, in order, and the notes it answers."""
    each = max(1, _MOST_POINTS // len(group))
    units = [unit for passage in group for unit in best(scores, passage.units, min(each, 4))]
    units.sort(key=lambda unit: (unit.source, unit.place))
    about = frozenset().union(*(passage.terms for passage in group)) | _terms([heading], language.code)
    points = [unit.sentences[0] for unit in units]
    for kind, wishes in (("note", notes), ("memory", memories)):
        points += [phrasing.say(kind, note=wish) for wish in wishes if _terms([wish], language.code) & about]
    return points


def _note_the_rest(
    sections: list[OutlineSection], notes: Sequence[str], memories: Sequence[str], phrasing: Phrasing
) -> list[OutlineSection]:
    """Every wish stands in the outline: those that no section answers stand in the first."""
    told = "\n".join(point for section in sections for point in section.points)
    missing = [phrasing.say("note", note=note) for note in notes if note not in told]
    missing += [phrasing.say("memory", note=memory) for memory in memories if memory not in told]
    first = sections[0]
    return [first.model_copy(update={"points": [*first.points, *missing]}), *sections[1:]]


def _source_ids(group: Group, sources: Sequence[SourceText]) -> list[UUID]:
    return list(dict.fromkeys(sources[passage.source].id for passage in group))


def _shares(groups: list[Group], scores: dict[Unit, float], target_seconds: float) -> list[float]:
    """Divide the time by what each group has to say, a little more evenly than by size, never beyond its material."""
    rooms = [_seconds(group) for group in groups]
    wants = [
        room**0.75 * max(scores[unit] for passage in group for unit in passage.units) ** 0.3
        for room, group in zip(rooms, groups, strict=True)
    ]
    seconds = [0.0] * len(groups)
    left = min(target_seconds, 0.92 * sum(rooms))
    open_groups = set(range(len(groups)))
    while open_groups and left > 1e-6:
        whole = sum(wants[i] for i in open_groups)
        given = {i: min(left * wants[i] / whole, 0.92 * rooms[i] - seconds[i]) for i in open_groups}
        for i, more in given.items():
            seconds[i] += more
        left -= sum(given.values())
        open_groups = {i for i in open_groups if 0.92 * rooms[i] - seconds[i] > 1e-6}
        if not any(given.values()):
            break
    return [max(second, 1.0) for second in seconds]


def _with_frame(
    sections: list[OutlineSection],
    seconds: list[float],
    phrasing: Phrasing,
    material: OutlineMaterial,
    opening: _Facts | None,
    ending: _Facts | None,
) -> list[OutlineSection]:
    """Put a welcome before the sections and a closing after them, and turn seconds into shares."""
    target = material.target_seconds
    polite = min(0.15 * target, 14.0 + 1.5 * min(4, len(sections)))
    facts = min(opening.seconds, _MOST_OPENING * target) if opening else 0.0
    last = ending.seconds if ending and ending.seconds < _MOST_OPENING * target else 0.0
    middle = 1 - (2 * polite + facts + last) / target
    titles = [section.title for section in sections]
    return [
        OutlineSection(
            title=phrasing.say("introduction"),
            points=opening.points if opening else titles,
            source_ids=[opening.source_id] if opening else [],
            share=_share((polite + facts) / target),
        ),
        *(
            section.model_copy(update={"share": _share(middle * second / sum(seconds))})
            for section, second in zip(sections, seconds, strict=True)
        ),
        OutlineSection(
            title=phrasing.say("closing"),
            points=ending.points if ending and last else titles,
            source_ids=[ending.source_id] if ending and last else [],
            share=_share((polite + last) / target),
        ),
    ]


def _share(part: float) -> float:
    return round(min(max(part, 0.0001), 1.0), 4)
