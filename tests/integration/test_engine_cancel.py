"""Cancel: at every status, twice, and while claims and completions are on their way."""

from __future__ import annotations

import psycopg
import pytest

from tests.rigs.engine import Stage
from tests.rigs.together import start, together, wait_until_blocked


@pytest.fixture
def kind(rig):
    return rig.pipeline("song", [Stage("sing"), Stage("mix", after=("sing",))])


@pytest.fixture
def production(rig, kind):
    return rig.start(kind, rig.organization(running=2), sing=4, mix=1)


def statuses(rig, production):
    return [job["status"] for job in rig.jobs(production)]


def test_a_queued_production_is_cancelled_with_all_its_jobs(rig, production):
    assert rig.cancel(production)

    row = rig.production(production)
    assert (row["status"], row["cancel_requested_at"] is not None) == ("cancelled", True)
    assert statuses(rig, production) == ["cancelled"] * 4
    assert rig.violations(at_rest=True) == {}


def test_a_running_job_is_left_to_notice(rig, production):
    job, attempt = rig.granted(production, "sing")

    rig.cancel(production)

    assert statuses(rig, production) == ["running", "cancelled", "cancelled", "cancelled"]
    assert not rig.complete(job, attempt)["accepted"]
    assert rig.violations(at_rest=True) == {}


def test_parked_jobs_are_cancelled(rig, production):
    for job in rig.jobs(production):
        rig.claim(job["id"])

    rig.cancel(production)

    assert statuses(rig, production) == ["running", "running", "cancelled", "cancelled"]


def test_a_stopped_attempt_ends_as_cancelled(rig, production):
    job, attempt = rig.granted(production, "sing")
    rig.cancel(production)

    assert rig.fail(job, attempt, "cancelled", "Stopped.")["status"] == "cancelled"
    assert rig.violations(at_rest=True) == {}


@pytest.mark.parametrize("failure", ["transient", "quota", "auth", "invalid_input", "content_refused", "lost"])
def test_an_attempt_that_fails_after_the_cancel_ends_as_cancelled(rig, production, failure):
    job, attempt = rig.granted(production, "sing")
    rig.cancel(production)
    rig.age(job, lease_until=100)

    failed = rig.fail(job, attempt, failure)

    assert (failed["status"], rig.production(production)["status"]) == ("cancelled", "cancelled")
    assert rig.violations(at_rest=True) == {}


def test_a_production_that_waits_for_a_person_can_be_cancelled(rig, production):
    rig.fail(*rig.granted(production, "sing"), "quota")

    assert rig.cancel(production)
    assert rig.production(production)["waiting_for"] is None
    assert rig.violations(at_rest=True) == {}


def test_cancelling_twice_is_once(rig, production):
    assert [rig.cancel(production), rig.cancel(production)] == [True, False]


def test_a_completed_production_cannot_be_cancelled(rig, production):
    rig.owner.execute("update engine.organization_limits set max_running_jobs = 9")
    rig.finish(production)

    assert not rig.cancel(production)
    assert rig.production(production)["status"] == "completed"


def test_a_failed_production_cannot_be_cancelled(rig, production):
    rig.fail(*rig.granted(production, "sing"), "auth")

    assert not rig.cancel(production)
    assert rig.production(production)["status"] == "failed"


def test_an_unknown_production_is_named(rig, kind):
    with pytest.raises(psycopg.errors.NoDataFound, match=r"production: 00000000-.* does not exist"):
        rig.cancel("00000000-0000-0000-0000-000000000000")


def test_nothing_opens_after_a_cancel(rig, kind):
    production = rig.start(kind, sing=1, mix=1)
    granted = rig.granted(production, "sing")
    rig.cancel(production)

    assert rig.complete(*granted)["next"] == []
    assert rig.jobs(production, "mix") == []


def test_a_job_that_a_claim_holds_this_instant_is_cancelled_when_it_is_claimed_next(rig, production):
    """The cancel does not wait for the claim, and the claim does not lose the cancel."""
    job = rig.jobs(production)[0]["id"]
    rig.owner.execute("begin")
    rig.owner.execute("select from public.jobs where id = %s for no key update", [job])

    rig.call("cancel", production)
    rig.owner.execute("commit")

    assert rig.job(job)["status"] == "queued"
    assert rig.claim(job)["outcome"] == "cancelled"
    assert rig.violations(at_rest=True) == {}


def test_a_claim_that_waits_for_a_place_does_not_outlive_a_cancel(rig, production):
    """The claim has read the production before the cancel: it is granted, and its result is not accepted."""
    organization = rig.production(production)["organization_id"]
    job = rig.jobs(production)[0]["id"]
    worker = rig.open_worker()
    rig.owner.execute("begin")
    rig.hold_limits(rig.owner, organization)
    granted = []
    claiming = start(lambda: granted.append(rig.claim(job, on=worker)))
    wait_until_blocked(rig.owner_url, worker)

    cancelling = start(lambda: rig.cancel(production))
    rig.owner.execute("commit")
    claiming.join()
    cancelling.join()

    assert granted[0]["outcome"] == "granted"
    assert not rig.complete(job, granted[0]["attempt"])["accepted"]
    assert rig.violations(at_rest=True) == {}


@pytest.mark.parametrize("round_", range(4))
def test_a_cancel_and_the_last_completion_at_the_same_instant_agree(rig, kind, round_):
    production = rig.start(kind, sing=1, mix=1)
    granted = rig.granted(production, "sing")
    worker = rig.open_worker()

    together([lambda: rig.cancel(production), lambda: rig.complete(*granted, on=worker)["accepted"]])
    rig.finish(production)

    assert rig.production(production)["status"] == "cancelled"
    assert rig.violations(at_rest=True) == {}


@pytest.mark.parametrize("failure", ["quota", "auth"])
def test_a_failure_that_parks_and_a_cancel_at_the_same_instant_leave_nothing_parked(rig, kind, failure):
    """The failing attempt has read the production before the cancel, and parks its job after it."""
    production = rig.start(kind, sing=2, mix=1)
    job, attempt = rig.granted(production, "sing")
    worker, canceller = rig.open_worker(), rig.open_worker()
    rig.owner.execute("begin")
    rig.owner.execute("select from public.production_stages where production_id = %s for no key update", [production])
    cancelling = start(lambda: rig.call("cancel", production, on=canceller))
    wait_until_blocked(rig.owner_url, canceller)
    failing = start(lambda: rig.fail(job, attempt, failure, on=worker))
    wait_until_blocked(rig.owner_url, worker)

    rig.owner.execute("commit")
    cancelling.join()
    failing.join()

    assert rig.production(production)["status"] == "cancelled"
    assert statuses(rig, production) == ["cancelled", "cancelled"]
    assert rig.violations(at_rest=True) == {}
