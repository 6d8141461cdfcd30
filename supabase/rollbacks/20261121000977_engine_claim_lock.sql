-- Undoes the advisory lock of claims: they lock the row of the limits again.

create function engine.readmit_one(p_limits engine.organization_limits)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    ready record;
    moment timestamptz := clock_timestamp();
    left_today numeric;
begin
    -- Mostly nobody waits.
    if not exists (
        select
        from public.jobs
        where jobs.organization_id = p_limits.organization_id
          and jobs.status = 'parked'
          and jobs.hold in ('slot', 'budget')
    ) or p_limits.max_running_jobs <= (
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

create or replace function engine.lock_for_claim(p_job uuid, out outcome text, out wait_seconds double precision)
    language plpgsql
    set search_path = ''
as $$
declare
    job public.jobs;
    production public.productions;
    moment timestamptz;
begin
    select * into job from public.jobs where jobs.id = p_job for no key update;
    if not found then
        outcome := 'missing';
        return;
    end if;
    moment := clock_timestamp();
    wait_seconds := 0;
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
    perform
    from engine.organization_limits
    where organization_limits.organization_id = job.organization_id
    for no key update;
    if not found then
        raise exception 'organization: % has no limits', job.organization_id using errcode = 'no_data_found';
    end if;
end
$$;

create or replace function engine.claim(
    p_job uuid,
    p_owner text,
    p_lease_seconds double precision,
    p_waits boolean default true,
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
    job record;
    whole public.jobs;
    refusal record;
    has_waited boolean := false;
    taken record;
    limits engine.organization_limits;
    protection engine.provider_limits;
    room record;
    retry double precision;
    moment timestamptz;
    today date;
begin
    next := '[]';
    loop
        -- Nearly always the job is due, its production is at work, and nobody else is at its row or at the limits. The
        -- production's status is as of now; a cancel that commits after it is found by the attempt's next call.
        select
            jobs.attempt, jobs.production_id, jobs.organization_id, jobs.stage, jobs.key, jobs.provider,
            jobs.estimate_gbp, jobs.queued_at, jobs.input, jobs.input_hash, jobs.state,
            productions.subject_id, allowed.max_running_jobs, allowed.daily_budget_gbp
        into job
        from public.jobs
        join public.productions on productions.id = jobs.production_id
        join engine.organization_limits as allowed on allowed.organization_id = jobs.organization_id
        where jobs.id = p_job
          and (has_waited or (
              -- Written so that it is found by its id, and not in the index of all that is queued.
              case jobs.status when 'queued' then coalesce(jobs.not_before <= clock_timestamp(), true) end
              and productions.status not in ('queued', 'failed', 'cancelled')
              and productions.waiting_for is distinct from 'attention'
          ))
        for no key update of jobs, allowed skip locked;
        exit when found;
        if not p_waits then
            outcome := 'contended';
            return;
        end if;
        refusal := engine.lock_for_claim(p_job);
        -- Whatever becomes of the production now is not asked again: its locks come before those that are held.
        has_waited := true;
        continue when refusal.outcome is null;
        outcome := refusal.outcome;
        wait_seconds := refusal.wait_seconds;
        select jobs.production_id, jobs.organization_id, productions.subject_id, jobs.stage, jobs.key
        into production_id, organization_id, subject_id, stage, key
        from public.jobs
        join public.productions on productions.id = jobs.production_id
        where jobs.id = p_job;
        return;
    end loop;
    if job.provider is not null and not p_waits then
        perform
        from engine.provider_limits
        where provider_limits.provider = job.provider
        for no key update skip locked;
        if not found and exists (select from engine.provider_limits where provider_limits.provider = job.provider) then
            outcome := 'contended';
            return;
        end if;
    end if;
    wait_seconds := 0;
    production_id := job.production_id;
    organization_id := job.organization_id;
    subject_id := job.subject_id;
    stage := job.stage;
    key := job.key;
    moment := clock_timestamp();
    today := (moment at time zone 'utc')::date;

    -- In the order of their numbers, the first place that is higher than its turn has a gap before it.
    select
        count(*) as jobs,
        coalesce(min(running.turn) filter (where running.slot > running.turn), count(*) + 1) as free_slot,
        coalesce(sum(running.estimate_gbp) filter (where running.reserved_on = today), 0) as reserved_gbp,
        coalesce((
            select usage.total_cost_gbp
            from public.token_usage_daily as usage
            where usage.organization_id = job.organization_id
              and usage.day = today
        ), 0) as spent_gbp
    into taken
    from (
        select jobs.slot, jobs.estimate_gbp, jobs.reserved_on, row_number() over (order by jobs.slot) as turn
        from public.jobs
        where jobs.organization_id = job.organization_id
          and jobs.status = 'running'
    ) as running;

    if taken.jobs >= job.max_running_jobs then
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
                select * into whole from public.jobs where jobs.id = p_job;
                retry := engine.wait_for_provider(whole, protection, moment, room.wait_seconds);
                outcome := case when retry is null then 'parked' else 'not_due' end;
                wait_seconds := coalesce(retry, 0);
                select * into strict limits
                from engine.organization_limits
                where organization_limits.organization_id = job.organization_id;
                next := engine.readmit_one(limits);
                return;
            end if;
        end if;
    end if;
    -- What is expected to be free always fits.
    if job.estimate_gbp > 0 and taken.spent_gbp + taken.reserved_gbp + job.estimate_gbp > job.daily_budget_gbp then
        update public.jobs set status = 'parked', hold = 'budget', due_at = job.queued_at where jobs.id = p_job;
        outcome := 'parked';
        select * into strict limits
        from engine.organization_limits
        where organization_limits.organization_id = job.organization_id;
        next := engine.readmit_one(limits);
        if protection.provider is not null then
            next := next || engine.readmit_at_provider(protection);
        end if;
        return;
    end if;

    update public.jobs
    set status = 'running',
        attempt = jobs.attempt + 1,
        slot = taken.free_slot,
        owner = p_owner,
        lease_until = moment + make_interval(secs => p_lease_seconds),
        reserved_on = today,
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
