-- One check of a job's row, and one of a stage's, instead of nine. A statement that writes a row parses the text of each
-- check of its table anew: on jobs that took 17 µs of an update, twice per job. A function is compiled once per session.

create function engine.is_consistent(p_job public.jobs)
    returns boolean
    language plpgsql
    immutable
    set search_path = ''
as $$
begin
    return
        num_nonnulls(p_job.slot, p_job.lease_until, p_job.reserved_on)
            = case p_job.status when 'running' then 3 else 0 end
        and (p_job.hold is not null) = (p_job.status = 'parked')
        and (p_job.status <> 'succeeded' or num_nonnulls(p_job.output, p_job.output_hash) = 2)
        and p_job.estimate_gbp >= 0
        and octet_length(p_job.input_hash) = 64
        and coalesce(p_job.progress between 0 and 1, true);
end
$$;

alter table public.jobs
    add constraint jobs_are_consistent check (engine.is_consistent(jobs)) not valid;
alter table public.jobs
    validate constraint jobs_are_consistent;
alter table public.jobs
    drop constraint running_holds_slot_lease_and_reservation,
    drop constraint parked_says_why,
    drop constraint succeeded_has_output,
    drop constraint jobs_estimate_gbp_check,
    drop constraint jobs_input_hash_check,
    drop constraint jobs_progress_check;

alter table public.production_stages
    add constraint counts_are_not_negative check (least(total, remaining, failed) >= 0) not valid;
alter table public.production_stages
    validate constraint counts_are_not_negative;
alter table public.production_stages
    drop constraint production_stages_total_check,
    drop constraint production_stages_remaining_check,
    drop constraint production_stages_failed_check;

revoke execute on all functions in schema engine from public;
grant execute on function engine.is_consistent to service_role;
