drop view public.waiting_video_jobs, public.video_jobs_with_parts, public.active_channels;
