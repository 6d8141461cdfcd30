-- Undoes the engine's rows.

drop trigger limits_follow_tier on public.organizations;
drop function engine.follow_tier();
drop table engine.organization_limits, public.assets, public.jobs, public.production_stages, public.productions,
    engine.pipelines;
drop type public.error_kind;
drop type public.job_hold;
drop type public.job_status;
drop type public.stage_status;
drop type public.waiting_reason;
drop type public.production_status;
