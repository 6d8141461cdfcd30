-- Who may do what with the ambience line. Members read; editors write the columns that are theirs; statuses, files and
-- what was made are written by functions alone. Deleting is setting deleted_at, as for shows.

revoke all
    on public.channels, public.video_jobs, public.audio_tracks, public.images, public.render_tasks,
       public.video_analytics
    from anon, authenticated;
revoke all on engine.channel_secrets from public, anon, authenticated;

grant select
    on public.channels, public.video_jobs, public.audio_tracks, public.images, public.render_tasks,
       public.video_analytics
    to authenticated;
grant select, insert, update, delete
    on public.channels, public.video_jobs, public.audio_tracks, public.images, public.render_tasks,
       public.video_analytics, engine.channel_secrets
    to service_role;

grant
    insert (id, organization_id, name, youtube_channel_id, brand_niche, writer, composer, painter, motion, is_active),
    update (name, youtube_channel_id, brand_niche, writer, composer, painter, motion, is_active, deleted_at)
    on public.channels to authenticated;
grant
    insert (
        id, organization_id, channel_id, niche_label, mood_keywords, target_duration_minutes, track_count,
        upload_strategy, scheduled_time
    ),
    update (
        niche_label, mood_keywords, target_duration_minutes, track_count, prompts_json, title, description, tags,
        is_synthetic_media, upload_strategy, scheduled_time, youtube_video_id, deleted_at
    )
    on public.video_jobs to authenticated;

alter table public.channels enable row level security;
alter table engine.channel_secrets enable row level security;
alter table public.video_jobs enable row level security;
alter table public.audio_tracks enable row level security;
alter table public.images enable row level security;
alter table public.render_tasks enable row level security;
alter table public.video_analytics enable row level security;

select private.let_members('public.channels', 'viewer', 'select');
select private.let_members('public.channels', 'editor', 'insert', 'update');
select private.let_members('public.video_jobs', 'viewer', 'select');
select private.let_members('public.video_jobs', 'editor', 'insert', 'update');
select private.let_members('public.audio_tracks', 'viewer', 'select');
select private.let_members('public.images', 'viewer', 'select');
select private.let_members('public.render_tasks', 'viewer', 'select');
select private.let_members('public.video_analytics', 'viewer', 'select');

select private.let_worker('public.channels', 'select', 'delete');
select private.let_worker('public.video_jobs', 'select', 'update', 'delete');
select private.let_worker('public.audio_tracks', 'select', 'insert', 'update', 'delete');
select private.let_worker('public.images', 'select', 'insert', 'update', 'delete');
select private.let_worker('public.render_tasks', 'select', 'insert', 'update');
