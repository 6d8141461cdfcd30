-- Undoes the advisory lock of failures and sweeps.

drop function engine.count_down(uuid, text, boolean, boolean);

create function engine.count_down(p_job public.jobs, p_failed boolean, p_dispatched boolean)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
begin
    return coalesce(engine.pass_barrier(p_job, p_failed, p_dispatched), '[]');
end
$$;

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

create or replace function engine.sweep_organizations(p_limit integer)
    returns jsonb
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    moment timestamptz := clock_timestamp();
    ready jsonb := '[]';
    readmitted jsonb := '[]';
    organizations uuid[];
    share integer;
    sending uuid[];
    organization uuid;
    limits engine.organization_limits;
    one jsonb;
begin
    organizations := array(
        select visited.organization_id
        from engine.organizations_with_queued_jobs(gen_random_uuid(), 4 * p_limit) as visited
        where visited.due_at <= moment
        limit p_limit
    );
    while cardinality(organizations) > 0 and jsonb_array_length(ready) < p_limit loop
        share := greatest(1, (p_limit - jsonb_array_length(ready)) / cardinality(organizations));
        organizations := organizations[1 : p_limit - jsonb_array_length(ready)];
        sending := array(
            select turn.id
            from unnest(organizations) as visited (organization_id)
            cross join lateral (
                select due.id
                from public.jobs as due
                where due.organization_id = visited.organization_id
                  and due.status = 'queued'
                  and due.due_at <= moment
                order by due.due_at
                limit share
                for no key update skip locked
            ) as turn
        );
        with sent as (
            update public.jobs
            set dispatches = least(jobs.dispatches + 1, 10),
                due_at = moment + least(interval '10 minutes', interval '25 seconds' * 2 ^ least(jobs.dispatches, 5))
            where jobs.id = any (sending)
            returning jobs.id, jobs.stage, jobs.organization_id
        )
        select
            ready || coalesce((
                select jsonb_agg(jsonb_build_object(
                    'id', sent.id, 'stage', sent.stage, 'organization_id', sent.organization_id, 'delay', 0
                ))
                from sent
            ), '[]'),
            -- Who had a whole share may have more.
            array(select sent.organization_id from sent group by sent.organization_id having count(*) = share)
        into ready, organizations;
    end loop;

    -- Locked in the order of their ids, as every sweeper does.
    organizations := array(
        select chosen.organization_id
        from (
            select visited.organization_id
            from engine.organizations_with_parked_jobs(gen_random_uuid(), 4 * p_limit) as visited (organization_id)
            where engine.has_room(visited.organization_id)
            limit p_limit
        ) as chosen
        order by chosen.organization_id
    );
    share := greatest(1, p_limit / greatest(1, cardinality(organizations)));
    foreach organization in array organizations loop
        select * into limits
        from engine.organization_limits
        where organization_limits.organization_id = organization
        for no key update;
        for place in 1..least(share, limits.max_running_jobs - (
            select count(*)
            from public.jobs
            where jobs.organization_id = organization
              and jobs.status = 'running'
        )) loop
            one := engine.readmit_one(limits);
            exit when one = '[]';
            readmitted := readmitted || one;
        end loop;
    end loop;
    return ready || readmitted;
end
$$;

revoke execute on all functions in schema engine from public;
