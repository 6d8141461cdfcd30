-- Undoes the schedules of the episode line; the queue itself stays.

drop trigger replan_schedule on public.projects;
drop trigger follow_production on public.productions;
drop function private.replan_schedule();
drop function private.follow_production();
drop function engine.drain_schedule(integer, timestamptz);
drop function private.start_scheduled_episode(public.episode_schedule_queue);
drop function private.reason_to_skip(public.episode_schedule_queue, timestamptz);
drop function engine.fill_schedule(timestamptz, interval);
drop function private.next_slots(jsonb, timestamptz, timestamptz);
