-- Undoes a production's life.

drop function engine.approve(uuid, boolean);
drop function engine.cancel(uuid);
drop function engine.submit(uuid, text, uuid, text, uuid, boolean);
drop function engine.lock_production(uuid);
drop function engine.advance(uuid, boolean);
drop function engine.sentence_of_failure(uuid);
drop function engine.progress_of(uuid);
