-- Undoes what closed the gaps of places, budgets and requests.

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

    insert into public.productions (organization_id, kind, subject_id, idempotency_key, requested_by)
    values (p_organization, p_kind, p_subject, p_idempotency_key, p_requested_by)
    on conflict do nothing
    returning id into production_id;

    if production_id is null then
        select * into existing
        from public.productions
        where productions.organization_id = p_organization
          and productions.idempotency_key = p_idempotency_key;
        if not found then
            select * into existing
            from public.productions
            where productions.subject_id = p_subject
              and productions.status in ('queued', 'running', 'waiting');
            raise exception 'subject: % is already being made by production %', p_subject, existing.id
                using errcode = 'unique_violation', hint = 'Wait for it, or cancel it first.';
        elsif (existing.kind, existing.subject_id) is distinct from (p_kind, p_subject) then
            raise exception 'idempotency_key: % was used for another request', p_idempotency_key
                using errcode = 'unique_violation', hint = 'Use a new key for a new request.';
        end if;
        production_id := existing.id;
        is_new := false;
        jobs := '[]';
        return;
    end if;

    insert into public.production_stages (production_id, stage, organization_id, position)
    select submit.production_id, pipelines.stage, p_organization, pipelines.position
    from engine.pipelines
    where pipelines.kind = p_kind;
    is_new := true;
    jobs := engine.advance(production_id, p_dispatched);
end
$$;

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
    perform engine.release_all(p_production);

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
    jobs := engine.advance(p_production, p_dispatched);
end
$$;

drop function engine.release_all(uuid, jsonb, boolean);
drop function engine.close_all(uuid);

create function engine.release_all(p_production uuid)
    returns void
    language plpgsql
    set search_path = ''
as $$
begin
    perform
    from engine.organization_limits as limits
    join public.productions on productions.organization_id = limits.organization_id
    where productions.id = p_production
    for no key update of limits;

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
        returning before.organization_id, before.reserved_on, before.estimate_gbp
    )
    update public.token_usage_daily as usage
    set reserved_gbp = usage.reserved_gbp - released.estimate_gbp
    from (
        select closed.organization_id, closed.reserved_on, sum(closed.estimate_gbp) as estimate_gbp
        from closed
        where closed.reserved_on is not null
        group by closed.organization_id, closed.reserved_on
    ) as released
    where usage.organization_id = released.organization_id
      and usage.day = released.reserved_on;
end
$$;

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
        left_today := p_limits.daily_budget_gbp - coalesce((
            select usage.total_cost_gbp + usage.reserved_gbp
            from public.token_usage_daily as usage
            where usage.organization_id = p_limits.organization_id
              and usage.day = (moment at time zone 'utc')::date
        ), 0);
        select jobs.id, jobs.stage into ready
        from public.jobs
        where jobs.organization_id = p_limits.organization_id
          and jobs.status = 'parked'
          and jobs.hold = 'budget'
          and jobs.estimate_gbp <= left_today
        order by jobs.due_at
        limit 1
        for no key update skip locked;
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

drop function engine.left_today(engine.organization_limits);
drop index public.jobs_parked_for_budget;
revoke execute on all functions in schema engine from public;
