-- Undoes conversation about shows.

drop table public.highlights, public.chat_messages, public.chat_sessions, public.agent_memories;
drop function private.check_highlight();
drop type public.chat_role, public.agent_memory_kind;
