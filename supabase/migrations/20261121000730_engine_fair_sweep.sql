-- The sweeper shares what it sends among organizations, and reads in proportion to its batch: a backlog of one neither
-- keeps the others waiting nor is read through.

-- By organization, so that each one's oldest due job is one descent.
drop index public.jobs_due;
create index jobs_due on public.jobs (organization_id, due_at) where status = 'queued';

-- Organizations with queued jobs, each with its oldest due time: one index descent for each, however many jobs it has.
-- The walk begins after `p_from`, goes round, and ends after `p_most`.
create function engine.organizations_with_queued_jobs(p_from uuid, p_most integer)
    returns table (organization_id uuid, due_at timestamptz)
    language plpgsql
    stable
    rows 100
    set search_path = ''
as $$
begin
    return query
    with recursive walk as (
        select p_from as organization_id, null::timestamptz as due_at, false as is_round, 0 as steps
        union all
        select next.organization_id, next.due_at, next.is_round, walk.steps + 1
        from walk
        cross join lateral (
            (
                select jobs.organization_id, jobs.due_at, walk.is_round
                from public.jobs
                where jobs.status = 'queued'
                  and jobs.organization_id > walk.organization_id
                order by jobs.organization_id, jobs.due_at
                limit 1
            )
            union all
            (
                select jobs.organization_id, jobs.due_at, true
                from public.jobs
                where jobs.status = 'queued'
                  and not walk.is_round
                order by jobs.organization_id, jobs.due_at
                limit 1
            )
            limit 1
        ) as next
        where walk.steps < p_most
          and not (next.is_round and next.organization_id > p_from)
    )
    select walk.organization_id, walk.due_at
    from walk
    where walk.steps > 0;
end
$$;

-- The same for organizations with jobs that wait for a place or for budget.
create function engine.organizations_with_parked_jobs(p_from uuid, p_most integer)
    returns setof uuid
    language plpgsql
    stable
    rows 100
    set search_path = ''
as $$
begin
    return query
    with recursive walk as (
        select p_from as organization_id, false as is_round, 0 as steps
        union all
        select next.organization_id, next.is_round, walk.steps + 1
        from walk
        cross join lateral (
            (
                select jobs.organization_id, walk.is_round
                from public.jobs
                where jobs.status = 'parked'
                  and jobs.hold in ('slot', 'budget')
                  and jobs.organization_id > walk.organization_id
                order by jobs.organization_id
                limit 1
            )
            union all
            (
                select jobs.organization_id, true
                from public.jobs
                where jobs.status = 'parked'
                  and jobs.hold in ('slot', 'budget')
                  and not walk.is_round
                order by jobs.organization_id
                limit 1
            )
            limit 1
        ) as next
        where walk.steps < p_most
          and not (next.is_round and next.organization_id > p_from)
    )
    select walk.organization_id
    from walk
    where walk.steps > 0;
end
$$;

-- Whether a parked job of the organization could be handed a place now. Takes no lock: whoever hands one on looks again.
create function engine.has_room(p_organization uuid)
    returns boolean
    language plpgsql
    volatile
    set search_path = ''
as $$
declare
    limits engine.organization_limits;
begin
    select * into limits from engine.organization_limits where organization_limits.organization_id = p_organization;
    if limits.max_running_jobs <= (
        select count(*)
        from public.jobs
        where jobs.organization_id = p_organization
          and jobs.status = 'running'
    ) then
        return false;
    end if;
    return exists (
        select
        from public.jobs
        where jobs.organization_id = p_organization
          and jobs.status = 'parked'
          and jobs.hold = 'slot'
    ) or engine.left_today(limits) >= (
        select min(jobs.estimate_gbp)
        from public.jobs
        where jobs.organization_id = p_organization
          and jobs.status = 'parked'
          and jobs.hold = 'budget'
    );
end
$$;

-- Send again what was not picked up, and re-admit parked jobs whose organization has room. Each sending doubles the
-- time to the next, up to ten minutes, so that a long backlog costs few duplicates. Returns the jobs to send, at most
-- `p_limit` of each kind.
--
-- Organizations share `p_limit` evenly, and what one leaves over goes to the others. Each sweep begins at a random one,
-- so that none is always last when there are more than `p_limit`; it looks at four times as many at most.
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
