"""A job whose process has ended or whose message was lost is taken up at once, not when its time has passed."""

from __future__ import annotations

import pytest

from local.recovery import end_leases, jobs_of, wake_queued
from tests.rigs.engine import Rig, Stage


@pytest.fixture
def running(rig: Rig) -> list[str]:
    """Two jobs that run under leases."""
    rig.pipeline("song", [Stage("sing")])
    production = rig.start("song", sing=2)
    return [str(rig.granted(production, "sing")[0]), str(rig.granted(production, "sing")[0])]


def lost(rig: Rig) -> set[str]:
    """The jobs whose lease has passed."""
    rows = rig.owner.execute("select id from public.jobs where status = 'running' and lease_until <= clock_timestamp()")
    return {str(row["id"]) for row in rows.fetchall()}


def test_the_lease_of_a_named_job_ends(rig: Rig, running: list[str]) -> None:
    ended = end_leases(rig.owner_url, running[:1])

    assert ended == 1
    assert lost(rig) == {running[0]}


def test_all_leases_end_when_nothing_can_run(rig: Rig, running: list[str]) -> None:
    ended = end_leases(rig.owner_url)

    assert ended == 2
    assert lost(rig) == set(running)


def test_a_job_whose_message_was_lost_is_due_and_one_that_waits_for_a_reason_is_not(rig: Rig) -> None:
    rig.pipeline("song", [Stage("sing")])
    sent, waiting = (job["id"] for job in rig.jobs(rig.start("song", sing=2), "sing"))
    rig.owner.execute("update public.jobs set due_at = clock_timestamp() + interval '1 hour' where id = %s", [waiting])

    woken = wake_queued(rig.owner_url)

    due = rig.owner.execute("select id from public.jobs where due_at <= clock_timestamp()").fetchall()
    assert woken == 1
    assert [row["id"] for row in due] == [sent]


def test_after_a_crash_the_jobs_of_the_same_production_are_due(rig: Rig) -> None:
    rig.pipeline("song", [Stage("sing")])
    crashed, sibling = (job["id"] for job in rig.jobs(rig.start("song", sing=2), "sing"))
    rig.start("song", sing=1)

    wake_queued(rig.owner_url, [str(crashed)])

    due = rig.owner.execute("select id from public.jobs where due_at <= clock_timestamp()").fetchall()
    assert {row["id"] for row in due} == {crashed, sibling}


def test_a_database_that_is_gone_is_no_error() -> None:
    assert end_leases("postgresql://nobody@127.0.0.1:1/none", ["4a"]) == 0


def test_only_wake_ups_name_jobs() -> None:
    records = [{"body": '{"job_id": "4a"}'}, {"body": "{"}, {"body": "[]"}, {"body": '{"x": 1}'}]

    assert jobs_of(records) == ["4a"]
