drop trigger productions_of_deleted_video_jobs_are_forgotten on public.video_jobs;
drop trigger video_job_shows_production on public.productions;
drop trigger video_job_shows_new_production on public.productions;
drop function engine.project_onto_video_job();
drop function engine.video_job_status_of(public.production_status, text);
delete from public.assets
where assets.production_id in (select productions.id from public.productions where productions.kind = 'ambience');
delete from public.productions where kind = 'ambience';
delete from engine.kinds where kind = 'ambience';
drop function private.check_video_request(uuid);
drop view engine.desired_export_video, engine.desired_render_video, engine.desired_paint_image,
    engine.desired_compose_track, engine.desired_plan_album, engine.videos_in_production;
drop function engine.picture_fade_seconds();
drop function engine.crossfade_seconds();
delete from engine.pipelines where kind = 'ambience';
