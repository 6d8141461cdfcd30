-- Undoes failures and the sweeper.

drop function engine.sweep(integer);
drop function engine.expired(integer);
drop function engine.fail(uuid, integer, public.error_kind, text, double precision, jsonb, boolean);
drop function engine.stop_production(public.jobs, public.error_kind, text);
drop function engine.retry_delay(public.error_kind, integer, double precision);
