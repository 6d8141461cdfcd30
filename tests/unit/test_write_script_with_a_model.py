"""write_script with a language model: what is asked, checked, kept, corrected."""

from types import SimpleNamespace
from uuid import UUID

import pytest

from script_length import estimated_seconds, rates_by_speaker, trimmed
from showrunner.assets import AssetReference
from showrunner.errors import BadOutput, ContentRefused, InvalidInput, Transient
from showrunner.providers.text import Written
from showrunner.script import ScriptLine, SectionScript, Show, SourceReference, Speaker, VoiceRate
from showrunner.stage import StopWork
from showrunner.usage import ProviderCall
from tests.texts import ARTICLE
from write_script import WriteScriptInput, run

SOURCE = UUID("00000000-0000-4000-8000-000000000001")
SPEAKERS = [Speaker(name="Ada", voice="a/1"), Speaker(name="Ben", voice="b/2")]
SECTIONS = ("Hello", "The slow brake", "Goodbye")


def line(words, speaker="Ada"):
    return {"speaker": speaker, "text": " ".join(["tides"] * words) + "."}


def section(words):
    """About so many words, in lines of ten."""
    return {"lines": [line(10, speaker) for speaker in ["Ada", "Ben"] * 100][: max(1, words // 10)]}


class Writer:
    """A language model that answers what `answer(task)` says; `tasks` are what it was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.tasks = []

    def write(self, task, reply, timeout):
        self.tasks.append(task)
        value = self.answer(task)
        if isinstance(value, Exception):
            raise value
        return Written(
            SectionScript.model_validate(value), ProviderCall("openai", "m", input_tokens=9, output_tokens=9)
        )

    @property
    def sections(self):
        return [task.material.section for task in self.tasks]


def asked_words(task):
    return int(task.prompt.split("\nAbout ")[1].split(" words")[0].split("About ")[-1])


@pytest.fixture
def language_model(monkeypatch):
    def install(answer):
        writer = Writer(answer)
        monkeypatch.setattr("script_sections.open_text", lambda reference, settings: writer)
        return writer

    return install


@pytest.fixture
def script_job(media_store, make_job):
    """script_job(minutes, **fields): a job of three sections for a paid writer."""

    def make(minutes=3, *, state=None, seconds=120.0, prompt="script.v1"):
        stored = media_store.put("organizations/a/source_text/x.md", ARTICLE.encode(), "text/markdown")
        reference = SourceReference(
            source_id=SOURCE,
            title="Tides",
            words=1600,
            characters=len(ARTICLE),
            asset=AssetReference(id=SOURCE, key=stored.key, sha256=stored.sha256),
        )
        value = WriteScriptInput(
            prompt=prompt,
            writer="openai/m",
            show=Show(name="Deep Water", format="dialogue", language="en-GB", speakers=SPEAKERS),
            target_minutes=minutes,
            outline={
                "title": "Tides",
                "summary": "",
                "sections": [
                    {"title": title, "points": ["A point."], "source_ids": [SOURCE] * (number == 1), "share": share}
                    for number, (title, share) in enumerate(zip(SECTIONS, (0.2, 0.6, 0.2), strict=True))
                ],
            },
            sources=[reference],
            rates=[VoiceRate(voice=voice, language="en-GB", characters_per_second=15) for voice in ("a/1", "b/2")],
        )
        return make_job(value, state=state, seconds=seconds)

    return make


def test_each_section_is_asked_for_with_its_budget_and_what_was_said_before(language_model, script_job, services):
    writer = language_model(lambda task: section(asked_words(task)))

    run(script_job(), services)

    first, middle, last = (task.prompt for task in writer.tasks[:3])
    assert "greet the listeners" in first
    assert "<source" not in first
    assert "<source" in middle
    assert "no greeting and no goodbye" in middle
    assert "Ben: tides tides" in middle.split("<lines>")[1]
    assert "say goodbye" in last
    assert asked_words(writer.tasks[1]) > 2 * asked_words(writer.tasks[0])


def test_each_reply_is_kept_at_once_and_a_retry_pays_only_for_what_is_missing(
    language_model, script_job, services, media_store
):
    failing = language_model(
        lambda task: Transient("busy") if task.material.section == 2 else section(asked_words(task))
    )
    with pytest.raises(Transient):
        run(script_job(), services)
    writer = language_model(lambda task: section(asked_words(task)))

    run(script_job(), services)

    assert failing.sections == [0, 1, 2]
    assert writer.sections[0] == 2
    assert sorted(key.rsplit("/", 1)[1] for key in media_store.puts if key.startswith("drafts/"))[:3] == [
        "section-0.json",
        "section-1.json",
        "section-2.json",
    ]


def test_every_call_is_counted(language_model, script_job, services):
    writer = language_model(lambda task: section(asked_words(task)))
    job = script_job()

    run(job, services)

    assert len(job.calls) == len(writer.tasks)


def test_a_script_far_from_its_length_is_corrected_once(language_model, script_job, services):
    def answer(task):
        is_revision = "An earlier version had" in task.prompt
        return section(asked_words(task) if is_revision else asked_words(task) // 2)

    writer = language_model(answer)

    outcome = run(script_job(), services)

    assert writer.sections == [0, 1, 2, 1]
    assert outcome.output.estimated_seconds > 120


def test_what_is_still_too_long_loses_whole_lines(language_model, script_job, services):
    language_model(lambda task: section(400))

    outcome = run(script_job(), services)

    assert outcome.output.estimated_seconds == pytest.approx(180, rel=0.04)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([line(10, "Carl")], "lets 'Carl' speak; the show has Ada and Ben"),
        ([{"speaker": "Ada", "text": "***"}], "a line without words"),
        ([{"speaker": "Ada", "text": "word " * 400}], "a line of 1999 characters"),
    ],
)
def test_a_reply_that_cannot_be_spoken_is_bad_output_and_not_kept(
    language_model, script_job, services, media_store, lines, words
):
    language_model(lambda task: {"lines": lines})

    with pytest.raises(BadOutput, match=words):
        run(script_job(), services)

    assert not [key for key in media_store.puts if key.startswith("drafts/")]


def test_a_host_may_be_written_in_any_case(language_model, script_job, services):
    language_model(lambda task: {"lines": [line(30, " ADA "), line(30, "ben")]})

    outcome = run(script_job(), services)

    assert {block["speaker"] for block in outcome.statements[1].params["blocks"].obj} == {"Ada", "Ben"}


def test_after_a_refusal_the_section_is_asked_for_with_care(language_model, script_job, services):
    language_model(lambda task: ContentRefused("declined"))
    with pytest.raises(ContentRefused):
        run(script_job(), services)
    writer = language_model(lambda task: section(asked_words(task)))

    run(script_job(state={"rewrite": True}), services)

    assert all("declined by the provider's safety filter" in task.prompt for task in writer.tasks)


def test_without_time_for_another_call_the_job_goes_on_later(language_model, script_job, services):
    writer = language_model(lambda task: section(asked_words(task)))

    with pytest.raises(Transient, match="goes on with the next section"):
        run(script_job(seconds=5), services)

    assert writer.tasks == []


def test_a_cancelled_script_stops_before_the_next_section(language_model, script_job, services):
    job = script_job()

    def answer(task):
        job.pulse.stopped = True
        return section(asked_words(task))

    writer = language_model(answer)

    with pytest.raises(StopWork):
        run(job, services)

    assert writer.sections == [0]


def test_progress_grows_with_each_section(language_model, script_job, services):
    seen = []
    job = script_job()

    def answer(task):
        seen.append(job.pulse.progress)
        return section(asked_words(task))

    language_model(answer)

    run(job, services)

    assert seen[:3] == [None, 0.25, 0.5]


def test_an_unknown_prompt_version_is_refused(language_model, script_job, services):
    language_model(lambda task: section(50))

    with pytest.raises(InvalidInput, match=r"^prompt: 'script\.v9' does not exist"):
        run(script_job(prompt="script.v9"), services)


def test_a_voices_rate_is_that_of_the_language_else_of_the_voice_else_usual():
    speakers = [
        Speaker(name=name, voice=voice) for name, voice in (("A", "x/1"), ("B", "x/2"), ("C", "x/3"), ("D", "x/4"))
    ]
    show = SimpleNamespace(language="en-GB", speakers=speakers)
    rates = [
        VoiceRate(voice="x/1", language="en-GB", characters_per_second=11),
        VoiceRate(voice="x/1", language="en-US", characters_per_second=19),
        VoiceRate(voice="x/2", language="en-US", characters_per_second=12),
        VoiceRate(voice="x/3", language="de-DE", characters_per_second=13),
    ]

    assert rates_by_speaker(show, rates) == {"A": 11, "B": 12, "C": 13, "D": 15.0}


def test_trimming_keeps_first_and_last_lines_questions_and_answers():
    texts = ["First line of it.", "Do you know why?", "Because of the Moon.", "Superfluous words. " * 5, "Last line."]
    lines = [ScriptLine(section="S", speaker="A", text=text) for text in texts]
    rates = {"A": 15.0}

    kept = trimmed(lines, estimated_seconds(lines, rates) - 6, rates)

    assert [one.text for one in kept] == [text for text in texts if "Superfluous" not in text]


def test_a_script_that_is_not_too_long_is_left_alone():
    lines = [ScriptLine(section="S", speaker="A", text="Some words of speech.")] * 5

    assert trimmed(lines, estimated_seconds(lines, {"A": 15.0}), {"A": 15.0}) == lines
