-- Why is it not running? One sentence, from the same rows that decide it.

create function engine.readable_wait(p_seconds double precision)
    returns text
    language sql
    immutable
    set search_path = ''
as $$
    select case
        when p_seconds < 0 then 'now'
        when p_seconds < 90 then format('in %s s', ceil(p_seconds))
        when p_seconds < 5400 then format('in %s min', ceil(p_seconds / 60))
        else format('in %s h', ceil(p_seconds / 3600))
    end
$$;

create function engine.explain(p_job uuid)
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
    spent numeric;
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
        select usage.total_cost_gbp + usage.reserved_gbp into spent
        from public.token_usage_daily as usage
        where usage.organization_id = job.organization_id
          and usage.day = (moment at time zone 'utc')::date;
        if job.estimate_gbp > limits.daily_budget_gbp then
            return format(
                'It would cost about %s GBP, more than the whole daily budget of %s GBP; raise the budget to let it run.',
                round(job.estimate_gbp, 4), limits.daily_budget_gbp
            );
        end if;
        return format(
            'It waits for budget: %s of %s GBP are spent or reserved today (UTC) and it would cost about %s GBP; '
            'it goes on tomorrow or when the budget is raised.',
            round(coalesce(spent, 0), 4), limits.daily_budget_gbp, round(job.estimate_gbp, 4)
        );
    elsif job.status = 'parked' then
        return format('It waits for a person: %s', coalesce(job.error, (
            select productions.error from public.productions where productions.id = job.production_id
        ), 'a provider account needs attention.'));
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

create function engine.explain_production(p_production uuid)
    returns text
    language plpgsql
    stable
    security definer
    set search_path = ''
as $$
declare
    production public.productions;
    stage public.production_stages;
    job uuid;
begin
    select * into production from public.productions where productions.id = p_production;
    if not found then
        return 'There is no such production.';
    end if;
    if production.status = 'completed' then
        return 'It is completed.';
    elsif production.status = 'failed' then
        return format('It failed: %s Mend it and retry; everything that is good is kept.', production.error);
    elsif production.status = 'cancelled' then
        return format('It was cancelled at %s.', to_char(production.finished_at at time zone 'utc', 'YYYY-MM-DD HH24:MI "UTC"'));
    elsif production.waiting_for = 'attention' then
        return format('It waits for a person: %s Then retry.', production.error);
    elsif production.waiting_for = 'approval' then
        select * into stage
        from public.production_stages
        where production_stages.production_id = p_production
          and production_stages.status = 'waiting'
        order by production_stages.position
        limit 1;
        return format('It has been waiting for approval before %s since %s.', stage.stage,
            to_char(stage.started_at at time zone 'utc', 'YYYY-MM-DD HH24:MI "UTC"'));
    end if;
    select * into stage
    from public.production_stages
    where production_stages.production_id = p_production
      and production_stages.status = 'running'
    order by production_stages.position
    limit 1;
    -- The job that tells most: one that waits before one that runs.
    select jobs.id into job
    from public.jobs
    where jobs.production_id = p_production
      and jobs.stage = stage.stage
      and jobs.status in ('queued', 'running', 'parked')
    order by array_position('{parked,running,queued}'::text[], jobs.status::text), jobs.due_at
    limit 1;
    return format('%s: %s of %s done. %s', stage.stage, stage.total - stage.remaining, stage.total, engine.explain(job));
end
$$;

revoke execute on all functions in schema engine from public;
grant execute on function engine.explain, engine.explain_production to showrunner_worker;
