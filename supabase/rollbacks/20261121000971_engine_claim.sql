-- Undoes the claim in three statements.

drop function engine.claim(uuid, text, double precision, boolean);
drop function engine.lock_for_claim(uuid);

-- Reserve an estimate on the day's budget; false when it does not fit. What is expected to be free always fits.
create function engine.reserve(p_organization uuid, p_moment timestamptz, p_estimate numeric, p_budget numeric)
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
    -- Nearly always the row is there; an insert that finds it would lock it first, and log that too.
    update public.token_usage_daily as usage
    set reserved_gbp = usage.reserved_gbp + p_estimate
    where usage.organization_id = p_organization
      and usage.day = (p_moment at time zone 'utc')::date
      and usage.total_cost_gbp + usage.reserved_gbp + p_estimate <= p_budget;
    if found then
        return true;
    end if;
    insert into public.token_usage_daily as usage (organization_id, day, reserved_gbp)
    values (p_organization, (p_moment at time zone 'utc')::date, p_estimate)
    on conflict (organization_id, day) do update
    set reserved_gbp = usage.reserved_gbp + excluded.reserved_gbp
    where usage.total_cost_gbp + usage.reserved_gbp + excluded.reserved_gbp <= p_budget;
    return found;
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

    -- In the order of their numbers, the first that is higher than its turn has a gap before it.
    select count(*), coalesce(min(taken.turn) filter (where taken.slot > taken.turn), count(*) + 1)
    into running, free_slot
    from (
        select jobs.slot, row_number() over (order by jobs.slot) as turn
        from public.jobs
        where jobs.organization_id = job.organization_id
          and jobs.status = 'running'
    ) as taken;

    if running >= limits.max_running_jobs then
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

revoke execute on all functions in schema engine from public;
grant execute on function engine.claim to showrunner_worker;
