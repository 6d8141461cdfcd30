-- Undoes the cheaper rows. The columns stay where they are: their order means nothing to anybody.

alter table public.jobs
    drop constraint jobs_input_hash_check,
    drop constraint jobs_progress_check,
    drop constraint running_holds_slot_lease_and_reservation,
    drop constraint succeeded_has_output;

alter table public.jobs
    add constraint jobs_input_hash_check check (input_hash ~ '^[0-9a-f]{64}$'),
    add constraint jobs_progress_check check (progress between 0 and 1),
    add constraint running_holds_slot_lease_and_reservation check (
        (status = 'running') = (slot is not null)
        and (status = 'running') = (lease_until is not null)
        and (status = 'running') = (reserved_on is not null)
    ),
    add constraint succeeded_has_output check (status <> 'succeeded' or (output is not null and output_hash is not null));

create or replace function engine.count_down(p_job public.jobs, p_failed boolean, p_dispatched boolean)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    stage public.production_stages;
    percent smallint;
begin
    update public.production_stages
    set remaining = production_stages.remaining - 1,
        failed = production_stages.failed + p_failed::integer,
        status = case
            when production_stages.remaining > 1 then production_stages.status
            when production_stages.failed + p_failed::integer > 0 then 'failed'
            else 'done'
        end,
        finished_at = case when production_stages.remaining = 1 then clock_timestamp() end
    where production_stages.production_id = p_job.production_id
      and production_stages.stage = p_job.stage
    returning * into strict stage;

    if stage.remaining = 0 then
        perform from public.productions where productions.id = p_job.production_id for no key update;
        return engine.advance(p_job.production_id, p_dispatched);
    end if;
    -- The stage's counters are the live figure; the production's own moves in steps, to spare its row.
    percent := engine.progress_of(p_job.production_id);
    update public.productions
    set progress = percent, updated_at = clock_timestamp()
    where productions.id = p_job.production_id
      and productions.status = 'running'
      and productions.progress + 3 <= percent;
    return '[]';
end
$$;
