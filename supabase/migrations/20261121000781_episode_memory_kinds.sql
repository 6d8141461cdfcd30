-- What an episode leaves behind for the next: the subjects it told, the words it wore out, what it promised. A migration
-- of its own, since a new value of an enum can be used only once it is committed.

alter type public.agent_memory_kind add value 'topic';
alter type public.agent_memory_kind add value 'phrase';
alter type public.agent_memory_kind add value 'promise';
comment on type public.agent_memory_kind is 'fact: about the subject; preference: of the people; style: how the show '
    'sounds; feedback: on past episodes; topic: what an episode told; phrase: words to avoid; promise: to come back to.';
