-- Development data: three people, one of each tier, their shows, and episodes in every state that a screen can show.
-- Ids are fixed, so that links and tests can name them: 1… people, 2… organizations, 3… shows, 4… episodes, 5… sources,
-- 6… lines, 7… notes, 8… slots, 9… everything else, a… ambience, b… dubbing. A personal organization has its person's id. May be
-- loaded again.
-- The files of the published episodes are not in S3: their rows are, for screens to show.

insert into auth.users (id, instance_id, aud, role, email, email_confirmed_at, raw_app_meta_data, raw_user_meta_data) values
    ('10000000-0000-4000-8000-000000000001', '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated',
     'free@example.com', now(), '{"provider": "email"}', '{"display_name": "Fiona Free", "timezone": "Europe/London"}'),
    ('10000000-0000-4000-8000-000000000002', '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated',
     'creator@example.com', now(), '{"provider": "email"}', '{"display_name": "Carl Creator", "timezone": "Europe/Berlin"}'),
    ('10000000-0000-4000-8000-000000000003', '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated',
     'pro@example.com', now(), '{"provider": "email"}', '{"display_name": "Petra Pro", "timezone": "America/New_York"}')
on conflict (id) do nothing;

-- Organizations -------------------------------------------------------------------------------------------------------

update public.organizations set tier = 'creator' where id = '10000000-0000-4000-8000-000000000002';
update public.organizations set tier = 'pro' where id = '10000000-0000-4000-8000-000000000003';

insert into public.organizations (id, name, tier, settings) values
    ('20000000-0000-4000-8000-000000000001', 'Morning Media', 'pro', '{"accent": "#c2410c"}')
on conflict (id) do nothing;

insert into public.organization_members (organization_id, user_id, role) values
    ('20000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000003', 'owner'),
    ('20000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000002', 'editor'),
    ('20000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', 'viewer')
on conflict do nothing;

-- Shows ---------------------------------------------------------------------------------------------------------------

insert into public.projects
    (id, organization_id, name, description, author, language, format, speakers, target_minutes, cadence_config, memories, category)
values
    ('30000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001',
     'Pocket Science', 'One finding, explained in five minutes.', 'Fiona Free', 'en-GB', 'bulletin',
     '[{"name": "Ada", "voice": "espeak/ada"}]', 5, null,
     '["Listeners have no background in science."]', 'Science'),
    ('30000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000002',
     'Hafenfunk', 'Neues aus dem Hamburger Hafen.', 'Carl Creator', 'de-DE', 'dialogue',
     '[{"name": "Emil", "voice": "espeak/emil"}, {"name": "Frida", "voice": "espeak/frida"}]', 8,
     '{"days": ["tue", "fri"], "time": "06:30", "time_zone": "Europe/Berlin", "catch_up": "none"}',
     '[]', 'News'),
    ('30000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001',
     'World at Seven', 'Two hosts, the day ahead, ten minutes.', 'Morning Media', 'en-GB', 'dialogue',
     '[{"name": "Ada", "voice": "espeak/ada"}, {"name": "Ben", "voice": "espeak/ben"}]', 10,
     '{"days": ["mon", "tue", "wed", "thu", "fri"], "time": "07:00", "time_zone": "Europe/London", "catch_up": "latest"}',
     '["Say where a number comes from.", "Never open with the weather."]', 'News'),
    ('30000000-0000-4000-8000-000000000004', '20000000-0000-4000-8000-000000000001',
     'The Long Table', 'Food, and the people who grow it.', 'Morning Media', 'en-US', 'dialogue',
     '[{"name": "Cora", "voice": "espeak/cora"}, {"name": "Dev", "voice": "espeak/dev"}]', 25, null, '[]', 'Food')
on conflict (id) do nothing;

insert into public.sources (id, organization_id, project_id, kind, title, url, content) values
    ('50000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000001',
     'text', 'Why the sky is blue', null,
     'Sunlight holds every colour. Air scatters blue light about four times as strongly as red, because its waves are '
     'shorter. So from every part of the sky some scattered blue reaches our eyes. At sunset the light comes a longer way '
     'through the air, most blue is lost on it, and what remains is red.'),
    ('50000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000002', '30000000-0000-4000-8000-000000000002',
     'markdown', 'Notizen vom Hafenamt', null,
     E'# Diese Woche\n\nDie Fähre nach Finkenwerder fährt ab Montag alle zehn Minuten. Am Kai 12 wird gebaut.\n'),
    ('50000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003',
     'feed', 'World news', 'https://example.com/world.xml', null),
    ('50000000-0000-4000-8000-000000000004', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003',
     'web_page', 'Market opening', 'https://example.com/markets', null),
    ('50000000-0000-4000-8000-000000000005', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000004',
     'pdf', 'A report on orchards', 'https://example.com/orchards.pdf', null)
on conflict (id) do nothing;

insert into public.source_items (id, organization_id, source_id, guid, title, url, published_at) values
    ('90000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000003',
     'world-1', 'Harvest above average', 'https://example.com/world/1', '2026-01-05 05:00+00'),
    ('90000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000003',
     'world-2', 'A bridge reopens', 'https://example.com/world/2', '2026-01-06 05:00+00')
on conflict (id) do nothing;

-- Episodes in every state ---------------------------------------------------------------------------------------------

insert into public.assets (id, organization_id, kind, key, content_type, bytes, sha256, duration_seconds, integrated_lufs, true_peak_dbtp, sample_rate)
values
    ('90000000-0000-4000-8000-000000000011', '20000000-0000-4000-8000-000000000001', 'episode_audio',
     'organizations/20000000-0000-4000-8000-000000000001/episode_audio/seed-1.mp3', 'audio/mpeg',
     9612345, repeat('a', 64), 598.4, -16.1, -1.3, 44100),
    ('90000000-0000-4000-8000-000000000012', '20000000-0000-4000-8000-000000000001', 'transcript',
     'organizations/20000000-0000-4000-8000-000000000001/transcript/seed-1.vtt', 'text/vtt',
     12345, repeat('b', 64), null, null, null, null)
on conflict (id) do nothing;

insert into public.episodes
    (id, organization_id, project_id, number, title, summary, status, target_minutes, published_at, scheduled_for,
     audio_asset_id, transcript_asset_id, duration_seconds, generation_status, generation_progress, generation_error,
     generation_errors, generation_attempts, generation_started_at, generation_completed_at)
values
    ('40000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003', 1,
     'Harvest and bridges', 'A good harvest, and a bridge that is open again.', 'published', 10,
     '2026-01-05 07:02+00', '2026-01-05 07:00+00',
     '90000000-0000-4000-8000-000000000011', '90000000-0000-4000-8000-000000000012', 598.4,
     'completed', 100, null, '[]', 1, '2026-01-05 07:00+00', '2026-01-05 07:02+00'),
    ('40000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003', 2,
     'Markets before the bell', '', 'draft', 10, null, '2026-01-06 07:00+00',
     null, null, null, 'generating_audio', 62, null, '[]', 1, '2026-01-06 07:00+00', null),
    ('40000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003', 3,
     '', '', 'draft', 10, null, '2026-01-07 07:00+00',
     null, null, null, 'failed', 10, 'The page https://example.com/markets answered 404: check the source''s URL.',
     '[{"at": "2026-01-07T07:00:09Z", "code": "invalid_input", "message": "The page https://example.com/markets answered 404: check the source''s URL."}]',
     1, '2026-01-07 07:00+00', null),
    ('40000000-0000-4000-8000-000000000004', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000004', 1,
     'An orchard in winter', '', 'draft', 25, null, null,
     null, null, null, 'generating_outline', 4, null, '[]', 1, '2026-01-08 10:00+00', null),
    ('40000000-0000-4000-8000-000000000005', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000004', 2,
     'Salt', '', 'draft', 25, null, null,
     null, null, null, 'generating_script', 27, null, '[]', 2, '2026-01-08 11:00+00', null),
    ('40000000-0000-4000-8000-000000000006', '10000000-0000-4000-8000-000000000002', '30000000-0000-4000-8000-000000000002', 1,
     'Fähren und Baustellen', '', 'draft', 8, null, '2026-01-06 05:30+00',
     null, null, null, 'uploading', 97, null, '[]', 1, '2026-01-06 05:30+00', null),
    ('40000000-0000-4000-8000-000000000007', '10000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000001', 1,
     'Why the sky is blue', '', 'draft', 5, null, null,
     null, null, null, 'pending', 0, null, '[]', 0, null, null)
on conflict (id) do nothing;

update public.source_items set used_in_episode_id = '40000000-0000-4000-8000-000000000001'
where id = '90000000-0000-4000-8000-000000000001';

insert into public.blocks (id, organization_id, episode_id, position, section, speaker, markdown)
select line.id::uuid, '20000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000001', line.position, line.section,
    line.speaker, line.markdown
from (
    values
        ('60000000-0000-4000-8000-000000000001', 0, 'Welcome', 'Ada', 'Good morning. This is World at Seven.'),
        ('60000000-0000-4000-8000-000000000002', 1, 'Welcome', 'Ben', 'Today: a harvest that surprised everyone, and a bridge.'),
        ('60000000-0000-4000-8000-000000000003', 2, 'The harvest', 'Ada', 'The harvest was **above average** for the third year.'),
        ('60000000-0000-4000-8000-000000000004', 3, 'The harvest', 'Ben', 'Which matters, since stores were nearly empty.'),
        ('60000000-0000-4000-8000-000000000005', 4, 'The bridge', 'Ada', 'And after two years the old bridge is open again.'),
        ('60000000-0000-4000-8000-000000000006', 5, 'The bridge', 'Ben', 'That is all for today. Until tomorrow.')
) as line (id, position, section, speaker, markdown)
where not exists (select from public.blocks where blocks.episode_id = '40000000-0000-4000-8000-000000000001');

insert into public.planning_notes (id, organization_id, project_id, note, status, consumed_in_episode_id, consumed_at, created_by) values
    ('70000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003',
     'Begin with the harvest.', 'consumed', '40000000-0000-4000-8000-000000000001', '2026-01-05 07:00:20+00',
     '10000000-0000-4000-8000-000000000003'),
    ('70000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003',
     'Explain what a bond yield is before using the word.', 'pending', null, null, '10000000-0000-4000-8000-000000000002'),
    ('70000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003',
     'More jokes.', 'dismissed', null, null, '10000000-0000-4000-8000-000000000002'),
    ('70000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000001',
     'Compare it with the colour of the sea.', 'pending', null, null, '10000000-0000-4000-8000-000000000001')
on conflict (id) do nothing;

insert into public.episode_schedule_queue
    (id, organization_id, project_id, scheduled_for, status, episode_id, attempts, error, processed_at)
values
    ('80000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003',
     '2026-01-05 07:00+00', 'completed', '40000000-0000-4000-8000-000000000001', 1, null, '2026-01-05 07:00:04+00'),
    ('80000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003',
     '2026-01-06 07:00+00', 'processing', '40000000-0000-4000-8000-000000000002', 1, null, '2026-01-06 07:00:03+00'),
    ('80000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003',
     '2026-01-07 07:00+00', 'failed', '40000000-0000-4000-8000-000000000003', 1,
     'The page https://example.com/markets answered 404: check the source''s URL.', '2026-01-07 07:00:02+00'),
    ('80000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000002', '30000000-0000-4000-8000-000000000002',
     '2026-01-02 05:30+00', 'skipped', null, 0, 'It was missed by more than an hour, and the show does not catch up.',
     '2026-01-02 09:00:00+00')
on conflict (id) do nothing;

-- The slots of the coming week.
select engine.fill_schedule();

-- Conversation and what people did ------------------------------------------------------------------------------------

insert into public.agent_memories (id, organization_id, project_id, episode_id, kind, content, importance) values
    ('90000000-0000-4000-8000-000000000021', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003',
     '40000000-0000-4000-8000-000000000001', 'preference', 'Listeners like the harvest stories to name the farms.', 4)
on conflict (id) do nothing;

insert into public.chat_sessions (id, organization_id, project_id, episode_id, user_id, title) values
    ('90000000-0000-4000-8000-000000000031', '20000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003',
     '40000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000003', 'How was the first one?')
on conflict (id) do nothing;

insert into public.chat_messages (id, organization_id, session_id, role, content, created_at) values
    ('90000000-0000-4000-8000-000000000032', '20000000-0000-4000-8000-000000000001', '90000000-0000-4000-8000-000000000031',
     'user', 'Was the opening too slow?', '2026-01-05 08:00+00'),
    ('90000000-0000-4000-8000-000000000033', '20000000-0000-4000-8000-000000000001', '90000000-0000-4000-8000-000000000031',
     'assistant', 'The first story begins after eleven seconds.', '2026-01-05 08:00:05+00')
on conflict (id) do nothing;

insert into public.highlights (id, organization_id, episode_id, block_id, user_id, quote, note, start_seconds, end_seconds) values
    ('90000000-0000-4000-8000-000000000041', '20000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000001',
     '60000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000003',
     'The harvest was above average for the third year.', 'Use in the trailer.', 14.2, 17.9)
on conflict (id) do nothing;

insert into public.user_events (id, organization_id, user_id, event_type, event_data) values
    ('90000000-0000-4000-8000-000000000051', '20000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000003',
     'onboarding.completed', '{"steps": 4}'),
    ('90000000-0000-4000-8000-000000000052', '20000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000002',
     'episode.played', '{"episode_id": "40000000-0000-4000-8000-000000000001", "seconds": 212}')
on conflict (id) do nothing;

insert into public.audit_log (id, organization_id, actor_id, actor_role, action, table_name, row_id, old_values, new_values) values
    ('90000000-0000-4000-8000-000000000061', '20000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000003',
     'authenticated', 'update', 'projects', '30000000-0000-4000-8000-000000000003',
     '{"target_minutes": 12}', '{"target_minutes": 10}')
on conflict (id) do nothing;

insert into public.webhook_endpoints (id, organization_id, url, description, is_active) values
    ('90000000-0000-4000-8000-000000000071', '20000000-0000-4000-8000-000000000001', 'https://example.com/hooks/showrunner',
     'The website''s news ticker', false)
on conflict (id) do nothing;

-- Ambience ------------------------------------------------------------------------------------------------------------
-- a… channels and their videos: one in every state.

insert into public.channels (id, organization_id, name, youtube_channel_id, brand_niche, motion, is_active) values
    ('a0000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001', 'Rooms of Elsewhere', 'UCexample1',
     'Medieval Fantasy Ambience', 'drift', true),
    ('a0000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000002', 'Spätschicht', null,
     'Lo-Fi Study Beats', 'still', true),
    ('a0000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001', 'Old Harbour', null,
     'Sea Ambience', 'still', false)
on conflict (id) do nothing;

insert into public.video_jobs
    (id, organization_id, channel_id, niche_label, mood_keywords, target_duration_minutes, title, created_at)
select
    ('a0000000-0000-4000-8000-00000000001' || number)::uuid, '20000000-0000-4000-8000-000000000001',
    'a0000000-0000-4000-8000-000000000001', niche, mood, minutes, niche || ' | ' || initcap(mood) || ' Music', day
from (
    values
        (1, 'Royal Court Ambience', 'elegant, classical, serene', 60, timestamptz '2026-01-05 09:00+00'),
        (2, 'Elven Forest', 'mysterious, calm', 75, timestamptz '2026-01-06 09:00+00'),
        (3, 'Tavern at Night', 'cosy, nostalgic', 60, timestamptz '2026-01-07 09:00+00'),
        (4, 'Wizard''s Study', 'focused, magical', 90, timestamptz '2026-01-08 09:00+00'),
        (5, 'Snowbound Inn', 'warm, quiet', 60, timestamptz '2026-01-09 09:00+00'),
        (6, 'Dragon Mountain', 'epic, dark', 60, timestamptz '2026-01-10 09:00+00'),
        (7, 'Market Day', 'bright, playful', 60, timestamptz '2026-01-11 09:00+00')
) as video (number, niche, mood, minutes, day)
on conflict (id) do nothing;

insert into public.audio_tracks (organization_id, video_job_id, provider, order_index, duration_seconds, prompt_text)
select
    '20000000-0000-4000-8000-000000000001', video_jobs.id, 'dummy', place, 183.8,
    format('Slow waltz number %s for harp and strings. Key: D minor. Tempo: %s BPM.', place, 60 + place)
from public.video_jobs, generate_series(1, 20) as place
where video_jobs.id in ('a0000000-0000-4000-8000-000000000011', 'a0000000-0000-4000-8000-000000000015')
on conflict do nothing;

insert into public.images (organization_id, video_job_id, provider, order_index, prompt_text)
select
    '20000000-0000-4000-8000-000000000001', video_jobs.id, 'dummy', place,
    format('16:9 background of hall number %s, golden accents, warm candlelight', place)
from public.video_jobs, generate_series(1, 20) as place
where video_jobs.id in ('a0000000-0000-4000-8000-000000000011', 'a0000000-0000-4000-8000-000000000015')
on conflict do nothing;

update public.video_jobs
set status = made.status::public.video_job_status,
    progress = made.progress,
    error_message = made.message,
    completed_at = made.at,
    duration_seconds = made.seconds
from (
    values
        ('a0000000-0000-4000-8000-000000000011', 'completed', 100, null, timestamptz '2026-01-05 09:04+00', 3600),
        ('a0000000-0000-4000-8000-000000000012', 'generating_music', 30, null, null, null),
        ('a0000000-0000-4000-8000-000000000013', 'generating_image', 60, null, null, null),
        ('a0000000-0000-4000-8000-000000000014', 'rendering', 80, null, null, null),
        ('a0000000-0000-4000-8000-000000000015', 'ready_for_export', 95, null, null, 3600),
        ('a0000000-0000-4000-8000-000000000016', 'failed', 40, 'The track is silent.', null, null)
) as made (id, status, progress, message, at, seconds)
where video_jobs.id = made.id::uuid
  and video_jobs.status = 'planned';

insert into public.render_tasks
    (id, organization_id, video_job_id, ffmpeg_command, status, error_message, duration_seconds, created_at, completed_at)
values
    ('a0000000-0000-4000-8000-000000000021', '20000000-0000-4000-8000-000000000001',
     'a0000000-0000-4000-8000-000000000011', '', 'failed', 'It was interrupted.', null,
     '2026-01-05 09:03+00', '2026-01-05 09:03:10+00'),
    ('a0000000-0000-4000-8000-000000000022', '20000000-0000-4000-8000-000000000001',
     'a0000000-0000-4000-8000-000000000011', 'ffmpeg -framerate 25 -f h264 -i album.h264 -f aac -i album.aac -c copy video.mp4',
     'completed', null, 3600, '2026-01-05 09:03:20+00', '2026-01-05 09:03:32+00'),
    ('a0000000-0000-4000-8000-000000000023', '20000000-0000-4000-8000-000000000001',
     'a0000000-0000-4000-8000-000000000014', '', 'in_progress', null, null, '2026-01-08 09:03+00', null)
on conflict (id) do nothing;

insert into public.video_analytics
    (id, organization_id, video_job_id, youtube_video_id, views, watch_time_hours, revenue_usd, snapshot_date)
values
    ('a0000000-0000-4000-8000-000000000031', '20000000-0000-4000-8000-000000000001',
     'a0000000-0000-4000-8000-000000000011', 'example-id', 1840, 612.5, 3.2, '2026-01-12')
on conflict (id) do nothing;

-- Dubbing -------------------------------------------------------------------------------------------------------------

insert into public.voice_clones
    (id, organization_id, created_by, name, language, provider, provider_voice_id, status, error_message, speaker_name,
     consent_statement, consent_given_at)
values
    ('b0000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001',
     '10000000-0000-4000-8000-000000000003', 'Petra, warm', 'en-US', 'elevenlabs', 'example-voice-1', 'ready', null,
     'Petra Pro', 'I agree that Morning Media clones my voice for its own programmes.', '2026-01-04 10:00+00'),
    ('b0000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000001',
     '10000000-0000-4000-8000-000000000002', 'Carl, brisk', 'de-DE', 'elevenlabs', null, 'cloning', null,
     'Carl Creator', 'Ich stimme zu, dass Morning Media meine Stimme klont.', '2026-01-05 10:00+00'),
    ('b0000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000002',
     '10000000-0000-4000-8000-000000000002', 'Carl', 'de-DE', 'elevenlabs', null, 'failed',
     'The recording has 4 seconds; at least 30 are needed.', 'Carl Creator',
     'Ich stimme zu, dass meine Stimme geklont wird.', '2026-01-06 10:00+00'),
    ('b0000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000002',
     '10000000-0000-4000-8000-000000000002', 'Carl, again', 'de-DE', 'elevenlabs', null, 'pending', null,
     'Carl Creator', 'Ich stimme zu, dass meine Stimme geklont wird.', '2026-01-06 11:00+00')
on conflict (id) do nothing;
