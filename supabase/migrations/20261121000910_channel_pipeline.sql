-- How a video is made: its stages, what each stage should have, and how the production shows on the video. The kind is
-- `ambience`, its subject a row of video_jobs.

insert into engine.pipelines (kind, stage, position, after, weight, sticky, provider_field, desired_jobs) values
    ('ambience', 'plan_album', 1, '{}', 5, true, 'writer', 'engine.desired_plan_album'),
    ('ambience', 'compose_track', 2, '{plan_album}', 50, false, 'provider', 'engine.desired_compose_track'),
    ('ambience', 'paint_image', 3, '{plan_album}', 25, false, 'provider', 'engine.desired_paint_image'),
    ('ambience', 'render_video', 4, '{compose_track,paint_image}', 15, false, null, 'engine.desired_render_video'),
    ('ambience', 'export_video', 5, '{render_video}', 5, false, null, 'engine.desired_export_video');

-- How long two tracks, and two pictures, are heard and seen together at a joint.
create function engine.crossfade_seconds()
    returns numeric
    language sql
    immutable
    set search_path = ''
as $$
    select 4.0
$$;

create function engine.picture_fade_seconds()
    returns numeric
    language sql
    immutable
    set search_path = ''
as $$
    select 1.0
$$;

-- The video under production with its channel; what every view below starts from.
create view engine.videos_in_production with (security_invoker = true) as
select
    productions.id as production_id,
    video_jobs.id as video_job_id,
    video_jobs.organization_id,
    video_jobs.niche_label as niche,
    video_jobs.mood_keywords as mood,
    video_jobs.target_duration_minutes,
    video_jobs.track_count,
    video_jobs.prompts_json,
    video_jobs.title,
    video_jobs.description,
    video_jobs.tags,
    video_jobs.is_synthetic_media,
    channels.name as channel_name,
    channels.brand_niche,
    channels.writer,
    channels.composer,
    channels.painter,
    channels.motion
from public.productions
join public.video_jobs on video_jobs.id = productions.subject_id
join public.channels on channels.id = video_jobs.channel_id
where productions.kind = 'ambience';

-- The video's id is the seed: two videos of one niche and mood are different albums, one video is always the same.
create view engine.desired_plan_album with (security_invoker = true) as
select
    making.production_id,
    '' as key,
    jsonb_build_object(
        'prompt', 'album.v1',
        'writer', making.writer,
        'seed', making.video_job_id,
        'channel', making.channel_name,
        'brand_niche', making.brand_niche,
        'niche', making.niche,
        'mood', making.mood,
        'minutes', making.target_duration_minutes,
        'tracks', making.track_count,
        'crossfade_seconds', engine.crossfade_seconds()
    ) as input,
    engine.estimate_writing(making.writer, 200, making.track_count * 90) as estimate_gbp
from engine.videos_in_production as making;

-- A prompt's place among the twenty is what it is: it is edited, never moved.
create view engine.desired_compose_track with (security_invoker = true) as
select
    making.production_id,
    item.position::text as key,
    jsonb_build_object(
        'order', item.position,
        'prompt', item.prompt,
        'seconds', item.seconds,
        'provider', making.composer,
        'mood', making.mood,
        'niche', making.niche
    ) as input,
    round(item.seconds * engine.price(
        engine.provider_of(making.composer), engine.name_of(making.composer), 'second'
    ), 6) as estimate_gbp
from engine.videos_in_production as making
cross join lateral (
    select
        (element ->> 'order_index')::numeric::integer as position,
        element ->> 'prompt' as prompt,
        round((element ->> 'duration_minutes')::numeric * 60, 2) as seconds
    from jsonb_array_elements(making.prompts_json -> 'music_prompts') as element
) as item;

create view engine.desired_paint_image with (security_invoker = true) as
select
    making.production_id,
    item.position::text as key,
    jsonb_build_object(
        'order', item.position,
        'prompt', item.prompt,
        'provider', making.painter,
        'mood', making.mood,
        'niche', making.niche,
        'motion', making.motion
    ) as input,
    engine.price(engine.provider_of(making.painter), engine.name_of(making.painter), 'image') as estimate_gbp
from engine.videos_in_production as making
cross join lateral (
    select
        (element ->> 'order_index')::numeric::integer as position,
        element ->> 'prompt' as prompt
    from jsonb_array_elements(making.prompts_json -> 'visual_prompts') as element
) as item;

-- Each track with the picture of the same number, as far as both are made.
create view engine.desired_render_video with (security_invoker = true) as
select
    making.production_id,
    '' as key,
    jsonb_build_object(
        'title', making.title,
        'crossfade_seconds', engine.crossfade_seconds(),
        'picture_fade_seconds', engine.picture_fade_seconds(),
        'items', coalesce((
            select jsonb_agg(jsonb_build_object(
                'order', track.key::integer,
                'title', coalesce(prompt.title, 'Track ' || track.key),
                'audio', track.output -> 'audio',
                'samples', track.output -> 'samples',
                'integrated_lufs', track.output -> 'integrated_lufs',
                'true_peak_dbtp', track.output -> 'true_peak_dbtp',
                'loop', picture.output -> 'loop',
                'frames', picture.output -> 'frames',
                'motion', picture.input -> 'motion'
            ) order by track.key::integer)
            from public.jobs as track
            join public.jobs as picture
                on picture.production_id = track.production_id
                and picture.stage = 'paint_image'
                and picture.key = track.key
                and picture.status = 'succeeded'
            left join lateral (
                select element ->> 'title' as title
                from jsonb_array_elements(making.prompts_json -> 'music_prompts') as element
                where (element ->> 'order_index')::numeric = track.key::numeric
            ) as prompt on true
            where track.production_id = making.production_id
              and track.stage = 'compose_track'
              and track.status = 'succeeded'
        ), '[]')
    ) as input,
    0::numeric as estimate_gbp
from engine.videos_in_production as making;

create view engine.desired_export_video with (security_invoker = true) as
select
    making.production_id,
    '' as key,
    jsonb_build_object(
        'video_job_id', making.video_job_id,
        'channel', making.channel_name,
        'niche', making.niche,
        'mood', making.mood,
        'title', making.title,
        'description', making.description,
        'tags', to_jsonb(making.tags),
        'is_synthetic_media', making.is_synthetic_media,
        'picture_fade_seconds', engine.picture_fade_seconds(),
        'rendered', (
            select jobs.output
            from public.jobs
            where jobs.production_id = making.production_id
              and jobs.stage = 'render_video'
              and jobs.key = ''
              and jobs.status = 'succeeded'
        )
    ) as input,
    0::numeric as estimate_gbp
from engine.videos_in_production as making;

-- Requests -------------------------------------------------------------------------------------------------------------

create function private.check_video_request(p_video uuid)
    returns void
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    video public.video_jobs;
    channel public.channels;
begin
    select * into strict video from public.video_jobs where video_jobs.id = p_video for no key update;
    select * into strict channel from public.channels where channels.id = video.channel_id;
    if video.deleted_at is not null then
        perform private.refuse('P0002', 'production: its video is deleted', 'Restore the video first.');
    end if;
    if channel.deleted_at is not null then
        perform private.refuse('P0002', 'channel: the channel of this video is deleted', 'Restore the channel first.');
    end if;
    if not channel.is_active then
        perform private.refuse('55000', 'channel: the channel of this video is not active', 'Set is_active first.');
    end if;
    perform private.check_processing_minutes(video.organization_id, p_video, video.target_duration_minutes);
end
$$;

insert into engine.kinds (kind, subjects, check_request, check_rebuild) values
    ('ambience', 'public.video_jobs', 'private.check_video_request', 'private.check_video_request');

-- The video's own words for where its production is. Tracks and pictures are made side by side: while both are, the
-- production's stage is the earlier of the two.
create function engine.video_job_status_of(p_status public.production_status, p_stage text)
    returns public.video_job_status
    language sql
    immutable
    set search_path = ''
as $$
    select case
        when p_status = 'completed' then 'completed'
        when p_status in ('failed', 'cancelled') then 'failed'
        when p_status = 'queued' then 'planned'
        when p_stage = 'compose_track' then 'generating_music'
        when p_stage = 'paint_image' then 'generating_image'
        when p_stage = 'render_video' then 'rendering'
        when p_stage = 'export_video' then 'ready_for_export'
        else 'planned'
    end::public.video_job_status
$$;

-- The engine knows productions, not videos: this keeps the video's columns true, in the same transaction.
create function engine.project_onto_video_job()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    message text := case
        when new.status = 'cancelled' then coalesce(new.error, 'Cancelled.')
        when new.status = 'failed' then new.error
    end;
    minutes numeric;
begin
    update public.video_jobs
    set status = engine.video_job_status_of(new.status, new.current_stage),
        progress = new.progress,
        production_id = new.id,
        error_message = message,
        completed_at = case when new.status = 'completed' then new.finished_at end
    where video_jobs.id = new.subject_id
    returning coalesce(video_jobs.duration_seconds / 60, video_jobs.target_duration_minutes) into minutes;

    if new.status = 'completed' and minutes is not null then
        perform private.count_minutes(new.organization_id, new.finished_at, 'ambience', new.subject_id, minutes);
    end if;
    -- A worker that was killed has told nobody how its render ended.
    if new.status in ('failed', 'cancelled', 'completed') then
        update public.render_tasks
        set status = 'failed',
            error_message = coalesce(message, 'It was interrupted.'),
            completed_at = clock_timestamp()
        where render_tasks.production_id = new.id
          and render_tasks.status in ('pending', 'in_progress');
    end if;
    return null;
end
$$;

create trigger video_job_shows_new_production
    after insert on public.productions
    for each row
    when (new.kind = 'ambience')
    execute function engine.project_onto_video_job();

create trigger video_job_shows_production
    after update of status, current_stage, progress, build, error on public.productions
    for each row
    when (
        new.kind = 'ambience'
        and (new.status, new.current_stage, new.progress, new.build, new.error)
            is distinct from (old.status, old.current_stage, old.progress, old.build, old.error)
    )
    execute function engine.project_onto_video_job();

create trigger productions_of_deleted_video_jobs_are_forgotten
    after delete on public.video_jobs
    referencing old table as gone
    for each statement execute function engine.forget_productions_of_deleted();

revoke execute on function
    engine.crossfade_seconds, engine.picture_fade_seconds, private.check_video_request, engine.video_job_status_of,
    engine.project_onto_video_job
    from public;
