-- Undoes the provider of a job.

create or replace function engine.reconcile(
    p_production public.productions,
    p_pipeline engine.pipelines,
    p_dispatched boolean
)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    forced boolean := p_production.rebuild_from is not distinct from p_pipeline.stage;
    protected boolean := p_pipeline.sticky and p_pipeline.stage not in (
        select engine.stages_from(p_production.kind, p_production.renew_from)
    );
    due timestamptz := clock_timestamp() + case when p_dispatched then interval '25 seconds' else interval '0' end;
    wanted integer;
    opened jsonb;
    estimate numeric;
begin
    with desired as materialized (
        select * from engine.desired_jobs(p_production.id, p_pipeline.desired_jobs)
    ),
    queued as (
        insert into public.jobs as job (
            production_id, organization_id, stage, key, input, input_hash, estimate_gbp, max_fails, queued_at, due_at
        )
        select
            p_production.id, p_production.organization_id, p_pipeline.stage,
            desired.key, desired.input, desired.input_hash, desired.estimate_gbp, p_pipeline.max_fails,
            clock_timestamp(), due
        from desired
        on conflict (production_id, stage, key) do update
        set status = 'queued',
            hold = null,
            fails = 0,
            max_fails = excluded.max_fails,
            dispatches = 0,
            queued_at = excluded.queued_at,
            due_at = excluded.due_at,
            not_before = null,
            estimate_gbp = excluded.estimate_gbp,
            input = excluded.input,
            input_hash = excluded.input_hash,
            output = null,
            output_hash = null,
            state = null,
            progress = null,
            error_kind = null,
            error = null,
            started_at = null,
            finished_at = null
        where forced
           or job.status <> 'succeeded'
           or (job.input_hash <> excluded.input_hash and not protected)
        returning job.id, job.estimate_gbp
    ),
    retired as (
        update public.jobs
        set status = 'cancelled',
            error = 'Nothing desires this job any more.',
            finished_at = clock_timestamp()
        where jobs.production_id = p_production.id
          and jobs.stage = p_pipeline.stage
          and jobs.status <> 'cancelled'
          and not exists (select from desired where desired.key = jobs.key)
        returning jobs.id
    )
    select
        (select count(*) from desired),
        coalesce(jsonb_agg(jsonb_build_object(
            'id', queued.id,
            'stage', p_pipeline.stage,
            'organization_id', p_production.organization_id,
            'delay', 0
        )), '[]'),
        coalesce(sum(queued.estimate_gbp), 0)
    into wanted, opened, estimate
    from queued;

    update public.production_stages
    set total = wanted,
        remaining = jsonb_array_length(opened),
        failed = 0,
        opened_build = p_production.build,
        started_at = clock_timestamp(),
        finished_at = case when jsonb_array_length(opened) = 0 then clock_timestamp() end,
        status = case when jsonb_array_length(opened) = 0 then 'done' else 'running' end::public.stage_status
    where production_stages.production_id = p_production.id
      and production_stages.stage = p_pipeline.stage;

    update public.productions
    set estimate_gbp = productions.estimate_gbp + estimate
    where productions.id = p_production.id
      and estimate > 0;

    -- An approval stands as long as what was approved is kept.
    update public.production_stages
    set approved_at = null
    where jsonb_array_length(opened) > 0
      and production_stages.production_id = p_production.id
      and production_stages.stage <> p_pipeline.stage
      and production_stages.stage in (select engine.stages_from(p_production.kind, p_pipeline.stage))
      and production_stages.approved_at is not null;

    return opened;
end
$$;

drop index public.jobs_running_at_provider, public.jobs_parked_at_provider;
alter table public.jobs drop column provider;
alter table engine.pipelines drop column provider_field;
