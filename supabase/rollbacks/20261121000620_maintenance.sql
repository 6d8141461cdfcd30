drop function if exists
    engine.prune_history, engine.purge_deleted, engine.evict_audio, engine.forget_files, engine.files_to_delete;
drop trigger if exists files_of_deleted_sources_are_noted on public.sources;
drop trigger if exists files_of_deleted_assets_are_noted on public.assets;
drop function if exists engine.note_deleted_uploads();
drop function if exists engine.note_deleted_files();
drop table if exists engine.file_deletions;
