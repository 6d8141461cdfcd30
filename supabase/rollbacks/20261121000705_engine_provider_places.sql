-- Undoes places at providers.

create or replace function engine.defer(
    p_job uuid,
    p_attempt integer,
    p_seconds double precision,
    p_state jsonb,
    p_usage jsonb default '[]',
    out accepted boolean,
    out next jsonb
)
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    job public.jobs;
    moment timestamptz;
begin
    next := '[]';
    select * into job from public.jobs where jobs.id = p_job for no key update;
    if job.status is distinct from 'running' or job.attempt <> p_attempt then
        accepted := coalesce(job.status = 'queued' and job.attempt = p_attempt, false);
        perform engine.record_usage(p_job, p_attempt, p_usage);
        return;
    end if;
    moment := clock_timestamp();
    update public.jobs
    set status = 'queued',
        slot = null,
        lease_until = null,
        reserved_on = null,
        state = p_state,
        dispatches = 0,
        not_before = moment + make_interval(secs => p_seconds),
        due_at = engine.due_after(moment, p_seconds)
    where jobs.id = p_job;
    accepted := true;
    next := jsonb_build_array(jsonb_build_object(
        'id', p_job, 'stage', job.stage, 'organization_id', job.organization_id, 'delay', p_seconds
    )) || engine.hand_off(job, p_usage);
end
$$;

create or replace function engine.complete(
    p_job uuid,
    p_attempt integer,
    p_output jsonb,
    p_output_hash text,
    p_usage jsonb default '[]',
    p_dispatched boolean default true,
    out accepted boolean,
    out next jsonb
)
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    job public.jobs;
    is_cancelled boolean;
begin
    next := '[]';
    select * into job from public.jobs where jobs.id = p_job for no key update;
    if job.status is distinct from 'running' or job.attempt <> p_attempt then
        accepted := coalesce(job.status = 'succeeded' and job.attempt = p_attempt, false);
        perform engine.record_usage(p_job, p_attempt, p_usage);
        return;
    end if;
    select productions.status = 'cancelled' into is_cancelled
    from public.productions
    where productions.id = job.production_id;

    update public.jobs
    set status = case when is_cancelled then 'cancelled' else 'succeeded' end::public.job_status,
        slot = null,
        lease_until = null,
        reserved_on = null,
        output = case when is_cancelled then null else p_output end,
        output_hash = case when is_cancelled then null else p_output_hash end,
        state = null,
        progress = 1,
        error_kind = case when is_cancelled then 'cancelled'::public.error_kind end,
        error = case when is_cancelled then 'Cancelled with its production.' end,
        finished_at = clock_timestamp()
    where jobs.id = p_job;
    accepted := not is_cancelled;
    next := engine.count_down(job, false, p_dispatched) || engine.hand_off(job, p_usage);
end
$$;

drop function engine.hand_off(public.jobs, jsonb, boolean);

create function engine.hand_off(p_job public.jobs, p_usage jsonb)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    limits engine.organization_limits;
begin
    select * into strict limits
    from engine.organization_limits
    where organization_limits.organization_id = p_job.organization_id
    for no key update;
    perform engine.record_usage(p_job.id, p_job.attempt, p_usage);
    if p_job.estimate_gbp > 0 then
        update public.token_usage_daily as usage
        set reserved_gbp = usage.reserved_gbp - p_job.estimate_gbp
        where usage.organization_id = p_job.organization_id
          and usage.day = p_job.reserved_on;
    end if;
    return engine.readmit_one(limits);
end
$$;

drop function engine.claim(uuid, text, double precision);

create function engine.claim(
    p_job uuid,
    p_owner text,
    p_lease_seconds double precision,
    out outcome text,
    out wait_seconds double precision,
    out attempt integer,
    out production_id uuid,
    out organization_id uuid,
    out subject_id uuid,
    out stage text,
    out key text,
    out input jsonb,
    out input_hash text,
    out state jsonb
)
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    job public.jobs;
    production public.productions;
    limits engine.organization_limits;
    running integer;
    free_slot integer;
    moment timestamptz;
begin
    select * into job from public.jobs where jobs.id = p_job for no key update;
    if not found then
        outcome := 'missing';
        return;
    end if;
    moment := clock_timestamp();
    wait_seconds := 0;
    production_id := job.production_id;
    organization_id := job.organization_id;
    stage := job.stage;
    key := job.key;
    if job.status = 'running' then
        outcome := 'leased';
        wait_seconds := extract(epoch from job.lease_until - moment);
        return;
    elsif job.status <> 'queued' then
        outcome := case job.status when 'parked' then 'parked' when 'cancelled' then 'cancelled' else 'terminal' end;
        return;
    elsif job.not_before > moment then
        outcome := 'not_due';
        wait_seconds := extract(epoch from job.not_before - moment);
        return;
    end if;

    select * into production from public.productions where productions.id = job.production_id;
    subject_id := production.subject_id;
    if production.status in ('failed', 'cancelled') or production.waiting_for = 'attention' then
        -- Read again under its locks, so that no cancel slips by and leaves a job parked.
        production := engine.lock_production_of(job);
    end if;
    if production.status = 'cancelled' then
        update public.jobs
        set status = 'cancelled', error_kind = 'cancelled', error = 'Cancelled with its production.', finished_at = moment
        where jobs.id = p_job;
        update public.production_stages
        set remaining = production_stages.remaining - 1
        where production_stages.production_id = job.production_id
          and production_stages.stage = job.stage;
        outcome := 'cancelled';
        return;
    elsif production.status = 'failed' or production.waiting_for = 'attention' then
        update public.jobs set status = 'parked', hold = 'attention' where jobs.id = p_job;
        outcome := 'parked';
        return;
    elsif production.status = 'queued' then
        update public.productions
        set status = 'running', started_at = coalesce(productions.started_at, moment), updated_at = moment
        where productions.id = job.production_id
          and productions.status = 'queued';
    end if;

    select * into strict limits
    from engine.organization_limits
    where organization_limits.organization_id = job.organization_id
    for no key update;

    with taken as materialized (
        select jobs.slot
        from public.jobs
        where jobs.organization_id = job.organization_id
          and jobs.status = 'running'
    )
    select
        (select count(*) from taken),
        (select min(free) from generate_series(1, limits.max_running_jobs) as free where free not in (select slot from taken))
    into running, free_slot;

    if running >= limits.max_running_jobs or free_slot is null then
        update public.jobs set status = 'parked', hold = 'slot', due_at = job.queued_at where jobs.id = p_job;
        outcome := 'parked';
        return;
    end if;
    if not engine.reserve(job.organization_id, moment, job.estimate_gbp, limits.daily_budget_gbp) then
        update public.jobs set status = 'parked', hold = 'budget', due_at = job.queued_at where jobs.id = p_job;
        outcome := 'parked';
        return;
    end if;

    update public.jobs
    set status = 'running',
        attempt = jobs.attempt + 1,
        slot = free_slot,
        owner = p_owner,
        lease_until = moment + make_interval(secs => p_lease_seconds),
        reserved_on = (moment at time zone 'utc')::date,
        not_before = null,
        started_at = moment
    where jobs.id = p_job;
    outcome := 'granted';
    attempt := job.attempt + 1;
    input := job.input;
    input_hash := job.input_hash;
    state := job.state;
end
$$;

drop function engine.with_a_start(integer[]);
revoke execute on all functions in schema engine from public;
grant execute on function engine.claim to showrunner_worker;
