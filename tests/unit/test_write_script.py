from itertools import pairwise
from uuid import UUID

import pytest

from script_length import estimated_seconds
from showrunner.assets import AssetReference
from showrunner.errors import InvalidInput
from showrunner.script import ScriptLine, Show, SourceReference, Speaker, VoiceRate
from showrunner.speech_text import speakable, split_sentences
from tests.texts import ARTICLE, TAGS, TEXTS, long_text
from tests.unit.conftest import ORGANIZATION, SUBJECT
from write_outline import WriteOutlineInput
from write_outline import run as write_outline
from write_script import WriteScriptInput
from write_script import run as write_script

SOURCE = UUID("00000000-0000-4000-8000-000000000001")
SPEAKERS = [Speaker(name="Ada", voice="espeak/ada"), Speaker(name="Ben", voice="espeak/ben")]
RATES = {"Ada": 15.2, "Ben": 14.1}


@pytest.fixture
def script_of(media_store, services, make_job):
    """script_of(text, minutes, ...): the script's outcome, its lines, and the outline's output."""

    def make(text, minutes, *, language="en-GB", form="dialogue", memories=()):
        title = text.splitlines()[0].lstrip("# ")
        stored = media_store.put("organizations/a/source_text/x.md", text.encode(), "text/markdown")
        reference = SourceReference(
            source_id=SOURCE,
            title=title,
            words=len(text.split()),
            characters=len(text),
            asset=AssetReference(id=SOURCE, key=stored.key, sha256=stored.sha256),
        )
        show = Show(name="Deep Water", format=form, language=language, speakers=SPEAKERS, memories=list(memories))
        common = {"writer": "offline/extractive", "show": show, "target_minutes": minutes, "sources": [reference]}
        outlined = write_outline(make_job(WriteOutlineInput(prompt="outline.v1", **common)), services).output
        rates = [
            VoiceRate(voice=speaker.voice, language=language, characters_per_second=RATES[speaker.name])
            for speaker in SPEAKERS
        ]
        value = WriteScriptInput(prompt="script.v1", outline=outlined.model_dump(), rates=rates, **common)
        written = write_script(make_job(value), services)
        return written, written.statements[1].params["blocks"].obj, outlined

    return make


def facts(blocks, text):
    """The sentences of the script that stand in the source, in order."""
    spoken = speakable(text)
    return [
        sentence
        for block in blocks
        for part in block["markdown"].replace(": ", ". ").split(". ")
        for sentence in split_sentences(part)
        if len(sentence.split()) > 5 and sentence.rstrip(".") in spoken
    ]


@pytest.mark.parametrize("minutes", [2, 3, 5, 8])
@pytest.mark.parametrize("form", ["dialogue", "bulletin"])
def test_a_script_has_the_asked_length(script_of, minutes, form):
    written, _, _ = script_of(ARTICLE, minutes, form=form)

    assert written.output.estimated_seconds == pytest.approx(minutes * 60, rel=0.015)


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("form", ["dialogue", "bulletin"])
def test_a_script_has_the_asked_length_in_each_language(script_of, language, form):
    written, _, _ = script_of(TEXTS[language], 1.4, language=TAGS[language], form=form)

    assert written.output.estimated_seconds == pytest.approx(84, rel=0.015)


@pytest.mark.parametrize(("words", "minutes"), [(3_000, 10), (6_000, 30), (12_000, 60)])
def test_a_long_script_has_the_asked_length(script_of, words, minutes):
    text = long_text(words)

    written, blocks, _ = script_of(text, minutes)

    assert written.output.estimated_seconds == pytest.approx(minutes * 60, rel=0.015)
    assert written.output.blocks == len(blocks)


def test_what_is_estimated_is_what_the_stored_lines_take(script_of):
    written, blocks, _ = script_of(ARTICLE, 5)

    lines = [ScriptLine(section=b["section"], speaker=b["speaker"], text=b["markdown"]) for b in blocks]
    assert written.output.estimated_seconds == pytest.approx(estimated_seconds(lines, RATES) + 1.1, abs=0.01)


def test_a_source_that_is_too_short_is_told_whole_and_the_length_said_honestly(script_of):
    text = "\n\n".join(ARTICLE.split("\n\n")[2:7])

    written, blocks, _ = script_of(text, 10)

    told = " ".join(block["markdown"] for block in blocks)
    assert written.output.estimated_seconds < 300
    assert all(sentence in told for sentence in split_sentences(speakable(text)) if len(sentence.split()) > 12)


@pytest.mark.parametrize("minutes", [3, 8])
def test_no_sentence_of_the_source_is_said_twice(script_of, minutes):
    _, blocks, _ = script_of(ARTICLE, minutes)

    told = facts(blocks, ARTICLE)
    assert len(told) > 4 * minutes
    assert len(told) == len(set(told))


def test_within_a_section_the_source_keeps_its_order(script_of):
    _, blocks, outlined = script_of(ARTICLE, 8)

    spoken = speakable(ARTICLE)
    for section in outlined.sections[1:-1]:
        told = facts([block for block in blocks if block["section"] == section.title], ARTICLE)
        places = [spoken.index(sentence.rstrip(".")) for sentence in told]
        assert places == sorted(places)


def test_nothing_but_words_is_read_aloud(script_of):
    noisy = ARTICLE.replace(
        "\n\n## Why the clock",
        "\n\n```python\nprint('tide')\n```\n\n| port | range |\n|---|---|\n| Fundy | 16 m |\n\n"
        "See https://example.com/tides for more about the tides of the world.\n\n"
        "The **range** at [Saint-Malo](https://example.com) is twelve metres at the most.[3][citation needed]"
        "\n\n## Why the clock",
    )

    _, blocks, _ = script_of(noisy, 15)

    told = " ".join(block["markdown"] for block in blocks)
    assert "The range at Saint-Malo is twelve metres at the most." in told
    assert not any(mark in told for mark in ("http", "print(", "|", "[", "**", "##", "`"))


def test_both_hosts_speak_and_greet_and_say_goodbye(script_of):
    _, blocks, _ = script_of(ARTICLE, 5)

    speakers = [block["speaker"] for block in blocks]
    assert {"Ada", "Ben"} == set(speakers[:3]) == set(speakers[-2:])
    assert 0.35 < speakers.count("Ada") / len(speakers) < 0.65
    assert "Deep Water" in blocks[0]["markdown"]


def test_a_bulletin_has_one_voice_that_names_nobody_else(script_of):
    _, blocks, _ = script_of(ARTICLE, 5, form="bulletin")

    assert {block["speaker"] for block in blocks} == {"Ada"}
    assert not any("Ben" in block["markdown"] for block in blocks)


def test_lines_are_as_long_as_people_speak(script_of):
    _, blocks, _ = script_of(ARTICLE, 8)

    words = [len(block["markdown"].split()) for block in blocks[1:-1]]
    assert max(words) <= 60
    assert sum(6 <= count <= 48 for count in words) >= 0.9 * len(words)


def test_the_words_between_facts_vary(script_of):
    _, blocks, _ = script_of(long_text(6_000), 30)

    openings = [" ".join(block["markdown"].split()[:3]) for block in blocks]
    assert all(one != other for one, other in pairwise(openings) if not one.startswith("The "))


def test_every_section_of_the_outline_is_in_the_script_in_order(script_of):
    _, blocks, outlined = script_of(ARTICLE, 5)

    sections = list(dict.fromkeys(block["section"] for block in blocks))
    assert sections == [section.title for section in outlined.sections]


def test_the_same_input_gives_the_same_script(script_of):
    first, one, _ = script_of(ARTICLE, 5)
    second, other, _ = script_of(ARTICLE, 5)

    assert first.output == second.output
    assert one == other


def test_the_blocks_replace_those_of_the_episode_in_two_statements(script_of):
    written, blocks, _ = script_of(ARTICLE, 2)

    delete, insert = written.statements
    assert delete.sql.startswith("delete from public.blocks")
    assert delete.params == {"episode_id": SUBJECT}
    assert (insert.params["organization_id"], insert.params["episode_id"]) == (ORGANIZATION, SUBJECT)
    assert [block["position"] for block in blocks] == list(range(1, len(blocks) + 1))
    assert len({block["id"] for block in blocks}) == len(blocks)


def test_a_listener_is_addressed_as_the_show_wishes(script_of):
    wishes = ["Call listeners 'friends of the sea'.", "Never mention Normandy or corals", "End with 'Stay curious.'"]

    _, blocks, _ = script_of(ARTICLE, 8, memories=wishes)

    told = " ".join(block["markdown"] for block in blocks)
    assert "friends of the sea" in blocks[0]["markdown"]
    assert "Stay curious." in blocks[-1]["markdown"]
    assert "Normandy" not in told
    assert "corals" not in told.lower()


def test_an_outline_that_a_person_wrote_is_followed(services, media_store, make_job):
    stored = media_store.put("organizations/a/source_text/x.md", ARTICLE.encode(), "text/markdown")
    reference = SourceReference(
        source_id=SOURCE,
        title="How the tides work",
        words=1600,
        characters=len(ARTICLE),
        asset=AssetReference(id=SOURCE, key=stored.key, sha256=stored.sha256),
    )
    outline = {
        "title": "Pulleys and storms",
        "summary": "",
        "sections": [
            {
                "title": "Computing with brass",
                "points": ["machines with pulleys"],
                "source_ids": [SOURCE],
                "share": 0.5,
            },
            {
                "title": "When it floods",
                "points": ["storm surge and spring tide"],
                "source_ids": [SOURCE],
                "share": 0.5,
            },
        ],
    }
    show = Show(name="Deep Water", format="dialogue", language="en-GB", speakers=SPEAKERS)
    value = WriteScriptInput(
        prompt="script.v1",
        writer="offline/extractive",
        show=show,
        target_minutes=3,
        outline=outline,
        sources=[reference],
    )

    written = write_script(make_job(value), services)

    blocks = written.statements[1].params["blocks"].obj
    brass = " ".join(block["markdown"] for block in blocks if block["section"] == "Computing with brass")
    assert "pulleys" in brass
    assert {block["section"] for block in blocks} == {"Computing with brass", "When it floods"}


def test_without_any_text_there_is_no_script(services, make_job):
    show = Show(name="Deep Water", format="dialogue", language="en-GB", speakers=SPEAKERS)
    section = {"title": "One", "points": ["A point."], "source_ids": [], "share": 1}
    value = WriteScriptInput(
        prompt="script.v1",
        writer="offline/extractive",
        show=show,
        target_minutes=3,
        outline={"title": "T", "summary": "", "sections": [section]},
        sources=[SourceReference(source_id=SOURCE, title="Empty feed", words=0, characters=0)],
    )

    with pytest.raises(InvalidInput, match=r"^sources: none of them has any text"):
        write_script(make_job(value), services)
