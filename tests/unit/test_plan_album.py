"""An album's plan: prompts that differ, follow niche and moods, and lengths that add up."""

from __future__ import annotations

import itertools
import json
import re
import uuid
from types import SimpleNamespace

import pytest

import plan_album
from album_lengths import lengths_of
from plan_album import PlanAlbumInput, run
from showrunner.album_plan import AlbumMaterial, AlbumPlan, TrackPlan, are_alike, moods_of
from showrunner.errors import BadOutput, InvalidInput
from showrunner.media.album.format import GRID_SAMPLES, SAMPLE_RATE
from showrunner.media.album.timeline import lay_out
from showrunner.writing.album import write_album

NICHES = ("Royal Court Ambience", "Lo-Fi Study Beats", "Medieval Fantasy Tavern", "Deep Space", "Zen Temple", "Qwerty")
MOODS = ("elegant, classical, serene", "dark, mysterious", "joyful", "melancholic; nostalgic", "epic", "unheard-of")


def asked(**changed):
    value = {
        "prompt": "album.v1", "writer": "offline/extractive", "seed": str(uuid.UUID(int=7)), "channel": "Quiet Rooms",
        "brand_niche": "Fantasy Ambience", "niche": NICHES[0], "mood": MOODS[0], "minutes": 60, "tracks": 20,
        "crossfade_seconds": 4.0, **changed,
    }  # fmt: skip
    return PlanAlbumInput.model_validate(value)


@pytest.fixture
def plan(make_job, services):
    """plan(**changed): the output."""
    return lambda **changed: run(make_job(asked(**changed)), services).output


def prompts_of(output):
    return [[item["prompt"] for item in output.prompts[name]] for name in ("music_prompts", "visual_prompts")]


@pytest.mark.parametrize(("niche", "mood"), list(zip(NICHES, MOODS, strict=True)))
def test_no_two_of_twenty_prompts_are_alike(plan, niche, mood):
    for seed in range(12):
        for prompts in prompts_of(plan(niche=niche, mood=mood, seed=str(uuid.UUID(int=seed)))):
            assert len(prompts) == 20
            assert not [pair for pair in itertools.combinations(prompts, 2) if are_alike(*pair)]


@pytest.mark.parametrize(("niche", "mood"), list(zip(NICHES, MOODS, strict=True)))
def test_prompts_follow_the_niche_and_every_mood(plan, niche, mood):
    for prompts in prompts_of(plan(niche=niche, mood=mood)):
        assert all(niche in prompt for prompt in prompts)
        for word in moods_of(mood):
            assert any(word in prompt.lower() for prompt in prompts)


def test_tempo_and_key_follow_the_mood(plan):
    def tempos(mood):
        music = prompts_of(plan(mood=mood))[0]
        return [int(re.search(r"Tempo: (\d+) BPM", prompt)[1]) for prompt in music]

    assert max(tempos("sleep, calm")) < min(tempos("joyful, uplifting"))
    assert all(" minor." in prompt for prompt in prompts_of(plan(mood="dark"))[0])


def test_one_video_is_planned_alike_and_another_differently(plan):
    first, again = plan(), plan()
    other = plan(seed=str(uuid.UUID(int=8)))

    assert first == again
    for ours, theirs in zip(prompts_of(first), prompts_of(other), strict=True):
        assert len(set(ours) & set(theirs)) == 0


@pytest.mark.parametrize(("minutes", "tracks"), [(60, 20), (90, 20), (61, 20), (1, 2), (3, 4), (1, 4), (20, 20)])
def test_the_lengths_add_up_to_what_is_asked_on_the_timeline(plan, minutes, tracks):
    output = plan(minutes=minutes, tracks=tracks)
    seconds = [round(item["duration_minutes"] * 60, 2) for item in output.prompts["music_prompts"]]

    timeline = lay_out([round(one * SAMPLE_RATE) for one in seconds], 4.0)

    assert timeline.samples == minutes * 60 * SAMPLE_RATE
    for start, length, following in zip(timeline.starts, seconds, timeline.starts[1:], strict=False):
        assert start + round(length * SAMPLE_RATE) - following == 4 * SAMPLE_RATE
        assert following % GRID_SAMPLES == 0


def test_tracks_are_not_all_of_one_length():
    assert len(set(lengths_of([1.0, 1.1, 0.9], 180, 4.0))) == 3


def test_more_tracks_than_fit_are_refused():
    with pytest.raises(InvalidInput, match=r"track_count: 20 tracks in 1 minutes leave one of them"):
        lengths_of([1.0] * 20, 60, 4.0)


def test_a_niche_of_any_letters_has_a_plan_with_a_title_that_youtube_takes():
    for niche in ("<script>", "x" * 255, "ASMR 雨の音", "a,b;c\nd"):
        material = AlbumMaterial(
            channel="C" * 255, brand_niche="<>", niche=niche, moods=moods_of("<b>, " + "m" * 400), minutes=60,
            tracks=20, seed=uuid.UUID(int=1),
        )  # fmt: skip
        made = write_album(material)

        assert 1 <= len(made.title) <= 100
        assert not re.search("[<>]", made.title + made.description + "".join(made.tags))


def test_tags_fit_into_what_youtube_takes(plan):
    tags = plan(mood=", ".join(f"mood number {number}" for number in range(60))[:500]).tags

    assert sum(len(tag) + 3 for tag in tags) <= plan_album.MOST_TAG_CHARACTERS
    assert len(tags) > 5


# --- a model's plan --------------------------------------------------------------------------------------------------


def reply(count=4, **changed):
    instruments = ("harp and bells", "cello and oboe", "lute and drum", "flute and strings")
    pictures = (
        "a blue lake at dawn",
        "some old stone bridge in fog",
        "one candle beside books",
        "red desert under stars",
    )
    plan = {
        "title": "A Quiet Court", "description": "Music to rest by.", "tags": ["rest", "court"],
        "tracks": [
            {"title": f"Track {n}", "prompt": f"Slow piece {n} for {instruments[n % 4]}", "share": 1 + n / 10}
            for n in range(count)
        ],
        "pictures": [f"16:9 background, {pictures[n % 4]}" for n in range(count)],
        **changed,
    }  # fmt: skip
    return AlbumPlan.model_validate(plan)


class Writer:
    """A paid writer that counts what it is asked."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.prompts = []

    def write(self, task, model, timeout):
        self.prompts.append(task.prompt)
        return SimpleNamespace(reply=self.replies.pop(0), call=SimpleNamespace())


@pytest.fixture
def by_model(make_job, services, monkeypatch):
    """by_model(writer, state): the output of four tracks in three minutes."""

    def work(writer, state=None):
        monkeypatch.setattr(plan_album, "open_text", lambda reference, settings: writer)
        return run(make_job(asked(writer="openai/x", minutes=3, tracks=4), state=state), services)

    return work


def test_a_models_plan_is_kept_for_the_next_attempt(by_model):
    writer = Writer(reply())

    first, again = by_model(writer), by_model(writer)

    assert first.output == again.output
    assert len(writer.prompts) == 1
    assert "exactly 4 of them" in writer.prompts[0]
    assert "Royal Court Ambience" in writer.prompts[0]
    assert "{{" not in writer.prompts[0]


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (reply(3), "3 tracks instead of 4"),
        (reply(pictures=["16:9 background, a lake"] * 3 + ["16:9 background, a hill"]), "pictures 1 and 2 are nearly"),
        (reply(tracks=[TrackPlan(title="A", prompt=f"{'abcd'[n]} " * 20, share=1) for n in range(4)]), "one title"),
    ],
)  # fmt: skip
def test_a_plan_of_no_use_is_asked_for_again(by_model, plan, said):
    with pytest.raises(BadOutput, match=said):
        by_model(Writer(plan))


def test_after_a_refusal_it_asks_for_other_words(by_model):
    writer = Writer(reply())

    by_model(writer, state={"rewrite": True})

    assert "declined by the provider's safety filter" in writer.prompts[0]


def test_the_video_gets_its_prompts_with_the_job(by_model):
    [statement] = by_model(Writer(reply())).statements

    assert json.dumps(statement.params["prompts"].obj).count("order_index") == 8
    assert statement.params["title"] == "A Quiet Court"
