-- Undoes it: each tick locks every show that has a cadence.

create or replace function engine.fill_schedule(
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
