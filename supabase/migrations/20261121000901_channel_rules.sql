-- Rules of the ambience line that reach beyond one column. Each refusal names the field and says what is allowed.

-- What is wrong with the prompts of a video of so many tracks and minutes, in a sentence; null when nothing is.
create function private.prompts_error(prompts jsonb, tracks integer, minutes integer)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
    crossfade_minutes constant numeric := 4 / 60.0;
    shortest_minutes constant numeric := 10 / 60.0;
    tolerance_minutes constant numeric := 0.25;
    list text;
    item jsonb;
    whole numeric;
begin
    if jsonb_typeof(prompts) <> 'object' or prompts - array['music_prompts', 'visual_prompts'] <> '{}' then
        return 'prompts_json: an object with music_prompts and visual_prompts is expected.';
    end if;
    foreach list in array array['music_prompts', 'visual_prompts'] loop
        if jsonb_typeof(prompts -> list) is distinct from 'array' or jsonb_array_length(prompts -> list) <> tracks then
            return format('prompts_json.%s: an array of %s prompts is expected.', list, tracks);
        end if;
        for item in select element from jsonb_array_elements(prompts -> list) as element loop
            if jsonb_typeof(item) <> 'object'
                or item - array['order_index', 'prompt', 'duration_minutes', 'title'] <> '{}'
                or (list = 'visual_prompts' and item ?| array['duration_minutes', 'title'])
                or jsonb_typeof(item -> 'order_index') is distinct from 'number'
                or jsonb_typeof(item -> 'prompt') is distinct from 'string'
            then
                return format('prompts_json.%s: each is {"order_index": ..., "prompt": ...}%s.', list, case
                    when list = 'music_prompts' then ' with "duration_minutes" and, if wanted, "title"' else '' end);
            end if;
            if item ->> 'prompt' !~ '\S' or length(item ->> 'prompt') > 2000 then
                return format('prompts_json.%s: prompt %s has 1 to 2000 characters.', list, item -> 'order_index');
            end if;
            if list = 'music_prompts' and (
                jsonb_typeof(item -> 'duration_minutes') is distinct from 'number'
                or (item ->> 'duration_minutes')::numeric < shortest_minutes
            ) then
                return format('prompts_json.music_prompts: duration_minutes of prompt %s is a number from 0.17 on.',
                    item -> 'order_index');
            end if;
            if item ? 'title' and (
                jsonb_typeof(item -> 'title') <> 'string' or item ->> 'title' !~ '^\S(.*\S)?$'
                or length(item ->> 'title') > 100 or item ->> 'title' ~ '[[:cntrl:]<>]'
            ) then
                return format('prompts_json.music_prompts: title of prompt %s has 1 to 100 characters on one line.',
                    item -> 'order_index');
            end if;
        end loop;
        if array(
            select (element ->> 'order_index')::numeric
            from jsonb_array_elements(prompts -> list) as element
            order by (element ->> 'order_index')::numeric
        ) <> array(select generate_series(1, tracks)::numeric) then
            return format('prompts_json.%s: order_index is 1 to %s, each once.', list, tracks);
        end if;
        if (
            select count(distinct lower(btrim(regexp_replace(element ->> 'prompt', '\s+', ' ', 'g'))))
            from jsonb_array_elements(prompts -> list) as element
        ) <> tracks then
            return format('prompts_json.%s: no two prompts are the same.', list);
        end if;
    end loop;
    select sum((element ->> 'duration_minutes')::numeric) - (tracks - 1) * crossfade_minutes into whole
    from jsonb_array_elements(prompts -> 'music_prompts') as element;
    if abs(whole - minutes) > tolerance_minutes then
        return format('prompts_json.music_prompts: the durations, less 4 s for each crossfade, add up to %s minutes; '
            '%s are asked, within %s.', round(whole, 2), minutes, tolerance_minutes);
    end if;
    return null;
end
$$;
comment on function private.prompts_error(jsonb, integer, integer) is 'What is wrong with a video''s prompts_json, in a sentence that names the field; null when nothing is.';

create function private.check_video_job()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    problem text;
begin
    if tg_op = 'INSERT' and exists (
        select from public.channels where channels.id = new.channel_id and channels.deleted_at is not null
    ) then
        raise exception 'channel_id: the channel was deleted.'
            using errcode = 'check_violation', table = 'video_jobs', column = 'channel_id';
    end if;

    if tg_op = 'INSERT' or (new.target_duration_minutes, new.track_count)
        is distinct from (old.target_duration_minutes, old.track_count)
    then
        if tg_op = 'UPDATE' and (old.prompts_json is not null or exists (
            select
            from public.productions
            where productions.subject_id = new.id
              and productions.status in ('queued', 'running', 'waiting')
        )) then
            raise exception 'target_duration_minutes, track_count: the album is planned for % minutes and % tracks. '
                'Ask for another video instead.', old.target_duration_minutes, old.track_count
                using errcode = 'check_violation', table = 'video_jobs', column = 'target_duration_minutes';
        end if;
        if not coalesce((
            select organizations.allows_short_videos
            from public.organizations
            where organizations.id = new.organization_id
        ), false) then
            if new.target_duration_minutes not between 60 and 90 then
                raise exception 'target_duration_minutes: 60 to 90 are allowed, not %.', new.target_duration_minutes
                    using errcode = 'check_violation', table = 'video_jobs', column = 'target_duration_minutes';
            end if;
            if new.track_count <> 20 then
                raise exception 'track_count: a video has 20 tracks and 20 pictures, not %.', new.track_count
                    using errcode = 'check_violation', table = 'video_jobs', column = 'track_count';
            end if;
        end if;
    end if;

    if new.prompts_json is null then
        if tg_op = 'UPDATE' and old.prompts_json is not null then
            raise exception 'prompts_json: a planned video keeps its prompts. Rebuild from plan_album for new ones.'
                using errcode = 'check_violation', table = 'video_jobs', column = 'prompts_json';
        end if;
    elsif tg_op = 'INSERT' or new.prompts_json is distinct from old.prompts_json then
        problem := private.prompts_error(new.prompts_json, new.track_count, new.target_duration_minutes);
        if problem is not null then
            raise exception '%', problem
                using errcode = 'check_violation', table = 'video_jobs', column = 'prompts_json';
        end if;
    end if;
    return new;
end
$$;

-- A position beyond the video's own count would be shown by nobody.
create function private.check_album_part()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    allowed integer := (select video_jobs.track_count from public.video_jobs where video_jobs.id = new.video_job_id);
begin
    if new.order_index > allowed then
        raise exception 'order_index: the video has % tracks and pictures; % is beyond.', allowed, new.order_index
            using errcode = 'check_violation', table = tg_table_name, column = 'order_index';
    end if;
    return new;
end
$$;

-- A video that is done has as many tracks as it was to have, each with its picture.
create function private.check_album_is_whole()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    pairs integer := (
        select count(*)
        from public.audio_tracks
        join public.images
            on images.video_job_id = audio_tracks.video_job_id and images.order_index = audio_tracks.order_index
        where audio_tracks.video_job_id = new.id
    );
begin
    if pairs <> new.track_count then
        raise exception 'status: % is for a video of % tracks, each with its picture; it has %.',
            new.status, new.track_count, pairs
            using errcode = 'check_violation', table = 'video_jobs', column = 'status';
    end if;
    return new;
end
$$;

revoke execute on function
    private.prompts_error, private.check_video_job, private.check_album_part, private.check_album_is_whole
    from public;

create trigger check_video_job
    before insert or update of target_duration_minutes, track_count, prompts_json on public.video_jobs
    for each row execute function private.check_video_job();
create trigger check_album_is_whole
    before update of status on public.video_jobs
    for each row when (new.status in ('ready_for_export', 'completed') and new.status <> old.status)
    execute function private.check_album_is_whole();
create trigger check_album_part
    before insert or update of order_index, video_job_id on public.audio_tracks
    for each row execute function private.check_album_part();
create trigger check_album_part
    before insert or update of order_index, video_job_id on public.images
    for each row execute function private.check_album_part();

do $$
declare
    name text;
begin
    foreach name in array array['channels', 'video_jobs', 'audio_tracks', 'images'] loop
        execute format(
            'create trigger touch_updated_at before update on public.%I '
            'for each row execute function private.touch_updated_at()', name
        );
    end loop;
    foreach name in array array['channels', 'video_jobs'] loop
        execute format(
            'create trigger stamp_deletion before insert or update of deleted_at, deleted_by on public.%I '
            'for each row execute function private.stamp_deletion()', name
        );
    end loop;
end
$$;
create trigger touch_updated_at before update on engine.channel_secrets
    for each row execute function private.touch_updated_at();

select private.audit('public.channels');
select private.audit(
    'public.video_jobs',
    'status', 'progress', 'production_id', 'video_asset_id', 'thumbnail_asset_id', 'contact_sheet_asset_id',
    'chapters_asset_id', 'export_json', 'duration_seconds', 'error_message', 'completed_at'
);
