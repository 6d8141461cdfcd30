-- What is refused says which field and why. A check that a client can meet is named like a sentence that begins with its
-- column; docs/access.md says how to read the rest.

alter table public.users
    rename constraint users_display_name_check to display_name_has_1_to_200_characters;
alter table public.organizations
    rename constraint organizations_name_check to name_has_1_to_200_characters;
alter table public.organizations
    rename constraint organizations_settings_check to settings_is_an_object;
alter table public.user_events
    rename constraint user_events_event_type_check to event_type_is_lower_case_words_joined_by_dots;
alter table public.user_events
    rename constraint user_events_event_data_check to event_data_is_an_object_of_at_most_16_kilobytes;
alter table public.blocks
    rename constraint blocks_position_check to position_is_0_or_more;
alter table public.blocks
    rename constraint blocks_section_check to section_has_at_most_300_characters;
alter table public.sources
    rename constraint source_has_what_its_kind_needs to kind_needs_its_own_of_url_content_and_upload_key;
alter table public.organizations
    rename constraint personal_organization_ends_with_its_user to deleted_at_is_not_for_personal_organizations;
alter table public.webhook_endpoints
    rename constraint webhook_endpoints_url_check to url_is_http_or_https;
alter table public.webhook_endpoints
    rename constraint webhook_endpoints_description_check to description_has_at_most_1000_characters;
alter table public.webhook_endpoints
    rename constraint webhook_endpoints_event_types_check to event_types_has_1_to_50_entries;

-- As before, but that a message stays one: what was sent is repeated in part at most.
create or replace function private.refuse(p_code text, p_message text, p_hint text default null)
    returns void
    language plpgsql
    set search_path = ''
as $$
begin
    raise exception using
        -- PostgREST would answer these three with 500; PTnnn makes it nnn, and is the code that the client sees.
        errcode = case p_code
            when 'P0002' then 'PT404'
            when '55000' then 'PT409'
            when '53400' then 'PT429'
            else p_code
        end,
        message = case when length(p_message) > 500 then left(p_message, 499) || '…' else p_message end,
        hint = coalesce(p_hint, '');
end
$$;

-- As before, with the same care: these, too, repeated what was sent, however long.
create or replace function private.check_user_timezone()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if not private.is_time_zone(new.timezone) then
        raise exception 'timezone: "%" is not a known time zone. Use a name like Europe/London.',
            left(new.timezone, 100)
            using errcode = 'check_violation', column = 'timezone';
    end if;
    return new;
end
$$;

create or replace function private.cadence_error(cadence jsonb)
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
        return format('cadence_config.%s: unknown; days, time, time_zone and catch_up are allowed.', left(unknown, 100));
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
    if jsonb_typeof(cadence -> 'time_zone') is distinct from 'string' or length(cadence ->> 'time_zone') > 100 then
        return 'cadence_config.time_zone: the name of a time zone, like Europe/London.';
    end if;
    if cadence ? 'catch_up' and cadence -> 'catch_up' not in ('"latest"', '"all"', '"none"') then
        return 'cadence_config.catch_up: latest, all or none.';
    end if;
    return null;
end
$$;

create or replace function private.speakers_error(speakers jsonb, format public.show_format)
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
            or length(speaker ->> 'voice') > 200
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

create or replace function private.check_block()
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
        raise exception 'speaker: the show has no speaker "%". Its speakers are %.', left(new.speaker, 100), array_to_string(names, ', ')
            using errcode = 'check_violation', table = 'blocks', column = 'speaker';
    end if;
    return new;
end
$$;

create or replace function private.preview_rebuild(p_production uuid, p_from_stage text)
    returns table (stage text, key text, reason text, estimate_gbp numeric)
    language plpgsql
    stable
    security definer
    set search_path = ''
as $$
declare
    production public.productions := private.production_for(p_production, 'viewer');
begin
    return query select * from engine.preview_rebuild(production.id, left(p_from_stage, 100));
end
$$;

create or replace function private.revoke_feed_token(feed uuid, close boolean)
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
        perform private.refuse('P0002', 'feed: there is no such feed that you may change.');
    end if;
    return new_token;
end
$$;
