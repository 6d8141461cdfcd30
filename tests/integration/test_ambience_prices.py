"""What music and pictures cost is known before they are asked for, in the unit that their adapters report."""

from __future__ import annotations

from decimal import Decimal

import pytest

from showrunner.usage import ProviderCall
from tests.rigs.albums import make_channel, make_video, without_media
from tests.rigs.line import function

MUSIC = {"elevenlabs": "0.0038", "beatoven": "0.038", "mubert": "0.038"}
PICTURES = {"gemini": "0.3192", "openai": "0.3192", "leonardo": "0.3192", "stability": "0.3192"}


@pytest.fixture
def ada(sign_up):
    return sign_up("ada")


def planned(line, owner, person, ada, **columns):
    """A video whose tracks and pictures are desired, and not begun."""
    video = make_video(owner, ada, make_channel(owner, ada, **columns))
    production = person.execute("select request_production('ambience', %s, 'one')", [video]).fetchone()[0]
    function("sweep_jobs").sweep(line.services)
    without_media(line).run(before="compose_track")
    return production


def estimates(owner, production, stage):
    rows = owner.execute(
        "select input, estimate_gbp from jobs where production_id = %s and stage = %s order by key", [production, stage]
    ).fetchall()
    assert len(rows) == 2
    return rows


@pytest.mark.parametrize("provider", MUSIC)
def test_a_track_is_estimated_by_its_seconds(line, owner, as_user, ada, provider):
    names = {"elevenlabs": "music_v2", "beatoven": "track", "mubert": "low"}
    production = planned(line, owner, as_user(ada), ada, composer=f"{provider}/{names[provider]}")

    for asked, estimate in estimates(owner, production, "compose_track"):
        expected = Decimal(str(asked["seconds"])) * Decimal(MUSIC[provider])
        assert estimate == pytest.approx(expected, abs=Decimal("0.000001"))


@pytest.mark.parametrize("provider", PICTURES)
def test_a_picture_is_estimated_as_a_picture(line, owner, as_user, ada, provider):
    production = planned(line, owner, as_user(ada), ada, painter=f"{provider}/some-model")

    found = [estimate for _, estimate in estimates(owner, production, "paint_image")]

    assert found == [Decimal(PICTURES[provider])] * 2


def test_a_listed_model_costs_what_is_listed(owner):
    found = owner.execute("select engine.price('gemini', 'gemini-2.5-flash-image', 'image')").fetchone()

    assert found == (Decimal("0.029640000000"),)


def test_what_this_machine_makes_is_free(line, owner, as_user, ada):
    production = planned(line, owner, as_user(ada), ada)

    for stage in ("compose_track", "paint_image"):
        assert {estimate for _, estimate in estimates(owner, production, stage)} == {Decimal(0)}


@pytest.mark.parametrize("table", ["music_provider", "visual_provider"])
def test_every_service_that_can_be_chosen_has_a_price(owner, table):
    unit = "second" if table == "music_provider" else "image"

    free = owner.execute(
        f"select name from unnest(enum_range(null::{table})) as name where name <> 'dummy' "
        f"and engine.price(name::text, 'unlisted', '{unit}') <= 0"
    ).fetchall()

    assert free == []


@pytest.mark.parametrize(
    ("call", "cost"),
    [
        (ProviderCall("elevenlabs", "music_v2", seconds=180.0, measured=False), "0.684"),
        (ProviderCall("openai", "gpt-image-2", images=1), "0.3192"),
        (ProviderCall("gemini", "gemini-2.5-flash-image", 12, 1290, images=1), "0.02964"),
    ],
)
def test_a_reported_call_costs_what_was_estimated(line, owner, as_user, ada, call, cost):
    production = planned(line, owner, as_user(ada), ada)
    job = owner.execute(
        "select id from jobs where production_id = %s and stage = 'compose_track' and key = '1'", [production]
    ).fetchone()[0]
    claim = line.services.engine.claim(job, "here", 60.0)

    line.services.engine.record_usage(job, claim.attempt, [call])

    assert owner.execute("select cost_gbp from usage_events where job_id = %s", [job]).fetchone() == (Decimal(cost),)
