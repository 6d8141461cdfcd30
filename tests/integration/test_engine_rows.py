"""What a row of jobs costs to change, and that it kept what it held when its columns moved."""

from __future__ import annotations

import secrets

import psycopg
import pytest
from psycopg.types.json import Jsonb

from local import migrations
from tests.rigs.engine import Rig, Stage

BEFORE_THE_MOVE = "20261121000820"


@pytest.fixture
def kind(rig: Rig) -> str:
    return rig.pipeline("song", (Stage("sing"),))


def written_ahead(rig: Rig, call: str, *arguments: object) -> int:
    """Bytes of write-ahead log of one call, page images aside (the tests' server writes none)."""
    (row,) = rig.worker.execute(f"explain (analyze, wal, format json) {call}".encode(), arguments).fetchall()
    return int(row["QUERY PLAN"][0]["Plan"]["WAL Bytes"])


def logged_by_a_job(rig: Rig, kind: str, text: str) -> list[int]:
    """What a claim and a completion write ahead for a job whose input has this text."""
    subject = rig.subject(sing=["verse"])
    rig.edit(subject, "sing", "verse", text)
    rig.submit(rig.organization(), kind, subject)
    (job,) = rig.one("select array_agg(id) as ids from public.jobs where status = 'queued'")["ids"]
    claimed = written_ahead(rig, "select * from engine.claim(%s, 'rig', 60)", job)
    return [
        claimed,
        written_ahead(rig, "select * from engine.complete(%s, 1, %s, %s)", job, Jsonb({"by": "rig"}), "0" * 64),
    ]


def test_what_a_transition_logs_does_not_grow_with_the_jobs_input(rig, kind):
    short = logged_by_a_job(rig, kind, "la")

    long = logged_by_a_job(rig, kind, secrets.token_hex(750))

    assert all(abs(one - other) < 200 for one, other in zip(short, long, strict=True)), (short, long)


def test_jobs_that_were_there_keep_their_input_when_its_column_moves(empty_database):
    url = empty_database.owner_url
    migrations.migrate(url, to_version=BEFORE_THE_MOVE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("insert into public.organizations (name) values ('Early')")
        connection.execute("insert into engine.pipelines (kind, stage, position) values ('song', 'sing', 1)")
        connection.execute(
            "select engine.submit(organizations.id, 'song', gen_random_uuid(), 'early', null) from organizations"
        )
        query = "select id, input, input_hash from public.jobs order by id"
        before = connection.execute(query).fetchall()

        migrations.migrate(url)

        assert before
        assert connection.execute(query).fetchall() == before
        definition = "select pg_get_viewdef('engine.desired_master_episode'::regclass)"
        assert "jobs.input -> 'voice'" in connection.execute(definition).fetchone()[0]


NO_PLACE = "slot = null, lease_until = null, reserved_on = null"


@pytest.mark.parametrize("change", [
    "slot = null", "lease_until = null", "reserved_on = null", "status = 'queued'", "hold = 'slot'",
    f"status = 'parked', {NO_PLACE}", f"status = 'queued', hold = 'budget', {NO_PLACE}",
    f"status = 'succeeded', {NO_PLACE}, output_hash = repeat('0', 64)",
    f"status = 'succeeded', {NO_PLACE}, output = '{{}}'",
    "progress = 1.01", "progress = -0.01", "estimate_gbp = -1", "input_hash = 'short'",
])  # fmt: skip
def test_a_job_is_never_half_of_two_states(rig, kind, change):
    job, _ = rig.granted(rig.start(kind, sing=1), "sing")

    with pytest.raises(psycopg.errors.CheckViolation, match="jobs_are_consistent"):
        rig.owner.execute(f"update public.jobs set {change} where id = %s".encode(), [job])


@pytest.mark.parametrize("count", ["total", "remaining", "failed"])
def test_a_stage_counts_nothing_below_zero(rig, kind, count):
    production = rig.start(kind, sing=1)

    with pytest.raises(psycopg.errors.CheckViolation, match="counts_are_not_negative"):
        rig.owner.execute(
            f"update public.production_stages set {count} = -1 where production_id = %s".encode(), [production]
        )
