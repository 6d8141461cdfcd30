"""Claim: one answer for each state a job can be in, and a lease that only time or its holder ends."""

from __future__ import annotations

import uuid

import pytest

from tests.rigs.engine import Stage


@pytest.fixture
def kind(rig):
    return rig.pipeline("song", [Stage("sing")])


def test_a_queued_job_is_granted_with_its_whole_input(rig, kind):
    organization, subject = rig.organization(), rig.subject(sing=["a"])
    production = rig.submit(organization, kind, subject)["production_id"]
    job = rig.jobs(production)[0]

    claim = rig.claim(job["id"])

    assert claim == {
        "outcome": "granted",
        "wait_seconds": 0,
        "attempt": 1,
        "production_id": production,
        "organization_id": organization,
        "subject_id": subject,
        "stage": "sing",
        "key": "a",
        "input": {"text": "text of a", "upstream": None},
        "input_hash": job["input_hash"],
        "state": None,
        "next": [],
    }


def test_a_grant_takes_a_slot_and_a_lease_and_starts_the_production(rig, kind):
    production = rig.start(kind, sing=1)

    job, _ = rig.granted(production, "sing")

    row = rig.job(job)
    assert (row["status"], row["slot"], row["owner"]) == ("running", 1, "rig")
    assert 55 < (row["lease_until"] - row["started_at"]).total_seconds() <= 60
    assert rig.production(production)["status"] == "running"
    assert rig.production(production)["started_at"] is not None


def test_a_job_under_lease_is_not_granted_twice(rig, kind):
    job, _ = rig.granted(rig.start(kind, sing=1), "sing")

    claim = rig.claim(job)

    assert claim["outcome"] == "leased"
    assert 0 < claim["wait_seconds"] <= 60


def test_an_expired_lease_is_the_sweepers_to_end_not_a_claims(rig, kind):
    job, _ = rig.granted(rig.start(kind, sing=1), "sing")
    rig.age(job, lease_until=120)

    assert rig.claim(job)["outcome"] == "leased"


def test_a_job_before_its_time_says_how_long_to_wait(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=1), "sing")
    rig.defer(job, attempt, 300, {})

    claim = rig.claim(job)

    assert claim["outcome"] == "not_due"
    assert 290 < claim["wait_seconds"] <= 300


def test_a_job_whose_time_has_come_is_granted(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=1), "sing")
    rig.defer(job, attempt, 300, {"ticket": 7})
    rig.age(job, not_before=301)

    claim = rig.claim(job)

    assert (claim["outcome"], claim["attempt"], claim["state"]) == ("granted", 2, {"ticket": 7})


def test_a_job_without_a_place_is_parked(rig, kind):
    production = rig.start(kind, rig.organization(running=1), sing=2)
    rig.granted(production, "sing", "k000")
    waiting = rig.jobs(production)[1]["id"]

    outcomes = [rig.claim(waiting)["outcome"] for _ in range(2)]

    assert outcomes == ["parked", "parked"]
    assert rig.job(waiting)["hold"] == "slot"


def test_a_job_without_budget_is_parked(rig, kind):
    production = rig.start(kind, rig.organization(budget=1), estimate=2, sing=1)
    job = rig.jobs(production)[0]["id"]

    assert rig.claim(job)["outcome"] == "parked"
    assert rig.job(job)["hold"] == "budget"


def test_a_succeeded_job_is_terminal(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=2), "sing")
    rig.complete(job, attempt)

    assert rig.claim(job)["outcome"] == "terminal"


def test_a_failed_job_is_terminal(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=2), "sing")
    rig.fail(job, attempt, "invalid_input")

    assert rig.claim(job)["outcome"] == "terminal"


def test_a_job_of_a_cancelled_production_is_cancelled(rig, kind):
    production = rig.start(kind, sing=1)
    rig.cancel(production)

    assert rig.claim(rig.jobs(production)[0]["id"])["outcome"] == "cancelled"


def test_an_unknown_job_is_missing(rig, kind):
    assert rig.claim(uuid.uuid4())["outcome"] == "missing"


def test_a_message_delivered_twenty_times_is_granted_once(rig, kind):
    job = rig.jobs(rig.start(kind, sing=1))[0]["id"]

    outcomes = [rig.claim(job)["outcome"] for _ in range(20)]

    assert outcomes == ["granted"] + ["leased"] * 19


def test_a_heartbeat_prolongs_the_lease_and_notes_progress(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=1), "sing")
    before = rig.job(job)["lease_until"]

    pulse = rig.heartbeat(job, attempt, 600.0, 0.5)

    assert pulse == {"alive": True, "cancel": False}
    assert (rig.job(job)["lease_until"] - before).total_seconds() > 500
    assert rig.job(job)["progress"] == 0.5


def test_a_heartbeat_without_progress_keeps_what_was_noted(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=1), "sing")
    rig.heartbeat(job, attempt, 60.0, 0.5)

    rig.heartbeat(job, attempt, 60.0, None)

    assert rig.job(job)["progress"] == 0.5


def test_a_zombies_heartbeat_is_told_to_stop(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=1), "sing")
    lease = rig.job(job)["lease_until"]

    pulse = rig.heartbeat(job, attempt - 1, 600.0, 0.5)

    assert pulse == {"alive": False, "cancel": True}
    assert rig.job(job)["lease_until"] == lease


def test_a_heartbeat_of_an_unknown_job_is_told_to_stop(rig, kind):
    assert rig.heartbeat(uuid.uuid4(), 1, 60.0, None) == {"alive": False, "cancel": True}


def test_a_heartbeat_learns_that_the_production_is_cancelled(rig, kind):
    production = rig.start(kind, sing=1)
    job, attempt = rig.granted(production, "sing")
    rig.cancel(production)

    assert rig.heartbeat(job, attempt, 60.0, None) == {"alive": True, "cancel": True}


def test_a_deferral_gives_the_place_back_and_counts_no_failure(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=1), "sing")

    deferred = rig.defer(job, attempt, 30, {"ticket": 7})

    row = rig.job(job)
    assert deferred["accepted"]
    assert (row["status"], row["slot"], row["fails"], row["state"]) == ("queued", None, 0, {"ticket": 7})
    assert [(sent["id"], sent["delay"]) for sent in deferred["next"]] == [(str(job), 30)]


def test_a_zombies_deferral_changes_nothing(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=1), "sing")
    rig.fail(job, attempt, "rate_limited", retry_after=1)
    rig.age(job, not_before=10)
    rig.claim(job)

    deferred = rig.defer(job, attempt, 30, {"ticket": 7})

    assert (deferred["accepted"], deferred["next"]) == (False, [])
    assert (rig.job(job)["status"], rig.job(job)["state"]) == ("running", None)


def test_a_deferral_that_no_queue_can_hold_is_the_sweepers(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=1), "sing")
    rig.defer(job, attempt, 3600, {})
    rig.age(job, due_at=3600, not_before=3600)

    assert [sent["id"] for sent in rig.sweep()] == [str(job)]
