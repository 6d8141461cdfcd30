-- What an app asks of the ambience line most, as views; each shows what its caller may see.

create view public.active_channels with (security_invoker = true) as
select
    channels.id,
    channels.organization_id,
    channels.name,
    channels.brand_niche,
    channels.created_at,
    count(video_jobs.id) as total_jobs,
    count(video_jobs.id) filter (where video_jobs.status = 'completed') as completed_jobs
from public.channels
left join public.video_jobs on video_jobs.channel_id = channels.id and video_jobs.deleted_at is null
where channels.is_active
  and channels.deleted_at is null
group by channels.id;
comment on view public.active_channels is 'Active channels with how many videos each has, and how many are completed.';

create view public.video_jobs_with_parts with (security_invoker = true) as
select video_jobs.*, tracks.list as audio_tracks, pictures.list as images
from public.video_jobs
cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object(
        'id', audio_tracks.id,
        'order_index', audio_tracks.order_index,
        'duration_seconds', audio_tracks.duration_seconds,
        'provider', audio_tracks.provider,
        'asset_id', audio_tracks.asset_id
    ) order by audio_tracks.order_index), '[]') as list
    from public.audio_tracks
    where audio_tracks.video_job_id = video_jobs.id
) as tracks
cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object(
        'id', images.id,
        'order_index', images.order_index,
        'provider', images.provider,
        'asset_id', images.asset_id
    ) order by images.order_index), '[]') as list
    from public.images
    where images.video_job_id = video_jobs.id
) as pictures
where video_jobs.deleted_at is null;
comment on view public.video_jobs_with_parts is 'A video with its tracks and pictures in order: both are lists, and pair by order_index.';

create view public.waiting_video_jobs with (security_invoker = true) as
select
    video_jobs.id,
    video_jobs.organization_id,
    video_jobs.channel_id,
    video_jobs.niche_label,
    video_jobs.mood_keywords,
    video_jobs.target_duration_minutes,
    video_jobs.created_at
from public.video_jobs
where video_jobs.status = 'planned'
  and video_jobs.deleted_at is null;
comment on view public.waiting_video_jobs is 'Videos ready for their next step; order by created_at for the one that has waited longest.';

revoke all on public.active_channels, public.video_jobs_with_parts, public.waiting_video_jobs from anon, authenticated;
grant select on public.active_channels, public.video_jobs_with_parts, public.waiting_video_jobs
    to authenticated, service_role;
