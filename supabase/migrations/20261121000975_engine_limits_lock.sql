-- The limits of an organization are locked by an advisory lock: a job locks them twice, and to lock a row writes to it,
-- and to the log. It is of the transaction, so it works through a pooler. The order of locks stays: jobs by id, their
-- stage, their production, the organizations' limits by id, the providers'.
--
-- Failures, sweeps and claims follow in the next two migrations. Between them a job may be parked that nobody sees; the
-- sweep calls it.

-- Wait for the limits of an organization, or of two: whoever locks several takes them in the order of their ids.
create function engine.lock_limits(p_organization uuid, p_other uuid default null)
    returns void
    language plpgsql
    set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('limits of ' || least(p_organization, p_other), 0));
    if p_organization <> p_other then
        perform pg_advisory_xact_lock(hashtextextended('limits of ' || greatest(p_organization, p_other), 0));
    end if;
end
$$;

-- Limits change between claims, not under one.
create function engine.wait_for_claims()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    perform engine.lock_limits(new.organization_id);
    return new;
end
$$;
create trigger limits_change_between_claims
    before update on engine.organization_limits
    for each row
    execute function engine.wait_for_claims();

create or replace function engine.follow_tier_limits()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    -- In one order, so that two such changes cannot deadlock.
    perform engine.lock_limits(changed.organization_id)
    from (
        select limits.organization_id
        from engine.organization_limits as limits
        join public.organizations on organizations.id = limits.organization_id
        where organizations.tier = new.tier
          and not limits.set_by_operator
        order by limits.organization_id
    ) as changed;
    update engine.organization_limits as limits
    set max_running_jobs = new.max_running_jobs,
        daily_budget_gbp = new.daily_budget_gbp
    from public.organizations
    where organizations.id = limits.organization_id
      and organizations.tier = new.tier
      and not limits.set_by_operator;
    return null;
end
$$;

-- Queue the next of an organization's jobs that wait for a place or for budget, where there is room. Its limits are
-- locked by the caller. Returns the job to send, in an array.
create function engine.readmit_one(p_organization uuid)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    limits engine.organization_limits;
    ready record;
    moment timestamptz := clock_timestamp();
    left_today numeric;
begin
    -- Mostly nobody waits.
    if not exists (
        select
        from public.jobs
        where jobs.organization_id = p_organization
          and jobs.status = 'parked'
          and jobs.hold in ('slot', 'budget')
    ) then
        return '[]';
    end if;
    select * into strict limits
    from engine.organization_limits
    where organization_limits.organization_id = p_organization;
    if limits.max_running_jobs <= (
        select count(*)
        from public.jobs
        where jobs.organization_id = p_organization
          and jobs.status = 'running'
    ) then
        return '[]';
    end if;
    select jobs.id, jobs.stage into ready
    from public.jobs
    where jobs.organization_id = p_organization
      and jobs.status = 'parked'
      and jobs.hold = 'slot'
    order by jobs.due_at
    limit 1
    for no key update skip locked;
    if not found then
        left_today := engine.left_today(limits);
        select jobs.id, jobs.stage, jobs.estimate_gbp into ready
        from public.jobs
        where jobs.organization_id = p_organization
          and jobs.status = 'parked'
          and jobs.hold = 'budget'
        order by jobs.due_at
        limit 1
        for no key update skip locked;
        if ready.estimate_gbp > left_today then
            select jobs.id, jobs.stage, jobs.estimate_gbp into ready
            from public.jobs
            where jobs.organization_id = p_organization
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
        'id', ready.id, 'stage', ready.stage, 'organization_id', p_organization, 'delay', 0
    ));
end
$$;

-- Give back a job's room at its provider. A provider that did what it was asked to, by a job that started after its
-- breaker was open, works again. Returns the jobs to send.
create function engine.leave_provider(p_job public.jobs, p_succeeded boolean)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    protection engine.provider_limits;
begin
    select * into protection
    from engine.provider_limits
    where provider_limits.provider = p_job.provider
    for no key update;
    if not found then
        return '[]';
    elsif p_succeeded and protection.trips > 0 and p_job.started_at >= protection.open_until then
        update engine.provider_limits
        set trips = 0, open_until = null, failed_at = '{}', next_try_at = null
        where provider_limits.provider = p_job.provider
        returning * into protection;
    end if;
    return engine.readmit_at_provider(protection);
end
$$;

-- Count a job's calls and hand its places on: its provider's, and the organization's. Returns the jobs to send.
create or replace function engine.hand_off(p_job public.jobs, p_usage jsonb, p_succeeded boolean)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    ready jsonb := '[]';
begin
    perform engine.lock_limits(p_job.organization_id);
    if p_job.provider is not null then
        ready := engine.leave_provider(p_job, p_succeeded);
    end if;
    if p_usage <> '[]' then
        perform engine.count_calls(p_job, p_job.attempt, p_usage);
    end if;
    return ready || engine.readmit_one(p_job.organization_id);
end
$$;

-- Hand on the places of closed jobs: the organization's, and their providers'. Returns the jobs to send; where the
-- caller does not send them they are due now.
create or replace function engine.release_all(p_organization uuid, p_freed jsonb, p_dispatched boolean)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    freed record;
    ready jsonb := '[]';
begin
    if p_freed = '[]' then
        return ready;
    end if;
    perform engine.lock_limits(p_organization);
    perform
    from engine.provider_limits
    where provider_limits.provider in (
        select jobs.provider from jsonb_to_recordset(p_freed) as jobs (provider text)
    )
    order by provider_limits.provider
    for no key update;

    for freed in
        select jobs.provider from jsonb_to_recordset(p_freed) as jobs (provider text) order by jobs.provider
    loop
        ready := ready || engine.readmit_one(p_organization);
        if freed.provider is not null then
            ready := ready || engine.pass_on_at_provider(freed.provider);
        end if;
    end loop;
    if not p_dispatched then
        update public.jobs
        set due_at = coalesce(jobs.not_before, clock_timestamp())
        where jobs.id in (select (sent ->> 'id')::uuid from jsonb_array_elements(ready) as sent);
    end if;
    return ready;
end
$$;

-- Count calls before their job's outcome is known, or after another attempt has it: what was paid is counted, once.
-- Under the lock of the organization's limits, as every completion counts: what a claim has read of a day stays true
-- until it has reserved its own part.
create or replace function engine.record_usage(p_job uuid, p_attempt integer, p_calls jsonb)
    returns void
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    job public.jobs;
begin
    if p_calls is null or p_calls = '[]' then
        return;
    end if;
    select * into job from public.jobs where jobs.id = p_job;
    if found then
        perform engine.lock_limits(job.organization_id);
        perform engine.count_calls(job, p_attempt, p_calls);
    end if;
end
$$;

revoke execute on all functions in schema engine from public;
