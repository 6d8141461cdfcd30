-- A month's processing minutes: what was finished is written down and stays, what is being made is reserved, and a
-- request must fit into what is left. Requests of one organization are looked at one after the other.
--
-- Lock order: after the engine's locks and the episode's row comes the organization's minutes, an advisory lock of the
-- transaction. A row that others lock for other reasons would tie requests to them.

create table public.processed_minutes (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    month date not null check (extract(day from month) = 1),
    subject_id uuid not null,
    kind text not null,
    minutes numeric(12, 3) not null check (minutes >= 0),
    primary key (organization_id, month, subject_id)
);
comment on table public.processed_minutes is 'Minutes of media finished in a month (UTC). A subject counts once a month, however often it is rebuilt or whether it is deleted.';
comment on column public.processed_minutes.month is 'Its first day.';
comment on column public.processed_minutes.minutes is 'Of the longest that was finished of this subject.';

insert into public.processed_minutes (organization_id, month, subject_id, kind, minutes)
select
    episode.organization_id,
    date_trunc('month', episode.generation_completed_at at time zone 'utc')::date,
    episode.id,
    'episode',
    coalesce(episode.duration_seconds / 60, episode.target_minutes)
from public.episodes as episode
where episode.generation_completed_at is not null;

-- What is being made of an organization, for the sum below.
create index productions_open on public.productions (organization_id) where status in ('queued', 'running', 'waiting');

create view public.processing_minutes with (security_invoker = true) as
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
    select coalesce(sum(greatest(episode.target_minutes - coalesce(processed.minutes, 0), 0)), 0) as minutes
    from public.productions as production
    join public.episodes as episode on episode.id = production.subject_id
    left join public.processed_minutes as processed
        on processed.organization_id = production.organization_id
        and processed.month = this.month
        and processed.subject_id = production.subject_id
    where production.organization_id = organization.id
      and production.kind = 'episode'
      and production.status in ('queued', 'running', 'waiting')
) as reserved;
comment on view public.processing_minutes is 'This month''s minutes of an organization: allowed by its tier, used by finished media, reserved for what is being made, and left.';

-- Functions -----------------------------------------------------------------------------------------------------------

create function private.lock_minutes(p_organization uuid)
returns void
language sql
set search_path = ''
as $$
    select pg_advisory_xact_lock(hashtextextended('processing_minutes ' || p_organization, 0))
$$;

-- Refuse minutes that the month has no room for. What the subject itself has used or reserved already is its own: a
-- rebuild of what was finished this month asks for nothing new.
create function private.check_processing_minutes(p_organization uuid, p_subject uuid, p_minutes numeric)
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
    select coalesce(sum(greatest(episode.target_minutes - own_used, 0)), 0) into own_reserved
    from public.productions as production
    join public.episodes as episode on episode.id = production.subject_id
    where production.subject_id = p_subject
      and production.kind = 'episode'
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

-- As before, but that the minutes are reserved: the episode's row is held, so that its length stays what was looked at.
create or replace function private.check_episode_request(p_episode uuid)
    returns void
    language plpgsql
    volatile
    security definer
    set search_path = ''
as $$
declare
    episode public.episodes;
    project public.projects;
begin
    select * into strict episode from public.episodes where episodes.id = p_episode for no key update;
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
    perform private.check_processing_minutes(episode.organization_id, p_episode, episode.target_minutes);
end
$$;

-- A rebuild reserves minutes as a request does; its sources were read before.
create function private.check_episode_rebuild(p_episode uuid)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
    episode public.episodes;
begin
    select * into strict episode from public.episodes where episodes.id = p_episode for no key update;
    if episode.deleted_at is not null then
        perform private.refuse('P0002', 'production: its episode is deleted', 'Restore the episode first.');
    end if;
    if exists (
        select from public.projects where projects.id = episode.project_id and projects.deleted_at is not null
    ) then
        perform private.refuse('P0002', 'production: the show of its episode is deleted', 'Restore the show first.');
    end if;
    perform private.check_processing_minutes(episode.organization_id, p_episode, episode.target_minutes);
end
$$;

alter table engine.kinds add column check_rebuild text;
comment on column engine.kinds.check_rebuild is 'A function (subject uuid) that raises, naming the field, when a rebuild cannot work.';
update engine.kinds set check_rebuild = 'private.check_episode_rebuild' where kind = 'episode';

-- Checked when the rebuild has begun, which its refusal undoes: the engine's locks come first.
create or replace function private.rebuild_production(p_production uuid, p_from_stage text)
    returns integer
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    production public.productions := private.production_for(p_production, 'editor');
    check_rebuild text := (select kinds.check_rebuild from engine.kinds where kinds.kind = production.kind);
    new_build integer;
begin
    select rebuilt.build into new_build from engine.rebuild(p_production, left(p_from_stage, 100), false) as rebuilt;
    if check_rebuild is not null then
        execute format('select %s($1)', check_rebuild::regproc) using production.subject_id;
    end if;
    perform private.note_event(production.organization_id, 'production_rebuilt', jsonb_build_object(
        'production_id', p_production, 'build', new_build, 'from_stage', p_from_stage
    ));
    return new_build;
end
$$;

-- An episode under way may not grow beyond what its request could have asked for.
create function private.check_longer_episode()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    if exists (
        select
        from public.productions as production
        where production.subject_id = new.id
          and production.status in ('queued', 'running', 'waiting')
    ) then
        perform private.check_processing_minutes(new.organization_id, new.id, new.target_minutes);
    end if;
    return new;
end
$$;

create function private.count_minutes(p_organization uuid, p_at timestamptz, p_kind text, p_subject uuid, p_minutes numeric)
returns void
language sql
security definer
set search_path = ''
as $$
    insert into public.processed_minutes as processed (organization_id, month, subject_id, kind, minutes)
    values (p_organization, date_trunc('month', p_at at time zone 'utc')::date, p_subject, p_kind, p_minutes)
    on conflict (organization_id, month, subject_id) do update
    set minutes = greatest(processed.minutes, excluded.minutes)
$$;

create function private.count_minutes_of_episode()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform private.count_minutes(
        new.organization_id, new.generation_completed_at, 'episode', new.id,
        coalesce(new.duration_seconds / 60, new.target_minutes)
    );
    return null;
end
$$;

-- Two tickers that take slots of one organization must not wait for each other in a circle: its minutes come before
-- the show that numbering locks.
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
    perform private.lock_minutes(slot.organization_id);
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

revoke execute on function
    private.lock_minutes, private.check_processing_minutes, private.check_episode_rebuild, private.check_longer_episode,
    private.count_minutes, private.count_minutes_of_episode
    from public;

-- Triggers ------------------------------------------------------------------------------------------------------------

create trigger check_longer_episode
    before update of target_minutes on public.episodes
    for each row when (new.target_minutes > old.target_minutes)
    execute function private.check_longer_episode();
create trigger count_minutes_of_new
    after insert on public.episodes
    for each row when (new.generation_completed_at is not null)
    execute function private.count_minutes_of_episode();
create trigger count_minutes
    after update of generation_completed_at on public.episodes
    for each row when (
        new.generation_completed_at is not null
        and new.generation_completed_at is distinct from old.generation_completed_at
    )
    execute function private.count_minutes_of_episode();

-- Access --------------------------------------------------------------------------------------------------------------

revoke all on public.processed_minutes, public.processing_minutes from anon, authenticated;
grant select on public.processed_minutes, public.processing_minutes to authenticated, service_role;
grant insert, update, delete on public.processed_minutes to service_role;

alter table public.processed_minutes enable row level security;

select private.let_members('public.processed_minutes', 'viewer', 'select');
