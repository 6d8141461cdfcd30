create or replace view engine.desired_write_outline with (security_invoker = true) as
select
    making.production_id,
    '' as key,
    jsonb_build_object(
        'prompt', 'outline.v1',
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
    engine.estimate_writing(making.writer, coalesce(ingested.words, 0), 900) as estimate_gbp
from engine.episodes_in_production as making
left join engine.ingested_sources as ingested on ingested.production_id = making.production_id;

drop trigger keep_what_people_edit on public.agent_memories;
drop function private.keep_edited_memory();
create index agent_memories_project_id on public.agent_memories (project_id, importance desc, created_at desc);
drop index public.agent_memories_to_tell;
alter table public.agent_memories drop column learned;
comment on table public.agent_memories is 'What the agent learned about a show; projects.memories holds what people tell it.';
