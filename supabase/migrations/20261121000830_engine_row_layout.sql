-- Rows of jobs that cost less to change.
--
-- An update that stays on its page is logged from the first column that differs to the last. Everything that a
-- transition writes lies in the middle; what never changes, the input with its hash, now comes last and is not logged
-- again. And a check is parsed anew by every statement that writes its table, so that each one counts.

alter table public.jobs
    add column moved_input jsonb,
    add column moved_input_hash text;

update public.jobs
set moved_input = jobs.input,
    moved_input_hash = jobs.input_hash;

-- A view follows a column that is renamed, not one that goes: whoever reads the old one reads the new one from now on.
do $$
declare
    reader record;
begin
    for reader in
        select distinct pg_class.oid, pg_class.reloptions
        from pg_depend
        join pg_rewrite on pg_rewrite.oid = pg_depend.objid
        join pg_class on pg_class.oid = pg_rewrite.ev_class
        join pg_attribute
            on pg_attribute.attrelid = pg_depend.refobjid
            and pg_attribute.attnum = pg_depend.refobjsubid
        where pg_depend.refobjid = 'public.jobs'::regclass
          and pg_attribute.attname in ('input', 'input_hash')
    loop
        execute format(
            'create or replace view %s with (%s) as %s',
            reader.oid::regclass,
            array_to_string(reader.reloptions, ', '),
            regexp_replace(pg_get_viewdef(reader.oid), '\.input(_hash)?\M', '.moved_input\1', 'g')
        );
    end loop;
end
$$;

alter table public.jobs
    drop column input,
    drop column input_hash;
alter table public.jobs rename column moved_input to input;
alter table public.jobs rename column moved_input_hash to input_hash;

alter table public.jobs
    alter column input set not null,
    alter column input_hash set not null,
    drop constraint running_holds_slot_lease_and_reservation,
    drop constraint succeeded_has_output,
    drop constraint jobs_progress_check;

-- The hash is the engine's own; its form is not matched at every heartbeat.
alter table public.jobs
    add constraint jobs_input_hash_check check (octet_length(input_hash) = 64),
    add constraint jobs_progress_check check (progress between '0'::real and '1'::real),
    add constraint running_holds_slot_lease_and_reservation check (
        num_nonnulls(slot, lease_until, reserved_on) = case status when 'running' then 3 else 0 end
    ),
    add constraint succeeded_has_output check (status <> 'succeeded' or num_nonnulls(output, output_hash) = 2);

-- A stage's own counters are the live figure. The production's is reckoned when another sixteenth of the stage is done,
-- and moves in steps, to spare its row.
create or replace function engine.count_down(p_job public.jobs, p_failed boolean, p_dispatched boolean)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    stage public.production_stages;
    finished integer;
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
    finished := stage.total - stage.remaining;
    if 16 * finished / stage.total = 16 * (finished - 1) / stage.total then
        return '[]';
    end if;
    percent := engine.progress_of(p_job.production_id);
    update public.productions
    set progress = percent, updated_at = clock_timestamp()
    where productions.id = p_job.production_id
      and productions.status = 'running'
      and productions.progress + 3 <= percent;
    return '[]';
end
$$;
