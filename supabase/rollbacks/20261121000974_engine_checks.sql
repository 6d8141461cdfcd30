-- Undoes the one check of a job's row, and the one of a stage's.

alter table public.jobs
    add constraint running_holds_slot_lease_and_reservation check (
        num_nonnulls(slot, lease_until, reserved_on) = case status when 'running' then 3 else 0 end
    ),
    add constraint parked_says_why check ((status = 'parked') = (hold is not null)),
    add constraint succeeded_has_output check (status <> 'succeeded' or num_nonnulls(output, output_hash) = 2),
    add constraint jobs_estimate_gbp_check check (estimate_gbp >= 0),
    add constraint jobs_input_hash_check check (octet_length(input_hash) = 64),
    add constraint jobs_progress_check check (progress between '0'::real and '1'::real),
    drop constraint jobs_are_consistent;
drop function engine.is_consistent(public.jobs);

alter table public.production_stages
    add constraint production_stages_total_check check (total >= 0),
    add constraint production_stages_remaining_check check (remaining >= 0),
    add constraint production_stages_failed_check check (failed >= 0),
    drop constraint counts_are_not_negative;
