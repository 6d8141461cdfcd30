"""Usage: every provider call is counted once, priced by data and summed per day."""

from __future__ import annotations

import pytest
from psycopg.types.json import Jsonb

from tests.rigs.engine import Stage
from tests.rigs.together import start, together, wait_until_blocked

WRITTEN = {
    "provider": "paid", "model": "m", "input_tokens": 1000, "output_tokens": 200, "characters": 0, "seconds": 0,
    "images": 0, "measured": True,
}  # fmt: skip
SPOKEN = WRITTEN | {"input_tokens": 0, "output_tokens": 0, "characters": 500, "seconds": 30.5, "measured": False}


@pytest.fixture
def kind(rig):
    rig.price("paid", "input_token", 0.001)
    rig.price("paid", "output_token", 0.01)
    return rig.pipeline("song", [Stage("sing")])


@pytest.fixture
def granted(rig, kind):
    return rig.granted(rig.start(kind, sing=2), "sing")


def events(rig):
    return rig.owner.execute("select * from public.usage_events order by attempt, call_number").fetchall()


def test_each_call_is_a_row_with_its_price(rig, granted):
    rig.complete(*granted, usage=[WRITTEN, SPOKEN])

    assert [(row["call_number"], float(row["cost_gbp"]), row["measured"]) for row in events(rig)] == [
        (1, 3, True),
        (2, 0, False),
    ]


def test_the_models_own_price_wins_over_the_providers(rig, granted):
    rig.owner.execute(
        "insert into public.provider_prices (provider, model, unit, gbp, checked_on, source)"
        " values ('paid', 'm', 'input_token', 0.5, current_date, 'test')"
    )

    rig.complete(*granted, usage=[WRITTEN])

    assert float(events(rig)[0]["cost_gbp"]) == 502


def test_the_day_is_the_sum_of_its_calls(rig, granted):
    rig.complete(*granted, usage=[WRITTEN, SPOKEN])

    (day,) = rig.owner.execute("select * from public.token_usage_daily").fetchall()
    assert (day["calls"], day["input_tokens"], day["output_tokens"], day["characters"]) == (2, 1000, 200, 500)
    assert (float(day["seconds"]), float(day["total_cost_gbp"])) == (30.5, 3)


def test_calls_that_were_recorded_before_the_outcome_are_not_counted_again(rig, granted):
    rig.worker.execute("select engine.record_usage(%s, %s, %s)", [*granted, Jsonb([WRITTEN])])

    rig.complete(*granted, usage=[WRITTEN, SPOKEN])

    assert [row["call_number"] for row in events(rig)] == [1, 2]
    assert rig.violations() == {}


def test_the_same_calls_reported_at_the_same_instant_are_counted_once(rig, granted):
    workers = [rig.open_worker() for _ in range(6)]

    together([lambda worker=worker: rig.complete(*granted, usage=[WRITTEN, SPOKEN], on=worker) for worker in workers])

    assert len(events(rig)) == 2
    assert rig.violations() == {}


def test_what_is_spent_does_not_change_while_a_claim_reserves(rig, kind):
    organization = rig.organization()
    paying, _ = rig.granted(rig.start(kind, organization, estimate=1, sing=1), "sing")
    claimed = rig.jobs(rig.start(kind, organization, estimate=1, sing=1))[0]["id"]
    claiming, counting = rig.open_worker(), rig.open_worker()

    with claiming.transaction():
        rig.claim(claimed, on=claiming)
        thread = start(lambda: counting.execute("select engine.record_usage(%s, 1, %s)", [paying, Jsonb([SPOKEN])]))
        wait_until_blocked(rig.owner_url, counting)
    thread.join()

    assert rig.day(organization)["calls"] == 1


def test_a_retry_is_counted_beside_the_first_try(rig, granted):
    job, attempt = granted
    rig.fail(job, attempt, "bad_output", usage=[WRITTEN])
    rig.age(job, not_before=10)
    rig.complete(job, rig.claim(job)["attempt"], usage=[WRITTEN])

    assert [row["attempt"] for row in events(rig)] == [1, 2]
    assert rig.violations() == {}


def test_a_finished_production_leaves_its_figures(rig, kind):
    production = rig.start(kind, estimate=2, sing=1)
    rig.complete(*rig.granted(production, "sing"), usage=[WRITTEN, SPOKEN])

    figures = rig.one("select * from public.generation_metrics where production_id = %s", production)

    assert (figures["input_tokens"], figures["output_tokens"], figures["tts_characters"]) == (1000, 200, 500)
    assert (float(figures["estimated_cost_gbp"]), float(figures["measured_cost_gbp"])) == (2, 3)
    assert figures["generation_seconds"] >= 0


def test_a_production_that_cost_nothing_leaves_its_figures_too(rig, kind):
    production = rig.start(kind, sing=1)
    rig.finish(production)

    assert (
        rig.one("select * from public.generation_metrics where production_id = %s", production)["measured_cost_gbp"]
        == 0
    )


def test_a_rebuild_adds_to_the_figures(rig, kind):
    production = rig.start(kind, estimate=2, sing=1)
    rig.complete(*rig.granted(production, "sing"), usage=[WRITTEN])
    rig.rebuild(production, "sing")

    rig.complete(*rig.granted(production, "sing"), usage=[WRITTEN])

    figures = rig.one("select * from public.generation_metrics where production_id = %s", production)
    assert (figures["build"], float(figures["estimated_cost_gbp"]), float(figures["measured_cost_gbp"])) == (2, 4, 6)
