-- Gaps in what an organization may run and spend: freed room is handed on in the transaction that frees it, and what is
-- read for that is bounded; a request that loses a race is told of the right production; a tier's limits reach its
-- organizations, and an operator's word stands.

-- The cheapest of those that wait for budget: when it does not fit, none does. Only they are in it.
create index jobs_parked_for_budget on public.jobs (organization_id, estimate_gbp)
    where status = 'parked' and hold = 'budget';

-- What an organization may still spend or reserve on this UTC day.
create function engine.left_today(p_limits engine.organization_limits)
    returns numeric
    language plpgsql
    volatile
    set search_path = ''
as $$
begin
    return p_limits.daily_budget_gbp - coalesce((
        select usage.total_cost_gbp + usage.reserved_gbp
        from public.token_usage_daily as usage
        where usage.organization_id = p_limits.organization_id
          and usage.day = (clock_timestamp() at time zone 'utc')::date
    ), 0);
end
$$;

-- Hand one freed place to the organization's oldest job that waits for a place, else to one that waits for budget:
-- the oldest if it fits now, or the cheapest.
-- The caller holds the organization's limits, so a claim that is parking itself is either seen here or sees the place.
create or replace function engine.readmit_one(p_limits engine.organization_limits)
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
        left_today := engine.left_today(p_limits);
        select jobs.id, jobs.stage, jobs.estimate_gbp into ready
        from public.jobs
        where jobs.organization_id = p_limits.organization_id
          and jobs.status = 'parked'
          and jobs.hold = 'budget'
        order by jobs.due_at
        limit 1
        for no key update skip locked;
        if ready.estimate_gbp > left_today then
            select jobs.id, jobs.stage, jobs.estimate_gbp into ready
            from public.jobs
            where jobs.organization_id = p_limits.organization_id
              and jobs.status = 'parked'
              and jobs.hold = 'budget'
              and jobs.estimate_gbp <= left_today
            order by jobs.estimate_gbp
            limit 1
            for no key update skip locked;
        end if;
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

-- Close every open job of a production that is not running. Returns what those that ran held, for `release_all`. The
-- caller holds the locks of the jobs and of the production.
create function engine.close_all(p_production uuid)
    returns jsonb
    language sql
    set search_path = ''
as $$
    with closed as (
        update public.jobs as job
        set status = 'cancelled',
            hold = null,
            slot = null,
            lease_until = null,
            reserved_on = null,
            finished_at = clock_timestamp()
        from public.jobs as before
        where job.id = before.id
          and job.production_id = p_production
          and job.status in ('queued', 'running', 'parked')
        returning before.reserved_on, before.estimate_gbp, before.provider
    )
    select coalesce(jsonb_agg(to_jsonb(closed)), '[]') from closed where closed.reserved_on is not null
$$;

drop function engine.release_all(uuid);

-- Give back what closed jobs held, and hand their places on: the organization's, and their providers'. Returns the jobs
-- to send; where the caller does not send them they are due now.
create function engine.release_all(p_organization uuid, p_freed jsonb, p_dispatched boolean)
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

    update public.token_usage_daily as usage
    set reserved_gbp = usage.reserved_gbp - released.estimate_gbp
    from (
        select jobs.reserved_on, sum(jobs.estimate_gbp) as estimate_gbp
        from jsonb_to_recordset(p_freed) as jobs (reserved_on date, estimate_gbp numeric)
        group by jobs.reserved_on
    ) as released
    where usage.organization_id = p_organization
      and usage.day = released.reserved_on;

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

-- Compare everything again and run what differs. Not while it runs; a production that waits may be rebuilt.
create or replace function engine.rebuild(
    p_production uuid,
    p_from_stage text default null,
    p_dispatched boolean default false,
    out build integer,
    out jobs jsonb
)
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    production public.productions;
    freed jsonb;
begin
    -- Attempts that outlived a cancel or a failure are fenced off: their rows stop running here. Only open jobs are
    -- locked this early: a completion that opens a stage writes the others while it holds the production.
    perform
    from public.jobs as open
    where open.production_id = p_production
      and open.status in ('queued', 'running', 'parked')
    order by open.id
    for no key update;
    production := engine.lock_production(p_production);
    if production.status in ('queued', 'running') then
        raise exception 'production: % is %', p_production, production.status
            using errcode = 'object_in_use', hint = 'Wait for it, or cancel it first.';
    end if;
    perform engine.check_from_stage(production.kind, p_from_stage);
    freed := engine.close_all(p_production);

    insert into public.production_stages (production_id, stage, organization_id, position)
    select p_production, pipelines.stage, production.organization_id, pipelines.position
    from engine.pipelines
    where pipelines.kind = production.kind
    on conflict do nothing;
    update public.production_stages
    set status = 'pending',
        total = 0,
        remaining = 0,
        failed = 0,
        approved_at = case
            when production_stages.stage in (select engine.stages_from(production.kind, p_from_stage)) then null
            else production_stages.approved_at
        end,
        started_at = null,
        finished_at = null
    where production_stages.production_id = p_production;

    update public.productions
    set status = 'queued',
        waiting_for = null,
        build = productions.build + 1,
        rebuild_from = p_from_stage,
        renew_from = engine.renew_from(production, p_from_stage),
        progress = 0,
        estimate_gbp = 0,
        error_code = null,
        error = null,
        cancel_requested_at = null,
        started_at = null,
        finished_at = null,
        updated_at = clock_timestamp()
    where productions.id = p_production
    returning productions.build into rebuild.build;
    -- What is freed comes last, as its locks do.
    jobs := engine.advance(p_production, p_dispatched);
    jobs := jobs || engine.release_all(production.organization_id, freed, p_dispatched);
end
$$;

-- Accept a request. `p_dispatched` says that the caller sends the returned jobs itself; otherwise they are due now
-- and the next sweep sends them. The same idempotency key returns the same production.
create or replace function engine.submit(
    p_organization uuid,
    p_kind text,
    p_subject uuid,
    p_idempotency_key text,
    p_requested_by uuid,
    p_dispatched boolean default false,
    out production_id uuid,
    out is_new boolean,
    out jobs jsonb
)
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    existing public.productions;
begin
    if not exists (select from engine.pipelines where pipelines.kind = p_kind) then
        raise exception 'kind: % is not a kind of production; allowed: %', p_kind,
            (select string_agg(distinct pipelines.kind, ', ') from engine.pipelines)
            using errcode = 'invalid_parameter_value';
    end if;

    -- Once more where the production in the way has ended or gone before it could be read.
    loop
        insert into public.productions (organization_id, kind, subject_id, idempotency_key, requested_by)
        values (p_organization, p_kind, p_subject, p_idempotency_key, p_requested_by)
        on conflict do nothing
        returning id into production_id;
        exit when production_id is not null;

        select * into existing
        from public.productions
        where productions.organization_id = p_organization
          and productions.idempotency_key = p_idempotency_key;
        if found then
            if (existing.kind, existing.subject_id) is distinct from (p_kind, p_subject) then
                raise exception 'idempotency_key: % was used for another request', p_idempotency_key
                    using errcode = 'unique_violation', hint = 'Use a new key for a new request.';
            end if;
            production_id := existing.id;
            is_new := false;
            jobs := '[]';
            return;
        end if;

        select * into existing
        from public.productions
        where productions.subject_id = p_subject
          and productions.status in ('queued', 'running', 'waiting');
        if found then
            raise exception 'subject: % is already being made by production %', p_subject, existing.id
                using errcode = 'unique_violation', hint = 'Wait for it, or cancel it first.';
        end if;
    end loop;

    insert into public.production_stages (production_id, stage, organization_id, position)
    select submit.production_id, pipelines.stage, p_organization, pipelines.position
    from engine.pipelines
    where pipelines.kind = p_kind;
    is_new := true;
    jobs := engine.advance(production_id, p_dispatched);
end
$$;

revoke execute on all functions in schema engine from public;
