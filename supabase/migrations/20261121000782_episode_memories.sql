-- What the show should remember: written by the review of each episode and by people, read by the next outline.

alter table public.agent_memories add column learned boolean not null default false;
comment on table public.agent_memories is
    'What is to be remembered about a show when its next episode is planned; projects.memories holds its standing wishes.';
comment on column public.agent_memories.learned is
    'Written by the review of an episode: the newest are kept. What people write or change stays.';
create index agent_memories_to_tell on public.agent_memories (project_id, learned, importance desc, created_at desc)
    where deleted_at is null;
drop index public.agent_memories_project_id;

-- What a person has put right is theirs from then on: no review replaces it. Its owner asks who that is, since a
-- worker may not.
create function private.keep_edited_memory()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    new.learned := auth.uid() is null;
    return new;
end
$$;
revoke execute on function private.keep_edited_memory() from public;

create trigger keep_what_people_edit
    before update of kind, content, importance on public.agent_memories
    for each row
    when (new.learned)
    execute function private.keep_edited_memory();

-- Of a show's memories the outline is told people's own first, then the most important, then the newest. What the
-- episode itself left behind is no news to it.
create or replace view engine.desired_write_outline with (security_invoker = true) as
select
    making.production_id,
    '' as key,
    jsonb_build_object(
        'prompt', 'outline.v2',
        'writer', making.writer,
        'show', making.show,
        'target_minutes', making.target_minutes,
        'sources', coalesce(ingested.sources, '[]'),
        'planning_notes', coalesce((
            select jsonb_agg(jsonb_build_object('id', notes.id, 'note', notes.note) order by notes.created_at, notes.id)
            from public.planning_notes as notes
            where notes.project_id = making.project_id
              and notes.deleted_at is null
              and (notes.status = 'pending' or notes.consumed_in_episode_id = making.episode_id)
        ), '[]'),
        'remembered', coalesce((
            select jsonb_agg(
                jsonb_build_object('id', told.id, 'kind', told.kind, 'content', told.content)
                order by told.created_at, told.id
            )
            from (
                select memories.id, memories.kind, left(memories.content, 600) as content, memories.created_at
                from public.agent_memories as memories
                where memories.project_id = making.project_id
                  and memories.episode_id is distinct from making.episode_id
                  and memories.deleted_at is null
                order by memories.learned, memories.importance desc, memories.created_at desc, memories.id
                limit 60
            ) as told
        ), '[]'),
        'previous_titles', coalesce((
            select jsonb_agg(earlier.title order by earlier.number desc)
            from (
                select episodes.title, episodes.number
                from public.episodes
                where episodes.project_id = making.project_id
                  and episodes.id <> making.episode_id
                  and episodes.generation_status = 'completed'
                  and episodes.title <> ''
                  and episodes.deleted_at is null
                order by episodes.number desc
                limit 20
            ) as earlier
        ), '[]')
    ) as input,
    engine.estimate_writing(making.writer, coalesce(ingested.words, 0) + 1000, 900) as estimate_gbp
from engine.episodes_in_production as making
left join engine.ingested_sources as ingested on ingested.production_id = making.production_id;
