-- Undoes the advisory lock of limits: their rows are locked again.

drop trigger limits_change_between_claims on engine.organization_limits;
drop function engine.wait_for_claims();
drop function engine.readmit_one(uuid);

create or replace function engine.follow_tier_limits()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    -- In one order, so that two such changes cannot deadlock.
    perform
    from engine.organization_limits as limits
    join public.organizations on organizations.id = limits.organization_id
    where organizations.tier = new.tier
      and not limits.set_by_operator
    order by limits.organization_id
    for no key update of limits;
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

create or replace function engine.hand_off(p_job public.jobs, p_usage jsonb, p_succeeded boolean)
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
    if p_usage <> '[]' then
        perform engine.count_calls(p_job, p_job.attempt, p_usage);
    end if;
    ready := engine.readmit_one(limits);
    if protection.provider is not null then
        ready := ready || engine.readmit_at_provider(protection);
    end if;
    return ready;
end
$$;

create or replace function engine.release_all(p_organization uuid, p_freed jsonb, p_dispatched boolean)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    limits engine.organization_limits;
    freed record;
    ready jsonb := '[]';
begin
    if p_freed = '[]' then
        return ready;
    end if;
    select * into strict limits
    from engine.organization_limits
    where organization_limits.organization_id = p_organization
    for no key update;
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
        ready := ready || engine.readmit_one(limits);
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
        perform
        from engine.organization_limits
        where organization_limits.organization_id = job.organization_id
        for no key update;
        perform engine.count_calls(job, p_attempt, p_calls);
    end if;
end
$$;

drop function engine.leave_provider(public.jobs, boolean);
drop function engine.lock_limits(uuid, uuid);

revoke execute on all functions in schema engine from public;
