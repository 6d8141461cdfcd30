-- The engine's rows. A production is a build: `jobs` is reconciled with what its pipeline's views desire.
--
-- Every transition is a function of schema `engine` (the next three migrations); nobody else writes these tables.
-- Lock order everywhere: jobs by id, production_stages by position, productions, engine.organization_limits,
-- token_usage_daily; any further job only with `skip locked`. Never `for update` on a parent: a child's foreign
-- key check would wait for it, and deadlock.

create type public.production_status as enum (
    'queued',     -- accepted, no job has been picked up yet
    'running',
    'waiting',    -- for a person: an approval, or attention to a provider account
    'completed',
    'failed',     -- every good job is kept; rebuild runs the rest
    'cancelled'
);

create type public.waiting_reason as enum (
    'approval',   -- a gate stage waits for approve_production
    'attention'   -- a provider account needs a person; rebuild goes on
);

create type public.stage_status as enum (
    'pending',    -- its predecessors are not done
    'waiting',    -- its predecessors are done, its gate is closed
    'running',    -- its jobs exist
    'done',
    'failed'
);

create type public.job_status as enum (
    'queued',
    'running',
    'succeeded',
    'failed',
    'cancelled',  -- with its production, or retired because nothing desires it any more
    'parked'      -- may not run now; `hold` says why
);

create type public.job_hold as enum (
    'slot',       -- the organization runs as many jobs as its limit
    'budget',     -- the organization's budget of the day is spent or reserved
    'provider',   -- the provider is protected for a while
    'attention'   -- a person has to act first
);

-- The same words as showrunner.errors.ErrorKind.
create type public.error_kind as enum (
    'rate_limited', 'transient', 'bad_output', 'invalid_input', 'content_refused', 'quota', 'auth', 'sunset',
    'internal',   -- a bug: the function raised something it should not
    'lost',       -- the attempt's lease passed: crashed, killed or timed out
    'cancelled'
);

-- The stages of one kind of production: a graph, as data.
create table engine.pipelines (
    kind text not null check (kind ~ '^[a-z][a-z0-9_]*$'),
    stage text not null check (stage ~ '^[a-z][a-z0-9_]*$'),
    position smallint not null check (position > 0),
    after text[] not null default '{}',
    weight smallint not null default 1 check (weight > 0),
    gate boolean not null default false,
    sticky boolean not null default false,
    max_fails smallint not null default 3 check (max_fails between 1 and 20),
    desired_jobs text,
    primary key (kind, stage),
    unique (kind, position)
);

comment on table engine.pipelines is 'The stages of each kind of production, in topological order of position.';
comment on column engine.pipelines.after is 'The stages of the same kind that must be done before this one opens.';
comment on column engine.pipelines.weight is 'The stage''s share of the production''s progress.';
comment on column engine.pipelines.gate is 'The stage opens only after approve_production.';
comment on column engine.pipelines.sticky is
    'An authoring stage: its succeeded jobs are kept on rebuild, since people edit their results.';
comment on column engine.pipelines.desired_jobs is
    'A view (production_id uuid, key text, input jsonb, estimate_gbp numeric); null means one job with key ''''.';

create table public.productions (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references public.organizations (id) on delete cascade,
    kind text not null,
    subject_id uuid not null,
    status public.production_status not null default 'queued',
    waiting_for public.waiting_reason,
    current_stage text,
    progress smallint not null default 0 check (progress between 0 and 100),
    build integer not null default 1 check (build > 0),
    rebuild_from text,
    renew_from text,
    idempotency_key text check (length(idempotency_key) between 1 and 200),
    requested_by uuid references public.users (id) on delete set null,
    error_code public.error_kind,
    error text,
    estimate_gbp numeric(12, 6) not null default 0,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    cancel_requested_at timestamptz,
    updated_at timestamptz not null default now(),
    unique (organization_id, idempotency_key),
    constraint waiting_says_for_what check ((status = 'waiting') = (waiting_for is not null)),
    constraint failed_says_why check (status <> 'failed' or error is not null),
    constraint finished_has_a_time check ((status in ('completed', 'failed', 'cancelled')) = (finished_at is not null))
) with (fillfactor = 80);

comment on table public.productions is 'One subject being made: status, progress, cost and error of the whole.';
comment on column public.productions.progress is 'Percent; never falls within a build.';
comment on column public.productions.build is 'Counts the first run and every rebuild.';
comment on column public.productions.rebuild_from is 'The stage that this build was asked to run again whole.';
comment on column public.productions.renew_from is
    'From this stage on, authoring stages run when their input changed; kept until a build completes.';
comment on column public.productions.estimate_gbp is 'Sum of the estimates of the jobs queued in this build so far.';

create index productions_newest_first on public.productions (organization_id, created_at desc, id);
create index productions_of_subject on public.productions (subject_id, created_at desc);
create index productions_of_requester on public.productions (requested_by);

-- Two productions of one subject at a time would write over each other.
create unique index productions_one_open_per_subject
    on public.productions (subject_id)
    where status in ('queued', 'running', 'waiting');

create table public.production_stages (
    production_id uuid not null references public.productions (id) on delete cascade,
    stage text not null,
    organization_id uuid not null,
    position smallint not null,
    status public.stage_status not null default 'pending',
    total integer not null default 0 check (total >= 0),
    remaining integer not null default 0 check (remaining >= 0),
    failed integer not null default 0 check (failed >= 0),
    opened_build integer,
    approved_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    primary key (production_id, stage)
) with (fillfactor = 70);

comment on table public.production_stages is
    'The barrier between stages, and what a progress page shows: total jobs, remaining (not finished), failed.';

create index production_stages_of_organization on public.production_stages (organization_id);

create table public.jobs (
    id uuid primary key default gen_random_uuid(),
    production_id uuid not null references public.productions (id) on delete cascade,
    organization_id uuid not null,
    stage text not null,
    key text not null default '',
    status public.job_status not null default 'queued',
    hold public.job_hold,
    attempt integer not null default 0,
    fails smallint not null default 0,
    max_fails smallint not null default 3,
    dispatches smallint not null default 0,
    slot smallint,
    owner text,
    queued_at timestamptz not null default clock_timestamp(),
    due_at timestamptz not null default clock_timestamp(),
    not_before timestamptz,
    lease_until timestamptz,
    reserved_on date,
    estimate_gbp numeric(12, 6) not null default 0 check (estimate_gbp >= 0),
    input jsonb not null,
    input_hash text not null check (input_hash ~ '^[0-9a-f]{64}$'),
    output jsonb,
    output_hash text,
    state jsonb,
    progress real check (progress between 0 and 1),
    error_kind public.error_kind,
    error text,
    started_at timestamptz,
    finished_at timestamptz,
    unique (production_id, stage, key),
    constraint running_holds_slot_lease_and_reservation check (
        (status = 'running') = (slot is not null)
        and (status = 'running') = (lease_until is not null)
        and (status = 'running') = (reserved_on is not null)
    ),
    constraint parked_says_why check ((status = 'parked') = (hold is not null)),
    constraint succeeded_has_output check (status <> 'succeeded' or (output is not null and output_hash is not null))
) with (
    fillfactor = 65,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05
);

comment on table public.jobs is 'One unit of a stage for one production, with its whole input. The row is its own outbox.';
comment on column public.jobs.attempt is 'The fence: only ever grows. A finish counts only with the attempt that was granted.';
comment on column public.jobs.due_at is
    'When the sweeper sends the job to its queue if nobody has claimed it by then; while parked, its turn.';
comment on column public.jobs.not_before is 'A retry or deferral: a claim before this time is refused.';
comment on column public.jobs.slot is 'Which of the organization''s running places it holds; unique while running.';
comment on column public.jobs.reserved_on is 'The UTC day on whose budget the estimate is reserved.';
comment on column public.jobs.state is 'What a deferral or a refusal leaves for the next attempt.';

-- No further index: each one is paid for at every claim and completion. Lease and progress are in none, so that
-- heartbeats stay heap-only.
create index jobs_due on public.jobs (due_at) where status = 'queued';
create unique index jobs_running on public.jobs (organization_id, slot) where status = 'running';
-- Only what the sweeper may readmit; what waits for a person can be many and stays long.
create index jobs_parked on public.jobs (organization_id, hold, due_at)
    where status = 'parked' and hold in ('slot', 'budget');

create table public.assets (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references public.organizations (id) on delete cascade,
    production_id uuid references public.productions (id) on delete set null,
    kind text not null check (kind ~ '^[a-z][a-z0-9_]*$'),
    key text not null unique check (key like 'organizations/' || organization_id || '/%'),
    content_type text not null,
    bytes bigint not null check (bytes > 0),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    duration_seconds numeric(12, 3) check (duration_seconds > 0),
    integrated_lufs numeric(6, 2),
    true_peak_dbtp numeric(6, 2),
    sample_rate integer check (sample_rate > 0),
    created_at timestamptz not null default now()
);

comment on table public.assets is 'One verified file in S3. A row exists only for a file that was checked.';

create index assets_of_organization on public.assets (organization_id, kind, created_at desc);
create index assets_of_production on public.assets (production_id);

-- The one row per tenant that claims lock.
create table engine.organization_limits (
    organization_id uuid primary key references public.organizations (id) on delete cascade,
    max_running_jobs integer not null check (max_running_jobs between 0 and 1000),
    daily_budget_gbp numeric(12, 2) not null check (daily_budget_gbp >= 0)
);

comment on table engine.organization_limits is
    'What an organization may run at once and spend in a UTC day. Follows its tier until an operator sets it.';

create function engine.follow_tier()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    insert into engine.organization_limits (organization_id, max_running_jobs, daily_budget_gbp)
    select new.id, limits.max_running_jobs, limits.daily_budget_gbp
    from public.tier_limits as limits
    where limits.tier = new.tier
    on conflict (organization_id) do update
    set max_running_jobs = excluded.max_running_jobs,
        daily_budget_gbp = excluded.daily_budget_gbp;
    return null;
end
$$;

insert into engine.organization_limits (organization_id, max_running_jobs, daily_budget_gbp)
select organizations.id, limits.max_running_jobs, limits.daily_budget_gbp
from public.organizations
join public.tier_limits as limits on limits.tier = organizations.tier;

create trigger limits_follow_tier
    after insert or update of tier on public.organizations
    for each row execute function engine.follow_tier();

revoke all on public.productions, public.production_stages, public.jobs, public.assets from anon, authenticated;
grant select on public.productions, public.production_stages, public.assets to authenticated;
-- What a member may see of a job; inputs can be large and owners are internal.
grant select (
    id, production_id, organization_id, stage, key, status, hold, attempt, fails, due_at, progress,
    estimate_gbp, output, error_kind, error, started_at, finished_at
) on public.jobs to authenticated;
grant select, insert, update, delete
    on public.productions, public.production_stages, public.jobs, public.assets to service_role;

alter table public.productions enable row level security;
alter table public.production_stages enable row level security;
alter table public.jobs enable row level security;
alter table public.assets enable row level security;
alter table engine.pipelines enable row level security;
alter table engine.organization_limits enable row level security;

create policy "Members see their organization's productions" on public.productions
    for select to authenticated
    using (organization_id in (select private.my_organizations()));

create policy "Members see their organization's stages" on public.production_stages
    for select to authenticated
    using (organization_id in (select private.my_organizations()));

create policy "Members see their organization's jobs" on public.jobs
    for select to authenticated
    using (organization_id in (select private.my_organizations()));

create policy "Members see their organization's assets" on public.assets
    for select to authenticated
    using (organization_id in (select private.my_organizations()));

-- Stage functions read the engine's rows and write assets; transitions go through functions.
select private.let_worker('public.productions', 'select');
select private.let_worker('public.production_stages', 'select');
select private.let_worker('public.jobs', 'select');
select private.let_worker('public.assets', 'select', 'insert', 'update', 'delete');
