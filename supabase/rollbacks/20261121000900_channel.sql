drop table public.video_analytics, public.render_tasks, public.images, public.audio_tracks, public.video_jobs,
    engine.channel_secrets, public.channels;
alter table public.organizations drop column allows_short_videos;
drop type public.picture_motion, public.render_status, public.visual_provider, public.music_provider,
    public.video_job_status;
