"""A starving budget stops its own organization, says so, and nobody else's work waits for it."""

from __future__ import annotations

import re

import pytest

from tests.rigs.laptop import OFFLINE_SPEAKERS


def starved(laptop):
    """A production whose lines are parked, since its organization may spend next to nothing today."""
    show = laptop.show(speakers=OFFLINE_SPEAKERS)
    laptop.rows(
        "update engine.organization_limits set daily_budget_gbp = 0.05 where organization_id = %s", show.organization
    )
    return show, laptop.request(show)


def parked(laptop, production):
    [(count, others)] = laptop.rows(
        "select count(*) filter (where status = 'parked' and hold = 'budget'), "
        "count(*) filter (where status in ('queued', 'running')) from public.jobs where production_id = %s",
        production,
    )
    return count if not others else 0


@pytest.fixture
def priced_voice(laptop):
    """The offline voice has a price for as long as the test takes: a penny for a line of 100 characters."""
    laptop.rows(
        "insert into public.provider_prices (provider, model, unit, gbp, checked_on, source) "
        "values ('espeak', '*', 'character', 0.0001, current_date, 'a test') "
        "on conflict (provider, model, unit) do update set gbp = excluded.gbp"
    )
    yield
    laptop.rows("delete from public.provider_prices where provider = 'espeak'")


def raise_budget(laptop, show):
    laptop.rows(
        "update engine.organization_limits set daily_budget_gbp = 5 where organization_id = %s", show.organization
    )


def make_it_tomorrow(laptop, show):
    """What was spent today was spent yesterday."""
    laptop.rows("update public.token_usage_daily set day = day - 1 where organization_id = %s", show.organization)


def test_jobs_beyond_the_budget_wait_with_a_sentence_and_others_are_not_slowed(laptop, priced_voice):
    show, starving = starved(laptop)
    laptop.wait(lambda: parked(laptop, starving), "jobs are parked")
    waiting = laptop.explain(starving)
    spoken = laptop.accepted(starving)
    other = laptop.show(speakers=OFFLINE_SPEAKERS)

    rich = laptop.request(other)
    laptop.wait_until_completed(rich)
    still = (laptop.status(starving), parked(laptop, starving))
    raise_budget(laptop, show)
    laptop.wait_until_completed(starving)

    assert re.search(r"^speak_line: \d+ of \d+ done\. It waits for budget: 0\.\d+ of 0\.05\d* GBP are spent", waiting)
    assert still[0] == "running"
    assert still[1] >= 1
    assert spoken
    assert laptop.rows("select count(*) from public.jobs where production_id = %s and hold is not null", rich) == [(0,)]
    laptop.assert_books_balance(starving)
    laptop.assert_books_balance(rich)
    after = laptop.accepted(starving)
    assert {job: after[job] for job in spoken} == spoken


def test_a_new_day_lets_parked_jobs_go_on(laptop, priced_voice):
    show, starving = starved(laptop)
    laptop.wait(lambda: parked(laptop, starving), "jobs are parked")
    before = len(laptop.accepted(starving))

    make_it_tomorrow(laptop, show)

    laptop.wait(lambda: len(laptop.accepted(starving)) > before, "more lines are spoken")
    laptop.wait(lambda: parked(laptop, starving) or laptop.status(starving) == "completed", "the day is spent again")
    daily = laptop.rows(
        "select total_cost_gbp <= 0.05 + 0.03 from public.token_usage_daily where organization_id = %s",
        show.organization,
    )
    assert daily == [(True,), (True,)]


def test_a_line_dearer_than_the_whole_budget_says_so(laptop, priced_voice):
    show = laptop.show(speakers=OFFLINE_SPEAKERS)
    laptop.rows(
        "update engine.organization_limits set daily_budget_gbp = 0 where organization_id = %s", show.organization
    )
    production = laptop.request(show)

    laptop.wait(lambda: parked(laptop, production), "jobs are parked")

    said = laptop.explain(production)
    assert re.search(r"^speak_line: 0 of \d+ done\. It would cost about 0\.\d+ GBP, more than the whole daily", said)
    assert said.endswith("budget of 0.00 GBP; raise the budget to let it run.")
    assert laptop.accepted(production) == {}
