-- What members ask of productions: functions in `public`, each checking who asks and what they may.
--
-- The public functions run as the caller and only pass on; the checks sit in `private`, which no API exposes. A member
-- of another organization gets the same answer as for an id that does not exist.

create table engine.kinds (
    kind text primary key,
    subjects text not null,
    check_request text
);

comment on table engine.kinds is 'What each kind of production is made from.';
comment on column engine.kinds.subjects is 'The table of subjects, with organization_id and deleted_at.';
comment on column engine.kinds.check_request is 'A function (subject uuid) that raises, naming the field, when a request cannot work.';

alter table engine.kinds enable row level security;

-- Raise an error that a client can show: code, message naming the field, hint.
create function private.refuse(p_code text, p_message text, p_hint text default null)
    returns void
    language plpgsql
    set search_path = ''
as $$
begin
    raise exception using errcode = p_code, message = p_message, hint = coalesce(p_hint, '');
end
$$;

-- An episode can be requested when there is something to make it from and minutes are left this month.
create function private.check_episode_request(p_episode uuid)
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

insert into engine.kinds (kind, subjects, check_request) values
    ('episode', 'public.episodes', 'private.check_episode_request');

-- Which organization a production belongs to, if the caller has the role there.
create function private.production_for(p_production uuid, p_minimum public.member_role)
    returns public.productions
    language plpgsql
    stable
    security definer
    set search_path = ''
as $$
declare
    production public.productions;
begin
    select * into production
    from public.productions
    where productions.id = p_production
      and productions.organization_id in (select private.my_organizations());
    if not found then
        perform private.refuse('P0002', format('production: %s does not exist', p_production));
    end if;
    if production.organization_id not in (select private.my_organizations(p_minimum)) then
        perform private.refuse('42501', format('production: this needs the role %s or above', p_minimum));
    end if;
    return production;
end
$$;

create function private.note_event(p_organization uuid, p_type text, p_data jsonb)
    returns void
    language sql
    security definer
    set search_path = ''
as $$
    insert into public.user_events (organization_id, user_id, event_type, event_data)
    values (p_organization, (select auth.uid()), p_type, p_data)
$$;

create function private.request_production(p_kind text, p_subject uuid, p_idempotency_key text)
    returns uuid
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    kind engine.kinds;
    organization uuid;
    submitted record;
begin
    select * into kind from engine.kinds where kinds.kind = p_kind;
    if not found then
        perform private.refuse('22023', format('kind: %s is not a kind of production', coalesce(p_kind, 'null')),
            (select 'Allowed: ' || string_agg(kinds.kind, ', ' order by kinds.kind) from engine.kinds));
    end if;
    if p_idempotency_key is null or length(p_idempotency_key) not between 1 and 200 then
        perform private.refuse('22023', 'idempotency_key: 1 to 200 characters are needed',
            'Use a new random key for each new request, and the same one to repeat it.');
    end if;
    execute format('select organization_id from %s where id = $1 and deleted_at is null', kind.subjects::regclass)
        into organization using p_subject;
    if organization is null or organization not in (select private.my_organizations()) then
        perform private.refuse('P0002', format('subject_id: %s does not exist', coalesce(p_subject::text, 'null')));
    end if;
    if organization not in (select private.my_organizations('editor')) then
        perform private.refuse('42501', 'subject_id: this needs the role editor or above');
    end if;
    -- Repeating a request is answered before limits are looked at: it asks for nothing new.
    if kind.check_request is not null and not exists (
        select
        from public.productions
        where productions.organization_id = organization
          and productions.idempotency_key = p_idempotency_key
    ) then
        execute format('select %s($1)', kind.check_request::regproc) using p_subject;
    end if;
    select * into submitted
    from engine.submit(organization, p_kind, p_subject, p_idempotency_key, (select auth.uid()), false);
    if submitted.is_new then
        perform private.note_event(organization, 'production_requested', jsonb_build_object(
            'production_id', submitted.production_id, 'kind', p_kind, 'subject_id', p_subject
        ));
    end if;
    return submitted.production_id;
end
$$;

create function private.cancel_production(p_production uuid)
    returns boolean
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    production public.productions := private.production_for(p_production, 'editor');
begin
    perform private.note_event(production.organization_id, 'production_cancelled',
        jsonb_build_object('production_id', p_production));
    return engine.cancel(p_production);
end
$$;

create function private.approve_production(p_production uuid)
    returns boolean
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    production public.productions := private.production_for(p_production, 'editor');
begin
    if engine.approve(p_production) is null then
        perform private.refuse('55000', 'production: it does not wait for an approval');
    end if;
    perform private.note_event(production.organization_id, 'production_approved',
        jsonb_build_object('production_id', p_production));
    return true;
end
$$;

create function private.rebuild_production(p_production uuid, p_from_stage text)
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

create function private.preview_rebuild(p_production uuid, p_from_stage text)
    returns table (stage text, key text, reason text, estimate_gbp numeric)
    language plpgsql
    stable
    security definer
    set search_path = ''
as $$
declare
    production public.productions := private.production_for(p_production, 'viewer');
begin
    return query select * from engine.preview_rebuild(production.id, p_from_stage);
end
$$;

create function private.explain_production(p_production uuid)
    returns text
    language plpgsql
    stable
    security definer
    set search_path = ''
as $$
declare
    production public.productions := private.production_for(p_production, 'viewer');
begin
    return engine.explain_production(production.id);
end
$$;

-- Ask for a subject to be made. The same key gives the same production.
create function public.request_production(kind text, subject_id uuid, idempotency_key text)
    returns uuid
    language sql
    set search_path = ''
as $$
    select private.request_production(kind, subject_id, idempotency_key)
$$;

-- Stop a production. True when it was open.
create function public.cancel_production(production_id uuid)
    returns boolean
    language sql
    set search_path = ''
as $$
    select private.cancel_production(production_id)
$$;

-- Run again what failed; everything that succeeded is kept. Returns the build's number.
create function public.retry_production(production_id uuid)
    returns integer
    language sql
    set search_path = ''
as $$
    select private.rebuild_production(production_id, null)
$$;

-- Let a production that waits at a gate go on.
create function public.approve_production(production_id uuid)
    returns boolean
    language sql
    set search_path = ''
as $$
    select private.approve_production(production_id)
$$;

-- Which jobs a rebuild would run, why, and for how much.
create function public.preview_rebuild(production_id uuid, from_stage text default null)
    returns table (stage text, key text, reason text, estimate_gbp numeric)
    language sql
    stable
    set search_path = ''
as $$
    select * from private.preview_rebuild(production_id, from_stage)
$$;

-- Run what changed since the last build, and everything from a stage on when one is named.
create function public.rebuild_production(production_id uuid, from_stage text default null)
    returns integer
    language sql
    set search_path = ''
as $$
    select private.rebuild_production(production_id, from_stage)
$$;

-- Why it is not running, or how it ended, in a sentence.
create function public.explain_production(production_id uuid)
    returns text
    language sql
    stable
    set search_path = ''
as $$
    select private.explain_production(production_id)
$$;

revoke execute on function
    private.refuse, private.check_episode_request, private.production_for, private.note_event,
    private.request_production, private.cancel_production, private.approve_production, private.rebuild_production,
    private.preview_rebuild, private.explain_production,
    public.request_production, public.cancel_production, public.retry_production, public.approve_production,
    public.preview_rebuild, public.rebuild_production, public.explain_production
    from public, anon;

grant execute on function
    private.request_production, private.cancel_production, private.approve_production, private.rebuild_production,
    private.preview_rebuild, private.explain_production,
    public.request_production, public.cancel_production, public.retry_production, public.approve_production,
    public.preview_rebuild, public.rebuild_production, public.explain_production
    to authenticated;
