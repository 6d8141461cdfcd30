-- Undoes the circuit breaker.

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

drop function engine.explain_provider(text);
drop function engine.readable_time(timestamptz);

create or replace function engine.fail(
    p_job uuid,
    p_attempt integer,
    p_kind public.error_kind,
    p_message text,
    p_retry_after double precision default null,
    p_usage jsonb default '[]',
    p_dispatched boolean default true,
    out accepted boolean,
    out status public.job_status,
    out retry_seconds double precision,
    out next jsonb
)
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    job public.jobs;
    is_cancelled boolean;
    new_fails integer;
    moment timestamptz;
begin
    next := '[]';
    select * into job from public.jobs where jobs.id = p_job for no key update;
    moment := clock_timestamp();
    if job.status is distinct from 'running'
        or job.attempt <> p_attempt
        or (p_kind = 'lost' and job.lease_until > moment)
    then
        accepted := coalesce(job.attempt = p_attempt and job.status not in ('running', 'succeeded'), false);
        status := job.status;
        perform engine.record_usage(p_job, p_attempt, p_usage);
        return;
    end if;
    accepted := true;
    if p_kind in ('quota', 'auth', 'sunset') then
        -- These stop the production, which a cancel may be ending at this instant.
        perform engine.lock_production_of(job);
    end if;
    select productions.status = 'cancelled' into is_cancelled
    from public.productions
    where productions.id = job.production_id;

    new_fails := job.fails + case
        when p_kind in ('transient', 'internal', 'lost', 'bad_output') then 1
        when p_kind = 'rate_limited' and moment > job.queued_at + interval '1 day' then 1
        else 0
    end;
    status := case
        when is_cancelled then 'cancelled'
        when p_kind = 'quota' then 'parked'
        when p_kind in ('invalid_input', 'auth', 'sunset') then 'failed'
        when p_kind = 'content_refused' and job.state @> '{"rewrite": true}' then 'failed'
        when new_fails >= job.max_fails then 'failed'
        else 'queued'
    end;
    if status = 'queued' then
        retry_seconds := engine.retry_delay(p_kind, new_fails, p_retry_after);
    end if;

    update public.jobs
    set status = fail.status,
        hold = case when fail.status = 'parked' then 'attention'::public.job_hold end,
        fails = new_fails,
        slot = null,
        lease_until = null,
        reserved_on = null,
        dispatches = 0,
        not_before = moment + make_interval(secs => retry_seconds),
        -- Nobody sends a lost job but the sweep that takes it back.
        due_at = case
            when fail.status = 'queued' and p_kind <> 'lost' then engine.due_after(moment, retry_seconds)
            else moment
        end,
        state = case
            when p_kind = 'content_refused' then coalesce(jobs.state, '{}') || '{"rewrite": true}'
            else jobs.state
        end,
        error_kind = p_kind,
        error = left(p_message, 1000),
        finished_at = case when fail.status in ('failed', 'cancelled') then moment end
    where jobs.id = p_job;

    if status in ('failed', 'cancelled') then
        next := engine.count_down(job, status = 'failed', p_dispatched);
    end if;
    if p_kind in ('quota', 'auth', 'sunset') and not is_cancelled then
        perform engine.stop_production(job, p_kind, p_message);
    end if;
    next := next || engine.hand_off(job, p_usage);
end
$$;

drop function engine.blame_provider(public.jobs, public.error_kind, double precision);
