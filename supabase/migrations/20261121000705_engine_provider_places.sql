-- A claim takes room at the job's provider, and whatever ends a job gives it back. Jobs whose provider has no row in
-- `engine.provider_limits` take no further lock.

create function engine.with_a_start(p_starts integer[])
    returns integer[]
    language sql
    immutable
    set search_path = ''
as $$
    select p_starts[1] + 1 || p_starts[2:]
$$;

drop function engine.claim(uuid, text, double precision);

-- Try to run a job: lease, slot, room at its provider and reservation in one transition, or the reason why not. Room
-- that was meant for the job and that it cannot use goes to another, whose id is in `next`.
--
--   granted     attempt, input and state are set
--   leased      another attempt holds it for `wait_seconds`
--   not_due     a retry or deferral whose time comes in `wait_seconds`, or the next to try a provider that has no room
--   parked      no slot, no budget, no room at the provider, or a person has to act; handed off when that changes
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
    out state jsonb,
    out next jsonb
)
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    job public.jobs;
    production public.productions;
    limits engine.organization_limits;
    protection engine.provider_limits;
    room record;
    retry double precision;
    running integer;
    free_slot integer;
    moment timestamptz;
begin
    next := '[]';
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
        if job.provider is not null then
            next := engine.pass_on_at_provider(job.provider);
        end if;
        outcome := 'parked';
        return;
    end if;
    if job.provider is not null then
        select * into protection
        from engine.provider_limits
        where provider_limits.provider = job.provider
        for no key update;
        moment := clock_timestamp();
        if protection.provider is not null then
            room := engine.provider_room(protection, moment);
            if room.places = 0 then
                retry := engine.wait_for_provider(job, protection, moment, room.wait_seconds);
                outcome := case when retry is null then 'parked' else 'not_due' end;
                wait_seconds := coalesce(retry, 0);
                next := engine.readmit_one(limits);
                return;
            end if;
        end if;
    end if;
    if not engine.reserve(job.organization_id, moment, job.estimate_gbp, limits.daily_budget_gbp) then
        update public.jobs set status = 'parked', hold = 'budget', due_at = job.queued_at where jobs.id = p_job;
        outcome := 'parked';
        next := engine.readmit_one(limits);
        if protection.provider is not null then
            next := next || engine.readmit_at_provider(protection);
        end if;
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
    if protection.per_minute is not null then
        update engine.provider_limits
        set starts = engine.with_a_start(engine.recent_starts(protection, moment)),
            starts_at = greatest(provider_limits.starts_at, moment)
        where provider_limits.provider = job.provider
        returning * into protection;
    end if;
    if protection.provider is not null then
        -- Who may start tells the next; so what was parked comes back as fast as there is room, and no faster.
        next := engine.readmit_at_provider(protection);
    end if;
    outcome := 'granted';
    attempt := job.attempt + 1;
    input := job.input;
    input_hash := job.input_hash;
    state := job.state;
end
$$;

drop function engine.hand_off(public.jobs, jsonb);

-- Give back what a running job held, count its calls, and hand its places on: the organization's, and the provider's. A
-- provider that did what it was asked to, by a job that started after its breaker was open, works again. Returns the
-- jobs to send.
create function engine.hand_off(p_job public.jobs, p_usage jsonb, p_succeeded boolean)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    limits engine.organization_limits;
    protection engine.provider_limits;
    ready jsonb;
begin
    select * into strict limits
    from engine.organization_limits
    where organization_limits.organization_id = p_job.organization_id
    for no key update;
    if p_job.provider is not null then
        select * into protection
        from engine.provider_limits
        where provider_limits.provider = p_job.provider
        for no key update;
        if p_succeeded and protection.trips > 0 and p_job.started_at >= protection.open_until then
            update engine.provider_limits
            set trips = 0, open_until = null, failed_at = '{}', next_try_at = null
            where provider_limits.provider = p_job.provider
            returning * into protection;
        end if;
    end if;
    perform engine.record_usage(p_job.id, p_job.attempt, p_usage);
    if p_job.estimate_gbp > 0 then
        update public.token_usage_daily as usage
        set reserved_gbp = usage.reserved_gbp - p_job.estimate_gbp
        where usage.organization_id = p_job.organization_id
          and usage.day = p_job.reserved_on;
    end if;
    ready := engine.readmit_one(limits);
    if protection.provider is not null then
        ready := ready || engine.readmit_at_provider(protection);
    end if;
    return ready;
end
$$;

-- Accept an attempt's result. Repeating it after a lost reply is accepted again and changes nothing; a zombie's is
-- not accepted, and what it spent is counted all the same.
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
    next := engine.count_down(job, false, p_dispatched) || engine.hand_off(job, p_usage, accepted);
end
$$;

-- Give a job back until a long operation elsewhere has moved on. Holds no slot, counts no failure.
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
    )) || engine.hand_off(job, p_usage, false);
end
$$;

revoke execute on all functions in schema engine from public;
grant execute on function engine.claim to showrunner_worker;
