-- Conversation about shows: what the agent remembers, what people discussed with it, and the passages they marked.
-- Nothing fills agent_memories and the chat yet; the tables exist so that client apps can be built on them.

create type public.agent_memory_kind as enum ('fact', 'preference', 'style', 'feedback');
comment on type public.agent_memory_kind is 'fact: about the subject; preference: of the people; style: how the show sounds; feedback: on past episodes.';

create type public.chat_role as enum ('user', 'assistant', 'system');
comment on type public.chat_role is 'Who speaks: the person, the agent, or the application.';

-- Tables --------------------------------------------------------------------------------------------------------------

create table public.agent_memories (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    project_id uuid not null,
    episode_id uuid,
    kind public.agent_memory_kind not null default 'fact',
    content text not null,
    importance smallint not null default 3,
    last_used_at timestamptz,
    deleted_at timestamptz,
    deleted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (organization_id, project_id) references public.projects (organization_id, id) on delete cascade,
    foreign key (project_id, episode_id) references public.episodes (project_id, id) on delete set null (episode_id),
    constraint content_has_1_to_4000_characters check (content ~ '\S' and length(content) <= 4000),
    constraint importance_is_1_to_5 check (importance between 1 and 5)
);
comment on table public.agent_memories is 'What the agent learned about a show; projects.memories holds what people tell it.';
comment on column public.agent_memories.episode_id is 'The episode it was learned from, if any.';
create index agent_memories_project_id on public.agent_memories (project_id, importance desc, created_at desc);
create index agent_memories_organization_id on public.agent_memories (organization_id);
create index agent_memories_episode_id on public.agent_memories (project_id, episode_id);

create table public.chat_sessions (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references public.organizations (id) on delete cascade,
    project_id uuid,
    episode_id uuid,
    user_id uuid not null default auth.uid() references public.users (id) on delete cascade,
    title text not null default '',
    deleted_at timestamptz,
    deleted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (organization_id, project_id) references public.projects (organization_id, id) on delete cascade,
    foreign key (project_id, episode_id) references public.episodes (project_id, id) on delete cascade,
    unique (organization_id, id),
    constraint title_has_at_most_200_characters check (length(title) <= 200),
    constraint episode_comes_with_its_project check (episode_id is null or project_id is not null)
);
comment on table public.chat_sessions is 'A person''s conversation with the agent, perhaps about one show or episode. Theirs alone.';
create index chat_sessions_user_id on public.chat_sessions (user_id, organization_id, created_at desc);
create index chat_sessions_organization_id on public.chat_sessions (organization_id, project_id);
create index chat_sessions_project_id on public.chat_sessions (project_id, episode_id);

create table public.chat_messages (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    session_id uuid not null,
    role public.chat_role not null default 'user',
    content text not null,
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz not null default clock_timestamp(),
    foreign key (organization_id, session_id) references public.chat_sessions (organization_id, id) on delete cascade,
    constraint content_has_1_to_20000_characters check (content ~ '\S' and length(content) <= 20000)
);
comment on table public.chat_messages is 'What was said, in order of created_at; never changed.';
create index chat_messages_session_id on public.chat_messages (session_id, created_at);
create index chat_messages_organization_id on public.chat_messages (organization_id, session_id);

create table public.highlights (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    episode_id uuid not null,
    block_id uuid references public.blocks (id) on delete set null,
    user_id uuid not null default auth.uid() references public.users (id) on delete cascade,
    quote text not null,
    note text not null default '',
    start_seconds numeric(10, 3),
    end_seconds numeric(10, 3),
    deleted_at timestamptz,
    deleted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (organization_id, episode_id) references public.episodes (organization_id, id) on delete cascade,
    constraint quote_has_1_to_4000_characters check (quote ~ '\S' and length(quote) <= 4000),
    constraint note_has_at_most_4000_characters check (length(note) <= 4000),
    constraint end_seconds_is_after_start_seconds check (
        (start_seconds is null) = (end_seconds is null) and start_seconds >= 0 and end_seconds > start_seconds
    )
);
comment on table public.highlights is 'Passages that members marked in an episode.';
comment on column public.highlights.block_id is 'The line it was taken from, while that exists; quote keeps the words.';
comment on column public.highlights.start_seconds is 'Where the passage is in the audio, when it was marked there.';
create index highlights_episode_id on public.highlights (episode_id, created_at);
create index highlights_organization_id on public.highlights (organization_id, episode_id);
create index highlights_block_id on public.highlights (block_id);
create index highlights_user_id on public.highlights (user_id);

-- Rules ---------------------------------------------------------------------------------------------------------------

create function private.check_highlight()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    if not exists (
        select
        from public.blocks as block
        where block.id = new.block_id and block.episode_id = new.episode_id
    ) then
        raise exception 'block_id: the episode has no such line.'
            using errcode = 'foreign_key_violation', table = 'highlights', column = 'block_id';
    end if;
    return new;
end
$$;
revoke execute on function private.check_highlight() from public;

create trigger check_block_of_new
    before insert on public.highlights
    for each row when (new.block_id is not null)
    execute function private.check_highlight();

do $$
declare
    name text;
begin
    foreach name in array array['agent_memories', 'chat_sessions', 'highlights'] loop
        execute format(
            'create trigger touch_updated_at before update on public.%I '
            'for each row execute function private.touch_updated_at()', name
        );
        execute format(
            'create trigger stamp_deletion before insert or update of deleted_at, deleted_by on public.%I '
            'for each row execute function private.stamp_deletion()', name
        );
    end loop;
end
$$;
select private.audit('public.agent_memories', 'last_used_at');

-- Access --------------------------------------------------------------------------------------------------------------

revoke all on public.agent_memories, public.chat_sessions, public.chat_messages, public.highlights
    from anon, authenticated;
grant select on public.agent_memories, public.chat_sessions, public.chat_messages, public.highlights to authenticated;
grant
    insert (id, organization_id, project_id, episode_id, kind, content, importance),
    update (kind, content, importance, deleted_at)
    on public.agent_memories to authenticated;
grant
    insert (id, organization_id, project_id, episode_id, title),
    update (title, deleted_at)
    on public.chat_sessions to authenticated;
grant insert (id, organization_id, session_id, content) on public.chat_messages to authenticated;
grant
    insert (id, organization_id, episode_id, block_id, quote, note, start_seconds, end_seconds),
    update (note, deleted_at)
    on public.highlights to authenticated;
grant select, insert, update, delete
    on public.agent_memories, public.chat_sessions, public.chat_messages, public.highlights
    to service_role;

alter table public.agent_memories enable row level security;
alter table public.chat_sessions enable row level security;
alter table public.chat_messages enable row level security;
alter table public.highlights enable row level security;

select private.let_members('public.agent_memories', 'viewer', 'select');
select private.let_members('public.agent_memories', 'editor', 'insert', 'update');
select private.let_members('public.highlights', 'viewer', 'select');

create policy "people see their own conversations" on public.chat_sessions
    for select to authenticated
    using (user_id = (select auth.uid()) and organization_id in (select private.my_organizations()));

create policy "members begin conversations of their own" on public.chat_sessions
    for insert to authenticated
    with check (user_id = (select auth.uid()) and organization_id in (select private.my_organizations()));

create policy "people rename and delete their own conversations" on public.chat_sessions
    for update to authenticated
    using (user_id = (select auth.uid()) and organization_id in (select private.my_organizations()))
    with check (user_id = (select auth.uid()) and organization_id in (select private.my_organizations()));

create policy "people read their own conversations" on public.chat_messages
    for select to authenticated
    using (
        organization_id in (select private.my_organizations())
        and session_id in (select session.id from public.chat_sessions as session)
    );

-- The role keeps its default: nobody can put words into the agent's mouth.
create policy "people speak in their own conversations" on public.chat_messages
    for insert to authenticated
    with check (
        role = 'user'
        and organization_id in (select private.my_organizations())
        and session_id in (select session.id from public.chat_sessions as session)
    );

create policy "members mark passages" on public.highlights
    for insert to authenticated
    with check (user_id = (select auth.uid()) and organization_id in (select private.my_organizations()));

create policy "people change their own highlights" on public.highlights
    for update to authenticated
    using (user_id = (select auth.uid()) and organization_id in (select private.my_organizations()))
    with check (user_id = (select auth.uid()) and organization_id in (select private.my_organizations()));

select private.let_worker('public.agent_memories', 'select', 'insert', 'update', 'delete');
select private.let_worker('public.chat_sessions', 'select', 'delete');
select private.let_worker('public.chat_messages', 'select', 'insert', 'delete');
select private.let_worker('public.highlights', 'select', 'delete');
