-- A production's life: submit, open stages as they become possible, cancel, approve.

-- Percent of the production, weighted by stage, from the barrier's counters. 100 is kept for what is complete: a stage
-- whose jobs have all failed has nothing left to do either.
create function engine.progress_of(p_production uuid)
    returns smallint
    language sql
    stable
    set search_path = ''
as $$
    select least(99, floor(100.0 * sum(
        pipelines.weight * case
            when stages.status = 'done' then 1
            when stages.total = 0 then 0
            else (stages.total - stages.remaining)::numeric / stages.total
        end
    ) / sum(pipelines.weight)))::smallint
    from public.production_stages as stages
    join public.productions on productions.id = stages.production_id
    join engine.pipelines on pipelines.kind = productions.kind and pipelines.stage = stages.stage
    where stages.production_id = p_production
$$;

-- What failed, in a sentence: the stage, how many of how many, and the first reason.
create function engine.sentence_of_failure(p_production uuid)
    returns table (code public.error_kind, sentence text)
    language sql
    stable
    set search_path = ''
as $$
    select
        jobs.error_kind,
        format(
            '%s: %s%s',
            jobs.stage,
            case when stages.total > 1 then format('%s of %s failed; the first: ', stages.failed, stages.total) else '' end,
            jobs.error
        )
    from public.jobs
    join public.production_stages as stages
        on stages.production_id = jobs.production_id and stages.stage = jobs.stage
    where jobs.production_id = p_production
      and jobs.status = 'failed'
    order by stages.position, jobs.finished_at, jobs.id
    limit 1
$$;

-- Open every stage that has become possible, then say what the production is. One pass in topological order is
-- enough: a stage whose jobs are all kept is done at once, and its successors come later in the same pass.
-- The caller holds the production's lock.
create function engine.advance(p_production uuid, p_dispatched boolean)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    production public.productions;
    pipeline engine.pipelines;
    ready jsonb := '[]';
    failure record;
    new_status public.production_status;
    new_stage text;
begin
    select * into production from public.productions where id = p_production;
    -- While a person has to act nothing opens; the rebuild that follows opens what has become possible meanwhile.
    if production.status in ('completed', 'failed', 'cancelled') or production.waiting_for = 'attention' then
        return ready;
    end if;

    for pipeline in
        select pipelines.*
        from engine.pipelines
        join public.production_stages as stages
            on stages.production_id = p_production and stages.stage = pipelines.stage
        where pipelines.kind = production.kind
          and stages.status in ('pending', 'waiting')
        order by pipelines.position
    loop
        continue when exists (
            select
            from public.production_stages as before
            where before.production_id = p_production
              and before.stage = any (pipeline.after)
              and before.status <> 'done'
        );
        if pipeline.gate and exists (
            select
            from public.production_stages as closed
            where closed.production_id = p_production
              and closed.stage = pipeline.stage
              and closed.approved_at is null
        ) then
            update public.production_stages
            set status = 'waiting',
                started_at = clock_timestamp()
            where production_stages.production_id = p_production
              and production_stages.stage = pipeline.stage
              and production_stages.status = 'pending';
            continue;
        end if;
        ready := ready || engine.reconcile(production, pipeline, p_dispatched);
    end loop;

    select
        case
            when bool_or(stages.status = 'running') then 'running'
            when bool_or(stages.status = 'failed') then 'failed'
            when bool_or(stages.status = 'waiting') then 'waiting'
            else 'completed'
        end,
        coalesce(
            min(stages.stage) filter (where stages.status = 'running' and stages.position = first_open),
            min(stages.stage) filter (where stages.status = 'waiting'),
            min(stages.stage) filter (where stages.status = 'failed'),
            min(stages.stage) filter (where stages.position = last_position)
        )
    into new_status, new_stage
    from (
        select
            production_stages.*,
            min(position) filter (where status = 'running') over () as first_open,
            max(position) over () as last_position
        from public.production_stages
        where production_stages.production_id = p_production
    ) as stages;

    select * into failure from engine.sentence_of_failure(p_production) where new_status = 'failed';

    update public.productions
    set status = case
            when new_status = 'running' and productions.status = 'queued' then 'queued'
            else new_status
        end,
        waiting_for = case when new_status = 'waiting' then 'approval'::public.waiting_reason end,
        current_stage = new_stage,
        progress = case
            when new_status = 'completed' then 100
            else greatest(productions.progress, engine.progress_of(p_production))
        end,
        error_code = failure.code,
        error = failure.sentence,
        finished_at = case when new_status in ('completed', 'failed') then clock_timestamp() end,
        updated_at = clock_timestamp()
    where productions.id = p_production;

    return ready;
end
$$;

-- Take the production's locks in the engine's order, which freezes its transitions.
create function engine.lock_production(p_production uuid)
    returns public.productions
    language plpgsql
    set search_path = ''
as $$
declare
    production public.productions;
begin
    perform
    from public.production_stages
    where production_stages.production_id = p_production
    order by production_stages.position
    for no key update;
    select * into production from public.productions where productions.id = p_production for no key update;
    if not found then
        raise exception 'production: % does not exist', p_production using errcode = 'no_data_found';
    end if;
    return production;
end
$$;

-- Accept a request. `p_dispatched` says that the caller sends the returned jobs itself; otherwise they are due now
-- and the next sweep sends them. The same idempotency key returns the same production.
create function engine.submit(
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

-- Cancel: nothing new starts from here on. Running jobs notice at their next heartbeat, and whatever they finish is
-- not accepted. A job that is locked this instant is cancelled when it is claimed. Returns whether it was open.
create function engine.cancel(p_production uuid)
    returns boolean
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    production public.productions := engine.lock_production(p_production);
begin
    if production.status in ('completed', 'failed', 'cancelled') then
        return false;
    end if;
    with cancelled as (
        update public.jobs
        set status = 'cancelled',
            hold = null,
            error_kind = 'cancelled',
            error = 'Cancelled with its production.',
            finished_at = clock_timestamp()
        where jobs.id in (
            select open.id
            from public.jobs as open
            where open.production_id = p_production
              and open.status in ('queued', 'parked')
            for no key update skip locked
        )
        returning jobs.stage
    ),
    counted as (
        select cancelled.stage, count(*) as jobs from cancelled group by cancelled.stage
    )
    update public.production_stages
    set remaining = production_stages.remaining - counted.jobs
    from counted
    where production_stages.production_id = p_production
      and production_stages.stage = counted.stage;

    update public.productions
    set status = 'cancelled',
        waiting_for = null,
        cancel_requested_at = clock_timestamp(),
        finished_at = clock_timestamp(),
        updated_at = clock_timestamp()
    where productions.id = p_production;
    return true;
end
$$;

-- Open the gate a production waits at. Returns the jobs to send; null when it waits for no approval.
create function engine.approve(p_production uuid, p_dispatched boolean default false)
    returns jsonb
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    production public.productions := engine.lock_production(p_production);
begin
    update public.production_stages
    set approved_at = clock_timestamp()
    where production_stages.production_id = p_production
      and production_stages.status = 'waiting'
      and production.status in ('queued', 'running', 'waiting');
    if not found then
        return null;
    end if;
    return engine.advance(p_production, p_dispatched);
end
$$;

revoke execute on all functions in schema engine from public;
grant execute on function engine.submit, engine.cancel, engine.approve to showrunner_worker;
