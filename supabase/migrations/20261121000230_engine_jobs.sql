-- A job's life: claim, heartbeat, complete, fail, defer. One call is one transition, and safe to repeat.
--
-- The fence is `attempt`: a finish counts only while the job is running under the attempt that was granted. Times are
-- the database's (`clock_timestamp()`, read after the lock), never a worker's.

-- Try to run a job: lease, slot and reservation in one transition, or the reason why not.
--
--   granted     attempt, input and state are set
--   leased      another attempt holds it for `wait_seconds`
--   not_due     a retry or deferral whose time comes in `wait_seconds`
--   parked      no slot, no budget, or a person has to act; it is handed off when that changes
--   terminal    it is done, or its production is
--   cancelled   with its production
--   missing     no such job
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

-- Count one job of a stage as finished; the last one closes the stage and opens what follows.
create function engine.count_down(p_job public.jobs, p_failed boolean, p_dispatched boolean)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    stage public.production_stages;
    percent smallint;
begin
    update public.production_stages
    set remaining = production_stages.remaining - 1,
        failed = production_stages.failed + p_failed::integer,
        status = case
            when production_stages.remaining > 1 then production_stages.status
            when production_stages.failed + p_failed::integer > 0 then 'failed'
            else 'done'
        end,
        finished_at = case when production_stages.remaining = 1 then clock_timestamp() end
    where production_stages.production_id = p_job.production_id
      and production_stages.stage = p_job.stage
    returning * into strict stage;

    if stage.remaining = 0 then
        perform from public.productions where productions.id = p_job.production_id for no key update;
        return engine.advance(p_job.production_id, p_dispatched);
    end if;
    -- The stage's counters are the live figure; the production's own moves in steps, to spare its row.
    percent := engine.progress_of(p_job.production_id);
    update public.productions
    set progress = percent, updated_at = clock_timestamp()
    where productions.id = p_job.production_id
      and productions.status = 'running'
      and productions.progress + 3 <= percent;
    return '[]';
end
$$;

-- Lock a job's stage and production, in the engine's order; the caller holds the job.
create function engine.lock_production_of(p_job public.jobs)
    returns public.productions
    language plpgsql
    set search_path = ''
as $$
declare
    production public.productions;
begin
    perform
    from public.production_stages
    where production_stages.production_id = p_job.production_id
      and production_stages.stage = p_job.stage
    for no key update;
    select * into production from public.productions where productions.id = p_job.production_id for no key update;
    return production;
end
$$;

-- Raise unless the attempt may still finish its job; then hold the job, its stage and its production. Domain rows
-- that are written next, in the same transaction, are written under those locks and only by an accepted attempt.
create function engine.fence(p_job uuid, p_attempt integer)
    returns void
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    job public.jobs;
    production public.productions;
begin
    select * into job from public.jobs where jobs.id = p_job for no key update;
    if job.status = 'succeeded' and job.attempt = p_attempt then
        raise exception 'attempt % of job % is accepted already', p_attempt, p_job using errcode = 'SR002';
    elsif job.status is distinct from 'running' or job.attempt <> p_attempt then
        raise exception 'attempt % of job % is not current', p_attempt, p_job using errcode = 'SR001';
    end if;
    production := engine.lock_production_of(job);
    if production.status = 'cancelled' then
        raise exception 'the production of job % is cancelled', p_job using errcode = 'SR001';
    end if;
end
$$;

-- Keep the lease. Not alive: the attempt is no longer the job's. Cancel: its result will not be accepted.
create function engine.heartbeat(
    p_job uuid,
    p_attempt integer,
    p_lease_seconds double precision,
    p_progress real,
    out alive boolean,
    out cancel boolean
)
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    update public.jobs
    set lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds),
        progress = coalesce(p_progress, jobs.progress)
    from public.productions
    where jobs.id = p_job
      and jobs.attempt = p_attempt
      and jobs.status = 'running'
      and productions.id = jobs.production_id
    returning productions.status = 'cancelled' into cancel;
    alive := found;
    cancel := coalesce(cancel, true);
end
$$;

-- Accept an attempt's result. Repeating it after a lost reply is accepted again and changes nothing; a zombie's is
-- not accepted, and what it spent is counted all the same.
create function engine.complete(
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

-- Give a job back until a long operation elsewhere has moved on. Holds no slot, counts no failure.
create function engine.defer(
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

-- When the sweeper looks after a job that is to run in some seconds. A queue can hold a message for 15 minutes, and
-- the worker sends one; the sweeper comes later than that message, and at once where no message can wait so long.
create function engine.due_after(p_moment timestamptz, p_seconds double precision)
    returns timestamptz
    language sql
    immutable
    set search_path = ''
as $$
    select p_moment + make_interval(secs => p_seconds + case when p_seconds <= 900 then 25 else 0 end)
$$;

revoke execute on all functions in schema engine from public;
grant execute on function engine.claim, engine.fence, engine.heartbeat, engine.complete, engine.defer
    to showrunner_worker;
