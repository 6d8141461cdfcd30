"""The fence: whatever a zombie does, only the current attempt's outcome counts, once."""

from __future__ import annotations

import psycopg
import pytest

from showrunner.database import Database, Statement
from showrunner.engine import Engine
from showrunner.usage import ProviderCall
from tests.rigs.engine import Stage

SPOKEN = ProviderCall("espeak", "ada", characters=10)


@pytest.fixture
def kind(rig):
    return rig.pipeline("song", [Stage("sing"), Stage("mix", after=("sing",), joins=True)])


@pytest.fixture
def engine(rig):
    database = Database(rig.login_url, "showrunner_worker")
    yield Engine(database)
    database.close()


@pytest.fixture
def zombie(rig, kind):
    """(job, attempt of the zombie, attempt that runs now)"""
    job, attempt = rig.granted(rig.start(kind, sing=2, mix=1), "sing")
    rig.age(job, lease_until=120)
    rig.fail(job, attempt, "lost")
    return job, attempt, rig.claim(job)["attempt"]


def result_of(job, attempt):
    return Statement("insert into rig.results (job_id, attempt) values (%s, %s)", (job, attempt))


def results(rig):
    return [row["attempt"] for row in rig.owner.execute("select attempt from rig.results").fetchall()]


def test_the_attempt_only_ever_grows(rig, zombie):
    _, dead, alive = zombie

    assert (dead, alive) == (1, 2)


def test_a_zombies_completion_changes_nothing(rig, zombie):
    job, dead, alive = zombie

    finished = rig.complete(job, dead)

    assert finished == {"accepted": False, "next": []}
    assert (rig.job(job)["status"], rig.job(job)["attempt"], rig.job(job)["output"]) == ("running", alive, None)


def test_a_zombies_failure_changes_nothing(rig, zombie):
    job, dead, alive = zombie

    failed = rig.fail(job, dead, "invalid_input")

    assert not failed["accepted"]
    assert (rig.job(job)["status"], rig.job(job)["attempt"]) == ("running", alive)


def test_a_zombies_domain_rows_are_rolled_back(rig, zombie, engine):
    job, dead, _ = zombie

    finish = engine.complete(job, dead, {}, "0" * 64, [], [result_of(job, dead)])

    assert not finish.accepted
    assert results(rig) == []


def test_a_zombies_usage_is_counted(rig, zombie, engine):
    job, dead, _ = zombie

    engine.complete(job, dead, {}, "0" * 64, [SPOKEN], [result_of(job, dead)])

    counted = rig.owner.execute("select job_id, attempt, characters from public.usage_events").fetchall()
    assert counted == [{"job_id": job, "attempt": dead, "characters": 10}]


def test_a_zombie_that_finishes_after_its_successor_changes_nothing(rig, zombie, engine):
    job, dead, alive = zombie
    engine.complete(job, alive, {"by": "the living"}, "1" * 64, [], [result_of(job, alive)])

    finish = engine.complete(job, dead, {"by": "the dead"}, "0" * 64, [], [result_of(job, dead)])

    assert not finish.accepted
    assert rig.job(job)["output"] == {"by": "the living"}
    assert results(rig) == [alive]


def test_domain_rows_are_written_with_the_completion(rig, kind, engine):
    job, attempt = rig.granted(rig.start(kind, sing=1, mix=1), "sing")

    finish = engine.complete(job, attempt, {}, "0" * 64, [], [result_of(job, attempt)])

    assert finish.accepted
    assert results(rig) == [attempt]
    assert [sent.stage for sent in finish.next] == ["mix"]


def test_a_failing_domain_statement_leaves_the_job_running(rig, kind, engine):
    job, attempt = rig.granted(rig.start(kind, sing=1, mix=1), "sing")

    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        engine.complete(job, attempt, {}, "0" * 64, [], [Statement("select 'x'::int")])

    assert rig.job(job)["status"] == "running"


def test_a_commit_whose_reply_was_lost_is_accepted_again_and_counts_once(rig, kind, engine):
    production = rig.start(kind, sing=1, mix=1)
    job, attempt = rig.granted(production, "sing")
    engine.complete(job, attempt, {}, "0" * 64, [SPOKEN], [result_of(job, attempt)])

    again = engine.complete(job, attempt, {}, "0" * 64, [SPOKEN], [result_of(job, attempt)])

    assert (again.accepted, again.next) == (True, ())
    assert results(rig) == [attempt]
    assert len(rig.jobs(production, "mix")) == 1
    assert rig.one("select count(*) as calls from public.usage_events")["calls"] == 1


def test_a_completion_without_domain_rows_may_be_repeated_too(rig, kind, engine):
    job, attempt = rig.granted(rig.start(kind, sing=2, mix=1), "sing")
    engine.complete(job, attempt, {}, "0" * 64, [])

    assert engine.complete(job, attempt, {}, "0" * 64, []).accepted
    assert rig.violations() == {}


def test_a_failure_whose_reply_was_lost_is_accepted_again_and_counts_once(rig, kind, engine):
    job, attempt = rig.granted(rig.start(kind, sing=2, mix=1), "sing")
    rig.fail(job, attempt, "transient")

    again = rig.fail(job, attempt, "transient")

    assert again["accepted"]
    assert rig.job(job)["fails"] == 1


def test_a_deferral_whose_reply_was_lost_is_accepted_again(rig, kind):
    job, attempt = rig.granted(rig.start(kind, sing=2, mix=1), "sing")
    rig.defer(job, attempt, 30, {"ticket": 7})

    assert rig.defer(job, attempt, 30, {"ticket": 7})["accepted"]


def test_a_completion_of_a_cancelled_production_is_not_accepted_and_writes_nothing(rig, kind, engine):
    production = rig.start(kind, sing=2, mix=1)
    job, attempt = rig.granted(production, "sing")
    rig.cancel(production)

    finish = engine.complete(job, attempt, {}, "0" * 64, [SPOKEN], [result_of(job, attempt)])

    assert not finish.accepted
    assert results(rig) == []
    assert (rig.job(job)["status"], rig.job(job)["output"]) == ("cancelled", None)
    assert rig.one("select count(*) as calls from public.usage_events")["calls"] == 1


def test_a_worker_cannot_write_the_engines_rows_itself(rig, kind):
    rig.start(kind, sing=1)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rig.worker.execute("update public.jobs set status = 'succeeded'")
