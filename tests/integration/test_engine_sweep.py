"""The sweeper: what was lost is sent again, what was parked is readmitted, what died is taken back."""

from __future__ import annotations

import pytest

from tests.rigs.engine import Stage


@pytest.fixture
def kind(rig):
    return rig.pipeline("song", [Stage("sing")])


def test_a_message_that_was_lost_is_sent_again_when_it_is_due(rig, kind):
    job = rig.jobs(rig.start(kind, sing=1))[0]["id"]
    before = rig.sweep()
    rig.age(job, due_at=30)

    assert (before, [sent["id"] for sent in rig.sweep()]) == ([], [str(job)])


def test_a_job_that_was_just_sent_is_not_sent_again(rig, kind):
    job = rig.jobs(rig.start(kind, sing=1))[0]["id"]
    rig.age(job, due_at=30)
    rig.sweep()

    assert rig.sweep() == []


def test_each_sending_doubles_the_time_to_the_next_up_to_ten_minutes(rig, kind):
    job = rig.jobs(rig.start(kind, sing=1))[0]["id"]
    waits = []

    for _ in range(7):
        rig.owner.execute("update public.jobs set due_at = clock_timestamp() where id = %s", [job])
        rig.sweep()
        waits.append(round(rig.one(
            "select extract(epoch from due_at - clock_timestamp()) as s from public.jobs where id = %s", job
        )["s"]))  # fmt: skip

    assert waits == [25, 50, 100, 200, 400, 600, 600]


def test_a_sweep_sends_at_most_what_it_was_asked_for_and_the_oldest_first(rig, kind):
    jobs = rig.jobs(rig.start(kind, sing=5))
    for late, job in enumerate(jobs):
        rig.age(job["id"], due_at=30 + late)

    sent = {one["id"] for one in rig.sweep(2)}

    assert sent == {str(jobs[4]["id"]), str(jobs[3]["id"])}


def overdue(rig, kind, organization, count):
    """Jobs of one production that became due ten minutes ago; returns their ids."""
    jobs = {str(job["id"]) for job in rig.jobs(rig.start(kind, organization, sing=count))}
    for job in jobs:
        rig.age(job, due_at=600 + 25)
    return jobs


def test_a_backlog_of_one_organization_does_not_keep_the_others_waiting(rig, kind):
    heavy = overdue(rig, kind, rig.organization(), 40)
    light = set()
    for _ in range(3):
        job = rig.jobs(rig.start(kind, sing=1))[0]["id"]
        rig.age(job, due_at=30)
        light.add(str(job))

    sent = {one["id"] for one in rig.sweep(10)}

    assert light <= sent
    assert len(sent & heavy) == 7, "what the light ones leave over is the heavy one's"


def test_organizations_share_a_sweep_evenly(rig, kind):
    organizations = [rig.organization() for _ in range(4)]
    for organization, count in zip(organizations, (1, 9, 20, 20), strict=True):
        overdue(rig, kind, organization, count)

    sent = [one["organization_id"] for one in rig.sweep(16)]

    assert [sent.count(str(organization)) for organization in organizations] == [1, 5, 5, 5]


def test_more_organizations_than_a_sweep_can_send_for_take_turns(rig, kind):
    for _ in range(4):
        overdue(rig, kind, rig.organization(), 20)
    light = rig.jobs(rig.start(kind, sing=1))[0]["id"]
    rig.age(light, due_at=30)

    # It is among the two of five with four chances in ten; the others alone would fill 40 sweeps.
    sent = [one["id"] for _ in range(35) for one in rig.sweep(2)]

    assert str(light) in sent


def test_organizations_that_were_parked_share_a_sweep(rig, kind):
    organizations = [rig.organization(running=0) for _ in range(3)]
    for organization in organizations:
        for job in rig.jobs(rig.start(kind, organization, sing=8)):
            rig.claim(job["id"])
        rig.limit(organization, running=8)

    readmitted = [sent["organization_id"] for sent in rig.sweep(6)]

    assert [readmitted.count(str(organization)) for organization in organizations] == [2, 2, 2]


def test_two_sweepers_at_once_do_not_send_the_same_job(rig, kind):
    jobs = rig.jobs(rig.start(kind, sing=4))
    for job in jobs:
        rig.age(job["id"], due_at=30)
    first = rig.open_worker()
    first.execute("begin")

    taken = first.execute("select engine.sweep(2) as jobs").fetchone()["jobs"]
    rest = rig.sweep(10)
    first.execute("commit")

    assert len(taken) == len(rest) == 2
    assert {one["id"] for one in taken}.isdisjoint(one["id"] for one in rest)


def test_a_sweep_does_not_wait_for_a_job_that_is_locked(rig, kind):
    job = rig.jobs(rig.start(kind, sing=1))[0]["id"]
    rig.age(job, due_at=30)
    rig.owner.execute("begin")
    rig.owner.execute("select from public.jobs where id = %s for no key update", [job])

    sent = rig.sweep()
    rig.owner.execute("commit")

    assert sent == []


def test_a_retry_that_is_not_due_is_not_sent(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=1), "sing")
    rig.fail(job, attempt, "rate_limited", retry_after=300)
    rig.age(job, due_at=200)

    assert rig.sweep() == []


def test_parked_jobs_of_every_organization_are_readmitted(rig, kind):
    organizations = [rig.organization(running=0) for _ in range(5)]
    for organization in organizations:
        for job in rig.jobs(rig.start(kind, organization, sing=3)):
            rig.claim(job["id"])
        rig.limit(organization, running=1)

    readmitted = rig.sweep()

    assert sorted(sent["organization_id"] for sent in readmitted) == sorted(map(str, organizations))


def test_a_readmitted_job_is_sent_again_when_its_message_is_lost(rig, kind):
    organization = rig.organization(running=0)
    job = rig.jobs(rig.start(kind, organization, sing=1))[0]["id"]
    rig.claim(job)
    rig.limit(organization, running=1)
    rig.sweep()
    rig.age(job, due_at=30)

    assert [sent["id"] for sent in rig.sweep()] == [str(job)]


def test_jobs_that_wait_for_a_person_are_left_alone(rig, kind):
    production = rig.start(kind, sing=3)
    rig.fail(*rig.granted(production, "sing"), "quota")

    assert rig.sweep() == []


def test_an_expired_lease_is_reported_with_its_attempt(rig, kind):
    production = rig.start(kind, sing=2)
    dead, attempt = rig.granted(production, "sing")
    rig.granted(production, "sing")
    rig.age(dead, lease_until=100)

    expired = rig.worker.execute("select * from engine.expired(10)").fetchall()

    assert expired == [{"job_id": dead, "attempt": attempt}]


def test_a_lost_job_is_queued_again_at_once(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=1), "sing")
    rig.age(job, lease_until=100)

    failed = rig.fail(job, attempt, "lost", "Its worker stopped answering.")

    assert (failed["status"], failed["retry_seconds"]) == ("queued", 0)
    assert rig.claim(job)["outcome"] == "granted"


def test_a_lost_job_is_sent_by_the_sweep_that_takes_it_back(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=1), "sing")
    rig.age(job, lease_until=100)
    rig.fail(job, attempt, "lost", "Its worker stopped answering.")

    assert [sent["id"] for sent in rig.sweep()] == [str(job)]


def test_a_lost_job_that_is_reported_twice_counts_once(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=1), "sing")
    rig.age(job, lease_until=100)
    rig.fail(job, attempt, "lost")

    rig.fail(job, attempt, "lost")

    assert rig.job(job)["fails"] == 1
