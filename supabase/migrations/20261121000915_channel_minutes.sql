-- Videos use a month's processing minutes as episodes do, and are forgotten as they are.

create or replace view public.processing_minutes with (security_invoker = true) as
select
    organization.id as organization_id,
    this.month,
    limits.processing_minutes_monthly as allowed_minutes,
    used.minutes as used_minutes,
    reserved.minutes as reserved_minutes,
    greatest(limits.processing_minutes_monthly - used.minutes - reserved.minutes, 0) as remaining_minutes
from public.organizations as organization
join public.tier_limits as limits on limits.tier = organization.tier
cross join lateral (select date_trunc('month', now() at time zone 'utc')::date as month) as this
cross join lateral (
    select coalesce(sum(processed.minutes), 0) as minutes
    from public.processed_minutes as processed
    where processed.organization_id = organization.id
      and processed.month = this.month
) as used
cross join lateral (
    select coalesce(sum(greatest(
        coalesce(episode.target_minutes, video.target_duration_minutes) - coalesce(processed.minutes, 0), 0
    )), 0) as minutes
    from public.productions as production
    left join public.episodes as episode on production.kind = 'episode' and episode.id = production.subject_id
    left join public.video_jobs as video on production.kind = 'ambience' and video.id = production.subject_id
    left join public.processed_minutes as processed
        on processed.organization_id = production.organization_id
        and processed.month = this.month
        and processed.subject_id = production.subject_id
    where production.organization_id = organization.id
      and production.kind in ('episode', 'ambience')
      and production.status in ('queued', 'running', 'waiting')
) as reserved;

create or replace function private.check_processing_minutes(p_organization uuid, p_subject uuid, p_minutes numeric)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
    month public.processing_minutes;
    own_used numeric;
    own_reserved numeric;
    asked numeric;
    available numeric;
begin
    perform private.lock_minutes(p_organization);
    select * into strict month
    from public.processing_minutes as minutes
    where minutes.organization_id = p_organization;

    select coalesce(sum(processed.minutes), 0) into own_used
    from public.processed_minutes as processed
    where processed.organization_id = p_organization
      and processed.month = month.month
      and processed.subject_id = p_subject;
    select coalesce(sum(greatest(coalesce(episode.target_minutes, video.target_duration_minutes) - own_used, 0)), 0)
    into own_reserved
    from public.productions as production
    left join public.episodes as episode on production.kind = 'episode' and episode.id = production.subject_id
    left join public.video_jobs as video on production.kind = 'ambience' and video.id = production.subject_id
    where production.subject_id = p_subject
      and production.kind in ('episode', 'ambience')
      and production.status in ('queued', 'running', 'waiting');

    asked := greatest(p_minutes - own_used, 0);
    available := month.allowed_minutes - month.used_minutes - (month.reserved_minutes - own_reserved);
    if asked > greatest(available, 0) then
        perform private.refuse(
            '53400',
            format('target_minutes: %s asked, %s of %s minutes are left this month', p_minutes,
                greatest(round(available, 1), 0), month.allowed_minutes),
            'Ask for fewer minutes, wait for the next month or change the tier.'
        );
    end if;
end
$$;

-- Videos and channels that were soft-deleted so long ago, with their productions and files.
create function engine.purge_deleted_videos(p_deleted_for interval, p_limit integer)
    returns integer
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    before timestamptz := clock_timestamp() - p_deleted_for;
    removed integer;
    changed integer;
begin
    delete from public.video_jobs where video_jobs.id in (
        select old.id
        from public.video_jobs as old
        join public.channels on channels.id = old.channel_id
        where least(old.deleted_at, channels.deleted_at) < before
          -- A running job holds a place and a reservation, which only its own end gives back.
          and not exists (
              select
              from public.productions
              join public.jobs on jobs.production_id = productions.id
              where productions.subject_id = old.id
                and jobs.status = 'running'
          )
        limit p_limit
    );
    get diagnostics removed = row_count;
    delete from public.channels where channels.id in (
        select old.id
        from public.channels as old
        where old.deleted_at < before
          and not exists (select from public.video_jobs where video_jobs.channel_id = old.id)
        limit p_limit
    );
    get diagnostics changed = row_count;
    return least(removed + changed, p_limit);
end
$$;

revoke execute on function engine.purge_deleted_videos from public;
grant execute on function engine.purge_deleted_videos to showrunner_worker;
