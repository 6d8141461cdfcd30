-- Undoes rebuild.

drop function engine.rebuild(uuid, text, boolean);
drop function engine.release_all(uuid);
drop function engine.preview_rebuild(uuid, text);
drop function engine.renew_from(public.productions, text);
drop function engine.check_from_stage(text, text);
