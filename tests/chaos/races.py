"""Two transactions at the same instant, made certain by two open connections: one waits where the other has not
committed. Each race raises when its promise is broken."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from tests.chaos.overlap import overlapping, wait_until_blocked_or_done
from tests.rigs.engine import Rig, Stage

SIBLINGS = (Stage("speak"), Stage("master", after=("speak",), joins=True))
AUTHORED = (Stage("note"), Stage("write", after=("note",), joins=True, sticky=True))
JOIN = (Stage("sound"), Stage("picture"), Stage("render", after=("sound", "picture"), joins=True))


def _job_under_way(rig: Rig, production: uuid.UUID) -> uuid.UUID:
    """A job to claim of a production that is at work, as nearly all are."""
    rig.owner.execute("update public.productions set status = 'running' where id = %s", [production])
    job: uuid.UUID = rig.jobs(production)[0]["id"]
    return job


def two_claims_of_the_last_place(rig: Rig) -> None:
    organization = rig.organization(running=1)
    jobs = [_job_under_way(rig, rig.start("siblings", organization, speak=1)) for _ in range(2)]

    first, second = overlapping(rig, lambda on: rig.claim(jobs[0], on=on), lambda on: rig.claim(jobs[1], on=on))

    assert (first["outcome"], second["outcome"]) == ("granted", "parked")


def two_claims_of_the_last_money(rig: Rig) -> None:
    organization = rig.organization(running=5, budget=3)
    jobs = [_job_under_way(rig, rig.start("siblings", organization, estimate=2, speak=1)) for _ in range(2)]

    first, second = overlapping(rig, lambda on: rig.claim(jobs[0], on=on), lambda on: rig.claim(jobs[1], on=on))

    assert (first["outcome"], second["outcome"]) == ("granted", "parked")


def two_claims_of_the_last_place_at_a_provider(rig: Rig) -> None:
    rig.protect("paid", max_running=1)
    _one_of_two_organizations_starts(rig)


def two_probes_of_a_provider(rig: Rig) -> None:
    rig.protect("paid", trip_failures=1)
    rig.owner.execute("update engine.provider_limits set trips = 1, open_until = now() where provider = 'paid'")
    _one_of_two_organizations_starts(rig)


def _one_of_two_organizations_starts(rig: Rig) -> None:
    jobs = [rig.jobs(rig.start("siblings", provider="paid", speak=1))[0]["id"] for _ in range(2)]

    first, second = overlapping(rig, lambda on: rig.claim(jobs[0], on=on), lambda on: rig.claim(jobs[1], on=on))

    assert (first["outcome"], second["outcome"]) == ("granted", "parked")


def last_failure_against_a_sibling_at_the_same_provider(rig: Rig) -> None:
    """Whether it is the job's failure is known under the provider's lock, which comes after the stage's."""
    rig.protect("paid", max_running=2, trip_failures=2)
    production = rig.start("siblings", provider="paid", speak=2, master=1)
    failing, sibling = rig.granted(production, "speak"), rig.granted(production, "speak")
    rig.owner.execute("update public.jobs set fails = 2 where id = %s", [failing[0]])

    completed, failed = overlapping(
        rig, lambda on: rig.complete(*sibling, on=on), lambda on: rig.fail(*failing, "transient", on=on)
    )

    assert (completed["accepted"], failed["status"]) == (True, "failed")


def claim_that_waited_for_its_limits(rig: Rig) -> None:
    """What became of its production meanwhile is not asked: the production's lock comes before the one it holds now."""
    organization = rig.organization()
    earlier = rig.granted(rig.start("siblings", organization, speak=1, master=1), "speak")
    production = rig.start("siblings", organization, speak=1)
    job = _job_under_way(rig, production)
    one, other, person = rig.open_worker(), rig.open_worker(), rig.open_owner()
    with ThreadPoolExecutor(1) as thread:
        with person.transaction():
            with one.transaction():
                rig.complete(*earlier, on=one)
                claim = thread.submit(rig.claim, job, on=other)
                wait_until_blocked_or_done(rig, other, claim)
                rig.owner.execute(
                    "update public.productions set status = 'waiting', waiting_for = 'attention' where id = %s",
                    [production],
                )
                person.execute("select from public.productions where id = %s for no key update", [production])
            wait_until_blocked_or_done(rig, other, claim)
            waited = not claim.done()
        assert not waited and claim.result()["outcome"] == "granted"


def turns_that_cross(rig: Rig) -> None:
    """Each ends a job of its organization and goes on to one of the other's: both wait in one order."""
    productions = [rig.start("siblings", rig.organization(), speak=2, master=1) for _ in range(2)]
    running = [rig.granted(one, "speak") for one in productions]
    following = [rig.jobs(one, "speak")[1] for one in reversed(productions)]
    workers, person = [rig.open_worker() for _ in productions], rig.open_owner()
    with ThreadPoolExecutor(2) as threads:
        with person.transaction():
            for job in following:
                rig.hold_limits(person, job["organization_id"])
            turns = []
            for number, worker in enumerate(workers):
                turns.append(threads.submit(rig.turn, *running[number], following[number]["id"], on=worker))
                wait_until_blocked_or_done(rig, worker, turns[-1])
        answers = [(turn.result()["accepted"], turn.result()["outcome"]) for turn in turns]
    assert answers == [(True, "granted"), (True, "granted")]
    assert rig.violations() == {}


def turn_against_who_holds_its_next_job(rig: Rig) -> None:
    """As a cancel does: it has the job, and goes on to the limits, which the turn has."""
    production = rig.start("siblings", speak=2, master=1)
    running = rig.granted(production, "speak")
    following = rig.jobs(production, "speak")[1]
    worker, person = rig.open_worker(), rig.open_owner()
    with ThreadPoolExecutor(1) as thread:
        with person.transaction():
            person.execute("select from public.jobs where id = %s for no key update", [following["id"]])
            turn = thread.submit(rig.turn, *running, following["id"], on=worker)
            wait_until_blocked_or_done(rig, worker, turn)
            rig.hold_limits(person, following["organization_id"])
        assert (turn.result()["accepted"], turn.result()["outcome"]) == (True, "contended")


def last_siblings(rig: Rig) -> None:
    production = rig.start("siblings", speak=2, master=1)
    _both_complete(rig, [rig.granted(production, "speak"), rig.granted(production, "speak")])

    assert rig.stage(production, "master")["status"] == "running"
    assert rig.violations() == {}


def joining_stages(rig: Rig) -> None:
    production = rig.start("join", sound=1, picture=1, render=1)
    _both_complete(rig, [rig.granted(production, "sound"), rig.granted(production, "picture")])

    assert rig.stage(production, "render")["status"] == "running"
    assert rig.violations() == {}


def _both_complete(rig: Rig, granted: list[tuple[Any, int]]) -> None:
    """Together they open the next stage, once: one of the two answers has its job to send."""
    answers = overlapping(
        rig, lambda on: rig.complete(*granted[0], on=on), lambda on: rig.complete(*granted[1], on=on)
    )  # fmt: skip

    assert sorted(len(answer["next"]) for answer in answers) == [0, 1]


def completion_against_lease_expiry(rig: Rig) -> None:
    production = rig.start("siblings", speak=1, master=1)
    job, attempt = rig.granted(production, "speak")
    rig.age(job, lease_until=3600)

    completed, lost = overlapping(
        rig, lambda on: rig.complete(job, attempt, on=on), lambda on: rig.fail(job, attempt, "lost", on=on)
    )

    assert (completed["accepted"], lost["accepted"]) == (True, False)
    assert rig.job(job)["status"] == "succeeded"


def zombie_against_its_successor(rig: Rig) -> None:
    """Nothing that an attempt says after its lease has passed changes the attempt that runs now."""
    production = rig.start("siblings", speak=2, master=1)
    job, zombie = rig.granted(production, "speak")
    rig.age(job, lease_until=3600)
    rig.fail(job, zombie, "lost")
    assert rig.claim(job)["attempt"] == zombie + 1
    before = rig.job(job)

    assert rig.heartbeat(job, zombie, 9999, 0.9) == {"alive": False, "cancel": True}
    assert not rig.complete(job, zombie)["accepted"]
    assert not rig.fail(job, zombie, "transient")["accepted"]
    assert not rig.defer(job, zombie, 60, {})["accepted"]
    try:
        rig.call("fence", job, zombie)
    except psycopg.Error as error:
        assert error.sqlstate == "SR001", error
    else:
        raise AssertionError("a zombie may write domain rows")
    assert not rig.fail(job, zombie + 1, "lost")["accepted"], "its lease has not passed"
    assert rig.job(job) == before


def edited_result_against_rebuild(rig: Rig) -> None:
    """What people may have edited is made again only when it is named."""
    production = rig.start("authored", note=1, write=1)
    rig.finish(production)
    rig.edit(rig.production(production)["subject_id"], "note", "k000", "another note")
    rig.rebuild(production)

    assert rig.finish(production) == [("note", "k000")]
    assert rig.production(production)["status"] == "completed"


def claim_against_cancel(rig: Rig) -> None:
    production = rig.start("siblings", speak=1)
    job = rig.jobs(production)[0]["id"]

    overlapping(rig, lambda on: rig.call("cancel", production, on=on), lambda on: rig.claim(job, on=on))

    assert rig.production(production)["status"] == "cancelled"
    assert rig.job(job)["status"] == "cancelled"


def cancel_against_claim(rig: Rig) -> None:
    """The claim was first: the attempt learns of the cancel at its next heartbeat, and its result is not accepted."""
    production = rig.start("siblings", speak=1, master=1)
    job = rig.jobs(production)[0]["id"]

    claimed, cancelled = overlapping(
        rig, lambda on: rig.claim(job, on=on), lambda on: rig.call("cancel", production, on=on)
    )

    assert (claimed["outcome"], cancelled["cancel"]) == ("granted", True)
    assert rig.production(production)["status"] == "cancelled"
    assert rig.heartbeat(job, claimed["attempt"], 60, None) == {"alive": True, "cancel": True}
    assert not rig.complete(job, claimed["attempt"])["accepted"]
    assert rig.job(job)["status"] == "cancelled"


def two_sweepers_of_one_overdue_job(rig: Rig) -> None:
    production = rig.start("siblings", speak=3)
    for job in rig.jobs(production):
        rig.age(job["id"], due_at=3600)

    first, second = overlapping(rig, lambda on: rig.call("sweep", 2, on=on), lambda on: rig.call("sweep", 2, on=on))

    sent = [job["id"] for answer in (first, second) for job in answer["sweep"]]
    assert len(sent) == len(set(sent)) == 3
    assert [job["dispatches"] for job in rig.jobs(production)] == [1, 1, 1]


def two_sweepers_of_one_free_place(rig: Rig) -> None:
    """Both may call a parked job for the place; it has one winner, and the other waits again without having failed."""
    organization = rig.organization(running=1)
    production = rig.start("siblings", organization, speak=3)
    job = rig.granted(production, "speak", "k000")[0]
    waiting = [one["id"] for one in rig.jobs(production) if one["id"] != job]
    for one in waiting:
        assert rig.claim(one)["outcome"] == "parked"
    rig.owner.execute("update engine.organization_limits set max_running_jobs = 2 where organization_id = %s",
        [organization])  # fmt: skip

    first, second = overlapping(rig, lambda on: rig.call("sweep", 9, on=on), lambda on: rig.call("sweep", 9, on=on))

    called = [uuid.UUID(one["id"]) for answer in (first, second) for one in answer["sweep"]]
    assert len(called) == len(set(called)) >= 1
    outcomes = [rig.claim(one)["outcome"] for one in called]
    assert outcomes.count("granted") == 1
    assert [one["fails"] for one in rig.jobs(production)] == [0, 0, 0]


def two_sweepers_of_one_lost_lease(rig: Rig) -> None:
    production = rig.start("siblings", speak=1)
    job, attempt = rig.granted(production, "speak")
    rig.age(job, lease_until=3600)

    first, second = overlapping(
        rig, lambda on: rig.fail(job, attempt, "lost", on=on), lambda on: rig.fail(job, attempt, "lost", on=on)
    )

    assert (first["accepted"], second["accepted"]) == (True, True), "the second is told what the first did"
    assert rig.job(job)["fails"] == 1
    rig.age(job, due_at=60)
    swept = overlapping(rig, lambda on: rig.call("sweep", 9, on=on), lambda on: rig.call("sweep", 9, on=on))
    assert [len(answer["sweep"]) for answer in swept] == [1, 0]


def rebuild_against_late_completion(rig: Rig) -> None:
    production = rig.start("siblings", speak=2)
    job, attempt = rig.granted(production, "speak")
    rig.cancel(production)

    rebuilt, late = overlapping(
        rig, lambda on: rig.call("rebuild", production, None, True, on=on), lambda on: rig.complete(job, attempt, on=on)
    )

    assert (len(rebuilt["jobs"]), late["accepted"]) == (2, False)
    assert [one["status"] for one in rig.jobs(production)] == ["queued", "queued"]


def claim_against_a_lowered_limit(rig: Rig) -> None:
    """The claim waits for who lowers the limit, and is held against the new one."""
    organization = rig.organization(running=1)
    job = _job_under_way(rig, rig.start("siblings", organization, speak=1))
    worker, operator = rig.open_worker(), rig.open_owner()
    with ThreadPoolExecutor(1) as thread:
        with operator.transaction():
            operator.execute(
                "update engine.organization_limits set max_running_jobs = 0 where organization_id = %s", [organization]
            )
            claim = thread.submit(rig.claim, job, on=worker)
            wait_until_blocked_or_done(rig, worker, claim)
        assert claim.result()["outcome"] == "parked"


def claim_under_a_lowered_limit(rig: Rig) -> None:
    """Places in use count, whatever their numbers: a low number that is free admits nobody beyond the limit."""
    organization = rig.organization(running=3)
    production = rig.start("siblings", organization, speak=4)
    granted = [rig.granted(production, "speak") for _ in range(3)]
    rig.limit(organization, running=2)
    rig.complete(*granted[0])

    assert rig.claim(rig.jobs(production, "speak")[3]["id"])["outcome"] == "parked"
    for job, attempt in granted[1:]:
        rig.complete(job, attempt)


def place_of_a_job_without_budget(rig: Rig) -> None:
    """It goes to the next in the claim that could not use it."""
    organization = rig.organization(running=1, budget=5)
    holder = rig.granted(rig.start("siblings", organization, speak=1), "speak")
    dear, free = (
        rig.jobs(rig.start("siblings", organization, estimate=estimate, speak=1))[0]["id"] for estimate in (9, 0)
    )
    for job in (dear, free):
        rig.claim(job)
    assert rig.complete(*holder)["next"][-1]["id"] == str(dear)

    assert [sent["id"] for sent in rig.claim(dear)["next"]] == [str(free)]


def no_two_jobs_share_a_place(rig: Rig) -> None:
    """The backstop of the organization's lock: even a claim without it is refused."""
    production = rig.start("siblings", speak=2)
    rig.granted(production, "speak", "k000")

    try:
        rig.owner.execute(
            "update public.jobs set status = 'running', slot = 1, lease_until = now(), reserved_on = current_date"
            " where production_id = %s and key = 'k001'",
            [production],
        )
    except psycopg.errors.UniqueViolation:
        return
    raise AssertionError("two jobs run in one place")


RACES = (
    two_claims_of_the_last_place,
    two_claims_of_the_last_money,
    two_claims_of_the_last_place_at_a_provider,
    two_probes_of_a_provider,
    last_failure_against_a_sibling_at_the_same_provider,
    claim_that_waited_for_its_limits,
    turns_that_cross,
    turn_against_who_holds_its_next_job,
    last_siblings,
    joining_stages,
    completion_against_lease_expiry,
    zombie_against_its_successor,
    edited_result_against_rebuild,
    claim_against_cancel,
    cancel_against_claim,
    two_sweepers_of_one_overdue_job,
    two_sweepers_of_one_free_place,
    two_sweepers_of_one_lost_lease,
    rebuild_against_late_completion,
    claim_against_a_lowered_limit,
    claim_under_a_lowered_limit,
    place_of_a_job_without_budget,
    no_two_jobs_share_a_place,
)


def prepare(rig: Rig) -> None:
    rig.clean()
    rig.pipeline("siblings", SIBLINGS)
    rig.pipeline("join", JOIN)
    rig.pipeline("authored", AUTHORED)
