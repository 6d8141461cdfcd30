drop trigger if exists count_minutes on public.episodes;
drop trigger if exists count_minutes_of_new on public.episodes;
drop trigger if exists check_longer_episode on public.episodes;

create or replace function private.check_episode_request(p_episode uuid)
    returns void
    language plpgsql
    stable
    security definer
    set search_path = ''
as $$
declare
    episode public.episodes;
    project public.projects;
    minutes numeric;
    allowed integer;
    used numeric;
begin
    select * into strict episode from public.episodes where episodes.id = p_episode;
    select * into strict project from public.projects where projects.id = episode.project_id;
    if project.deleted_at is not null then
        perform private.refuse('P0002', 'project: the show of this episode is deleted', 'Restore the show first.');
    end if;
    if not exists (
        select
        from public.sources
        where sources.project_id = project.id
          and (sources.episode_id is null or sources.episode_id = p_episode)
          and sources.is_active
          and sources.deleted_at is null
    ) then
        perform private.refuse('22023', 'sources: the show has no active source', 'Add a text, a web page, a PDF or a feed.');
    end if;
    minutes := coalesce(episode.target_minutes, project.target_minutes);
    select limits.processing_minutes_monthly into allowed
    from public.organizations
    join public.tier_limits as limits on limits.tier = organizations.tier
    where organizations.id = episode.organization_id;
    select coalesce(sum(episodes.duration_seconds), 0) / 60 into used
    from public.episodes
    where episodes.organization_id = episode.organization_id
      and episodes.generation_completed_at >= date_trunc('month', now(), 'UTC');
    if used + minutes > allowed then
        perform private.refuse(
            '53400',
            format('target_minutes: %s asked, %s of %s minutes are left this month', minutes,
                greatest(round(allowed - used, 1), 0), allowed),
            'Ask for fewer minutes, wait for the next month or change the tier.'
        );
    end if;
end
$$;

create or replace function private.rebuild_production(p_production uuid, p_from_stage text)
    returns integer
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    production public.productions := private.production_for(p_production, 'editor');
    new_build integer;
begin
    select rebuilt.build into new_build from engine.rebuild(p_production, p_from_stage, false) as rebuilt;
    perform private.note_event(production.organization_id, 'production_rebuilt', jsonb_build_object(
        'production_id', p_production, 'build', new_build, 'from_stage', p_from_stage
    ));
    return new_build;
end
$$;

create or replace function private.start_scheduled_episode(
    slot public.episode_schedule_queue,
    out episode_id uuid,
    out production_id uuid,
    out jobs jsonb
)
language plpgsql
set search_path = ''
as $$
begin
    insert into public.episodes (organization_id, project_id, scheduled_for)
    values (slot.organization_id, slot.project_id, slot.scheduled_for)
    returning id into episode_id;

    -- Nobody asks, yet the same must hold as for a request: something to make it from, and minutes left this month.
    perform private.check_episode_request(episode_id);

    select submitted.production_id, submitted.jobs
    into production_id, jobs
    from engine.submit(
        p_organization => slot.organization_id,
        p_kind => 'episode',
        p_subject => episode_id,
        p_idempotency_key => 'schedule:' || slot.id,
        p_requested_by => null,
        p_dispatched => true
    ) as submitted;
end
$$;

alter table engine.kinds drop column if exists check_rebuild;
drop function if exists
    private.count_minutes_of_episode, private.count_minutes, private.check_longer_episode, private.check_episode_rebuild,
    private.check_processing_minutes, private.lock_minutes;
drop view if exists public.processing_minutes;
drop index if exists public.productions_open;
drop table if exists public.processed_minutes;
