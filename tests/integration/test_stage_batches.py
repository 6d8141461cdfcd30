"""A stage function with several messages in hand: the next job is claimed as the one before it ends."""

from __future__ import annotations

import json

import pytest

from showrunner import errors
from showrunner.database import Statement
from showrunner.stage import Outcome
from tests.rigs.singer import SingOutput, sing


@pytest.fixture
def choir(singer):
    """A production of four jobs of `sing`, at work; the messages that wake them."""
    production = singer.rig.start("song", sing=4, mix=1)
    singer.rig.owner.execute("update public.productions set status = 'running' where id = %s", [production])
    return [json.dumps({"job_id": str(job["id"])}) for job in singer.rig.jobs(production, "sing")]


def statuses(singer, bodies):
    return [singer.rig.job(json.loads(body)["job_id"])["status"] for body in bodies]


def test_each_job_of_a_batch_but_the_first_is_claimed_as_the_one_before_it_ends(singer, choir):
    assert singer.receive(sing, *choir) == []

    assert statuses(singer, choir) == ["succeeded"] * 4
    assert (singer.runs, singer.services.database.round_trips) == (4, 5)
    assert [stage for stage, _ in singer.sent] == ["mix"]


def test_the_rows_of_each_job_of_a_batch_are_written(singer, choir):
    def run(job, services):
        return Outcome(
            SingOutput(sung=""),
            [Statement("insert into rig.results (job_id, attempt) values (%s, %s)", (job.id, job.attempt))],
        )

    singer.receive(run, *choir)

    assert singer.rig.one("select count(*), count(distinct job_id) as jobs from rig.results") == {"count": 4, "jobs": 4}
    assert singer.services.database.round_trips == 5


def test_a_batch_goes_on_behind_a_job_that_fails_and_one_that_is_done(singer, choir):
    singer.receive(sing, choir[2])
    singer.runs = 0

    def run(job, services):
        if job.key == "k001":
            raise errors.InvalidInput("It cannot be sung.")
        return sing(job, services)

    singer.receive(run, *choir)

    assert statuses(singer, choir) == ["succeeded", "failed", "succeeded", "succeeded"]
    assert singer.runs == 3


def test_a_message_that_comes_twice_in_a_batch_runs_once(singer, choir):
    singer.receive(sing, choir[0], choir[0], "not json", choir[1], choir[1])

    assert statuses(singer, choir[:2]) == ["succeeded"] * 2
    assert singer.runs == 2


def test_a_job_of_a_batch_that_another_holds_is_left_to_it(singer, choir):
    job = json.loads(choir[1])["job_id"]

    def run(job_, services):
        if job_.key == "k000":
            singer.rig.claim(job)
        return sing(job_, services)

    singer.receive(run, *choir)

    assert statuses(singer, choir) == ["succeeded", "running", "succeeded", "succeeded"]


def test_a_zombie_in_a_batch_writes_nothing_and_the_next_job_runs(singer, choir):
    def run(job, services):
        if job.key == "k000":
            singer.rig.age(job.id, lease_until=3600)
            singer.rig.fail(job.id, job.attempt, "lost")
        return Outcome(
            SingOutput(sung=""),
            [Statement("insert into rig.results (job_id, attempt) values (%s, %s)", (job.id, job.attempt))],
        )

    singer.receive(run, *choir[:2])

    assert statuses(singer, choir[:2]) == ["queued", "succeeded"]
    assert singer.rig.one("select count(*) from rig.results")["count"] == 1


def test_a_batch_that_runs_out_of_time_claims_nothing_ahead(singer, choir, monkeypatch):
    def run(job, services):
        monkeypatch.setattr("showrunner.stage.FINISH_SECONDS", 1_000.0)
        return sing(job, services)

    singer.receive(run, *choir[:2])

    assert statuses(singer, choir[:2]) == ["succeeded", "queued"]
