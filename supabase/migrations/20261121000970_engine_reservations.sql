-- What is reserved on a day's budget is what the jobs that run are expected to cost. It is read from their rows, as their
-- places are, and no longer kept beside them: a sum that nobody keeps cannot drift, and a claim and its outcome write two
-- rows less.

-- GBP that the jobs which run have reserved on a day. Under the lock of the organization's limits no claim comes between.
create function engine.reserved(p_organization uuid, p_day date)
    returns numeric
    language plpgsql
    stable
    set search_path = ''
as $$
begin
    return (
        select coalesce(sum(jobs.estimate_gbp), 0)
        from public.jobs
        where jobs.organization_id = p_organization
          and jobs.status = 'running'
          and jobs.reserved_on = p_day
    );
end
$$;

create or replace function engine.left_today(p_limits engine.organization_limits)
    returns numeric
    language plpgsql
    set search_path = ''
as $$
declare
    today date := (clock_timestamp() at time zone 'utc')::date;
begin
    return p_limits.daily_budget_gbp - engine.reserved(p_limits.organization_id, today) - coalesce((
        select usage.total_cost_gbp
        from public.token_usage_daily as usage
        where usage.organization_id = p_limits.organization_id
          and usage.day = today
    ), 0);
end
$$;

-- Count a job's calls and hand its places on: the organization's, and the provider's. A provider that did what it was
-- asked to, by a job that started after its breaker was open, works again. Returns the jobs to send.
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

-- Hand on the places of closed jobs: the organization's, and their providers'. Returns the jobs to send; where the caller
-- does not send them they are due now.
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

create or replace function engine.explain(p_job uuid)
    returns text
    language plpgsql
    stable
    security definer
    set search_path = ''
as $$
declare
    job public.jobs;
    limits engine.organization_limits;
    running integer;
    moment timestamptz := clock_timestamp();
begin
    select * into job from public.jobs where jobs.id = p_job;
    if not found then
        return 'There is no such job.';
    end if;
    select * into limits
    from engine.organization_limits
    where organization_limits.organization_id = job.organization_id;

    if job.status = 'parked' and job.hold = 'slot' then
        select count(*) into running
        from public.jobs
        where jobs.organization_id = job.organization_id
          and jobs.status = 'running';
        return format('It waits for a place: %s of %s are taken.', running, limits.max_running_jobs);
    elsif job.status = 'parked' and job.hold = 'budget' then
        if job.estimate_gbp > limits.daily_budget_gbp then
            return format(
                'It would cost about %s GBP, more than the whole daily budget of %s GBP; raise the budget to let it run.',
                round(job.estimate_gbp, 4), limits.daily_budget_gbp
            );
        end if;
        return format(
            'It waits for budget: %s of %s GBP are spent or reserved today (UTC) and it would cost about %s GBP; '
            'it goes on tomorrow or when the budget is raised.',
            round(limits.daily_budget_gbp - engine.left_today(limits), 4), limits.daily_budget_gbp,
            round(job.estimate_gbp, 4)
        );
    elsif job.status = 'parked' and job.hold = 'provider' then
        return engine.explain_provider(job.provider);
    elsif job.status = 'parked' then
        return format('It waits for a person: %s', coalesce(job.error, (
            select productions.error from public.productions where productions.id = job.production_id
        ), 'a provider account needs attention.'));
    elsif job.status = 'queued' and job.not_before > moment and job.attempt = 0 then
        -- It has never run: it is the one that was told when to try its provider.
        return format('%s It tries %s.', engine.explain_provider(job.provider),
            engine.readable_wait(extract(epoch from job.not_before - moment)));
    elsif job.status = 'queued' and job.not_before > moment then
        return format(
            'It runs again %s%s.',
            engine.readable_wait(extract(epoch from job.not_before - moment)),
            case when job.error is null then '' else format(' (try %s ended with: %s)', job.attempt, job.error) end
        );
    elsif job.status = 'queued' then
        return format('It is in the queue and is sent again %s if nobody picks it up.',
            engine.readable_wait(extract(epoch from job.due_at - moment)));
    elsif job.status = 'running' and job.lease_until < moment then
        return 'Its worker has stopped answering; the next sweep takes the job back.';
    elsif job.status = 'running' then
        return format('It has been running for %s s (attempt %s).',
            round(extract(epoch from moment - job.started_at)), job.attempt);
    end if;
    return case job.status
        when 'succeeded' then 'It is done.'
        when 'failed' then format('It failed: %s', job.error)
        else coalesce(job.error, 'It is cancelled.')
    end;
end
$$;

alter table public.token_usage_daily drop column reserved_gbp;

-- A computed field of the Data API: what clients read stays where it was. A job starts on the day that it reserves on.
create function public.reserved_gbp(usage public.token_usage_daily)
    returns numeric
    language sql
    stable
    set search_path = ''
as $$
    select coalesce(sum(jobs.estimate_gbp), 0)
    from public.jobs
    where jobs.organization_id = usage.organization_id
      and jobs.status = 'running'
      and (jobs.started_at at time zone 'utc')::date = usage.day
$$;
comment on function public.reserved_gbp(public.token_usage_daily) is 'Estimates of the jobs that run now; 0 at rest.';

revoke execute on function public.reserved_gbp(public.token_usage_daily) from public, anon;
grant execute on function public.reserved_gbp(public.token_usage_daily) to authenticated, service_role;
revoke execute on all functions in schema engine from public;
