-- Forgetting: soft-deleted rows after a month, spoken lines that nobody used for a while, old history.
--
-- Rows go first; a trigger notes their files, which `maintain` deletes from S3 once no job that might still be using
-- a file can be running, and only if no asset has taken the key again meanwhile.

create table engine.file_deletions (
    key text primary key,
    queued_at timestamptz not null default clock_timestamp()
);

comment on table engine.file_deletions is 'A file in S3 whose row is gone; maintain deletes it after a grace.';

alter table engine.file_deletions enable row level security;

create function engine.note_deleted_files()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    insert into engine.file_deletions (key)
    select gone.key from gone
    on conflict (key) do update set queued_at = excluded.queued_at;
    return null;
end
$$;

create trigger files_of_deleted_assets_are_noted
    after delete on public.assets
    referencing old table as gone
    for each statement execute function engine.note_deleted_files();

create function engine.note_deleted_uploads()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    insert into engine.file_deletions (key)
    select gone.upload_key from gone where gone.upload_key is not null
    on conflict (key) do update set queued_at = excluded.queued_at;
    return null;
end
$$;

create trigger files_of_deleted_sources_are_noted
    after delete on public.sources
    referencing old table as gone
    for each statement execute function engine.note_deleted_uploads();

create function engine.files_to_delete(p_grace interval, p_limit integer)
    returns setof text
    language sql
    volatile
    security definer
    set search_path = ''
as $$
    with taken_again as (
        delete from engine.file_deletions as deletion
        using public.assets
        where assets.key = deletion.key
          and deletion.queued_at < clock_timestamp() - p_grace
    )
    select deletion.key
    from engine.file_deletions as deletion
    where deletion.queued_at < clock_timestamp() - p_grace
      and not exists (select from public.assets where assets.key = deletion.key)
    order by deletion.queued_at
    limit p_limit
$$;

create function engine.forget_files(p_keys text[])
    returns void
    language sql
    security definer
    set search_path = ''
as $$
    delete from engine.file_deletions where file_deletions.key = any (p_keys)
$$;

-- Spoken lines unused for so long. The jobs that spoke them count as not done, so a rebuild speaks them again.
create function engine.evict_audio(p_unused_for interval, p_limit integer)
    returns integer
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    evicted uuid[];
begin
    evicted := array(
        select cache.asset_id
        from public.audio_cache as cache
        where cache.last_used_at < clock_timestamp() - p_unused_for
          and not exists (
              select
              from public.productions
              where productions.organization_id = cache.organization_id
                and productions.status in ('queued', 'running', 'waiting')
          )
        order by cache.last_used_at
        limit p_limit
    );
    update public.jobs
    set status = 'cancelled',
        output = null,
        output_hash = null,
        error = 'Its file was not used for a long time and was removed; a rebuild makes it again.'
    where jobs.stage = 'speak_line'
      and jobs.status = 'succeeded'
      and jobs.production_id in (
          select productions.id
          from public.productions
          join public.assets on assets.organization_id = productions.organization_id
          where assets.id = any (evicted)
      )
      and (jobs.output -> 'asset' ->> 'id')::uuid = any (evicted);
    delete from public.assets where assets.id = any (evicted);
    return cardinality(evicted);
end
$$;

-- What was soft-deleted so long ago, with its productions and files. Spoken lines are shared by hash and leave with
-- the audio cache instead.
create function engine.purge_deleted(p_deleted_for interval, p_limit integer)
    returns integer
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    before timestamptz := clock_timestamp() - p_deleted_for;
    gone uuid[];
    removed integer := 0;
    changed integer;
begin
    gone := array(
        select episodes.id
        from public.episodes
        left join public.projects on projects.id = episodes.project_id
        left join public.organizations on organizations.id = episodes.organization_id
        where least(episodes.deleted_at, projects.deleted_at, organizations.deleted_at) < before
          -- A running job holds a place and a reservation, which only its own end gives back.
          and not exists (
              select
              from public.productions
              join public.jobs on jobs.production_id = productions.id
              where productions.subject_id = episodes.id
                and jobs.status = 'running'
          )
        limit p_limit
    );
    delete from public.assets
    where assets.kind <> 'speech'
      and assets.production_id in (
          select productions.id from public.productions where productions.subject_id = any (gone)
      );
    delete from public.productions where productions.subject_id = any (gone);
    delete from public.episodes where episodes.id = any (gone);
    removed := cardinality(gone);

    delete from public.sources where sources.id in (
        select old.id from public.sources as old where old.deleted_at < before limit p_limit
    );
    get diagnostics changed = row_count;
    removed := removed + changed;

    delete from public.projects where projects.id in (
        select old.id
        from public.projects as old
        where old.deleted_at < before
          and not exists (select from public.episodes where episodes.project_id = old.id)
        limit p_limit
    );
    get diagnostics changed = row_count;
    removed := removed + changed;

    delete from public.organizations where organizations.id in (
        select old.id
        from public.organizations as old
        where old.deleted_at < before
          and not exists (select from public.episodes where episodes.organization_id = old.id)
        limit p_limit
    );
    get diagnostics changed = row_count;
    removed := removed + changed;
    return least(removed, p_limit);
end
$$;

-- History that is older than asked: the audit log, user events, delivered webhooks, finished schedule slots.
create function engine.prune_history(p_older_than interval, p_limit integer)
    returns integer
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    before timestamptz := clock_timestamp() - p_older_than;
    removed integer := 0;
    changed integer;
    history text;
begin
    foreach history in array '{audit_log,user_events,webhook_deliveries}'::text[] loop
        execute format(
            'delete from public.%1$I where ctid in (select ctid from public.%1$I where created_at < $1 limit $2)', history
        ) using before, p_limit;
        get diagnostics changed = row_count;
        removed := greatest(removed, changed);
    end loop;
    delete from public.episode_schedule_queue as slot
    where slot.id in (
        select old.id
        from public.episode_schedule_queue as old
        where old.created_at < before
          and old.status in ('completed', 'skipped', 'failed')
        limit p_limit
    );
    get diagnostics changed = row_count;
    return greatest(removed, changed);
end
$$;

revoke execute on all functions in schema engine from public;
grant execute on function
    engine.files_to_delete, engine.forget_files, engine.evict_audio, engine.purge_deleted, engine.prune_history
    to showrunner_worker;
