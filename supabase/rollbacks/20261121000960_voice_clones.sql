-- Undoes voice clones.

drop table public.voice_clones;
drop type public.voice_clone_status;
drop function private.check_voice_clone();
drop function private.check_voice_clone_limit();
drop function engine.purge_deleted_voice_clones(interval, integer);
