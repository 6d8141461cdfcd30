-- Undoes places and reservations.

drop function engine.hand_off(public.jobs, jsonb);
drop function engine.readmit_one(engine.organization_limits);
drop function engine.reserve(uuid, timestamptz, numeric, numeric);
