-- Rules of the episode line that reach beyond one column. Each refusal names the field and says what is allowed.

-- What is wrong with a cadence, in a sentence; null when nothing is. Whether the time zone is known depends on the
-- server's time zone data, so that is asked by the trigger.
create function private.cadence_error(cadence jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
    allowed_days constant jsonb := '["mon", "tue", "wed", "thu", "fri", "sat", "sun"]';
    unknown text;
begin
    if cadence is null then
        return null;
    end if;
    if jsonb_typeof(cadence) <> 'object' then
        return 'cadence_config: an object with days, time, time_zone and catch_up is expected.';
    end if;

    select min(key) into unknown
    from jsonb_object_keys(cadence) as key
    where key not in ('days', 'time', 'time_zone', 'catch_up');
    if unknown is not null then
        return format('cadence_config.%s: unknown; days, time, time_zone and catch_up are allowed.', unknown);
    end if;

    if jsonb_typeof(cadence -> 'days') is distinct from 'array'
        or jsonb_array_length(cadence -> 'days') = 0
        or not (cadence -> 'days') <@ allowed_days
        or jsonb_array_length(cadence -> 'days') <> (select count(distinct day) from jsonb_array_elements(cadence -> 'days') as day)
    then
        return 'cadence_config.days: one or more of mon, tue, wed, thu, fri, sat, sun, each once.';
    end if;
    if jsonb_typeof(cadence -> 'time') is distinct from 'string' or cadence ->> 'time' !~ '^([01]\d|2[0-3]):[0-5]\d$' then
        return 'cadence_config.time: a local time from 00:00 to 23:59, as HH:MM.';
    end if;
    if jsonb_typeof(cadence -> 'time_zone') is distinct from 'string' then
        return 'cadence_config.time_zone: the name of a time zone, like Europe/London.';
    end if;
    if cadence ? 'catch_up' and cadence -> 'catch_up' not in ('"latest"', '"all"', '"none"') then
        return 'cadence_config.catch_up: latest, all or none.';
    end if;
    return null;
end
$$;
comment on function private.cadence_error(jsonb) is 'What is wrong with a cadence_config, in a sentence that names the field; null when nothing is.';

-- What is wrong with a show's speakers, but for whether their voices exist.
create function private.speakers_error(speakers jsonb, format public.show_format)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
    if jsonb_typeof(speakers) <> 'array' or jsonb_array_length(speakers) not between 1 and 8 then
        return 'speakers: an array of 1 to 8 speakers, each with name and voice.';
    end if;
    if exists (
        select
        from jsonb_array_elements(speakers) as speaker
        where jsonb_typeof(speaker) <> 'object'
            or jsonb_typeof(speaker -> 'name') is distinct from 'string'
            or jsonb_typeof(speaker -> 'voice') is distinct from 'string'
            or speaker - array['name', 'voice'] <> '{}'
    ) then
        return 'speakers: each is {"name": ..., "voice": ...}, two texts and nothing else.';
    end if;
    if exists (
        select
        from jsonb_array_elements(speakers) as speaker
        where speaker ->> 'name' !~ '^\S(.*\S)?$' or length(speaker ->> 'name') > 50 or speaker ->> 'name' ~ '[[:cntrl:]]'
    ) then
        return 'speakers: a name has 1 to 50 characters, on one line, without blanks around it.';
    end if;
    if (select count(distinct lower(speaker ->> 'name')) from jsonb_array_elements(speakers) as speaker)
        <> jsonb_array_length(speakers)
    then
        return 'speakers: each name is used once.';
    end if;
    if format = 'dialogue' and jsonb_array_length(speakers) < 2 then
        return 'speakers: format dialogue needs at least 2 speakers; bulletin needs 1.';
    end if;
    return null;
end
$$;
comment on function private.speakers_error(jsonb, public.show_format) is 'What is wrong with a show''s speakers, in a sentence that names the field; null when nothing is.';

create function private.check_project()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    problem text := coalesce(private.cadence_error(new.cadence_config), private.speakers_error(new.speakers, new.format));
    voice text;
begin
    if problem is not null then
        raise exception '%', problem
            using errcode = 'check_violation', table = 'projects', column = regexp_replace(problem, '[.:].*$', '');
    end if;

    if new.cadence_config is not null
        and (tg_op = 'INSERT' or new.cadence_config is distinct from old.cadence_config)
        and not private.is_time_zone(new.cadence_config ->> 'time_zone')
    then
        raise exception 'cadence_config.time_zone: "%" is not a known time zone. Use a name like Europe/London.',
            new.cadence_config ->> 'time_zone'
            using errcode = 'check_violation', table = 'projects', column = 'cadence_config';
    end if;

    -- An old show may keep a voice that was withdrawn until its speakers are edited.
    if tg_op = 'INSERT' or new.speakers is distinct from old.speakers then
        select speaker ->> 'voice' into voice
        from jsonb_array_elements(new.speakers) as speaker
        where not exists (select from public.voices where voices.id = speaker ->> 'voice' and voices.is_active)
        limit 1;
        if voice is not null then
            raise exception 'speakers: there is no voice "%". Allowed are the active rows of voices, such as %.',
                voice,
                (
                    select string_agg(available.id, ', ')
                    from (select voices.id from public.voices where voices.is_active order by voices.id limit 3) as available
                )
                using errcode = 'check_violation', table = 'projects', column = 'speakers';
        end if;
    end if;

    if new.cover_asset_id is not null
        and (tg_op = 'INSERT' or new.cover_asset_id is distinct from old.cover_asset_id)
        and not exists (
            select
            from public.assets
            where assets.id = new.cover_asset_id and assets.organization_id = new.organization_id
        )
    then
        raise exception 'cover_asset_id: the organization has no such asset.'
            using errcode = 'foreign_key_violation', table = 'projects', column = 'cover_asset_id';
    end if;

    if new.cadence_config is null then
        new.cadence_set_at := null;
    elsif tg_op = 'INSERT' then
        new.cadence_set_at := now();
    elsif new.cadence_config is distinct from old.cadence_config
        or (new.is_active and not old.is_active)
        or (new.deleted_at is null and old.deleted_at is not null)
    then
        new.cadence_set_at := now();
    end if;
    return new;
end
$$;

-- Counted under the organization's lock: two shows created at the same moment see each other.
create function private.check_project_limit()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    allowed integer;
    tier public.subscription_tier;
begin
    select limits.max_projects, organization.tier
    into allowed, tier
    from public.organizations as organization
    join public.tier_limits as limits on limits.tier = organization.tier
    where organization.id = new.organization_id
    for no key update of organization;

    if (
        select count(*)
        from public.projects as project
        where project.organization_id = new.organization_id
            and project.deleted_at is null
            and project.id <> new.id
    ) >= allowed then
        raise exception 'projects: tier % allows % show(s). Delete one or choose a higher tier.', tier, allowed
            using errcode = 'check_violation', table = 'projects';
    end if;
    return new;
end
$$;

create function private.open_feed()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    insert into public.feeds (organization_id, project_id) values (new.organization_id, new.id);
    return null;
end
$$;

-- The next number under the show's lock, and the show's length unless another is asked for.
create function private.number_episode()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    project public.projects;
begin
    select * into project
    from public.projects
    where projects.id = new.project_id and projects.organization_id = new.organization_id
    for no key update;

    -- A show that does not exist is the foreign key's to refuse.
    if project.deleted_at is not null then
        raise exception 'project_id: the show was deleted.'
            using errcode = 'check_violation', table = 'episodes', column = 'project_id';
    end if;
    new.target_minutes := coalesce(new.target_minutes, project.target_minutes, 10);
    if new.number is null then
        select coalesce(max(episode.number), 0) + 1 into new.number
        from public.episodes as episode
        where episode.project_id = new.project_id;
    end if;
    return new;
end
$$;

create function private.check_block()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    names text[];
begin
    select array(select speaker ->> 'name' from jsonb_array_elements(project.speakers) as speaker)
    into names
    from public.episodes as episode
    join public.projects as project on project.id = episode.project_id
    where episode.id = new.episode_id;

    if new.speaker <> all (names) then
        raise exception 'speaker: the show has no speaker "%". Its speakers are %.', new.speaker, array_to_string(names, ', ')
            using errcode = 'check_violation', table = 'blocks', column = 'speaker';
    end if;
    return new;
end
$$;

-- People change their mind about a note until an episode has taken it up.
create function private.check_planning_note()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if old.status = 'consumed' and (new.note is distinct from old.note or new.status <> 'consumed') then
        raise exception 'status: an episode has already taken up this note. Write a new one.'
            using errcode = 'check_violation', table = 'planning_notes', column = 'status';
    end if;
    return new;
end
$$;

create function private.revoke_feed_token(feed uuid, close boolean)
returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
    new_token text;
begin
    update public.feeds
    set token = replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''),
        version = feeds.version + 1,
        revoked_at = case when close then now() end
    where feeds.id = feed
        and feeds.organization_id in (select private.my_organizations('editor'))
    returning feeds.token into new_token;

    if new_token is null then
        raise exception 'feed: there is no such feed that you may change.' using errcode = 'no_data_found';
    end if;
    return new_token;
end
$$;

create function public.revoke_feed_token(feed uuid, close boolean default false)
returns text
language sql
set search_path = ''
as $$
    select private.revoke_feed_token(feed, close)
$$;
comment on function public.revoke_feed_token(uuid, boolean) is 'Makes a feed''s URL useless and returns the token of its new one; with close, the feed stays closed until called without.';

-- For episodes that were brought along from elsewhere: published ones that have audio are complete.
create function engine.backfill_generation_status()
returns bigint
language sql
set search_path = ''
as $$
    with completed as (
        update public.episodes
        set generation_status = 'completed',
            generation_progress = 100,
            generation_completed_at = coalesce(generation_completed_at, published_at)
        where status = 'published'
            and audio_asset_id is not null
            and generation_status = 'pending'
            and generation_job_id is null
        returning id
    )
    select count(*) from completed
$$;
comment on function engine.backfill_generation_status() is 'Marks imported episodes, published and with audio, as completed; returns how many.';

revoke execute on function
    private.cadence_error(jsonb), private.speakers_error(jsonb, public.show_format), private.check_project(),
    private.check_project_limit(), private.open_feed(), private.number_episode(), private.check_block(),
    private.check_planning_note(), private.revoke_feed_token(uuid, boolean), engine.backfill_generation_status()
    from public;
revoke execute on function public.revoke_feed_token(uuid, boolean) from public, anon;
grant execute on function public.revoke_feed_token(uuid, boolean), private.revoke_feed_token(uuid, boolean) to authenticated;

-- Triggers ------------------------------------------------------------------------------------------------------------

create trigger check_project
    before insert or update on public.projects
    for each row execute function private.check_project();
create trigger check_limit_of_new
    before insert on public.projects
    for each row when (new.deleted_at is null)
    execute function private.check_project_limit();
create trigger check_limit_of_restored
    before update of deleted_at on public.projects
    for each row when (new.deleted_at is null and old.deleted_at is not null)
    execute function private.check_project_limit();
create trigger open_feed
    after insert on public.projects
    for each row execute function private.open_feed();
create trigger number_episode
    before insert on public.episodes
    for each row execute function private.number_episode();
create trigger check_block
    before insert or update of speaker on public.blocks
    for each row execute function private.check_block();
create trigger check_planning_note
    before update of note, status on public.planning_notes
    for each row execute function private.check_planning_note();

do $$
declare
    name text;
begin
    foreach name in array array['projects', 'episodes', 'sources', 'blocks', 'planning_notes'] loop
        execute format(
            'create trigger touch_updated_at before update on public.%I '
            'for each row execute function private.touch_updated_at()', name
        );
    end loop;
    foreach name in array array['projects', 'episodes', 'sources', 'planning_notes'] loop
        execute format(
            'create trigger stamp_deletion before insert or update of deleted_at, deleted_by on public.%I '
            'for each row execute function private.stamp_deletion()', name
        );
    end loop;
end
$$;

select private.audit('public.projects', 'cadence_set_at');
select private.audit('public.sources', 'last_ingested_at', 'content_sha256', 'extracted_asset_id');
select private.audit(
    'public.episodes',
    'audio_asset_id', 'transcript_asset_id', 'chapters_asset_id', 'duration_seconds',
    'generation_status', 'generation_progress', 'generation_error', 'generation_errors', 'generation_attempts',
    'generation_job_id', 'generation_started_at', 'generation_completed_at'
);
select private.audit('public.blocks');
select private.audit('public.planning_notes');
select private.audit('public.feeds', 'token');
