-- Undoes the sweeper's fair shares: what has waited longest comes first, whosever it is.

create or replace function engine.sweep_organizations(p_limit integer)
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

drop function engine.has_room(uuid);
drop function engine.organizations_with_parked_jobs(uuid, integer);
drop function engine.organizations_with_queued_jobs(uuid, integer);

drop index public.jobs_due;
create index jobs_due on public.jobs (due_at) where status = 'queued';
