"""Many workers of many organizations at one provider: its limits hold, no place stays empty, a trip burns nothing."""

from __future__ import annotations

import random
import threading

import pytest

from showrunner.database import Database
from showrunner.engine import Engine
from showrunner.errors import ErrorKind
from tests.rigs.engine import Stage
from tests.rigs.invariants import WITNESSES

WORKERS = 12
STEPS = 60
OVER = "select * from rig.over_provider"
LATER = (
    "update engine.provider_limits set open_until = clock_timestamp(), next_try_at = clock_timestamp() where trips > 0"
)


@pytest.fixture
def kind(rig):
    rig.owner.execute(WITNESSES)
    return rig.pipeline("song", [Stage("sing", max_fails=2)])


@pytest.fixture
def jobs(rig, kind):
    """Twenty of each of three organizations, all at one provider."""
    for _ in range(3):
        rig.start(kind, rig.organization(running=30), provider="paid", sing=20)
    return [row["id"] for row in rig.owner.execute("select id from public.jobs order by key, id").fetchall()]


class Crowd:
    """Workers that take what is ready from one list, as queues would hand it out."""

    def __init__(self, rig, jobs, chance_of_failure=0.0, ends=1.0):
        self.rig = rig
        self.ready = list(jobs)
        self.chance_of_failure = chance_of_failure
        self.ends = ends
        self.granted = 0
        self.retried = []
        self.errors = []
        self.lock = threading.Lock()

    def run(self, steps=STEPS):
        threads = [threading.Thread(target=self._work, args=(number, steps)) for number in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert self.errors == []

    def _work(self, number, steps):
        rng = random.Random(number)
        database = Database(self.rig.login_url, "showrunner_worker")
        engine = Engine(database)
        try:
            for _ in range(steps):
                with self.lock:
                    job = self.ready.pop(0) if self.ready else None
                if job is not None:
                    self._handle(engine, rng, job)
        except Exception as error:
            self.errors.append(error)
        finally:
            database.close()

    def _handle(self, engine, rng, job):
        claim = engine.claim(job, "crowd", 60)
        sent = list(claim.next)
        if claim.outcome == "granted":
            with self.lock:
                self.granted += 1
            if rng.random() < self.chance_of_failure:
                finish = engine.fail(job, claim.attempt, ErrorKind.TRANSIENT, "It broke.")
                if finish.retry_seconds is not None:
                    self.retried.append(job)
                sent += finish.next
            elif rng.random() < self.ends:
                sent += engine.complete(job, claim.attempt, {}, "0" * 64, ()).next
        with self.lock:
            self.ready += [one.id for one in sent if one.delay == 0]


def count(rig, condition):
    return rig.one(f"select count(*) as n from public.jobs where {condition}")["n"]


def test_a_crowd_never_runs_more_than_the_provider_allows_and_everything_is_done(rig, jobs):
    rig.protect("paid", max_running=3)
    crowd = Crowd(rig, jobs)

    crowd.run()
    while crowd.ready or (sent := rig.sweep()):
        crowd.ready += [] if crowd.ready else [one["id"] for one in sent]
        crowd.run()

    assert rig.owner.execute(OVER).fetchall() == []
    assert count(rig, "status = 'succeeded'") == len(jobs)
    assert rig.violations(at_rest=True) == {}


def test_a_crowd_that_never_ends_its_jobs_fills_every_place_and_no_more(rig, jobs):
    rig.protect("paid", max_running=7)

    Crowd(rig, jobs, ends=0).run()

    assert rig.owner.execute(OVER).fetchall() == []
    assert count(rig, "status = 'running'") == 7


def test_a_crowd_starts_as_many_in_a_minute_as_the_provider_allows_and_no_more(rig, jobs):
    rig.protect("paid", per_minute=10_000)
    rig.owner.execute(
        "update engine.provider_limits set starts = '{9975}', starts_at = clock_timestamp() + interval '1 hour'"
        " where provider = 'paid'"
    )
    crowd = Crowd(rig, jobs)

    crowd.run()

    assert crowd.granted == 25
    assert count(rig, "status = 'queued' and not_before > clock_timestamp()") == 1, "one is told when to come"
    assert count(rig, "hold = 'provider'") == len(jobs) - 26


@pytest.mark.parametrize("probes", [1, 3])
def test_an_outage_burns_no_attempts_and_all_is_done_when_it_is_over(rig, jobs, probes):
    rig.protect("paid", trip_failures=4, cool_down_seconds=600, probes=probes)
    crowd = Crowd(rig, jobs, chance_of_failure=1)
    crowd.run()
    for _ in range(5):
        rig.owner.execute(LATER)
        rig.owner.execute("update public.jobs set not_before = clock_timestamp() where not_before is not null")
        crowd.ready += [*crowd.retried, *(one["id"] for one in rig.sweep())]
        crowd.retried = []
        crowd.run()

    failed = count(rig, "fails > 0")
    started = rig.one("select sum(attempt) as n from public.jobs")["n"]

    assert count(rig, "status = 'failed'") == 0
    assert failed == 3, "those before the one that tripped it"
    assert started <= WORKERS + 4 + 5 * probes
    assert rig.protection("paid")["trips"] > 1
    assert rig.owner.execute(OVER).fetchall() == []

    crowd.chance_of_failure = 0
    for _ in range(8):
        rig.owner.execute(LATER)
        rig.owner.execute("update public.jobs set not_before = clock_timestamp() where not_before is not null")
        crowd.ready += [*crowd.retried, *(one["id"] for one in rig.sweep())]
        crowd.retried = []
        crowd.run()
    assert count(rig, "status = 'succeeded'") == len(jobs)
    assert rig.protection("paid")["trips"] == 0
