"""How hosts present the facts: who says what, and the words between.

Every sentence of fact is the source's own. What the hosts add are greetings, questions, hand-overs and credits that
claim nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from showrunner.script import Outline, OutlineSection, SpokenLine
from showrunner.writing.languages import Language
from showrunner.writing.passages import MOST_LINE_WORDS, Unit
from showrunner.writing.phrasing import Phrasing, in_words, quoted
from showrunner.writing.terms import names_in
from showrunner.writing.wishes import Wishes

_COMFORTABLE_LINE_WORDS = 36
_MOST_SENTENCES = 3
_MOST_TITLES = 4
# What happens between one line of fact and the next, in turn; each section starts elsewhere in the round.
_ROUND = ("question", "plain", "reaction", "name", "plain", "lead", "reaction", "question", "plain")
_ROUND_ALONE = ("plain", "plain", "lead", "plain", "plain")


@dataclass(frozen=True, slots=True)
class Setting:
    """What stays the same while a section is written and rewritten; `is_brief` leaves no time to list topics."""

    language: Language
    show: str
    hosts: tuple[str, ...]
    outline: Outline
    section: int
    wishes: Wishes
    source_names: tuple[str, ...]
    is_brief: bool = False

    @property
    def here(self) -> OutlineSection:
        return self.outline.sections[self.section]

    @property
    def is_first(self) -> bool:
        return self.section == 0

    @property
    def is_last(self) -> bool:
        return self.section == len(self.outline.sections) - 1

    @property
    def told(self) -> list[OutlineSection]:
        """The sections that tell facts, the frame left out."""
        return [section for section in self.outline.sections[1:-1] if section.source_ids]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The facts of one line."""

    text: str
    first: Unit
    last: Unit

    @property
    def source(self) -> int:
        return self.first.source

    def goes_on_from(self, other: _Chunk) -> bool:
        """Return whether this chunk continues the other one's paragraph without a gap."""
        return self.first is other.last or (
            self.first.place == other.last.place + 1
            and (self.first.source, self.first.passage, self.first.paragraph)
            == (other.last.source, other.last.passage, other.last.paragraph)
        )


def compose(setting: Setting, units: Sequence[Unit], phrasing: Phrasing) -> list[SpokenLine]:
    """Return the section's lines with the given units, in the order given."""
    lines = _Lines(setting, phrasing)
    if setting.is_first:
        _greet(lines)
    chunks = list(_chunks(units))
    if setting.is_last and not setting.is_first:
        _look_back(lines)
        if units:
            _leave_with(lines, units)
    elif chunks:
        _tell(lines, chunks)
    elif setting.here.source_ids and not setting.is_first:
        lines.say(phrasing.say("section_alone", title=_spoken_title(setting.here.title)))
    if setting.is_last:
        _take_leave(lines)
    return lines.done()


class _Lines:
    """The lines so far, and whose turn it is."""

    def __init__(self, setting: Setting, phrasing: Phrasing) -> None:
        self.setting = setting
        self.phrasing = phrasing
        self.turn = setting.section % len(setting.hosts)
        self._lines: list[SpokenLine] = []

    @property
    def alone(self) -> bool:
        return len(self.setting.hosts) == 1

    @property
    def me(self) -> str:
        return self.setting.hosts[self.turn]

    @property
    def other(self) -> str:
        return self.setting.hosts[self.turn - 1]

    def say(self, text: str) -> None:
        self._lines.append(SpokenLine(speaker=self.me, text=text))

    def append(self, text: str) -> bool:
        """Add to the last line where it has room."""
        last = self._lines[-1]
        if len(last.text.split()) + len(text.split()) > MOST_LINE_WORDS + 8:
            return False
        self._lines[-1] = SpokenLine(speaker=last.speaker, text=f"{last.text} {text}")
        return True

    def hand_over(self) -> None:
        self.turn = (self.turn + 1) % len(self.setting.hosts)

    def done(self) -> list[SpokenLine]:
        return self._lines


def _greet(lines: _Lines) -> None:
    setting, phrasing = lines.setting, lines.phrasing
    wishes = setting.wishes
    title = _spoken_title(setting.outline.title)
    greeting = phrasing.say(
        "greeting_audience" if wishes.audience else "greeting",
        show=setting.show,
        me=lines.me,
        audience=wishes.audience,
    )
    lines.say(f"{_ended(wishes.opening)} {greeting}" if wishes.opening else greeting)
    credit = phrasing.say("credit", sources=_sources(setting))
    if lines.alone:
        lines.append(phrasing.say("subject", title=title))
    else:
        lines.hand_over()
        lines.say(phrasing.say("second_host", me=lines.me, title=title))
    told = setting.told
    if len(told) > 2 and not setting.is_brief:
        lines.hand_over()
        lines.say(phrasing.say("overview", titles=_titles(setting, told)))
        lines.append(credit)
    else:
        lines.append(credit)


def _tell(lines: _Lines, chunks: Sequence[_Chunk]) -> None:
    """Open the section and let the hosts take turns with the facts."""
    if not lines.setting.is_first:
        _open(lines)
    lines.hand_over()
    round_ = _ROUND_ALONE if lines.alone else _ROUND
    at = int(hashlib.sha256(lines.setting.here.title.encode()).hexdigest(), 16) % len(round_)
    source = -1
    for number, chunk in enumerate(chunks):
        lead = ""
        if number:
            lead = _between(lines, round_[(at + number) % len(round_)], chunks[number - 1], chunk)
        credited = chunk.source != source and (len(lines.setting.source_names) > 1 or lines.setting.section % 3 == 1)
        source = chunk.source
        lines.say(_fact(lines, chunk, lead, credited=credited))


def _open(lines: _Lines) -> None:
    setting, phrasing = lines.setting, lines.phrasing
    title = _spoken_title(setting.here.title)
    asks = title.endswith("?")
    if lines.alone:
        lines.say(phrasing.say("section_question_alone" if asks else "section_alone", title=title))
        return
    kind = "section_question" if asks else "section_first" if setting.section == 1 else "section"
    lines.say(phrasing.say(kind, title=title, other=lines.other))


def _between(lines: _Lines, kind: str, before: _Chunk, chunk: _Chunk) -> str:
    """Do what comes before a further line of fact: perhaps a question, a change of speaker; return its first words."""
    phrasing, other = lines.phrasing, lines.other
    onward = chunk.goes_on_from(before)
    names = names_in(chunk.text, lines.setting.language.code)
    names = [name for name in names if name not in lines.setting.here.title and name not in before.text][:1]
    if kind == "name" and names:
        lines.append(phrasing.say("term_question", term=names[0], other=other))
    elif kind in {"question", "name"}:
        lines.append(phrasing.say("question_onward" if onward else "question_new", other=other))
    lines.hand_over()
    if kind == "lead":
        return phrasing.say("onward" if onward else "new_point")
    return phrasing.say("reaction", other=lines.other) if kind == "reaction" else ""


def _fact(lines: _Lines, chunk: _Chunk, lead: str, *, credited: bool) -> str:
    source = quoted(lines.setting.source_names[chunk.source], lines.setting.language)
    if chunk.first.first_person:
        return lines.phrasing.say("quotation", source=source, fact=chunk.text)
    if credited and not lead:
        kind = "attribution" if len(lines.setting.source_names) > 1 else "attribution_only"
        return lines.phrasing.say(kind, source=source, fact=chunk.text)
    return f"{lead} {chunk.text}".strip()


def _look_back(lines: _Lines) -> None:
    told = lines.setting.told
    if len(told) > 2 and not lines.setting.is_brief:
        lines.say(lines.phrasing.say("recap", titles=_titles(lines.setting, told)))
        lines.hand_over()


def _leave_with(lines: _Lines, units: Sequence[Unit]) -> None:
    for number, chunk in enumerate(_chunks(units)):
        lines.say(lines.phrasing.say("last_thought", fact=chunk.text) if number == 0 else chunk.text)
    lines.hand_over()


def _take_leave(lines: _Lines) -> None:
    setting, phrasing = lines.setting, lines.phrasing
    lines.say(phrasing.say("sign_off", show=setting.show))
    ending = _ended(setting.wishes.ending) if setting.wishes.ending else ""
    if not lines.alone:
        lines.hand_over()
        lines.say(f"{phrasing.say('goodbye')} {ending}".strip())
    elif ending:
        lines.append(ending)


def _chunks(units: Sequence[Unit]) -> Iterator[_Chunk]:
    """Make lines of facts: neighbours in the source together where that is comfortable, long units in two."""
    pending: list[str] = []
    first = last = None
    for unit in units:
        if first and last and pending and not _joins(pending, last, unit):
            yield _Chunk(" ".join(pending), first, last)
            pending, first = [], None
        for sentence in unit.sentences:
            if pending and _words([*pending, sentence]) > MOST_LINE_WORDS:
                yield _Chunk(" ".join(pending), first or unit, unit)
                pending, first = [], None
            pending.append(sentence)
            first = first or unit
        last = unit
    if first and last:
        yield _Chunk(" ".join(pending), first, last)


def _joins(pending: Sequence[str], last: Unit, unit: Unit) -> bool:
    return (
        (unit.source, unit.passage, unit.paragraph) == (last.source, last.passage, last.paragraph)
        and unit.place == last.place + 1
        and len(pending) + len(unit.sentences) <= _MOST_SENTENCES
        and _words(pending) + unit.words <= _COMFORTABLE_LINE_WORDS
        and unit.first_person == last.first_person
    )


def _words(sentences: Sequence[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)


def _sources(setting: Setting) -> str:
    names = list(dict.fromkeys(setting.source_names))
    titles = [quoted(name, setting.language) for name in names]
    if len(names) > _MOST_TITLES:
        return setting.language.phrases["many"][0].format(titles=", ".join(titles[:_MOST_TITLES]))
    return in_words(titles, setting.language)


def _titles(setting: Setting, sections: Sequence[OutlineSection]) -> str:
    """Name the sections; of many, some that are spread over the whole."""
    titles = [quoted(re.sub(r"[.…]+$", "", section.title).strip(), setting.language) for section in sections]
    if len(titles) <= _MOST_TITLES:
        return in_words(titles, setting.language)
    chosen = [titles[round(i * (len(titles) - 1) / (_MOST_TITLES - 1))] for i in range(_MOST_TITLES)]
    return setting.language.phrases["many"][0].format(titles=", ".join(dict.fromkeys(chosen)))


def _spoken_title(title: str) -> str:
    return title.rstrip(" .…:;,")


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
