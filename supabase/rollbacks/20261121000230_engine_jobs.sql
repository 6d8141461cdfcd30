-- Undoes a job's life.

drop function engine.defer(uuid, integer, double precision, jsonb, jsonb);
drop function engine.complete(uuid, integer, jsonb, text, jsonb, boolean);
drop function engine.heartbeat(uuid, integer, double precision, real);
drop function engine.fence(uuid, integer);
drop function engine.lock_production_of(public.jobs);
drop function engine.count_down(public.jobs, boolean, boolean);
drop function engine.claim(uuid, text, double precision);
drop function engine.due_after(timestamptz, double precision);
