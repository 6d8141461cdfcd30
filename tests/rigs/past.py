"""A large past: organizations that have long been at work, so that plans can be judged by what they read.

Rows are written as a superuser with triggers and foreign keys off, set by set, and hold all the same. Ids are the MD5
of a letter and a number, so that rows can name each other without a look-up. Organization 1 is large (a tenth of
everything, and its owner belongs to two others); the rest are alike.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

# One production's jobs: the episode line, with its lines of speech.
STAGES = ("ingest_sources", "write_outline", "write_script", "speak_line", "master_episode", "publish_episode")
LARGE = 1
TYPICAL = 2
HASH = "repeat('0', 64)"
# Filling an index at the end takes half as long.
FILLED = ("public.jobs", "public.productions", "public.production_stages", "public.episodes", "public.blocks")


@dataclass(frozen=True)
class Size:
    """How many rows there are; `jobs` and `blocks` are per production and per episode.

    Every so many'th production, `detailed`, has stages, lines, files and highlights.
    """

    organizations: int = 1_000
    productions: int = 20_000
    jobs: int = 50
    blocks: int = 10
    parked: int = 50_000
    dead: int = 50_000
    detailed: int = 1

    @property
    def finished(self) -> int:
        return self.productions * self.jobs


def id_of(letter: str, number: int) -> UUID:
    """The id of a row: organizations (and their owners) `o`, shows `s`, episodes `e`, productions `p`."""
    return UUID(hashlib.md5(f"{letter}{number}".encode()).hexdigest())


# A tenth of all productions are the large organization's; every other organization has about as many as the next.
PRODUCTIONS = """
create temporary table past as
select
    number,
    md5('p' || number)::uuid as production_id,
    md5('e' || number)::uuid as episode_id,
    md5('s' || owner)::uuid as project_id,
    md5('o' || owner)::uuid as organization_id,
    now() - interval '90 days' + number * interval '90 days' / {productions} as made_at
from generate_series(1, {productions}) as number
cross join lateral (
    select case when number % 10 = 0 then 1 else 2 + number % ({organizations} - 1) end as owner
) as owner
"""

TENANTS = (
    """
insert into auth.users (id, email)
select md5('o' || n)::uuid, n || '@example.com' from generate_series(1, {organizations}) n
""",
    """
insert into public.users (id, display_name)
select md5('o' || n)::uuid, 'User ' || n from generate_series(1, {organizations}) n
""",
    """
insert into public.organizations (id, name, tier, personal_user_id)
select md5('o' || n)::uuid, 'Organization ' || n, 'pro', md5('o' || n)::uuid from generate_series(1, {organizations}) n
""",
    """
insert into public.organization_members (organization_id, user_id, role)
select md5('o' || n)::uuid, md5('o' || n)::uuid, 'owner'::public.member_role from generate_series(1, {organizations}) n
union all
select md5('o' || n)::uuid, md5('o1')::uuid, 'editor' from generate_series(3, 4) n
""",
    """
insert into private.memberships (user_id, organization_id, role)
select user_id, organization_id, role from public.organization_members
""",
    """
insert into engine.organization_limits (organization_id, max_running_jobs, daily_budget_gbp)
select md5('o' || n)::uuid, 20, 50 from generate_series(1, {organizations}) n
""",
    """
insert into public.projects (id, organization_id, name, cadence_config, cadence_set_at)
select
    md5('s' || n)::uuid, md5('o' || n)::uuid, 'Show ' || n,
    '{{"days": ["mon", "tue", "wed", "thu", "fri"], "time": "07:30", "time_zone": "Europe/London"}}',
    now() - interval '60 days'
from generate_series(1, {organizations}) n
""",
)

LINE = (
    PRODUCTIONS,
    """
insert into public.episodes (
    id, organization_id, project_id, number, title, target_minutes, status, published_at,
    generation_status, generation_progress, generation_job_id, created_at
)
select
    episode_id, organization_id, project_id, number, 'Episode ' || number, 10, 'published', made_at,
    'completed', 100, production_id, made_at
from past
""",
    """
insert into public.productions (
    id, organization_id, kind, subject_id, status, current_stage, progress, idempotency_key, created_at, started_at,
    finished_at
)
select
    production_id, organization_id, 'episode', episode_id, 'completed', 'publish_episode', 100, 'past ' || number,
    made_at, made_at, made_at + interval '1 minute'
from past
""",
    """
insert into public.production_stages (
    production_id, stage, organization_id, position, status, total, opened_build, started_at, finished_at
)
select past.production_id, stage.name, past.organization_id, stage.position, 'done', 1, 1, past.made_at, past.made_at
from past
cross join unnest({stages}) with ordinality as stage (name, position)
where number / 10 % {detailed} = 0
""",
    """
insert into public.jobs (
    production_id, organization_id, stage, key, status, attempt, queued_at, due_at, input, input_hash, output,
    output_hash, started_at, finished_at
)
select
    past.production_id, past.organization_id,
    case
        when job <= 3 then ({stages})[job]
        when job <= {jobs} - 2 then 'speak_line'
        else ({stages})[6 + job - {jobs}]
    end,
    case when job between 4 and {jobs} - 2 then 'line ' || job else '' end,
    'succeeded', 1, past.made_at, past.made_at, '{{"text": "A line of the past."}}', {hash}, '{{}}', {hash},
    past.made_at, past.made_at
from past
cross join generate_series(1, {jobs}) as job
""",
    """
insert into public.blocks (organization_id, episode_id, position, speaker, markdown)
select organization_id, episode_id, position, 'Ada', 'A line of the past that somebody spoke aloud.'
from past
cross join generate_series(0, {blocks} - 1) as position
where number / 10 % {detailed} = 0
""",
    """
insert into public.assets (organization_id, production_id, kind, key, content_type, bytes, sha256, created_at)
select
    organization_id, production_id, kind, 'organizations/' || organization_id || '/' || kind || '/' || production_id,
    'audio/mpeg', 1000, {hash}, made_at
from past
cross join unnest(array['episode', 'transcript']) as kind
where number / 10 % {detailed} = 0
""",
    """
insert into public.highlights (organization_id, episode_id, user_id, quote, created_at)
select organization_id, episode_id, organization_id, 'A passage.', made_at
from past
where number / 10 % (2 * {detailed}) = 0
""",
    """
insert into public.usage_events (
    job_id, attempt, call_number, organization_id, production_id, stage, provider, model, cost_gbp, measured, created_at
)
select production_id, 1, 1, organization_id, production_id, 'write_script', 'openai', 'gpt', 0.01, true, made_at
from past
""",
    """
insert into public.episode_schedule_queue (
    organization_id, project_id, scheduled_for, status, episode_id, production_id, processed_at
)
select organization_id, project_id, made_at, 'completed', episode_id, production_id, made_at
from past
""",
)

# The productions that are at work now: one per parked job's organization, each at its limit of running jobs.
AT_WORK = (
    """
create temporary table at_work as
select
    n as number,
    md5('w' || n)::uuid as production_id,
    md5('x' || n)::uuid as subject_id,
    md5('o' || n)::uuid as organization_id
from generate_series(101, 150) as n
""",
    """
insert into public.productions (id, organization_id, kind, subject_id, status)
select production_id, organization_id, 'episode', subject_id, 'running' from at_work
""",
    """
insert into public.production_stages (
    production_id, stage, organization_id, position, status, total, remaining, opened_build
)
select production_id, 'speak_line', organization_id, 4, 'running', 20 + {parked} / 50, 20 + {parked} / 50, 1
from at_work
""",
    # Passed through every index of open jobs, and left dead entries there: queued, then parked, then running.
    """
insert into public.jobs (production_id, organization_id, stage, key, status, due_at, input, input_hash)
select
    past.production_id, past.organization_id, 'left', n::text, 'queued', now() - interval '1 hour', '{{}}', {hash}
from past
cross join generate_series(1, greatest(1, {dead} / 3 / {productions} + 1)) as n
limit {dead} / 3
""",
    "update public.jobs set status = 'parked', hold = 'slot' where stage = 'left'",
    """
update public.jobs
set status = 'running', hold = null, slot = turn.slot, lease_until = now() - interval '1 hour',
    reserved_on = current_date
from (
    select id, 30 + row_number() over (partition by organization_id) as slot from public.jobs where stage = 'left'
) as turn
where jobs.id = turn.id
""",
    "delete from public.jobs where stage = 'left'",
    """
insert into public.jobs (
    production_id, organization_id, stage, key, status, slot, lease_until, reserved_on, attempt, input, input_hash
)
select
    production_id, organization_id, 'speak_line', 'running ' || slot, 'running', slot, now() + interval '1 hour',
    current_date, 1, '{{}}', {hash}
from at_work
cross join generate_series(1, 20) as slot
""",
    # Of the organizations that wait, 30 wait for a place, 10 for budget, and 10 for a person.
    """
insert into public.jobs (
    production_id, organization_id, stage, key, status, hold, due_at, queued_at, estimate_gbp, input, input_hash
)
select
    production_id, organization_id, 'speak_line', 'parked ' || job, 'parked',
    case when number <= 130 then 'slot' when number <= 140 then 'budget' else 'attention' end::public.job_hold,
    now() - interval '1 hour', now() - interval '1 hour', case when number between 131 and 140 then 60 else 0 end,
    '{{}}', {hash}
from at_work
cross join generate_series(1, {parked} / 50) as job
""",
    # Budget, not places, is what these lack.
    """
update public.jobs
set status = 'succeeded', slot = null, lease_until = null, reserved_on = null, output = '{{}}', output_hash = {hash}
from at_work
where at_work.number between 131 and 140
  and jobs.organization_id = at_work.organization_id
  and jobs.status = 'running'
  and jobs.slot > 5
""",
)


def build(connection: psycopg.Connection[Any], size: Size) -> None:
    """Fill a migrated, empty database. `connection` is a superuser's, in autocommit mode."""
    words = {
        "organizations": size.organizations,
        "productions": size.productions,
        "jobs": size.jobs,
        "blocks": size.blocks,
        "parked": size.parked,
        "dead": size.dead,
        "detailed": size.detailed,
        "hash": HASH,
        "stages": f"array[{', '.join(repr(stage) for stage in STAGES)}]",
    }
    connection.execute("set session_replication_role = replica")
    connection.execute("set synchronous_commit = off")
    without = [index for table in FILLED for index in _drop_indexes(connection, table)]
    for statement in (*TENANTS, *LINE):
        connection.execute(statement.format(**words).encode())
    for statement in without:
        connection.execute(statement.encode())
    connection.execute("vacuum (analyze)")
    # What dies from here on stays, as between two runs of autovacuum.
    connection.execute("alter table public.jobs set (autovacuum_enabled = false)")
    for statement in AT_WORK:
        connection.execute(statement.format(**words).encode())
    connection.execute("analyze public.jobs, public.productions, public.production_stages")
    connection.execute("reset session_replication_role")


def _drop_indexes(connection: psycopg.Connection[Any], table: str) -> list[str]:
    """Take away a table's indexes that no foreign key needs, while it is filled; returns what makes them again."""
    rows = connection.execute(
        """
        select
            case
                when own.oid is null then format('drop index %%s', indexrelid::regclass)
                else format('alter table %%s drop constraint %%I', indrelid::regclass, own.conname)
            end,
            case
                when own.oid is null then pg_get_indexdef(indexrelid)
                else format(
                    'alter table %%s add constraint %%I %%s',
                    indrelid::regclass, own.conname, pg_get_constraintdef(own.oid)
                )
            end
        from pg_index
        left join pg_constraint as own on own.conindid = indexrelid and own.conrelid = indrelid
        where indrelid = %s::regclass
          and not exists (select from pg_constraint as other where other.conindid = indexrelid and other.contype = 'f')
        """,
        [table],
    ).fetchall()
    for drop, _ in rows:
        connection.execute(drop.encode())
    return [create for _, create in rows]
