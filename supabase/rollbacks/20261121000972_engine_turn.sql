-- Undoes the round trip that ends one job and starts the next.

drop function engine.complete_and_claim(
    uuid, integer, jsonb, text, jsonb, uuid, text, double precision
);

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

-- Accept an attempt's result. Repeating it after a lost reply is accepted again and changes nothing; a zombie's is
-- not accepted, and what it spent is counted all the same.
create or replace function engine.complete(
    p_job uuid,
    p_attempt integer,
    p_output jsonb,
    p_output_hash text,
    p_usage jsonb default '[]',
    p_dispatched boolean default true,
    out accepted boolean,
    out next jsonb
)
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    job public.jobs;
    reserved date;
begin
    next := '[]';
    -- One statement is the fence, the lock and the result. The day is read before, since it forgets it; it cannot
    -- change while the attempt runs.
    select jobs.reserved_on into reserved from public.jobs where jobs.id = p_job;
    update public.jobs
    set status = 'succeeded',
        slot = null,
        lease_until = null,
        reserved_on = null,
        output = p_output,
        output_hash = p_output_hash,
        state = null,
        progress = 1,
        error_kind = null,
        error = null,
        finished_at = clock_timestamp()
    where jobs.id = p_job
      and jobs.attempt = p_attempt
      and jobs.status = 'running'
    returning * into job;
    if not found then
        select * into job from public.jobs where jobs.id = p_job;
        accepted := coalesce(job.status = 'succeeded' and job.attempt = p_attempt, false);
        perform engine.record_usage(p_job, p_attempt, p_usage);
        return;
    end if;
    job.reserved_on := reserved;
    -- Asked under the job's lock, so that a cancel is seen that came while this waited for it.
    accepted := not exists (
        select
        from public.productions
        where productions.id = job.production_id
          and productions.status = 'cancelled'
    );
    if not accepted then
        update public.jobs
        set status = 'cancelled',
            output = null,
            output_hash = null,
            error_kind = 'cancelled',
            error = 'Cancelled with its production.'
        where jobs.id = p_job;
    end if;
    next := engine.count_down(job, false, p_dispatched) || engine.hand_off(job, p_usage, accepted);
end
$$;

drop function engine.pass_barrier(public.jobs, boolean, boolean);

revoke execute on all functions in schema engine from public;
