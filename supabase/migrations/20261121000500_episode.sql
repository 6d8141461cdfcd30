-- The episode line: shows with their sources and notes, and the episodes made from them.
-- Children name their parent by (organization_id, id), so that no row can hang under another tenant's.

create type public.show_format as enum ('dialogue', 'bulletin');
comment on type public.show_format is 'dialogue: the speakers talk with each other; bulletin: one reads the news.';

create type public.source_kind as enum ('text', 'markdown', 'web_page', 'pdf', 'feed');
comment on type public.source_kind is 'text, markdown: content or an upload; web_page: a URL; pdf: a URL or an upload; '
    'feed: the URL of RSS or Atom, of which only what is new is used.';

create type public.episode_status as enum ('draft', 'published', 'archived');
comment on type public.episode_status is 'draft: not in the feed; published: in the feed; archived: no longer in the feed.';

create type public.generation_status as enum (
    'pending', 'generating_outline', 'generating_script', 'generating_audio', 'uploading', 'completed', 'failed'
);
comment on type public.generation_status is 'pending: created, not started; generating_outline: reading sources and planning; '
    'generating_script: writing the blocks; generating_audio: speaking; uploading: mastering and publishing; '
    'completed: finished and verified; failed: see generation_error.';

create type public.planning_note_status as enum ('pending', 'consumed', 'dismissed');
comment on type public.planning_note_status is 'pending: the next episode takes it up; consumed: an episode did; dismissed: no longer wanted.';

create type public.schedule_status as enum ('pending', 'processing', 'completed', 'skipped', 'failed');
comment on type public.schedule_status is 'pending: due at scheduled_for; processing: its episode is being made; completed: it is made; '
    'skipped: missed, and the show does not catch up; failed: see error.';

-- Tables --------------------------------------------------------------------------------------------------------------

create table public.voices (
    id text primary key,
    provider text not null,
    name text not null,
    language text not null check (language ~ '^[a-z]{2,3}(-[A-Z]{2})?$'),
    gender text not null check (gender in ('female', 'male', 'neutral')),
    label text not null,
    characters_per_second numeric(6, 2) not null default 14.5 check (characters_per_second between 1 and 100),
    is_active boolean not null default true,
    constraint id_is_provider_slash_name check (id = provider || '/' || name)
);
comment on table public.voices is 'Reference data: the voices a speaker may have.';
comment on column public.voices.language is 'BCP 47; mul for a voice that speaks whatever language it is given.';
comment on column public.voices.characters_per_second is 'How fast it speaks until voice_rates has measured it.';

create table public.voice_rates (
    voice text not null references public.voices (id) on delete cascade,
    language text not null,
    characters bigint not null default 0 check (characters >= 0),
    seconds numeric(14, 3) not null default 0 check (seconds >= 0),
    primary key (voice, language)
);
comment on table public.voice_rates is 'Measured totals per voice: characters / seconds is its rate, by which a script meets its length.';

create table public.projects (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references public.organizations (id) on delete cascade,
    name text not null,
    description text not null default '',
    author text not null default '',
    language text not null default 'en-GB',
    format public.show_format not null default 'dialogue',
    writer text not null default 'offline/extractive',
    speakers jsonb not null default '[{"name": "Ada", "voice": "espeak/ada"}, {"name": "Ben", "voice": "espeak/ben"}]',
    target_minutes numeric(9, 2) not null default 10,
    cadence_config jsonb,
    cadence_set_at timestamptz,
    memories jsonb not null default '[]',
    category text not null default 'News',
    explicit boolean not null default false,
    cover_asset_id uuid references public.assets (id) on delete set null,
    website_url text,
    is_active boolean not null default true,
    deleted_at timestamptz,
    deleted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (organization_id, id),
    constraint name_has_1_to_200_characters check (length(btrim(name)) between 1 and 200 and length(name) <= 200),
    constraint description_has_at_most_4000_characters check (length(description) <= 4000),
    constraint author_has_at_most_200_characters check (length(author) <= 200),
    constraint language_is_bcp_47_like_en_gb check (language ~ '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$'),
    constraint writer_is_provider_slash_model check (writer ~ '^[a-z]+/\S{1,200}$'),
    constraint target_minutes_is_1_to_120 check (target_minutes between 1 and 120),
    constraint memories_is_an_array_of_at_most_100_strings check (
        jsonb_typeof(memories) = 'array'
        and jsonb_array_length(memories) <= 100
        and not jsonb_path_exists(memories, '$[*] ? (@.type() != "string")')
    ),
    constraint category_has_1_to_100_characters check (length(btrim(category)) between 1 and 100),
    constraint website_url_is_http_or_https check (website_url ~* '^https?://[^\s/]+' and length(website_url) <= 2000)
);
comment on table public.projects is 'A show: what it is about, who speaks, how long, how often.';
comment on column public.projects.speakers is '[{"name", "voice"}], 1 to 8; a dialogue needs two.';
comment on column public.projects.cadence_config is '{"days": ["mon", "thu"], "time": "07:30", "time_zone": "Europe/London", "catch_up": "latest"}; null: only on request.';
comment on column public.projects.cadence_set_at is 'When the cadence last changed or came back into force: no slot before it is made up for.';
comment on column public.projects.memories is 'What every episode should know, in sentences.';
create index projects_cover_asset_id on public.projects (cover_asset_id);

create table public.episodes (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    project_id uuid not null,
    number integer not null check (number > 0),
    title text not null default '',
    summary text not null default '',
    outline jsonb,
    status public.episode_status not null default 'draft',
    target_minutes numeric(9, 2) not null,
    scheduled_for timestamptz,
    published_at timestamptz,
    audio_asset_id uuid references public.assets (id) on delete set null,
    transcript_asset_id uuid references public.assets (id) on delete set null,
    chapters_asset_id uuid references public.assets (id) on delete set null,
    cover_asset_id uuid references public.assets (id) on delete set null,
    duration_seconds numeric(10, 3) check (duration_seconds > 0),
    generation_status public.generation_status not null default 'pending',
    generation_progress integer not null default 0,
    generation_error text,
    generation_errors jsonb not null default '[]' check (jsonb_typeof(generation_errors) = 'array'),
    generation_attempts integer not null default 0 check (generation_attempts >= 0),
    generation_job_id uuid references public.productions (id) on delete set null,
    generation_started_at timestamptz,
    generation_completed_at timestamptz,
    deleted_at timestamptz,
    deleted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (organization_id, project_id) references public.projects (organization_id, id) on delete cascade,
    unique (organization_id, id),
    unique (project_id, id),
    unique (project_id, number),
    constraint title_has_at_most_300_characters check (length(title) <= 300),
    constraint summary_has_at_most_4000_characters check (length(summary) <= 4000),
    constraint target_minutes_is_1_to_120 check (target_minutes between 1 and 120),
    constraint generation_progress_is_0_to_100 check (generation_progress between 0 and 100),
    constraint published_at_is_set_when_published check (status <> 'published' or published_at is not null)
);
comment on table public.episodes is 'One episode of a show. generation_* mirror its latest production.';
comment on column public.episodes.generation_job_id is 'The latest production.';
comment on column public.episodes.generation_error is 'What went wrong, in a sentence; null when nothing did.';
comment on column public.episodes.generation_errors is 'All errors so far, oldest first.';
create index episodes_generation_job_id on public.episodes (generation_job_id);
create index episodes_generation_status on public.episodes (generation_status, created_at);
create index episodes_organization_id on public.episodes (organization_id, created_at desc);
create index episodes_published on public.episodes (project_id, published_at desc) where status = 'published';
create index episodes_audio_asset_id on public.episodes (audio_asset_id);
create index episodes_transcript_asset_id on public.episodes (transcript_asset_id);
create index episodes_chapters_asset_id on public.episodes (chapters_asset_id);
create index episodes_cover_asset_id on public.episodes (cover_asset_id);

create table public.sources (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    project_id uuid not null,
    episode_id uuid,
    kind public.source_kind not null,
    title text not null default '',
    url text,
    content text,
    upload_key text,
    is_active boolean not null default true,
    last_ingested_at timestamptz,
    content_sha256 text check (content_sha256 ~ '^[0-9a-f]{64}$'),
    extracted_asset_id uuid references public.assets (id) on delete set null,
    deleted_at timestamptz,
    deleted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (organization_id, project_id) references public.projects (organization_id, id) on delete cascade,
    -- Without its episode, a source of one episode would become one of the whole show: it goes with it.
    foreign key (project_id, episode_id) references public.episodes (project_id, id) on delete cascade,
    unique (organization_id, id),
    constraint title_has_at_most_500_characters check (length(title) <= 500),
    constraint source_has_what_its_kind_needs check (
        case
            when kind in ('text', 'markdown') then url is null and num_nonnulls(content, upload_key) = 1
            when kind in ('web_page', 'feed') then url is not null and num_nonnulls(content, upload_key) = 0
            when kind = 'pdf' then content is null and num_nonnulls(url, upload_key) = 1
        end
    ),
    constraint url_is_http_or_https check (url ~* '^https?://[^\s/]+' and length(url) <= 2000),
    constraint content_is_not_blank check (content ~ '\S'),
    constraint content_has_at_most_1000000_characters check (length(content) <= 1000000),
    constraint upload_key_is_the_organizations_own check (
        upload_key like 'organizations/' || organization_id || '/_%' and upload_key !~ '(^|/)\.\.?(/|$)'
    )
);
comment on table public.sources is 'What a show (or, with episode_id, one episode alone) is made from.';
comment on column public.sources.upload_key is 'The S3 key of an uploaded file, under organizations/<organization_id>/.';
comment on column public.sources.content_sha256 is 'Of the extracted text; it changes when the source does.';
create index sources_project_id on public.sources (project_id, episode_id);
create index sources_organization_id on public.sources (organization_id, created_at desc);
create index sources_extracted_asset_id on public.sources (extracted_asset_id);

create table public.source_items (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    source_id uuid not null,
    guid text not null check (length(guid) between 1 and 2000),
    title text not null default '',
    url text,
    published_at timestamptz,
    used_in_episode_id uuid,
    first_seen_at timestamptz not null default now(),
    foreign key (organization_id, source_id) references public.sources (organization_id, id) on delete cascade,
    foreign key (organization_id, used_in_episode_id)
        references public.episodes (organization_id, id) on delete set null (used_in_episode_id),
    unique (source_id, guid)
);
comment on table public.source_items is 'What of a feed was already seen, and which episode used it.';
create index source_items_organization_id on public.source_items (organization_id, source_id);
create index source_items_used_in_episode_id on public.source_items (used_in_episode_id);

create table public.blocks (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    episode_id uuid not null,
    position integer not null check (position >= 0),
    section text not null default '' check (length(section) <= 300),
    speaker text not null,
    markdown text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (organization_id, episode_id) references public.episodes (organization_id, id) on delete cascade,
    unique (episode_id, position) deferrable,
    constraint markdown_has_1_to_10000_characters check (markdown ~ '\S' and length(markdown) <= 10000)
);
comment on table public.blocks is 'The script: ordered lines of one speaker each. Editing one makes it be spoken anew.';
comment on column public.blocks.position is 'Order within the episode; unique, checked at the end of a statement so that lines can be moved.';
comment on column public.blocks.section is 'The title of the outline''s section; a chapter begins where it changes.';
create index blocks_organization_id on public.blocks (organization_id, episode_id);

create table public.planning_notes (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    project_id uuid not null,
    note text not null,
    status public.planning_note_status not null default 'pending',
    consumed_in_episode_id uuid,
    consumed_at timestamptz,
    created_by uuid default auth.uid() references public.users (id) on delete set null,
    deleted_at timestamptz,
    deleted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (organization_id, project_id) references public.projects (organization_id, id) on delete cascade,
    foreign key (project_id, consumed_in_episode_id)
        references public.episodes (project_id, id) on delete set null (consumed_in_episode_id),
    constraint note_has_1_to_4000_characters check (note ~ '\S' and length(note) <= 4000),
    constraint consumed_says_when check ((status = 'consumed') = (consumed_at is not null)),
    constraint only_consumed_names_an_episode check (status = 'consumed' or consumed_in_episode_id is null)
);
comment on table public.planning_notes is 'What people want the next episode to do; it takes up all that are pending.';
create index planning_notes_pending on public.planning_notes (project_id, created_at) where status = 'pending';
create index planning_notes_organization_id on public.planning_notes (organization_id, created_at desc);
create index planning_notes_consumed_in on public.planning_notes (project_id, consumed_in_episode_id);

create table public.feeds (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    project_id uuid not null unique,
    token text not null unique
        default replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')
        check (token ~ '^[0-9a-f]{32,}$'),
    version integer not null default 1 check (version > 0),
    revoked_at timestamptz,
    created_at timestamptz not null default now(),
    foreign key (organization_id, project_id) references public.projects (organization_id, id) on delete cascade
);
comment on table public.feeds is 'A show''s RSS feed: whoever knows the token may listen.';
comment on column public.feeds.token is 'Part of the feed''s URL, random; see revoke_feed_token.';
comment on column public.feeds.version is 'Counts the tokens the feed has had.';
comment on column public.feeds.revoked_at is 'Set while the feed is closed.';
create index feeds_organization_id on public.feeds (organization_id);

create table public.episode_schedule_queue (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    project_id uuid not null,
    scheduled_for timestamptz not null,
    status public.schedule_status not null default 'pending',
    episode_id uuid,
    production_id uuid references public.productions (id) on delete set null,
    attempts integer not null default 0 check (attempts >= 0),
    error text,
    created_at timestamptz not null default now(),
    processed_at timestamptz,
    foreign key (organization_id, project_id) references public.projects (organization_id, id) on delete cascade,
    foreign key (project_id, episode_id)
        references public.episodes (project_id, id) on delete set null (episode_id),
    constraint each_slot_exists_once unique (project_id, scheduled_for),
    constraint processed_says_when check ((status = 'pending') = (processed_at is null))
);
comment on table public.episode_schedule_queue is 'The slots of each show''s cadence; drained with for update skip locked.';
comment on column public.episode_schedule_queue.error is 'Why it failed or was skipped, in a sentence.';
comment on column public.episode_schedule_queue.processed_at is 'When it was decided: its episode begun, or the slot skipped or given up.';
create index episode_schedule_queue_due on public.episode_schedule_queue (scheduled_for) where status = 'pending';
create index episode_schedule_queue_organization_id on public.episode_schedule_queue (organization_id, scheduled_for desc);
create index episode_schedule_queue_episode_id on public.episode_schedule_queue (project_id, episode_id);
create index episode_schedule_queue_production_id on public.episode_schedule_queue (production_id);
