"""A job whose process has ended is taken up again at once, not when its lease has passed."""

from __future__ import annotations

import pytest

from local.leases import end_leases, jobs_of
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


def test_a_database_that_is_gone_is_no_error() -> None:
    assert end_leases("postgresql://nobody@127.0.0.1:1/none", ["4a"]) == 0


def test_only_wake_ups_name_jobs() -> None:
    records = [{"body": '{"job_id": "4a"}'}, {"body": "{"}, {"body": "[]"}, {"body": '{"x": 1}'}]

    assert jobs_of(records) == ["4a"]
