-- Dispatch by whoever asked: a request through the API is sent to its queue at once, by the API itself.

-- The jobs of one production that are due, for the caller to send after its commit; they are due again only when that
-- got lost. What is more than the limit stays due and is sent by the next sweep.
create function engine.take_due(p_production uuid, p_limit integer default 100)
    returns jsonb
    language sql
    volatile
    security definer
    set search_path = ''
as $$
    with sent as (
        update public.jobs
        set dispatches = least(jobs.dispatches + 1, 10),
            due_at = clock_timestamp() + interval '25 seconds'
        where jobs.id in (
            select due.id
            from public.jobs as due
            where due.production_id = p_production
              and due.status = 'queued'
              and due.due_at <= clock_timestamp()
            order by due.due_at, due.id
            limit p_limit
            for no key update skip locked
        )
        returning jobs.id, jobs.stage, jobs.organization_id
    )
    select coalesce(jsonb_agg(jsonb_build_object(
        'id', sent.id, 'stage', sent.stage, 'organization_id', sent.organization_id, 'delay', 0
    )), '[]')
    from sent
$$;
comment on function engine.take_due(uuid, integer) is
    'The due jobs of one production, to be sent by the caller after its commit.';

revoke execute on function engine.take_due(uuid, integer) from public;
grant execute on function engine.take_due(uuid, integer) to showrunner_worker;
