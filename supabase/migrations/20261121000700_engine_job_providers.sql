-- A job names the provider that it will call: pipelines say which field of its input refers to one.

alter table engine.pipelines add column provider_field text check (provider_field ~ '^[a-z][a-z0-9_]*$');

comment on column engine.pipelines.provider_field is
    'The field of a job''s input that refers to its provider as <provider>/<name>; null where a stage calls none.';

update engine.pipelines
set provider_field = case stage when 'speak_line' then 'voice' else 'writer' end
where kind = 'episode'
  and stage in ('write_outline', 'write_script', 'speak_line');

alter table public.jobs add column provider text;

comment on column public.jobs.provider is 'Whose limits hold for it, from its input; null where it calls no provider.';

update public.jobs
set provider = engine.provider_of(jobs.input ->> pipelines.provider_field)
from public.productions
join engine.pipelines on pipelines.kind = productions.kind
where productions.id = jobs.production_id
  and pipelines.stage = jobs.stage
  and pipelines.provider_field is not null
  and jobs.status in ('queued', 'running', 'parked');

grant select (provider) on public.jobs to authenticated;

-- Jobs without a provider are in none of the two.
create index jobs_running_at_provider on public.jobs (provider) where status = 'running' and provider is not null;
-- The next organization's oldest job is one descent, however many jobs each has parked.
create index jobs_parked_at_provider on public.jobs (provider, organization_id, due_at)
    where status = 'parked' and hold = 'provider';

-- Make `jobs` of one stage what the stage's view desires. Returns the jobs to send.
-- The caller holds the production's lock, and no job of this stage is open.
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
            production_id, organization_id, stage, key, provider, input, input_hash, estimate_gbp, max_fails,
            queued_at, due_at
        )
        select
            p_production.id, p_production.organization_id, p_pipeline.stage,
            desired.key, engine.provider_of(desired.input ->> p_pipeline.provider_field), desired.input,
            desired.input_hash, desired.estimate_gbp, p_pipeline.max_fails,
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
            provider = excluded.provider,
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

revoke execute on all functions in schema engine from public;
