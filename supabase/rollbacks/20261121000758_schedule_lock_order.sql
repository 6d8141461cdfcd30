-- Undoes the one order in which tickers take organizations.

create or replace function engine.drain_schedule(
    p_limit integer default 100,
    p_now timestamptz default clock_timestamp()
)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
    most_attempts constant integer := 3;
    slot public.episode_schedule_queue;
    reason text;
    started record;
    jobs jsonb := '[]';
begin
    for slot in
        with due as (
            select queue.*
            from public.episode_schedule_queue as queue
            where queue.status = 'pending'
                and queue.scheduled_for <= p_now
            order by queue.scheduled_for
            limit p_limit
            for update skip locked
        )
        select due.* from due order by due.project_id, due.scheduled_for
    loop
        reason := private.reason_to_skip(slot, p_now);
        if reason is not null then
            update public.episode_schedule_queue as queue
            set status = 'skipped', error = reason, processed_at = clock_timestamp()
            where queue.id = slot.id;
            continue;
        end if;

        begin
            started := private.start_scheduled_episode(slot);
        exception
            when deadlock_detected or serialization_failure or lock_not_available then
                raise;
            when others then
                update public.episode_schedule_queue as queue
                set attempts = queue.attempts + 1,
                    error = sqlerrm,
                    status = case
                        when queue.attempts + 1 < most_attempts then 'pending'
                        else 'failed'
                    end::public.schedule_status,
                    processed_at = case when queue.attempts + 1 >= most_attempts then clock_timestamp() end
                where queue.id = slot.id;
                continue;
        end;

        update public.episode_schedule_queue as queue
        set status = 'processing',
            attempts = queue.attempts + 1,
            error = null,
            episode_id = started.episode_id,
            production_id = started.production_id,
            processed_at = clock_timestamp()
        where queue.id = slot.id;

        jobs := jobs || started.jobs;
    end loop;
    return jobs;
end
$$;
