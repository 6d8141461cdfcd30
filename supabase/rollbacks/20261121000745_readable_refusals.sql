create or replace function private.check_user_timezone()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if not private.is_time_zone(new.timezone) then
        raise exception 'timezone: "%" is not a known time zone. Use a name like Europe/London.', new.timezone
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
        raise exception 'speaker: the show has no speaker "%". Its speakers are %.', new.speaker, array_to_string(names, ', ')
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
    return query select * from engine.preview_rebuild(production.id, p_from_stage);
end
$$;

create or replace function private.refuse(p_code text, p_message text, p_hint text default null)
    returns void
    language plpgsql
    set search_path = ''
as $$
begin
    raise exception using errcode = p_code, message = p_message, hint = coalesce(p_hint, '');
end
$$;

alter table public.users
    rename constraint display_name_has_1_to_200_characters to users_display_name_check;
alter table public.organizations
    rename constraint name_has_1_to_200_characters to organizations_name_check;
alter table public.organizations
    rename constraint settings_is_an_object to organizations_settings_check;
alter table public.user_events
    rename constraint event_type_is_lower_case_words_joined_by_dots to user_events_event_type_check;
alter table public.user_events
    rename constraint event_data_is_an_object_of_at_most_16_kilobytes to user_events_event_data_check;
alter table public.blocks
    rename constraint position_is_0_or_more to blocks_position_check;
alter table public.blocks
    rename constraint section_has_at_most_300_characters to blocks_section_check;
alter table public.sources
    rename constraint kind_needs_its_own_of_url_content_and_upload_key to source_has_what_its_kind_needs;
alter table public.organizations
    rename constraint deleted_at_is_not_for_personal_organizations to personal_organization_ends_with_its_user;
alter table public.webhook_endpoints
    rename constraint url_is_http_or_https to webhook_endpoints_url_check;
alter table public.webhook_endpoints
    rename constraint description_has_at_most_1000_characters to webhook_endpoints_description_check;
alter table public.webhook_endpoints
    rename constraint event_types_has_1_to_50_entries to webhook_endpoints_event_types_check;

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
        raise exception 'feed: there is no such feed that you may change.' using errcode = 'no_data_found';
    end if;
    return new_token;
end
$$;
