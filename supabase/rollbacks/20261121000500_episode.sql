-- Undoes the tables of the episode line.

drop table
    public.episode_schedule_queue, public.feeds, public.planning_notes, public.blocks, public.source_items,
    public.sources, public.episodes, public.projects, public.voice_rates, public.voices;
drop type
    public.schedule_status, public.planning_note_status, public.generation_status, public.episode_status,
    public.source_kind, public.show_format;
