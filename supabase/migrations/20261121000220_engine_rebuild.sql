-- Rebuild, which is also retry, and what it would cost.

-- Raise unless the stage is one of the kind's, or null.
create function engine.check_from_stage(p_kind text, p_stage text)
    returns void
    language plpgsql
    stable
    set search_path = ''
as $$
begin
    if p_stage is not null and not exists (
        select from engine.pipelines where pipelines.kind = p_kind and pipelines.stage = p_stage
    ) then
        raise exception 'from_stage: % is not a stage of %; allowed: %', p_stage, p_kind,
            (select string_agg(pipelines.stage, ', ' order by pipelines.position)
             from engine.pipelines where pipelines.kind = p_kind)
            using errcode = 'invalid_parameter_value';
    end if;
end
$$;

-- From which stage on a rebuild may replace what people may have edited: the named stage, or the one that a build
-- before was asked for and did not complete, whichever comes first.
create function engine.renew_from(p_production public.productions, p_from_stage text)
    returns text
    language sql
    stable
    set search_path = ''
as $$
    select pipelines.stage
    from engine.pipelines
    where pipelines.kind = p_production.kind
      and (
          pipelines.stage = p_from_stage
          or (pipelines.stage = p_production.renew_from and p_production.status <> 'completed')
      )
    order by pipelines.position
    limit 1
$$;

-- Which jobs a rebuild would run, why, and for how much. A stage is read as it is now; what is downstream of a job that
-- runs or vanishes is counted as running too: item by item where the upstream stage has the same key, else whole. The
-- real rebuild compares hashes, so it never runs more than this for what exists now.
create function engine.preview_rebuild(p_production uuid, p_from_stage text default null)
    returns table (stage text, key text, reason text, estimate_gbp numeric)
    language plpgsql
    stable
    security definer
    set search_path = ''
as $$
declare
    production public.productions;
    pipeline engine.pipelines;
    again text[];
    dirty jsonb := '{}';
    changed text[];
begin
    select * into production from public.productions where productions.id = p_production;
    if not found then
        raise exception 'production: % does not exist', p_production using errcode = 'no_data_found';
    end if;
    perform engine.check_from_stage(production.kind, p_from_stage);
    again := array(select engine.stages_from(production.kind, engine.renew_from(production, p_from_stage)));
    for pipeline in
        select * from engine.pipelines where pipelines.kind = production.kind order by pipelines.position
    loop
        changed := array(
            select jobs.key
            from public.jobs
            where jobs.production_id = p_production
              and jobs.stage = pipeline.stage
              and jobs.status <> 'cancelled'
              and not exists (
                  select
                  from engine.desired_jobs(p_production, pipeline.desired_jobs) as desired
                  where desired.key = jobs.key
              )
        );
        for stage, key, reason, estimate_gbp in
            select
                pipeline.stage,
                desired.key,
                case
                    when pipeline.stage = p_from_stage then 'named'
                    when job.id is null then 'new'
                    when job.status <> 'succeeded' then job.status::text
                    when job.input_hash <> desired.input_hash then 'changed'
                    else 'follows'
                end,
                desired.estimate_gbp
            from engine.desired_jobs(p_production, pipeline.desired_jobs) as desired
            left join public.jobs as job
                on job.production_id = p_production
                and job.stage = pipeline.stage
                and job.key = desired.key
            where pipeline.stage = p_from_stage
               or job.id is null
               or job.status <> 'succeeded'
               or (
                   (not pipeline.sticky or pipeline.stage = any (again))
                   and (
                       job.input_hash <> desired.input_hash
                       or exists (
                           select
                           from unnest(pipeline.after) as before (stage)
                           where dirty -> before.stage <> '[]'
                             and (
                                 dirty -> before.stage ? desired.key
                                 or not exists (
                                     select
                                     from public.jobs as made
                                     where made.production_id = p_production
                                       and made.stage = before.stage
                                       and made.key = desired.key
                                 )
                             )
                       )
                   )
               )
            order by desired.key
        loop
            changed := changed || key;
            return next;
        end loop;
        dirty := dirty || jsonb_build_object(pipeline.stage, to_jsonb(changed));
    end loop;
end
$$;

-- Compare everything again and run what differs. Not while it runs; a production that waits may be rebuilt.
create function engine.rebuild(
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

-- Close every open job of a production that is not running: slots and reservations go back. The caller holds the
-- locks of the jobs and of the production.
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

revoke execute on all functions in schema engine from public;
grant execute on function engine.preview_rebuild, engine.rebuild to showrunner_worker;
