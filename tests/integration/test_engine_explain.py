"""Why is it not running? One sentence for each answer."""

from __future__ import annotations

import re

import pytest

from tests.rigs.engine import Stage


@pytest.fixture
def kind(rig):
    return rig.pipeline("song", [Stage("sing"), Stage("mix", after=("sing",), gate=True)])


@pytest.fixture
def production(rig, kind):
    return rig.start(kind, rig.organization(running=1, budget=5), sing=2, mix=1)


@pytest.fixture
def job(rig, production):
    return rig.jobs(production)[0]["id"]


def test_a_queued_job_says_when_it_is_sent_again(rig, job):
    assert re.fullmatch(r"It is in the queue and is sent again in 2\d s if nobody picks it up\.", rig.explain(job))


def test_a_job_without_a_place_says_how_many_are_taken(rig, production, job):
    rig.granted(production, "sing")
    waiting = rig.jobs(production)[1]["id"]
    rig.claim(waiting)

    assert rig.explain(waiting) == "It waits for a place: 1 of 1 are taken."


def test_a_job_without_budget_says_what_is_left_and_what_it_costs(rig, kind):
    organization = rig.organization(budget=5)
    production = rig.start(kind, organization, estimate=3, sing=2)
    rig.granted(production, "sing")
    waiting = rig.jobs(production)[1]["id"]
    rig.claim(waiting)

    assert rig.explain(waiting) == (
        "It waits for budget: 3.0000 of 5.00 GBP are spent or reserved today (UTC) and it would cost about 3.0000 GBP; "
        "it goes on tomorrow or when the budget is raised."
    )


def test_a_job_that_no_day_can_pay_says_so(rig, kind):
    waiting = rig.jobs(rig.start(kind, rig.organization(budget=5), estimate=8, sing=1))[0]["id"]
    rig.claim(waiting)

    assert rig.explain(waiting) == (
        "It would cost about 8.0000 GBP, more than the whole daily budget of 5.00 GBP; raise the budget to let it run."
    )


def test_a_job_that_waits_for_a_person_says_for_what(rig, production):
    job, attempt = rig.granted(production, "sing")
    rig.fail(job, attempt, "quota", "The account of OpenAI is empty.")

    sibling = rig.jobs(production)[1]["id"]
    assert rig.explain(job) == "It waits for a person: The account of OpenAI is empty."
    assert rig.explain(sibling) == "It waits for a person: sing: The account of OpenAI is empty."


@pytest.mark.parametrize(("seconds", "said"), [(40, "in 40 s"), (600, "in 10 min"), (7200, "in 2 h")])
def test_a_retry_says_when_and_why(rig, production, seconds, said):
    job, attempt = rig.granted(production, "sing")
    rig.defer(job, attempt, seconds, {})
    rig.owner.execute("update public.jobs set error = 'Busy.' where id = %s", [job])

    assert rig.explain(job) == f"It runs again {said} (try 1 ended with: Busy.)."


def test_a_running_job_says_since_when(rig, production):
    job, _ = rig.granted(production, "sing")

    assert rig.explain(job) == "It has been running for 0 s (attempt 1)."


def test_a_job_whose_worker_died_says_what_happens_next(rig, production):
    job, _ = rig.granted(production, "sing")
    rig.age(job, lease_until=100)

    assert rig.explain(job) == "Its worker has stopped answering; the next sweep takes the job back."


def test_what_is_over_says_how(rig, production):
    job, attempt = rig.granted(production, "sing")
    rig.complete(job, attempt)
    other, attempt = rig.granted(production, "sing")
    rig.fail(other, attempt, "invalid_input", "The text is empty.")

    assert (rig.explain(job), rig.explain(other)) == ("It is done.", "It failed: The text is empty.")


def test_a_cancelled_job_says_so(rig, production, job):
    rig.cancel(production)

    assert rig.explain(job) == "Cancelled with its production."


def test_an_unknown_job_and_production_say_so(rig):
    nobody = "00000000-0000-0000-0000-000000000000"

    assert rig.explain(nobody) == "There is no such job."
    assert rig.explain_production(nobody) == "There is no such production."


def test_a_running_production_tells_of_its_stage_and_of_the_job_that_waits(rig, production):
    rig.complete(*rig.granted(production, "sing"))
    rig.limit(rig.production(production)["organization_id"], running=0)
    rig.claim(rig.jobs(production)[1]["id"])

    assert rig.explain_production(production) == "sing: 1 of 2 done. It waits for a place: 0 of 0 are taken."


def test_a_production_at_a_gate_says_which_and_since_when(rig, production):
    rig.finish(production)

    assert re.fullmatch(
        r"It has been waiting for approval before mix since \d{4}-\d\d-\d\d \d\d:\d\d UTC\.",
        rig.explain_production(production),
    )


def test_a_production_that_waits_for_a_person_says_what_to_do(rig, production):
    rig.fail(*rig.granted(production, "sing"), "quota", "The account is empty.")

    assert rig.explain_production(production) == "It waits for a person: sing: The account is empty. Then retry."


def test_a_failed_production_says_why_and_that_the_rest_is_kept(rig, production):
    rig.fail(*rig.granted(production, "sing"), "auth", "The key was refused.")

    assert rig.explain_production(production) == (
        "It failed: sing: The key was refused. Mend it and retry; everything that is good is kept."
    )


def test_a_cancelled_production_says_when(rig, production):
    rig.cancel(production)

    assert re.fullmatch(r"It was cancelled at \d{4}-\d\d-\d\d \d\d:\d\d UTC\.", rig.explain_production(production))


def test_a_completed_production_says_so(rig):
    production = rig.start(rig.pipeline("hum", [Stage("hum")]), hum=1)
    rig.finish(production)

    assert rig.explain_production(production) == "It is completed."
