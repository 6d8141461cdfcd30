from uuid import UUID

import pytest

from showrunner.assets import AssetReference
from showrunner.script import Show, SourceReference, Speaker, VoiceRate
from tests.texts import ARTICLE
from write_outline import WriteOutlineInput
from write_outline import run as write_outline
from write_script import WriteScriptInput
from write_script import run as write_script

SOURCE = UUID("00000000-0000-4000-8000-000000000001")
SPEAKERS = [Speaker(name="Ada", voice="espeak/ada"), Speaker(name="Ben", voice="espeak/ben")]


@pytest.fixture
def script_of(media_store, services, make_job):
    """script_of(text, minutes, ...): the outcome of outline and script, and the lines that would be stored."""

    def make(text, minutes, *, language="en-GB", form="dialogue", rates=(15.2, 14.1)):
        stored = media_store.put("organizations/a/source_text/x.md", text.encode(), "text/markdown")
        reference = SourceReference(
            source_id=SOURCE,
            title="How the tides work",
            words=len(text.split()),
            characters=len(text),
            asset=AssetReference(id=SOURCE, key=stored.key, sha256=stored.sha256),
        )
        show = Show(name="Deep Water", format=form, language=language, speakers=SPEAKERS)
        common = {"writer": "offline/extractive", "show": show, "target_minutes": minutes, "sources": [reference]}
        outlined = write_outline(make_job(WriteOutlineInput(prompt="outline.v1", **common)), services)
        value = WriteScriptInput(
            prompt="script.v1",
            outline=outlined.output.model_dump(),
            rates=[
                VoiceRate(voice=speaker.voice, language=language, characters_per_second=rate)
                for speaker, rate in zip(SPEAKERS, rates, strict=True)
            ],
            **common,
        )
        written = write_script(make_job(value), services)
        return written, written.statements[1].params["blocks"].obj

    return make


@pytest.mark.parametrize("minutes", [2, 3, 5, 7])
@pytest.mark.parametrize("form", ["dialogue", "bulletin"])
def test_a_script_is_within_a_hundredth_and_a_half_of_the_asked_length(script_of, minutes, form):
    written, _ = script_of(ARTICLE, minutes, form=form)

    assert written.output.estimated_seconds == pytest.approx(minutes * 60, rel=0.015)


def test_no_sentence_of_fact_is_said_twice(script_of):
    _, blocks = script_of(ARTICLE, 7)

    facts = [sentence for block in blocks for sentence in block["markdown"].split(". ") if sentence in ARTICLE]
    assert len(facts) > 20
    assert len(facts) == len(set(facts))
