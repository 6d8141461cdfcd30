-- Who may do what with the episode line. Members read; editors write the columns that are theirs; status, progress,
-- assets and tokens are written by functions alone. Deleting is setting deleted_at: deleted rows stay visible to
-- members, who may restore them until maintain removes them.

revoke all
    on public.voices, public.voice_rates, public.projects, public.episodes, public.sources, public.source_items,
       public.blocks, public.planning_notes, public.feeds, public.episode_schedule_queue
    from anon, authenticated;

grant select
    on public.voices, public.projects, public.episodes, public.sources, public.source_items,
       public.blocks, public.planning_notes, public.feeds, public.episode_schedule_queue
    to authenticated;
grant select on public.voices to anon;
grant select, insert, update, delete
    on public.voices, public.voice_rates, public.projects, public.episodes, public.sources, public.source_items,
       public.blocks, public.planning_notes, public.feeds, public.episode_schedule_queue
    to service_role;

grant
    insert (
        id, organization_id, name, description, author, language, format, writer, speakers, target_minutes,
        cadence_config, memories, category, explicit, cover_asset_id, website_url, is_active
    ),
    update (
        name, description, author, language, format, writer, speakers, target_minutes,
        cadence_config, memories, category, explicit, cover_asset_id, website_url, is_active, deleted_at
    )
    on public.projects to authenticated;
grant
    insert (id, organization_id, project_id, title, summary, target_minutes),
    update (title, summary, outline, target_minutes, deleted_at)
    on public.episodes to authenticated;
grant
    insert (id, organization_id, project_id, episode_id, kind, title, url, content, upload_key, is_active),
    update (title, url, content, upload_key, is_active, deleted_at)
    on public.sources to authenticated;
grant
    insert (id, organization_id, episode_id, position, section, speaker, markdown),
    update (position, section, speaker, markdown),
    delete
    on public.blocks to authenticated;
grant
    insert (id, organization_id, project_id, note),
    update (note, status, deleted_at)
    on public.planning_notes to authenticated;

alter table public.voices enable row level security;
alter table public.voice_rates enable row level security;
alter table public.projects enable row level security;
alter table public.episodes enable row level security;
alter table public.sources enable row level security;
alter table public.source_items enable row level security;
alter table public.blocks enable row level security;
alter table public.planning_notes enable row level security;
alter table public.feeds enable row level security;
alter table public.episode_schedule_queue enable row level security;

create policy "everyone sees the voices" on public.voices
    for select to anon, authenticated
    using (true);

select private.let_members('public.projects', 'viewer', 'select');
select private.let_members('public.projects', 'editor', 'insert', 'update');
select private.let_members('public.episodes', 'viewer', 'select');
select private.let_members('public.episodes', 'editor', 'insert', 'update');
select private.let_members('public.sources', 'viewer', 'select');
select private.let_members('public.sources', 'editor', 'insert', 'update');
select private.let_members('public.source_items', 'viewer', 'select');
select private.let_members('public.blocks', 'viewer', 'select');
select private.let_members('public.blocks', 'editor', 'insert', 'update', 'delete');
select private.let_members('public.planning_notes', 'viewer', 'select');

-- An editor dismisses a note or takes that back; that an episode consumed it is for functions to say.
create policy "editors may insert" on public.planning_notes
    for insert to authenticated
    with check (organization_id in (select private.my_organizations('editor')));

create policy "editors may update what is not consumed" on public.planning_notes
    for update to authenticated
    using (organization_id in (select private.my_organizations('editor')) and status <> 'consumed')
    with check (organization_id in (select private.my_organizations('editor')) and status <> 'consumed');

select private.let_members('public.feeds', 'viewer', 'select');
select private.let_members('public.episode_schedule_queue', 'viewer', 'select');

select private.let_worker('public.voices', 'select');
select private.let_worker('public.voice_rates', 'select', 'insert', 'update');
select private.let_worker('public.projects', 'select', 'delete');
select private.let_worker('public.episodes', 'select', 'insert', 'update', 'delete');
select private.let_worker('public.sources', 'select', 'update', 'delete');
select private.let_worker('public.source_items', 'select', 'insert', 'update', 'delete');
select private.let_worker('public.blocks', 'select', 'insert', 'update', 'delete');
select private.let_worker('public.planning_notes', 'select', 'update', 'delete');
select private.let_worker('public.feeds', 'select');
select private.let_worker('public.episode_schedule_queue', 'select', 'update', 'delete');
