"""What must be true after any trouble: each with an id, a sentence, and a query that returns the rows which break it.

`WITNESSES` are tables and triggers that write down what happened while it happened, for what rows alone forget.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.rigs.engine import ALWAYS, AT_REST, Connection

WITNESSES = """
create table rig.effects (job_id uuid, build integer, attempt integer, current integer);
create table rig.openings (production_id uuid, stage text, build integer);
create table rig.falls (production_id uuid, build integer, before integer, after integer);
create table rig.early (job_id uuid, stage text);
create table rig.over_budget (job_id uuid, spent numeric, reserved numeric, budget numeric);
create table rig.over_limit (job_id uuid, running integer, allowed integer);
create table rig.over_provider (job_id uuid, provider text, running integer, started integer, what text);
create table rig.unjust (job_id uuid, provider text, kind public.error_kind);
create table rig.starts (provider text, started_at timestamptz);
create table rig.paid (job_id uuid, attempt integer, calls integer);
grant insert on rig.effects to showrunner_worker;

create function rig.note_progress() returns trigger language plpgsql security definer as $$
begin
    if new.build = old.build and new.progress < old.progress then
        insert into rig.falls values (new.id, new.build, old.progress, new.progress);
    end if;
    return null;
end $$;
create trigger witness after update on public.productions for each row execute function rig.note_progress();

create function rig.note_opening() returns trigger language plpgsql security definer as $$
begin
    insert into rig.openings values (new.production_id, new.stage, new.opened_build);
    return null;
end $$;
create trigger witness after update of opened_build on public.production_stages
    for each row execute function rig.note_opening();

create function rig.note_start() returns trigger language plpgsql security definer as $$
begin
    insert into rig.early
    select new.id, new.stage
    from public.productions
    join engine.pipelines on pipelines.kind = productions.kind and pipelines.stage = new.stage
    join public.production_stages as before
        on before.production_id = productions.id and before.stage = any (pipelines.after)
    where productions.id = new.production_id and before.status <> 'done' and productions.status <> 'cancelled';

    insert into rig.over_budget
    select new.id, counted.spent, counted.reserved, limits.daily_budget_gbp
    from engine.organization_limits as limits
    cross join lateral (
        select
            coalesce((
                select usage.total_cost_gbp from public.token_usage_daily as usage
                where (usage.organization_id, usage.day) = (new.organization_id, new.reserved_on)
            ), 0) as spent,
            (
                select sum(jobs.estimate_gbp) from public.jobs
                where jobs.organization_id = new.organization_id
                  and jobs.status = 'running' and jobs.reserved_on = new.reserved_on
            ) as reserved
    ) as counted
    where limits.organization_id = new.organization_id
      and new.estimate_gbp > 0
      and counted.spent + counted.reserved > limits.daily_budget_gbp;

    insert into rig.over_limit
    select new.id, counted.running, limits.max_running_jobs
    from engine.organization_limits as limits
    cross join lateral (
        select count(*) as running
        from public.jobs
        where jobs.organization_id = new.organization_id and jobs.status = 'running'
    ) as counted
    where limits.organization_id = new.organization_id and counted.running > limits.max_running_jobs;
    return null;
end $$;

-- Of a job whose provider is protected; the claim holds the provider's row.
create function rig.note_start_at_provider() returns trigger language plpgsql security definer as $$
begin
    insert into rig.starts values (new.provider, new.started_at);
    insert into rig.over_provider
    select new.id, new.provider, counted.running, started.in_a_minute, case
        when counted.running > limits.max_running then 'running'
        when started.in_a_minute > limits.per_minute then 'per minute'
        when counted.probing > limits.probes and limits.trips > 0 then 'probes'
        else 'protected'
    end
    from engine.provider_limits as limits
    cross join lateral (
        select count(*) as running, count(*) filter (where jobs.started_at >= limits.open_until) as probing
        from public.jobs
        where jobs.provider = new.provider and jobs.status = 'running'
    ) as counted
    cross join lateral (
        select count(*) as in_a_minute
        from rig.starts
        where starts.provider = new.provider and starts.started_at > new.started_at - interval '60 seconds'
    ) as started
    where limits.provider = new.provider
      and (counted.running > limits.max_running
           or started.in_a_minute > limits.per_minute
           or (limits.trips > 0 and counted.probing > limits.probes)
           or greatest(limits.open_until, limits.not_before) > new.started_at);
    return null;
end $$;
create trigger witness after update on public.jobs
    for each row when (new.status = 'running' and old.status = 'queued')
    execute function rig.note_start();

create function rig.note_failure() returns trigger language plpgsql security definer as $$
begin
    insert into rig.unjust
    select new.id, new.provider, new.error_kind
    from engine.provider_limits as limits
    where limits.provider = new.provider
      and limits.trips > 0
      -- With its production cancelled, nothing is counted against it any more.
      and new.status <> 'cancelled'
      and new.error_kind = any (limits.trip_kinds)
      and new.queued_at > now() - interval '1 day';
    return null;
end $$;
create trigger witness_of_failure after update on public.jobs
    for each row when (new.fails > old.fails and new.provider is not null)
    execute function rig.note_failure();
create trigger witness_at_provider after update on public.jobs
    for each row when (new.status = 'running' and old.status = 'queued' and new.provider is not null)
    execute function rig.note_start_at_provider();
"""


@dataclass(frozen=True)
class Invariant:
    id: str
    sentence: str
    query: str


def _numbered(*pairs: tuple[str, str]) -> tuple[Invariant, ...]:
    return tuple(Invariant(f"I{number}", *pair) for number, pair in enumerate(pairs, start=1))


INVARIANTS = _numbered(
    ("every production is terminal", AT_REST["every production is terminal"]),
    ("a finished production has no open job", AT_REST["a finished production has no open job"]),
    ("a completed production has only done stages", AT_REST["a completed production has only done stages"]),
    ("the barriers' counters equal the rows", ALWAYS["counters equal the rows"]),
    (
        "a stage opens once per build",
        "select production_id, stage, build from rig.openings group by 1, 2, 3 having count(*) > 1",
    ),
    ("no job runs before its predecessors", "select * from rig.early"),
    (
        "a job has one accepted effect per build",
        "select job_id, build from rig.effects group by 1, 2 having count(*) > 1",
    ),
    (
        "an accepted outcome is the current attempt's, and its effect is there",
        """
        select job_id, attempt from rig.effects where attempt <> current
        union all
        select id, attempt
        from public.jobs
        where status = 'succeeded'
          and ((output ->> 'attempt')::integer <> attempt
               or (output ->> 'effect')::boolean <> exists (
                   select from rig.effects where (effects.job_id, effects.attempt) = (jobs.id, jobs.attempt)
               ))
        """,
    ),
    ("no claim goes above the organization's limit", "select * from rig.over_limit"),
    ("no claim goes above the day's budget", "select * from rig.over_budget"),
    ("spent is the sum of usage", ALWAYS["spent is the sum of usage"]),
    (
        "every provider call is counted once",
        """
        select paid.job_id, paid.attempt, paid.calls, counted.calls as counted
        from (select job_id, attempt, max(calls) as calls from rig.paid group by 1, 2) as paid
        full join (
            select job_id, attempt, count(*) as calls from public.usage_events group by 1, 2
        ) as counted using (job_id, attempt)
        where paid.calls is distinct from counted.calls
        """,
    ),
    ("nothing is reserved at rest", AT_REST["nothing is reserved"]),
    ("progress never falls within a build", "select * from rig.falls"),
)

# Of what no query of this database can tell; the run says how often.
UNEXPECTED = Invariant("I15", "no call is refused for a reason the engine does not promise", "")
DEADLOCKS = Invariant("I16", "Postgres breaks no deadlock", "")

# Later ones keep the ids of those before.
PROVIDERS = (
    Invariant(
        "I17", "no claim goes above its provider's limits, or past its breaker", "select * from rig.over_provider"
    ),
    Invariant("I18", "nothing waits for a provider at rest", "select id from public.jobs where hold = 'provider'"),
    Invariant(
        "I19", "no failure of a provider whose breaker is not closed counts as a job's", "select * from rig.unjust"
    ),
)
QUERIES = (*INVARIANTS, *PROVIDERS)
ALL = (*INVARIANTS, UNEXPECTED, DEADLOCKS, *PROVIDERS)


def broken(owner: Connection) -> dict[str, int]:
    """How many rows break each invariant that is a query."""
    return {one.id: len(owner.execute(one.query.encode()).fetchall()) for one in QUERIES}
