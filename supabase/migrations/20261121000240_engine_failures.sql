-- What becomes of a failure, by its kind; and what the sweeper and an operator ask.

-- Seconds until the next try. Rate limits wait as told; others back off exponentially with full jitter
-- (after Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog).
create function engine.retry_delay(p_kind public.error_kind, p_fails integer, p_retry_after double precision)
    returns double precision
    language sql
    volatile
    set search_path = ''
as $$
    select case
        when p_kind = 'rate_limited' then least(greatest(coalesce(p_retry_after, 5), 0.1), 3600) * (1 + random() / 5)
        when p_kind in ('lost', 'cancelled', 'content_refused') then 0
        when p_kind = 'bad_output' then 1
        when p_retry_after is not null then least(greatest(p_retry_after, 0.1), 3600)
        else least(300, 2.0 ^ least(p_fails, 8)) * (0.2 + 0.8 * random())
    end
$$;

-- End an attempt that failed. The job is queued again, failed for good, or parked for a person:
--
--   rate_limited                       again after `p_retry_after`, no failure counted (for a day at most)
--   transient, internal, lost          again with backoff, failed after max_fails
--   bad_output                         again soon, failed after max_fails
--   content_refused                    once more with state {"rewrite": true}, then failed
--   invalid_input                      failed
--   quota                              the production's jobs are parked, the production waits for attention
--   auth, sunset                       failed, and its siblings are parked so that nothing burns attempts
--   cancelled                          cancelled with its production, else queued again
create function engine.fail(
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

-- The environment failed, not the item: park what has not started, say why. Rebuild goes on from there. The caller
-- holds the production's lock.
create function engine.stop_production(p_job public.jobs, p_kind public.error_kind, p_message text)
    returns void
    language plpgsql
    set search_path = ''
as $$
begin
    update public.jobs
    set status = 'parked', hold = 'attention'
    where jobs.id in (
        select sibling.id
        from public.jobs as sibling
        where sibling.production_id = p_job.production_id
          and (sibling.status = 'queued' or (sibling.status = 'parked' and sibling.hold <> 'attention'))
        for no key update skip locked
    );
    update public.productions
    set status = case when p_kind = 'quota' then 'waiting' else 'failed' end::public.production_status,
        waiting_for = case when p_kind = 'quota' then 'attention'::public.waiting_reason end,
        error_code = p_kind,
        error = format('%s: %s', p_job.stage, p_message),
        finished_at = case when p_kind <> 'quota' then clock_timestamp() end,
        updated_at = clock_timestamp()
    where productions.id = p_job.production_id
      and productions.status in ('queued', 'running', 'waiting');
end
$$;

-- Attempts whose lease has passed, for `fail(…, 'lost')`: one per transaction, so that no two locks are held.
create function engine.expired(p_limit integer)
    returns table (job_id uuid, attempt integer)
    language sql
    stable
    security definer
    set search_path = ''
as $$
    select jobs.id, jobs.attempt
    from public.jobs
    where jobs.status = 'running'
      and jobs.lease_until < clock_timestamp()
    limit p_limit
$$;

-- Send again what was not picked up, and re-admit parked jobs whose organization has room. Each sending doubles the
-- time to the next, up to ten minutes, so that a long backlog costs few duplicates. Returns the jobs to send.
create function engine.sweep(p_limit integer)
    returns jsonb
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    moment timestamptz := clock_timestamp();
    ready jsonb;
    limits engine.organization_limits;
    organization uuid := '00000000-0000-0000-0000-000000000000';
    places integer;
    readmitted jsonb;
begin
    with sent as (
        update public.jobs
        set dispatches = least(jobs.dispatches + 1, 10),
            due_at = moment + least(interval '10 minutes', interval '25 seconds' * 2 ^ least(jobs.dispatches, 5))
        where jobs.id in (
            select due.id
            from public.jobs as due
            where due.status = 'queued'
              and due.due_at <= moment
            order by due.due_at
            limit p_limit
            for no key update skip locked
        )
        returning jobs.id, jobs.stage, jobs.organization_id
    )
    select coalesce(jsonb_agg(jsonb_build_object(
        'id', sent.id, 'stage', sent.stage, 'organization_id', sent.organization_id, 'delay', 0
    )), '[]')
    into ready
    from sent;

    -- One index descent per organization that has parked jobs, however many each has.
    loop
        select jobs.organization_id into organization
        from public.jobs
        where jobs.status = 'parked'
          and jobs.hold in ('slot', 'budget')
          and jobs.organization_id > organization
        order by jobs.organization_id
        limit 1;
        exit when not found or jsonb_array_length(ready) >= 2 * p_limit;
        select * into limits
        from engine.organization_limits
        where organization_limits.organization_id = organization
        for no key update;
        select limits.max_running_jobs - count(*) into places
        from public.jobs
        where jobs.organization_id = organization
          and jobs.status = 'running';
        for place in 1..coalesce(places, 0) loop
            readmitted := engine.readmit_one(limits);
            exit when readmitted = '[]';
            ready := ready || readmitted;
        end loop;
    end loop;
    return ready;
end
$$;

revoke execute on all functions in schema engine from public;
grant execute on function engine.fail, engine.expired, engine.sweep to showrunner_worker;
