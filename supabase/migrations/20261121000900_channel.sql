-- The ambience line: channels, the long videos that they ask for, and what each video is made of: tracks, pictures that
-- match them, and renders. Files are assets, so what were paths in the requirement are references here.
-- Children name their parent by (organization_id, id), so that no row can hang under another tenant's.

create type public.video_job_status as enum (
    'planned', 'generating_music', 'generating_image', 'rendering', 'ready_for_export', 'completed', 'failed'
);
comment on type public.video_job_status is 'planned: asked for, or its prompts are being written; generating_music: tracks are composed, '
    'and pictures beside them; generating_image: the tracks are done, pictures are not; rendering: one video is made of them; '
    'ready_for_export: the video is there, what YouTube needs is being made; completed: all of it; failed: see error_message.';

create type public.music_provider as enum ('dummy', 'mubert', 'beatoven', 'elevenlabs');
comment on type public.music_provider is 'dummy: composed here, without a provider; the others are services.';

create type public.visual_provider as enum ('dummy', 'leonardo', 'gemini', 'openai', 'stability');
comment on type public.visual_provider is 'dummy: painted here, without a provider; the others are services.';

create type public.render_status as enum ('pending', 'in_progress', 'completed', 'failed');
comment on type public.render_status is 'pending: not begun; in_progress: being rendered; completed: the video is there; failed: see error_message.';

create type public.picture_motion as enum ('still', 'drift');
comment on type public.picture_motion is 'still: the picture stands; drift: it moves slowly and returns to where it began.';

-- Tables --------------------------------------------------------------------------------------------------------------

alter table public.organizations add column allows_short_videos boolean not null default false;
comment on column public.organizations.allows_short_videos is
    'Set by an operator, for trials: videos from 1 minute and 2 tracks. Others have 60 to 90 minutes and 20 tracks.';

create table public.channels (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references public.organizations (id) on delete cascade,
    name text not null,
    youtube_channel_id text unique,
    brand_niche text not null,
    writer text not null default 'offline/extractive',
    composer text not null default 'dummy/ambient',
    painter text not null default 'dummy/painter',
    motion public.picture_motion not null default 'still',
    is_active boolean not null default true,
    deleted_at timestamptz,
    deleted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (organization_id, id),
    constraint name_has_1_to_255_characters check (name ~ '\S' and length(name) <= 255),
    constraint brand_niche_has_1_to_255_characters check (brand_niche ~ '\S' and length(brand_niche) <= 255),
    constraint youtube_channel_id_has_1_to_100_characters check (youtube_channel_id ~ '^\S{1,100}$'),
    constraint writer_is_provider_slash_model check (writer ~ '^[a-z]+/\S{1,200}$'),
    constraint composer_is_provider_slash_model check (composer ~ '^(dummy|mubert|beatoven|elevenlabs)/\S{1,200}$'),
    constraint painter_is_provider_slash_model check (painter ~ '^(dummy|leonardo|gemini|openai|stability)/\S{1,200}$')
);
comment on table public.channels is 'A YouTube channel of ambience videos: its niche, and who writes, composes and paints for it.';
comment on column public.channels.youtube_channel_id is 'YouTube''s own id; null while there is none.';
comment on column public.channels.brand_niche is 'Such as "Medieval Fantasy Ambience" or "Lo-Fi Study Beats".';
create index channels_organization_id on public.channels (organization_id, created_at desc);
create index channels_is_active on public.channels (is_active, created_at desc);

create table engine.channel_secrets (
    channel_id uuid primary key,
    organization_id uuid not null,
    youtube_refresh_token text not null check (youtube_refresh_token ~ '\S'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (organization_id, channel_id) references public.channels (organization_id, id) on delete cascade
);
comment on table engine.channel_secrets is 'What a channel needs to upload to YouTube; no client can read it.';
create index channel_secrets_channel on engine.channel_secrets (organization_id, channel_id);

create table public.video_jobs (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    channel_id uuid not null,
    status public.video_job_status not null default 'planned',
    progress smallint not null default 0,
    niche_label text not null,
    mood_keywords text not null,
    target_duration_minutes integer not null,
    track_count smallint not null default 20,
    prompts_json jsonb,
    title text not null default '',
    description text not null default '',
    tags text[] not null default '{}',
    is_synthetic_media boolean not null default true,
    production_id uuid references public.productions (id) on delete set null,
    video_asset_id uuid references public.assets (id) on delete set null,
    thumbnail_asset_id uuid references public.assets (id) on delete set null,
    contact_sheet_asset_id uuid references public.assets (id) on delete set null,
    chapters_asset_id uuid references public.assets (id) on delete set null,
    export_json jsonb check (jsonb_typeof(export_json) = 'object'),
    duration_seconds numeric(10, 3) check (duration_seconds > 0),
    error_message text,
    upload_strategy text,
    scheduled_time timestamptz,
    youtube_video_id text,
    completed_at timestamptz,
    deleted_at timestamptz,
    deleted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (organization_id, channel_id) references public.channels (organization_id, id) on delete cascade,
    unique (organization_id, id),
    constraint progress_is_0_to_100 check (progress between 0 and 100),
    constraint niche_label_has_1_to_255_characters check (niche_label ~ '\S' and length(niche_label) <= 255),
    constraint mood_keywords_has_1_to_500_characters check (mood_keywords ~ '\w' and length(mood_keywords) <= 500),
    -- Without the operator's leave for short videos, 60 to 90 and 20: private.check_video_job.
    constraint target_duration_minutes_is_1_to_90 check (target_duration_minutes between 1 and 90),
    constraint track_count_is_2_to_20 check (track_count between 2 and 20),
    constraint track_count_leaves_each_track_15_seconds check (track_count * 15 <= target_duration_minutes * 60),
    constraint track_count_leaves_no_track_more_than_20_minutes check (track_count * 20 >= target_duration_minutes),
    -- YouTube's limits.
    constraint title_has_at_most_100_characters check (length(title) <= 100 and title !~ '[<>]'),
    constraint description_has_at_most_4000_characters check (length(description) <= 4000 and description !~ '[<>]'),
    constraint tags_have_at_most_500_characters_together check (length(array_to_string(tags, '","')) + 2 <= 500),
    constraint upload_strategy_has_1_to_50_characters check (upload_strategy ~ '\S' and length(upload_strategy) <= 50),
    constraint youtube_video_id_has_1_to_100_characters check (youtube_video_id ~ '^\S{1,100}$'),
    constraint failed_says_why check (status <> 'failed' or error_message is not null),
    constraint completed_says_when check (status <> 'completed' or completed_at is not null)
);
comment on table public.video_jobs is 'One long video: what is asked for, its prompts, what was made. status mirrors its latest production.';
comment on column public.video_jobs.niche_label is 'Such as "Royal Court Ambience".';
comment on column public.video_jobs.mood_keywords is 'Comma-separated: "elegant, classical, serene".';
comment on column public.video_jobs.prompts_json is
    '{"music_prompts": [{"order_index", "prompt", "duration_minutes", "title"}], "visual_prompts": [{"order_index", "prompt"}]}; '
    'editing one makes its track or picture anew, and the video.';
comment on column public.video_jobs.is_synthetic_media is 'What YouTube is told about altered or synthetic content.';
comment on column public.video_jobs.export_json is
    'What YouTube is given with the video: title, description with chapters, tags, contains_synthetic_media.';
comment on column public.video_jobs.error_message is 'What went wrong, in a sentence; null when nothing did.';
comment on column public.video_jobs.scheduled_time is 'When it is to be published on YouTube.';
create index video_jobs_channel_id on public.video_jobs (channel_id, created_at desc);
create index video_jobs_status on public.video_jobs (status, created_at);
create index video_jobs_organization_id on public.video_jobs (organization_id, created_at desc);
create index video_jobs_parent on public.video_jobs (organization_id, channel_id);
create index video_jobs_prompts on public.video_jobs using gin (prompts_json);
create index video_jobs_production_id on public.video_jobs (production_id);
create index video_jobs_video_asset_id on public.video_jobs (video_asset_id);
create index video_jobs_thumbnail_asset_id on public.video_jobs (thumbnail_asset_id);
create index video_jobs_contact_sheet_asset_id on public.video_jobs (contact_sheet_asset_id);
create index video_jobs_chapters_asset_id on public.video_jobs (chapters_asset_id);

create table public.audio_tracks (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    video_job_id uuid not null,
    provider public.music_provider not null,
    provider_track_id text check (length(provider_track_id) between 1 and 255),
    order_index smallint not null,
    duration_seconds numeric(8, 3) not null check (duration_seconds > 0),
    asset_id uuid references public.assets (id) on delete set null,
    license_document_url text,
    license_asset_id uuid references public.assets (id) on delete set null,
    prompt_text text not null check (prompt_text ~ '\S'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (organization_id, video_job_id) references public.video_jobs (organization_id, id) on delete cascade,
    unique (video_job_id, order_index),
    constraint order_index_is_1_to_20 check (order_index between 1 and 20),
    constraint license_document_url_is_http_or_https check (
        license_document_url ~* '^https?://[^\s/]+' and length(license_document_url) <= 2000
    )
);
comment on table public.audio_tracks is 'The tracks of a video, in order, each with its prompt and what says that it may be used.';
comment on column public.audio_tracks.duration_seconds is 'As measured.';
comment on column public.audio_tracks.license_asset_id is 'A copy of the licence document.';
create index audio_tracks_organization_id on public.audio_tracks (organization_id, video_job_id);
create index audio_tracks_asset_id on public.audio_tracks (asset_id);
create index audio_tracks_license_asset_id on public.audio_tracks (license_asset_id);

create table public.images (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references public.organizations (id) on delete cascade,
    video_job_id uuid,
    provider public.visual_provider not null,
    provider_image_id text check (length(provider_image_id) between 1 and 255),
    order_index smallint,
    asset_id uuid references public.assets (id) on delete set null,
    loop_asset_id uuid references public.assets (id) on delete set null,
    prompt_text text not null check (prompt_text ~ '\S'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (organization_id, video_job_id) references public.video_jobs (organization_id, id) on delete cascade,
    unique (video_job_id, order_index),
    constraint order_index_is_1_to_20 check (order_index between 1 and 20),
    constraint order_index_is_set_within_a_video check ((video_job_id is null) = (order_index is null))
);
comment on table public.images is 'The pictures of a video: the one of order_index n is shown while track n plays. Without a video it stands alone.';
comment on column public.images.loop_asset_id is 'The picture as some seconds of video that can be repeated.';
create index images_organization_id on public.images (organization_id, video_job_id);
create index images_asset_id on public.images (asset_id);
create index images_loop_asset_id on public.images (loop_asset_id);

create table public.render_tasks (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    video_job_id uuid not null,
    production_id uuid references public.productions (id) on delete set null,
    ffmpeg_command text not null default '',
    asset_id uuid references public.assets (id) on delete set null,
    resolution text not null default '1920x1080' check (resolution ~ '^[1-9]\d{1,4}x[1-9]\d{1,4}$'),
    duration_seconds numeric(10, 2) check (duration_seconds > 0),
    status public.render_status not null default 'pending',
    error_message text,
    created_at timestamptz not null default clock_timestamp(),
    completed_at timestamptz,
    foreign key (organization_id, video_job_id) references public.video_jobs (organization_id, id) on delete cascade,
    constraint completed_has_its_command_and_length check (
        status <> 'completed' or (ffmpeg_command <> '' and duration_seconds is not null)
    ),
    constraint failed_says_why check (status <> 'failed' or error_message is not null),
    constraint ended_says_when check ((status in ('completed', 'failed')) = (completed_at is not null))
);
comment on table public.render_tasks is 'Each attempt to render a video: the exact command, when, and how it ended.';
comment on column public.render_tasks.ffmpeg_command is 'The last command, that makes the file; empty until it is known.';
create index render_tasks_video_job_id on public.render_tasks (video_job_id, created_at desc);
create index render_tasks_status on public.render_tasks (status);
create index render_tasks_created_at on public.render_tasks (organization_id, created_at desc);
create index render_tasks_parent on public.render_tasks (organization_id, video_job_id);
create index render_tasks_production_id on public.render_tasks (production_id);
create index render_tasks_asset_id on public.render_tasks (asset_id);

create table public.video_analytics (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    video_job_id uuid not null,
    youtube_video_id text not null check (youtube_video_id ~ '^\S{1,100}$'),
    views bigint not null default 0 check (views >= 0),
    watch_time_hours numeric(12, 2) check (watch_time_hours >= 0),
    revenue_usd numeric(12, 2) check (revenue_usd >= 0),
    snapshot_date date not null,
    created_at timestamptz not null default now(),
    foreign key (organization_id, video_job_id) references public.video_jobs (organization_id, id) on delete cascade,
    unique (video_job_id, snapshot_date)
);
comment on table public.video_analytics is 'What YouTube says of a video, a row per day that was looked at.';
create index video_analytics_organization_id on public.video_analytics (organization_id, video_job_id);

-- A parent's children are all of one organization: the policies' second condition makes nothing rarer.
create statistics public.video_jobs_of_one_organization (dependencies) on channel_id, organization_id
    from public.video_jobs;
create statistics public.tracks_of_one_organization (dependencies) on video_job_id, organization_id
    from public.audio_tracks;
create statistics public.images_of_one_organization (dependencies) on video_job_id, organization_id
    from public.images;
