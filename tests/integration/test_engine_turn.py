"""One round trip that ends a job and starts the next: what both answer, and for whom it waits."""

from __future__ import annotations

import pytest

from tests.rigs.engine import Stage
from tests.rigs.together import start, wait_until_blocked

CALL = {
    "provider": "paid", "model": "m", "input_tokens": 0, "output_tokens": 0, "characters": 0, "seconds": 0,
    "images": 2, "measured": True,
}  # fmt: skip


@pytest.fixture
def kind(rig):
    rig.price("paid", "image", 1)
    return rig.pipeline("song", [Stage("sing"), Stage("mix", after=("sing",))])


@pytest.fixture
def two(rig, kind):
    """A job that runs and its queued sibling: (job, attempt), sibling."""
    production = rig.start(kind, estimate=1, sing=2, mix=1)
    return rig.granted(production, "sing"), rig.jobs(production, "sing")[1]["id"]


def test_a_turn_ends_one_job_and_starts_the_next(rig, two):
    running, following = two

    turn = rig.turn(*running, following, usage=[CALL])

    claimed = rig.job(following)
    assert (turn["accepted"], turn["outcome"], turn["attempt"]) == (True, "granted", 1)
    assert (turn["input"], turn["input_hash"], turn["key"]) == (
        claimed["input"], claimed["input_hash"], claimed["key"],
    )  # fmt: skip
    assert (rig.job(running[0])["status"], claimed["status"], claimed["owner"]) == ("succeeded", "running", "rig")
    assert rig.day(claimed["organization_id"])["total_cost_gbp"] == 2
    assert rig.violations() == {}


def test_a_turn_answers_what_a_completion_and_a_claim_answer(rig, kind):
    def ended(separately):
        production = rig.start(kind, estimate=1, sing=2, mix=1)
        running, following = rig.granted(production, "sing"), rig.jobs(production, "sing")[1]["id"]
        answer = rig.complete(*running) | rig.claim(following) if separately else rig.turn(*running, following)
        ids = ("production_id", "organization_id", "subject_id")
        assert [answer[name] for name in ids] == [
            rig.production(production)[name.replace("production_", "")] for name in ids
        ]
        return {name: value for name, value in answer.items() if name not in ids}

    assert ended(separately=False) == ended(separately=True)


def test_the_jobs_to_send_of_both_come_back(rig, kind):
    """The last of a stage opens the next; the place that the following job has no budget for goes to another."""
    organization = rig.organization(running=2, budget=5)
    production = rig.start(kind, organization, sing=1, mix=1)
    running = rig.granted(production, "sing")
    subject = rig.subject(sing=["cheap"])
    rig.add(subject, "sing", ["dear"], estimate=9)
    other = rig.submit(organization, kind, subject)["production_id"]
    rig.granted(other, "sing", "cheap")
    dear = rig.jobs(other, "sing")[1]["id"]
    waiting = rig.jobs(rig.start(kind, organization, sing=1))[0]["id"]
    assert rig.claim(waiting)["outcome"] == "parked"

    turn = rig.turn(*running, dear)

    assert (turn["accepted"], turn["outcome"]) == (True, "parked")
    assert {sent["id"] for sent in turn["next"]} == {str(rig.jobs(production, "mix")[0]["id"]), str(waiting)}


def test_the_place_that_is_left_is_the_one_that_is_taken(rig, kind):
    organization = rig.organization(running=1)
    production = rig.start(kind, organization, sing=3)
    running = rig.granted(production, "sing")

    for following in [job["id"] for job in rig.jobs(production, "sing")[1:]]:
        turn = rig.turn(*running, following)
        assert (turn["accepted"], turn["outcome"]) == (True, "granted")
        assert rig.job(following)["slot"] == 1
        running = (following, turn["attempt"])


def test_a_zombies_turn_is_not_accepted_and_its_next_job_runs(rig, two):
    (job, attempt), following = two
    rig.age(job, lease_until=3600)
    rig.fail(job, attempt, "lost")

    turn = rig.turn(job, attempt, following, usage=[CALL])

    assert (turn["accepted"], turn["outcome"]) == (False, "granted")
    assert rig.job(job)["status"] == "queued"
    assert rig.violations() == {}


def test_a_turn_that_is_repeated_changes_nothing(rig, two):
    running, following = two
    rig.turn(*running, following, usage=[CALL])
    before = rig.job(following)

    again = rig.turn(*running, following, usage=[CALL])

    assert (again["accepted"], again["outcome"], again["next"]) == (True, "contended", [])
    assert rig.job(following) == before
    assert rig.day(before["organization_id"])["calls"] == 1


@pytest.mark.parametrize("status", ["running", "parked", "succeeded", "deferred", "first of its production", "missing"])
def test_a_job_that_is_not_simply_next_is_left_alone(rig, kind, two, status):
    (job, attempt), following = two
    if status == "parked":
        rig.owner.execute("update public.jobs set status = 'parked', hold = 'attention' where id = %s", [following])
    elif status == "first of its production":
        following = rig.jobs(rig.start(kind, sing=1))[0]["id"]
    elif status == "missing":
        following = job.__class__(int=0)
    else:
        granted = rig.claim(following)["attempt"]
        if status == "succeeded":
            rig.complete(following, granted)
        elif status == "deferred":
            rig.defer(following, granted, 60, {})
    before = rig.owner.execute("select * from public.jobs where id = %s", [following]).fetchall()

    turn = rig.turn(job, attempt, following)

    assert (turn["accepted"], turn["outcome"]) == (True, "contended")
    assert rig.owner.execute("select * from public.jobs where id = %s", [following]).fetchall() == before


@pytest.mark.parametrize(
    "held",
    [
        "select from public.jobs where id = %(following)s for no key update",
        "select from engine.provider_limits where provider = 'paid' for no key update",
    ],
    ids=["job", "provider"],
)
def test_a_turn_does_not_wait_for_what_another_holds(rig, kind, held):
    rig.protect("paid", max_running=5)
    running = rig.granted(rig.start(kind, sing=1), "sing")
    production = rig.start(kind, provider="paid", sing=2)
    rig.granted(production, "sing")
    following = rig.jobs(production, "sing")[1]
    other = rig.open_owner()

    with other.transaction():
        other.execute(held.encode(), {"following": following["id"]})
        rig.worker.execute("set lock_timeout = '5s'")
        turn = rig.turn(*running, following["id"])
        rig.worker.execute("reset lock_timeout")

    assert (turn["accepted"], turn["outcome"]) == (True, "contended")
    assert rig.job(running[0])["status"] == "succeeded"
    assert rig.claim(following["id"])["outcome"] == "granted"


def test_a_turn_waits_for_the_limits_of_the_next_organization(rig, kind):
    """Its claim then sees what the other did: here it took the last place."""
    running = rig.granted(rig.start(kind, sing=1), "sing")
    organization = rig.organization(running=1)
    following, of_another = (rig.start(kind, organization, sing=1) for _ in range(2))
    for production in (following, of_another):
        rig.owner.execute("update public.productions set status = 'running' where id = %s", [production])
    following = rig.jobs(following)[0]["id"]
    worker, other = rig.open_worker(), rig.open_worker()
    turns = []

    with other.transaction():
        assert rig.claim(rig.jobs(of_another)[0]["id"], on=other)["outcome"] == "granted"
        turning = start(lambda: turns.append(rig.turn(*running, following, on=worker)))
        wait_until_blocked(rig.owner_url, worker)
    turning.join()

    assert [(turn["accepted"], turn["outcome"]) for turn in turns] == [(True, "parked")]
    assert rig.job(following)["hold"] == "slot"
    assert rig.violations() == {}


def test_the_places_of_a_provider_hold_for_turns(rig, kind):
    rig.protect("paid", max_running=1)
    production = rig.start(kind, provider="paid", sing=3)
    running = rig.granted(production, "sing")
    following = rig.jobs(production, "sing")[1]["id"]

    turn = rig.turn(*running, following)

    assert turn["outcome"] == "granted"
    assert rig.claim(rig.jobs(production, "sing")[2]["id"])["outcome"] == "parked"


def test_a_turn_in_a_cancelled_production_keeps_no_result(rig, kind, two):
    (job, attempt), _ = two
    rig.cancel(rig.job(job)["production_id"])
    other = rig.start(kind, sing=2)
    rig.granted(other, "sing")

    turn = rig.turn(job, attempt, rig.jobs(other, "sing")[1]["id"])

    assert (turn["accepted"], turn["outcome"]) == (False, "granted")
    assert (rig.job(job)["status"], rig.job(job)["output"]) == ("cancelled", None)
    assert rig.violations() == {}
