-- The circuit breaker: what a failure says about its provider. A provider that is down costs its jobs no failures, and
-- only a few of them ask whether it works again.

-- Note a failure of the job's provider. Blamed: it opened the breaker or came while it was not closed, so it is not the
-- job's failure; then `wait_seconds` is set for the one job that tries again first, and null for those to be parked.
-- A day after it was queued a job answers for itself, so that none waits for ever. The caller holds job and
-- organization, as the lock order wants.
create function engine.blame_provider(
    p_job public.jobs,
    p_kind public.error_kind,
    p_retry_after double precision,
    out blamed boolean,
    out wait_seconds double precision
)
    language plpgsql
    set search_path = ''
as $$
declare
    protection engine.provider_limits;
    moment timestamptz;
    failures timestamptz[];
begin
    blamed := false;
    select * into protection
    from engine.provider_limits
    where provider_limits.provider = p_job.provider
    for no key update;
    moment := clock_timestamp();
    if p_kind = 'rate_limited' and p_retry_after is not null then
        -- It said how long: that holds for everybody, and is no failure.
        update engine.provider_limits
        set not_before = greatest(
            provider_limits.not_before,
            moment + make_interval(secs => least(greatest(p_retry_after, 0.1), 3600))
        )
        where provider_limits.provider = p_job.provider;
        return;
    elsif protection.trip_failures is null
        or p_kind <> all (protection.trip_kinds)
        or moment > p_job.queued_at + interval '1 day'
    then
        return;
    elsif protection.trips = 0 then
        failures := array(
            select failed_at
            from unnest(protection.failed_at) as failed_at
            where failed_at > moment - make_interval(secs => protection.trip_seconds)
        ) || moment;
        if cardinality(failures) < protection.trip_failures then
            update engine.provider_limits set failed_at = failures where provider_limits.provider = p_job.provider;
            return;
        end if;
    end if;
    blamed := true;
    -- The breaker opens, or opens again since a probe failed. What started before it was open tells nothing new.
    if protection.trips = 0 or p_job.started_at >= protection.open_until then
        update engine.provider_limits
        set trips = least(provider_limits.trips + 1, 1000),
            failed_at = '{}',
            open_until = moment + make_interval(secs => least(
                provider_limits.longest_cool_down_seconds,
                provider_limits.cool_down_seconds * 2.0 ^ least(provider_limits.trips, 20)
            ))
        where provider_limits.provider = p_job.provider
        returning * into protection;
    end if;
    if protection.open_until > moment and coalesce(protection.next_try_at <= moment, true) then
        update engine.provider_limits
        set next_try_at = protection.open_until
        where provider_limits.provider = p_job.provider;
        wait_seconds := extract(epoch from protection.open_until - moment);
    end if;
end
$$;

-- End an attempt that failed. The job is queued again, failed for good, or parked for a person:
--
--   rate_limited                       again after `p_retry_after`, no failure counted (for a day at most)
--   transient, internal, lost          again with backoff, failed after max_fails
--   bad_output                         again soon, failed after max_fails
--   content_refused                    once more with state {"rewrite": true}, then failed
--   invalid_input                      failed
--   one that opens the breaker of its  again when the provider may be tried; no failure counted (for a day at most)
--   provider, or comes while it is
--   not closed
--   quota                              the production's jobs are parked, the production waits for attention
--   auth, sunset                       failed, and its siblings are parked so that nothing burns attempts
--   cancelled                          cancelled with its production, else queued again
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
    guarded boolean;
    blamed boolean := false;
    try_again_in double precision;
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
    guarded := job.provider is not null
        and p_kind in ('rate_limited', 'transient', 'bad_output', 'lost')
        and exists (select from engine.provider_limits where provider_limits.provider = job.provider);
    if p_kind in ('quota', 'auth', 'sunset') or (guarded and job.fails + 1 >= job.max_fails) then
        -- The first stop the production, which a cancel may be ending at this instant. The last failure may be the
        -- provider's, which is known under a later lock than those that ending the job needs.
        perform engine.lock_production_of(job);
    end if;
    select productions.status = 'cancelled' into is_cancelled
    from public.productions
    where productions.id = job.production_id;

    if guarded and not is_cancelled then
        perform
        from engine.organization_limits
        where organization_limits.organization_id = job.organization_id
        for no key update;
        select verdict.blamed, verdict.wait_seconds into blamed, try_again_in
        from engine.blame_provider(job, p_kind, p_retry_after) as verdict;
    end if;

    new_fails := job.fails + case
        when blamed then 0
        when p_kind in ('transient', 'internal', 'lost', 'bad_output') then 1
        when p_kind = 'rate_limited' and moment > job.queued_at + interval '1 day' then 1
        else 0
    end;
    status := case
        when is_cancelled then 'cancelled'
        when p_kind = 'quota' then 'parked'
        when p_kind in ('invalid_input', 'auth', 'sunset') then 'failed'
        when p_kind = 'content_refused' and job.state @> '{"rewrite": true}' then 'failed'
        when blamed and try_again_in is null then 'parked'
        when new_fails >= job.max_fails then 'failed'
        else 'queued'
    end;
    if status = 'queued' then
        retry_seconds := coalesce(try_again_in, engine.retry_delay(p_kind, new_fails, p_retry_after));
    end if;

    update public.jobs
    set status = fail.status,
        hold = case
            when fail.status <> 'parked' then null
            when p_kind = 'quota' then 'attention'
            else 'provider'
        end::public.job_hold,
        fails = new_fails,
        slot = null,
        lease_until = null,
        reserved_on = null,
        dispatches = 0,
        not_before = moment + make_interval(secs => retry_seconds),
        -- Nobody sends a lost job but the sweep that takes it back.
        due_at = case
            when fail.status = 'parked' then jobs.queued_at
            when fail.status = 'queued' and (p_kind <> 'lost' or blamed)
                then engine.due_after(moment, retry_seconds)
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
    next := next || engine.hand_off(job, p_usage, false);
end
$$;

-- What a provider's parked jobs wait for, from the same row that decides it.
create function engine.explain_provider(p_provider text)
    returns text
    language plpgsql
    stable
    set search_path = ''
as $$
declare
    protection engine.provider_limits;
    moment timestamptz := clock_timestamp();
    running integer;
    probing integer;
begin
    select * into protection from engine.provider_limits where provider_limits.provider = p_provider;
    if not found then
        return format('It waits for provider %s, which has no limit any more; the next sweep sends it.', p_provider);
    end if;
    select count(*), count(*) filter (where jobs.started_at >= protection.open_until)
    into running, probing
    from public.jobs
    where jobs.provider = p_provider
      and jobs.status = 'running';
    return case
        when protection.open_until > moment then format(
            'It waits for provider %s, which is protected until %s after %s.',
            p_provider, engine.readable_time(protection.open_until),
            case when protection.trips = 1 then format('%s failures', protection.trip_failures)
                else format('%s probe%s failed', protection.trips - 1, case when protection.trips > 2 then 's' end) end
        )
        when protection.not_before > moment then format(
            'It waits for provider %s, which asked to be left alone until %s.',
            p_provider, engine.readable_time(protection.not_before)
        )
        when protection.trips > 0 and probing >= protection.probes then format(
            'It waits for provider %s, which failed and is being tried with %s of %s jobs.',
            p_provider, probing, protection.probes
        )
        when running >= protection.max_running then format(
            'It waits for provider %s: %s of %s running.', p_provider, running, protection.max_running
        )
        when protection.per_minute is not null then format(
            'It waits for provider %s: %s of %s started within a minute.', p_provider,
            (select sum(starts) from unnest(engine.recent_starts(protection, moment)) as starts), protection.per_minute
        )
        else format('It waits for provider %s, which has room; the next sweep sends it.', p_provider)
    end;
end
$$;

create function engine.readable_time(p_moment timestamptz)
    returns text
    language sql
    stable
    set search_path = ''
as $$
    select to_char(p_moment at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS "UTC"')
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

revoke execute on all functions in schema engine from public;
