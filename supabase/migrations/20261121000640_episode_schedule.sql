-- Schedules of the episode line: a show's cadence becomes slots in episode_schedule_queue, and each due slot becomes
-- an episode exactly once, however many programs tick at the same time and however late.

-- The moments of a cadence after one time and up to another, ascending. Postgres reads a local time that a change of
-- clocks skips as if the clocks had not changed yet (01:30 becomes 02:30), and of one that occurs twice takes the second.
create function private.next_slots(cadence jsonb, after timestamptz, until timestamptz)
returns setof timestamptz
language sql
stable
set search_path = ''
as $$
    select distinct slot.moment
    from generate_series(
        date_trunc('day', after at time zone (cadence ->> 'time_zone')) - interval '1 day',
        date_trunc('day', until at time zone (cadence ->> 'time_zone')) + interval '1 day',
        interval '1 day'
    ) as day
    cross join lateral (
        select (day::date + (cadence ->> 'time')::time) at time zone (cadence ->> 'time_zone') as moment
    ) as slot
    where cadence -> 'days' ? lower(to_char(day, 'dy'))
        and slot.moment > after
        and slot.moment <= until
    order by slot.moment
$$;
comment on function private.next_slots(jsonb, timestamptz, timestamptz) is 'The moments of a cadence_config in (after, until], ascending.';

-- Slots are kept some days ahead, so that people see what is planned. A show is share-locked while its slots are
-- written: an edit of its cadence comes wholly before or wholly after.
create function engine.fill_schedule(
    p_now timestamptz default clock_timestamp(),
    p_horizon interval default interval '7 days'
)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
    project record;
    added integer;
    total integer := 0;
begin
    for project in
        select show.id, show.organization_id, show.cadence_config, show.cadence_set_at
        from public.projects as show
        join public.organizations as organization on organization.id = show.organization_id
        where show.cadence_config is not null
            and show.is_active
            and show.deleted_at is null
            and organization.deleted_at is null
        order by show.id
        for share of show skip locked
    loop
        insert into public.episode_schedule_queue (organization_id, project_id, scheduled_for)
        select project.organization_id, project.id, slot
        from private.next_slots(
            project.cadence_config,
            greatest(
                project.cadence_set_at,
                (
                    select max(queue.scheduled_for)
                    from public.episode_schedule_queue as queue
                    where queue.project_id = project.id
                )
            ),
            p_now + p_horizon
        ) as slot
        on conflict (project_id, scheduled_for) do nothing;

        get diagnostics added = row_count;
        total := total + added;
    end loop;
    return total;
end
$$;
comment on function engine.fill_schedule(timestamptz, interval) is 'Writes the slots of all active shows up to p_now + p_horizon, none from before a cadence was set; returns how many were new.';

-- Why a due slot must not become an episode; null when it must. What it asks is the same for every ticker: whether a
-- newer slot is due counts that slot whatever has become of it.
create function private.reason_to_skip(slot public.episode_schedule_queue, p_now timestamptz)
returns text
language sql
stable
set search_path = ''
as $$
    select case
        when show.deleted_at is not null or organization.deleted_at is not null then 'The show was deleted.'
        when not show.is_active or show.cadence_config is null then 'The show is paused.'
        when show.cadence_config ->> 'catch_up' = 'none' and slot.scheduled_for < p_now - interval '1 hour'
            then 'It was missed by more than an hour, and the show does not catch up.'
        when coalesce(show.cadence_config ->> 'catch_up', 'latest') = 'latest' and exists (
            select
            from public.episode_schedule_queue as newer
            where newer.project_id = slot.project_id
                and newer.scheduled_for > slot.scheduled_for
                and newer.scheduled_for <= p_now
        ) then 'It was missed, and a newer slot is due.'
    end
    from public.projects as show
    join public.organizations as organization on organization.id = show.organization_id
    where show.id = slot.project_id
$$;

-- An episode numbered and submitted for one slot. The idempotency key makes a second submission find the first.
create function private.start_scheduled_episode(
    slot public.episode_schedule_queue,
    out episode_id uuid,
    out production_id uuid,
    out jobs jsonb
)
language plpgsql
set search_path = ''
as $$
begin
    insert into public.episodes (organization_id, project_id, scheduled_for)
    values (slot.organization_id, slot.project_id, slot.scheduled_for)
    returning id into episode_id;

    -- Nobody asks, yet the same must hold as for a request: something to make it from, and minutes left this month.
    perform private.check_episode_request(episode_id);

    select submitted.production_id, submitted.jobs
    into production_id, jobs
    from engine.submit(
        p_organization => slot.organization_id,
        p_kind => 'episode',
        p_subject => episode_id,
        p_idempotency_key => 'schedule:' || slot.id,
        p_requested_by => null,
        p_dispatched => true
    ) as submitted;
end
$$;

-- Slots are taken in the order of their shows, since numbering an episode locks its show: two tickers never wait for
-- each other in a circle. One show's failure does not keep the others waiting.
create function engine.drain_schedule(
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
comment on function engine.drain_schedule(integer, timestamptz) is 'Turns due slots into episodes, each exactly once; returns the jobs to send. Older slots are skipped as the show''s catch_up says.';

-- A slot ends as its production does, and goes on when that is rebuilt.
create function private.follow_production()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    update public.episode_schedule_queue as queue
    set status = case new.status
            when 'completed' then 'completed'
            when 'failed' then 'failed'
            when 'cancelled' then 'skipped'
            else 'processing'
        end::public.schedule_status,
        error = case new.status
            when 'failed' then new.error
            when 'cancelled' then 'Its production was cancelled.'
        end
    where queue.production_id = new.id;
    return null;
end
$$;

-- What was planned under an old cadence, and is still to come, is planned anew by the next fill.
create function private.replan_schedule()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    delete from public.episode_schedule_queue as queue
    where queue.project_id = new.id
        and queue.status = 'pending'
        and queue.scheduled_for > now();
    return null;
end
$$;

revoke execute on function
    private.next_slots(jsonb, timestamptz, timestamptz),
    private.reason_to_skip(public.episode_schedule_queue, timestamptz),
    private.start_scheduled_episode(public.episode_schedule_queue),
    private.follow_production(), private.replan_schedule(),
    engine.fill_schedule(timestamptz, interval), engine.drain_schedule(integer, timestamptz)
    from public;
grant execute on function
    private.next_slots(jsonb, timestamptz, timestamptz),
    engine.fill_schedule(timestamptz, interval), engine.drain_schedule(integer, timestamptz)
    to showrunner_worker;

create trigger follow_production
    after update of status on public.productions
    for each row when (new.kind = 'episode' and new.status is distinct from old.status)
    execute function private.follow_production();

create trigger replan_schedule
    after update on public.projects
    for each row when (
        new.cadence_config is distinct from old.cadence_config
        or new.is_active is distinct from old.is_active
        or new.deleted_at is distinct from old.deleted_at
    )
    execute function private.replan_schedule();
