import itertools
from uuid import UUID

import pytest

from showrunner.assets import AssetReference
from showrunner.errors import BadOutput, InvalidInput
from showrunner.providers.text import Written
from showrunner.script import Outline, PlanningNote, Show, SourceReference, Speaker
from showrunner.usage import ProviderCall
from tests.texts import ARTICLE, TAGS, TEXTS
from tests.unit.conftest import SUBJECT
from write_outline import WriteOutlineInput, run

SPEAKERS = [Speaker(name="Ada", voice="espeak/ada"), Speaker(name="Ben", voice="espeak/ben")]
NOTE = UUID("00000000-0000-4000-8000-0000000000ee")
HARBOUR = """## New lens for the harbour light

The harbour authority has replaced the lens of the old lighthouse after ninety years of service. The new lens is made
of acrylic and weighs a tenth of the old one. The light can now be seen from twenty nautical miles away.

## Ferry line returns

The ferry between the two islands will run again from March. The company that operated it had closed the line four
years ago because too few people used it in winter. A new subsidy from the region pays for two crossings a day."""
TERNS = """# Counting the terns

Volunteers counted more arctic terns on the northern islands this summer than in any year since 1994. The count rose
to 4,300 pairs, a third more than the year before. Biologists credit a good year for sand eels."""


@pytest.fixture
def outline_of(media_store, services, make_job):
    """outline_of(texts, minutes, ...): the outcome; each text is one source."""

    def make(texts, minutes=3, *, writer="offline/extractive", state=None, language="en-GB", memories=(), **fields):
        references = []
        for number, text in enumerate(texts, start=1):
            stored = media_store.put(f"organizations/a/source_text/{number}.md", text.encode(), "text/markdown")
            title = text.splitlines()[0].lstrip("# ") if text.startswith("# ") else f"Source {number}"
            references.append(
                SourceReference(
                    source_id=UUID(int=number),
                    title=title,
                    words=len(text.split()),
                    characters=len(text),
                    asset=AssetReference(id=UUID(int=number), key=stored.key, sha256=stored.sha256),
                )
            )
        show = Show(name="Deep Water", format="dialogue", language=language, speakers=SPEAKERS, memories=list(memories))
        value = WriteOutlineInput(
            prompt="outline.v2", writer=writer, show=show, target_minutes=minutes, sources=references, **fields
        )
        return run(make_job(value, state=state), services)

    return make


class Writer:
    """A language model that answers with what the test gives it, in turn."""

    def __init__(self, *replies):
        self.replies = iter(replies)
        self.prompts = []

    def write(self, task, reply, timeout):
        self.prompts.append(task.prompt)
        answer = next(self.replies)
        if isinstance(answer, Exception):
            raise answer
        return Written(reply.model_validate(answer), ProviderCall("openai", "m", input_tokens=10, output_tokens=5))


@pytest.fixture
def language_model(monkeypatch):
    """language_model(*replies): the writer that any paid reference opens."""

    def install(*replies):
        writer = Writer(*replies)
        monkeypatch.setattr("write_outline.open_text", lambda reference, settings: writer)
        return writer

    return install


def reply(**changes):
    sections = [
        {"title": "Hello", "points": ["Why it matters."], "source_ids": [], "share": 1},
        {"title": "Tides", "points": ["The Moon pulls."], "source_ids": [str(UUID(int=1))], "share": 3},
    ]
    return {"title": "Pull", "summary": "About tides.", "sections": sections, **changes}


def test_sections_carry_the_sources_headings_in_the_sources_order(outline_of):
    sections = outline_of([ARTICLE], 3).output.sections

    headings = [line.lstrip("# ") for line in ARTICLE.splitlines() if line.startswith("## ")]
    inner = [section.title for section in sections[1:-1]]
    assert 3 <= len(inner) <= 5
    assert inner == [heading for heading in headings if heading in inner]


def test_the_points_are_sentences_of_the_source(outline_of):
    sections = outline_of([ARTICLE], 8).output.sections

    assert all(point in ARTICLE for section in sections[1:-1] for point in section.points)


def test_every_source_has_a_section(outline_of):
    sections = outline_of([HARBOUR, TERNS], 2).output.sections

    assert {source for section in sections for source in section.source_ids} == {UUID(int=1), UUID(int=2)}


@pytest.mark.parametrize("minutes", [1, 3, 10, 60])
def test_the_shares_make_up_the_whole(outline_of, minutes):
    sections = outline_of([ARTICLE], minutes).output.sections

    assert sum(section.share for section in sections) == pytest.approx(1, abs=0.01)
    assert all(section.share > 0 for section in sections)


def test_a_longer_episode_has_more_sections(outline_of):
    counts = [len(outline_of([ARTICLE], minutes).output.sections) for minutes in (1, 3, 8)]

    assert all(fewer < more for fewer, more in itertools.pairwise(counts))


@pytest.mark.parametrize("language", TEXTS)
def test_an_outline_is_in_the_shows_language(outline_of, language):
    outline = outline_of([TEXTS[language]], 2, language=TAGS[language]).output

    assert outline.title == TEXTS[language].splitlines()[0].lstrip("# ")
    assert outline.sections[0].title != "Welcome"


def test_a_text_without_headings_is_cut_into_subjects(outline_of):
    text = "\n\n".join(block for block in ARTICLE.split("\n\n") if not block.startswith("#"))

    sections = outline_of([text], 5).output.sections

    assert len(sections) >= 5
    assert len({section.title for section in sections}) == len(sections)


def test_a_planning_note_steers_the_choice_and_is_named(outline_of):
    without = outline_of([ARTICLE], 2).output
    note = PlanningNote(id=NOTE, note="Tell them about the fossil corals and the laser mirrors")

    outline = outline_of([ARTICLE], 2, planning_notes=[note]).output

    assert "The slow brake" not in [section.title for section in without.sections]
    brake = next(section for section in outline.sections if section.title == "The slow brake")
    assert brake.points[-1] == f"Planning note: {note.note}"


def test_a_note_that_no_source_answers_is_still_named(outline_of):
    note = PlanningNote(id=NOTE, note="Ask for feedback by e-mail")

    outline = outline_of([ARTICLE], 2, planning_notes=[note]).output

    assert f"Planning note: {note.note}" in [point for section in outline.sections for point in section.points]


def test_the_episode_and_its_notes_are_written_down(outline_of):
    outcome = outline_of([ARTICLE], 3, planning_notes=[PlanningNote(id=NOTE, note="Corals")])

    episode, notes = outcome.statements
    assert episode.params["episode_id"] == SUBJECT
    assert episode.params["title"] == outcome.output.title
    assert Outline.model_validate(episode.params["outline"].obj).sections == outcome.output.sections
    assert notes.params == {"episode_id": SUBJECT, "ids": [NOTE]}
    assert "status = 'consumed'" in notes.sql


def test_without_notes_none_is_consumed(outline_of):
    assert len(outline_of([ARTICLE]).statements) == 1


def test_a_series_does_not_repeat_a_title_or_an_angle(outline_of):
    titles = []
    leading = []
    for _ in range(4):
        outline = outline_of([ARTICLE], 3, previous_titles=titles).output
        titles.append(outline.title)
        leading.append(tuple(section.title for section in outline.sections))

    assert len(set(titles)) == 4
    assert len(set(leading)) > 1


def test_what_the_show_never_mentions_is_not_in_the_outline(outline_of):
    outline = outline_of([ARTICLE], 8, memories=["Never mention storms", "Please avoid Normandy."]).output

    told = " ".join(point for section in outline.sections for point in section.points)
    assert "storm" not in told.lower().replace("never mention storms", "")
    assert "Normandy" not in told.replace("Please avoid Normandy.", "")


@pytest.mark.parametrize("texts", [[], ["Too short to tell."], ["One two three.", "Four five six."]])
def test_too_little_text_in_all_sources_together_is_refused(outline_of, texts):
    with pytest.raises(InvalidInput, match=r"^sources: all sources together have \d+ words of new text; at least 50"):
        outline_of(texts)


def test_text_without_sentences_is_refused(outline_of):
    with pytest.raises(InvalidInput, match=r"^sources: no full sentences"):
        outline_of(["\n".join(f"- item {number}" for number in range(100))])


def test_a_language_that_the_offline_writer_does_not_know_is_refused(outline_of):
    with pytest.raises(InvalidInput, match=r"^language: the offline writer writes de, en, es, fr, it, pt"):
        outline_of([ARTICLE], language="nl-NL")


def test_a_language_models_outline_is_taken_with_shares_that_add_up(outline_of, language_model):
    writer = language_model(reply())

    outline = outline_of([ARTICLE], writer="openai/m").output

    assert [section.share for section in outline.sections] == [0.25, 0.75]
    assert ARTICLE[200:400] in writer.prompts[0]


def test_a_paid_outline_is_kept_at_once_and_not_paid_twice(outline_of, language_model, media_store):
    writer = language_model(reply())

    first = outline_of([ARTICLE], writer="openai/m")
    second = outline_of([ARTICLE], writer="openai/m")

    assert len(writer.prompts) == 1
    assert first.output == second.output
    assert [key for key in media_store.puts if key.startswith("drafts/")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sections": [{**reply()["sections"][1], "source_ids": [str(UUID(int=9))]}]}, "does not exist"),
        ({"sections": [reply()["sections"][0]]}, "uses none of the sources"),
    ],
)
def test_an_outline_that_does_not_fit_the_sources_is_bad_output_and_not_kept(
    outline_of, language_model, media_store, changes, words
):
    language_model(reply(**changes))

    with pytest.raises(BadOutput, match=words):
        outline_of([ARTICLE], writer="openai/m")

    assert not [key for key in media_store.puts if key.startswith("drafts/")]


def test_a_language_models_repeated_title_is_set_apart(outline_of, language_model):
    language_model(reply())

    outline = outline_of([ARTICLE], writer="openai/m", previous_titles=["PULL"]).output

    assert outline.title == "Pull: Tides"


def test_after_a_refusal_the_prompt_is_cautious_and_shows_less(outline_of, language_model):
    text = "\n\n".join([ARTICLE] * 30)
    bold = language_model(reply())
    outline_of([text], writer="openai/m")
    careful = language_model(reply())

    outline_of([text], 4, writer="openai/m", state={"rewrite": True})

    assert "declined by the provider's safety filter" not in bold.prompts[0]
    assert "declined by the provider's safety filter" in careful.prompts[0]
    assert len(careful.prompts[0]) < 0.6 * len(bold.prompts[0])


def remembered(kind, content):
    return {"id": UUID(int=77), "kind": kind, "content": content}


def test_what_an_earlier_episode_told_makes_way_for_what_it_did_not(outline_of):
    def inner(outcome):
        return [section.title for section in outcome.output.sections[1:-1]]

    before = inner(outline_of([ARTICLE], 2))
    after = inner(outline_of([ARTICLE], 2, remembered=[remembered("topic", title) for title in before]))

    assert before
    assert set(before).isdisjoint(after)


def test_wishes_of_people_among_the_memories_are_followed(outline_of):
    outcome = outline_of([HARBOUR + TERNS], remembered=[remembered("preference", "Never mention the ferry.")])

    assert "ferry" not in outcome.output.model_dump_json().lower().replace("never mention the ferry", "")


def test_a_model_is_told_what_the_show_remembers_by_its_kind(language_model, outline_of):
    writer = language_model(reply())
    kinds = {
        "topic": "Terns",
        "fact": "It is old.",
        "phrase": "By the way",
        "promise": "More on eels",
        "style": "Short.",
    }

    outline_of(
        [HARBOUR], writer="openai/m",
        remembered=[remembered(kind, content) for kind, content in kinds.items()],
    )  # fmt: skip

    [prompt] = writer.prompts
    places = [prompt.index(kinds[kind]) for kind in ("style", "topic", "fact", "phrase", "promise")]
    assert places == sorted(places)


def test_the_use_of_memories_is_noted(outline_of):
    outcome = outline_of([HARBOUR], remembered=[remembered("fact", "It is old.")])

    assert outcome.statements[-1].params == {"ids": [UUID(int=77)]}
