alter type public.agent_memory_kind rename to agent_memory_kind_before;
create type public.agent_memory_kind as enum ('fact', 'preference', 'style', 'feedback');
comment on type public.agent_memory_kind is 'fact: about the subject; preference: of the people; style: how the show sounds; feedback: on past episodes.';
alter table public.agent_memories
    alter column kind drop default,
    alter column kind type public.agent_memory_kind using (
        case when kind::text in ('topic', 'phrase', 'promise') then 'fact' else kind::text end
    )::public.agent_memory_kind,
    alter column kind set default 'fact';
drop type public.agent_memory_kind_before;
