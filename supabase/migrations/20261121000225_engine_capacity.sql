-- What an organization may run at once and spend in a day: reserve a job's estimate, give back what it held, hand its
-- place to the next. A place is never left free while a job waits for one.

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
    insert into public.token_usage_daily as usage (organization_id, day, reserved_gbp)
    values (p_organization, (p_moment at time zone 'utc')::date, p_estimate)
    on conflict (organization_id, day) do update
    set reserved_gbp = usage.reserved_gbp + excluded.reserved_gbp
    where usage.total_cost_gbp + usage.reserved_gbp + excluded.reserved_gbp <= p_budget;
    return found;
end
$$;

-- Hand one freed place to the organization's oldest job that waits for a place, else for budget that it now fits.
-- The caller holds the organization's limits, so a claim that is parking itself is either seen here or sees the place.
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
        left_today := p_limits.daily_budget_gbp - coalesce((
            select usage.total_cost_gbp + usage.reserved_gbp
            from public.token_usage_daily as usage
            where usage.organization_id = p_limits.organization_id
              and usage.day = (moment at time zone 'utc')::date
        ), 0);
        select jobs.id, jobs.stage into ready
        from public.jobs
        where jobs.organization_id = p_limits.organization_id
          and jobs.status = 'parked'
          and jobs.hold = 'budget'
          and jobs.estimate_gbp <= left_today
        order by jobs.due_at
        limit 1
        for no key update skip locked;
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

-- Give back what a running job held, count its calls, and hand its place on. Returns the jobs to send.
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

revoke execute on all functions in schema engine from public;
