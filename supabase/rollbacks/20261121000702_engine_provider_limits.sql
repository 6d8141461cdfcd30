-- Undoes provider protection: what it holds back goes on at the next sweep.

update public.jobs set status = 'queued', hold = null, due_at = clock_timestamp() where status = 'parked' and hold = 'provider';
drop function engine.sweep(integer);
alter function engine.sweep_organizations(integer) rename to sweep;
grant execute on function engine.sweep to showrunner_worker;
drop function engine.sweep_providers(integer);
drop function engine.wait_for_provider(public.jobs, engine.provider_limits, timestamptz, double precision);
drop function engine.pass_on_at_provider(text);
drop function engine.readmit_at_provider(engine.provider_limits);
drop function engine.provider_room(engine.provider_limits, timestamptz);
drop function engine.recent_starts(engine.provider_limits, timestamptz);
drop table engine.provider_limits;
