-- Undoes the cheaper statements: every function is what it was before.

-- Percent of the production, weighted by stage, from the barrier's counters. 100 is kept for what is complete: a stage
-- whose jobs have all failed has nothing left to do either.
create or replace function engine.progress_of(p_production uuid)
    returns smallint
    language sql
    stable
    set search_path = ''
as $$
    select least(99, floor(100.0 * sum(
        pipelines.weight * case
            when stages.status = 'done' then 1
            when stages.total = 0 then 0
            else (stages.total - stages.remaining)::numeric / stages.total
        end
    ) / sum(pipelines.weight)))::smallint
    from public.production_stages as stages
    join public.productions on productions.id = stages.production_id
    join engine.pipelines on pipelines.kind = productions.kind and pipelines.stage = stages.stage
    where stages.production_id = p_production
$$;

-- GBP for one unit: the model's own price, else the provider's for any model, else nothing.
create or replace function engine.price(p_provider text, p_model text, p_unit public.usage_unit)
    returns numeric
    language sql
    stable
    set search_path = ''
as $$
    select coalesce((
        select prices.gbp
        from public.provider_prices as prices
        where prices.provider = p_provider
          and prices.model in (p_model, '*')
          and prices.unit = p_unit
        order by prices.model = '*'
        limit 1
    ), 0)
$$;

-- Reserve an estimate on the day's budget; false when it does not fit. What is expected to be free always fits.
create or replace function engine.reserve(p_organization uuid, p_moment timestamptz, p_estimate numeric, p_budget numeric)
    returns boolean
    language plpgsql
    set search_path = ''
as $$
begin
    if p_estimate = 0 then
        return true;
    elsif p_estimate > p_budget then
        return false;
    end if;
    insert into public.token_usage_daily as usage (organization_id, day, reserved_gbp)
    values (p_organization, (p_moment at time zone 'utc')::date, p_estimate)
    on conflict (organization_id, day) do update
    set reserved_gbp = usage.reserved_gbp + excluded.reserved_gbp
    where usage.total_cost_gbp + usage.reserved_gbp + excluded.reserved_gbp <= p_budget;
    return found;
end
$$;

-- Hand one freed place to the organization's oldest job that waits for a place, else to one that waits for budget:
-- the oldest if it fits now, or the cheapest.
-- The caller holds the organization's limits, so a claim that is parking itself is either seen here or sees the place.
create or replace function engine.readmit_one(p_limits engine.organization_limits)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    ready record;
    moment timestamptz := clock_timestamp();
    left_today numeric;
begin
    if p_limits.max_running_jobs <= (
        select count(*)
        from public.jobs
        where jobs.organization_id = p_limits.organization_id
          and jobs.status = 'running'
    ) then
        return '[]';
    end if;
    select jobs.id, jobs.stage into ready
    from public.jobs
    where jobs.organization_id = p_limits.organization_id
      and jobs.status = 'parked'
      and jobs.hold = 'slot'
    order by jobs.due_at
    limit 1
    for no key update skip locked;
    if not found then
        left_today := engine.left_today(p_limits);
        select jobs.id, jobs.stage, jobs.estimate_gbp into ready
        from public.jobs
        where jobs.organization_id = p_limits.organization_id
          and jobs.status = 'parked'
          and jobs.hold = 'budget'
        order by jobs.due_at
        limit 1
        for no key update skip locked;
        if ready.estimate_gbp > left_today then
            select jobs.id, jobs.stage, jobs.estimate_gbp into ready
            from public.jobs
            where jobs.organization_id = p_limits.organization_id
              and jobs.status = 'parked'
              and jobs.hold = 'budget'
              and jobs.estimate_gbp <= left_today
            order by jobs.estimate_gbp
            limit 1
            for no key update skip locked;
        end if;
    end if;
    if not found then
        return '[]';
    end if;
    update public.jobs
    set status = 'queued', hold = null, dispatches = 0, due_at = moment + interval '25 seconds'
    where jobs.id = ready.id;
    return jsonb_build_array(jsonb_build_object(
        'id', ready.id, 'stage', ready.stage, 'organization_id', p_limits.organization_id, 'delay', 0
    ));
end
$$;

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
create or replace function engine.claim(
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
