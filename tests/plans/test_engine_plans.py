"""What a transition reads stays small beside a large and untidy past. Bounds are about twice what was counted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rigs import past
from tests.rigs.reads import reads

HASH = "0" * 64
WAITS_FOR_A_PLACE = past.id_of("o", 101)
WAITS_FOR_BUDGET = past.id_of("o", 131)

COMPLETE = f"select * from engine.complete(%s, %s, '{{\"words\": 900}}', '{HASH}')"

# A row per provider and a dozen per kind: reading the whole table is what the planner should do.
SETTINGS = {"pipelines", "provider_limits"}


def first_job(owner, production, stage) -> Any:
    found = owner.execute(
        "select id from public.jobs where (production_id, stage) = (%s, %s) order by key limit 1", [production, stage]
    )
    return found.fetchone()["id"]


def claim(owner, job) -> int:
    claimed = owner.execute("select outcome, attempt from engine.claim(%s, 'plan', 60)", [job]).fetchone()
    assert claimed["outcome"] == "granted"
    return claimed["attempt"]


def complete(owner, production, stage) -> None:
    job = first_job(owner, production, stage)
    owner.execute(COMPLETE.encode(), [job, claim(owner, job)])


@pytest.fixture
def script(owner, organization, production):
    """The production when its script of 40 lines is written, and one job is left of that stage: (job, attempt)."""
    complete(owner, production, "ingest_sources")
    complete(owner, production, "write_outline")
    job = first_job(owner, production, "write_script")
    attempt = claim(owner, job)
    owner.execute(
        "insert into public.blocks (organization_id, episode_id, position, speaker, markdown)"
        " select %s, subject_id, line, 'Ada', 'A line.' from public.productions, generate_series(1, 40) as line"
        " where productions.id = %s",
        [organization, production],
    )
    return job, attempt


@pytest.fixture
def lines(owner, production, script):
    """Jobs of 40 lines, none of them claimed."""
    owner.execute(COMPLETE.encode(), script)
    return [
        row["id"]
        for row in owner.execute(
            "select id from public.jobs where (production_id, stage) = (%s, 'speak_line') order by key", [production]
        )
    ]


def running_job(owner, organization) -> tuple[Any, int]:
    row = owner.execute(
        "select id, attempt from public.jobs where organization_id = %s and status = 'running' limit 1", [organization]
    ).fetchone()
    return row["id"], row["attempt"]


def test_the_past_is_as_large_as_it_says(owner):
    counted = owner.execute("select status::text, count(*) as jobs from public.jobs group by status").fetchall()
    # What analyze says of dead rows is an estimate from a sample; what was written is counted.
    died = owner.execute(
        "select n_tup_upd + n_tup_del as versions, n_dead_tup as estimate, last_autovacuum is null as kept"
        " from pg_stat_user_tables where relname = 'jobs'"
    ).fetchone()

    jobs = {row["status"]: row["jobs"] for row in counted}
    assert jobs["succeeded"] >= 1_000_000
    assert jobs["parked"] == 50_000
    assert died["versions"] >= 3 * (past.Size().dead // 3)
    assert died["estimate"] >= 40_000
    assert died["kept"]


def test_a_job_is_found_by_its_id(owner, production):
    job = first_job(owner, production, "ingest_sources")

    found = reads(owner, "select * from public.jobs where id = %s for no key update", job)

    assert found.buffers < 15
    assert found.rows == {"jobs": 1}


def test_a_claim_reads_its_job_and_what_runs(owner, lines):
    for job in lines[:5]:
        claim(owner, job)

    found = reads(owner, "select * from engine.claim(%s, 'plan', 60)", lines[5])

    assert found.buffers < 150
    # Itself twice (to lock it, to change it) and the five that run.
    assert found.rows["jobs"] <= 2 + 5 + 1
    assert found.scanned <= SETTINGS


def test_a_turn_reads_its_two_jobs_and_what_runs(owner, lines):
    attempts = [claim(owner, job) for job in lines[:5]]

    found = reads(
        owner,
        f"select * from engine.complete_and_claim(%s, %s, '{{}}', '{HASH}', '[]', %s, 'plan', 60)",
        lines[0],
        attempts[0],
        lines[5],
    )

    assert found.buffers < 250
    assert found.rows["jobs"] <= 2 + 2 + 5
    assert found.scanned <= SETTINGS


def test_a_heartbeat_reads_its_job(owner, lines):
    attempt = claim(owner, lines[0])

    found = reads(owner, "select * from engine.heartbeat(%s, %s, 60, 0.5)", lines[0], attempt)

    assert found.buffers < 40
    assert found.rows["jobs"] == 1


def test_a_completion_reads_its_job_its_stage_and_its_production(owner, lines):
    attempt = claim(owner, lines[0])

    found = reads(owner, COMPLETE, lines[0], attempt)

    assert found.buffers < 180
    assert found.rows["jobs"] <= 4
    assert found.rows["production_stages"] <= 10
    assert found.scanned <= SETTINGS


def test_the_completion_that_opens_a_stage_reads_what_it_opens(owner, script):
    found = reads(owner, COMPLETE, *script)

    # 40 jobs are inserted, each into the table, two indexes of all jobs and one of those that are queued.
    assert found.buffers < 40 * 50
    assert found.rows["jobs"] <= 10
    assert found.rows["blocks"] <= 80
    assert found.scanned <= SETTINGS | {"provider_prices", "voices"}


@pytest.mark.parametrize("kind", ["transient", "invalid_input", "lost"])
def test_a_failure_reads_its_job_its_stage_and_its_production(owner, lines, kind):
    attempt = claim(owner, lines[0])
    owner.execute("update public.jobs set lease_until = now() - interval '1 hour' where id = %s", [lines[0]])

    found = reads(owner, "select * from engine.fail(%s, %s, %s, 'It broke.')", lines[0], attempt, kind)

    assert found.buffers < 180
    assert found.rows["jobs"] <= 4
    assert found.scanned <= SETTINGS


def test_a_place_is_handed_on_without_reading_all_that_wait_for_one(owner):
    job, attempt = running_job(owner, WAITS_FOR_A_PLACE)

    found = reads(owner, COMPLETE, job, attempt)

    assert found.buffers < 200
    # The 19 that still run are counted; of the 1,000 that wait, one is read.
    assert found.rows["jobs"] <= 19 + 6


def test_a_place_is_not_handed_on_by_reading_all_that_wait_for_budget(owner):
    job, attempt = running_job(owner, WAITS_FOR_BUDGET)

    found = reads(owner, COMPLETE, job, attempt)

    assert found.buffers < 200
    # The four that still run are counted, and added up for what they reserve.
    assert found.rows["jobs"] <= 2 * 4 + 6


@pytest.fixture
def backlog(owner):
    """5,000 overdue jobs of one organization, and ten of ten others."""
    owner.execute(
        """
        insert into public.jobs (production_id, organization_id, stage, key, due_at, input, input_hash)
        select past.production_id, past.organization_id, 'backlog', n::text, now() - interval '1 minute', '{}', %s
        from generate_series(1, 5010) as n
        cross join lateral (
            select productions.id as production_id, productions.organization_id
            from public.productions
            where productions.organization_id = md5('o' || case when n > 5000 then n - 4800 else 200 end)::uuid
            order by productions.created_at
            limit 1
        ) as past
        """,
        [HASH],
    )


@pytest.mark.parametrize("batch", [10, 100])
def test_a_sweep_reads_in_proportion_to_its_batch(owner, backlog, batch):
    found = reads(owner, "select engine.sweep(%s)", batch)

    # Each job that is sent is locked and changed. Organizations whose parked jobs it looks at, at most four for each
    # job of the batch and forty in all, have at most 20 jobs running.
    visited = min(4 * batch, 40)
    assert found.rows["jobs"] <= 5 * batch + visited * (20 + 3)
    assert found.buffers < 60 * batch + 60 * visited
    assert "jobs" not in found.scanned


def test_a_sweep_locks_no_organization_that_has_no_room(owner, production):
    owner.execute("select engine.sweep(500)")

    locked = owner.execute(
        "select count(*) as locks from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
    ).fetchone()

    assert locked["locks"] == 0


def test_what_waits_for_a_person_is_not_read_by_the_sweeper(owner):
    found = reads(owner, "select * from engine.organizations_with_parked_jobs(gen_random_uuid(), 1000)")

    # 30 organizations wait for a place and ten for budget; the ten that wait for a person are not visited.
    assert found.rows["jobs"] <= 40 + 2


def test_the_search_for_lost_leases_reads_what_runs(owner):
    running = owner.execute("select count(*) as jobs from public.jobs where status = 'running'").fetchone()["jobs"]

    found = reads(owner, "select * from engine.expired(500)")

    assert found.rows["jobs"] <= running
    assert found.buffers < 3 * running
