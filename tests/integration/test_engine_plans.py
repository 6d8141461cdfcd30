"""Plans: what a transition reads stays small beside a large and untidy past."""

from __future__ import annotations

import pytest

from tests.rigs.engine import Stage

PAST = """
insert into public.jobs (
    production_id, organization_id, stage, key, status, hold, input, input_hash, output, output_hash, due_at
)
select
    %(production)s, %(organization)s, 'past', %(status)s || number, %(status)s::public.job_status,
    %(hold)s::public.job_hold, '{}', repeat('0', 64), '{}', repeat('0', 64), clock_timestamp() + interval '1 day'
from generate_series(1, %(count)s) as number
"""


@pytest.fixture
def kind(rig):
    return rig.pipeline("song", [Stage("sing")])


def past_of(production, organization, status, count, hold=None):
    return {"production": production, "organization": organization, "status": status, "hold": hold, "count": count}


@pytest.fixture
def past(rig, kind):
    """50,000 finished and 5,000 dead rows, and a fresh production of the same organization."""
    organization = rig.organization(running=5)
    old = rig.start(kind, organization, sing=0)
    for status, count in (("succeeded", 50_000), ("cancelled", 5_000)):
        rig.owner.execute(PAST, past_of(old, organization, status, count))
    rig.owner.execute("delete from public.jobs where status = 'cancelled'")
    rig.owner.execute("analyze public.jobs")
    production = rig.start(kind, organization, sing=12)
    return organization, production


def plan(rig, query, *arguments):
    """Return the plan tree's text without costs, and the buffers it touched."""
    (line,) = rig.one(f"explain (analyze, buffers, format json, costs off, timing off) {query}", *arguments).values()
    node = line[0]["Plan"]
    return str(node), node["Shared Hit Blocks"] + node["Shared Read Blocks"]


def buffers(rig, query, *arguments):
    """Return the buffers a call touches once its plans are cached and its catalog rows are known."""
    rig.owner.execute("begin")
    rig.one(f"select * from {query}", *arguments)
    rig.owner.execute("rollback")
    rig.owner.execute("begin")
    _, touched = plan(rig, f"select * from {query}", *arguments)
    rig.owner.execute("rollback")
    return touched


def test_transitions_beside_a_large_past_touch_few_buffers(rig, past):
    _, production = past
    jobs = [job["id"] for job in rig.jobs(production, "sing")]
    claimed = rig.claim(jobs[0])

    claim = buffers(rig, "engine.claim(%s, 'plan', 60)", jobs[1])
    heartbeat = buffers(rig, "engine.heartbeat(%s, %s, 60, null)", jobs[0], claimed["attempt"])
    complete = buffers(rig, "engine.complete(%s, %s, '{}', 'hash')", jobs[0], claimed["attempt"])
    sweep = buffers(rig, "engine.sweep(10)")

    assert claim < 45
    assert heartbeat < 15
    assert complete < 80
    assert sweep < 35


def test_what_waits_for_a_person_is_not_read_by_the_sweeper(rig, kind):
    organization = rig.organization()
    rig.owner.execute(PAST, past_of(rig.start(kind, organization, sing=0), organization, "parked", 2_000, "attention"))
    rig.owner.execute("analyze public.jobs")

    used, touched = plan(
        rig,
        "select organization_id from public.jobs where status = 'parked' and hold in ('slot', 'budget')"
        " and organization_id > '00000000-0000-0000-0000-000000000000' order by organization_id limit 1",
    )

    assert "jobs_parked" in used
    assert touched <= 5


def test_a_freed_place_reads_a_bounded_number_of_jobs_that_wait_for_budget(rig, kind):
    organization = rig.organization(budget=5)
    production = rig.start(kind, organization, estimate=2, sing=1)
    old = rig.start(kind, organization, sing=0)
    rig.owner.execute(PAST, past_of(old, organization, "parked", 50_000, "budget"))
    rig.owner.execute("update public.jobs set estimate_gbp = 4 where status = 'parked'")
    rig.owner.execute("vacuum analyze public.jobs")
    job, attempt = rig.granted(production, "sing")
    rig.limit(organization, budget=3)

    nobody_fits = buffers(rig, "engine.complete(%s, %s, '{}', 'hash')", job, attempt)
    rig.owner.execute("update public.jobs set estimate_gbp = 1 where key = 'parked50000'")
    the_last_fits = buffers(rig, "engine.complete(%s, %s, '{}', 'hash')", job, attempt)

    assert nobody_fits < 100
    assert the_last_fits < 500


def test_heartbeats_are_heap_only(rig, kind):
    production = rig.start(kind, sing=1)
    job, attempt = rig.granted(production, "sing")
    counters = "select n_tup_hot_upd as hot, n_tup_upd as all from pg_stat_user_tables where relname = 'jobs'"
    rig.worker.execute("select pg_stat_force_next_flush()")
    rig.owner.execute("vacuum public.jobs")
    before = rig.one(counters)

    for beat in range(20):
        rig.heartbeat(job, attempt, 60, beat / 20)
    rig.worker.execute("select pg_stat_force_next_flush()")
    after = rig.one(counters)

    assert after["all"] - before["all"] == 20
    assert after["hot"] - before["hot"] >= 19
