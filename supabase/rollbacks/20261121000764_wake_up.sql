drop trigger if exists resumed_productions_wake_the_api on public.productions;
drop trigger if exists new_requests_wake_the_api on public.productions;
drop function if exists private.wake_api();
