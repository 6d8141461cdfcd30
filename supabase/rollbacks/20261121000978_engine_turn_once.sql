-- Undoes the shortest form of a completion.

create function engine.pass_barrier(p_job public.jobs, p_failed boolean, p_dispatched boolean)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    stage record;
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
    from public.productions
    where production_stages.production_id = p_job.production_id
      and production_stages.stage = p_job.stage
      and productions.id = p_job.production_id
    returning production_stages.remaining, production_stages.total, productions.status = 'cancelled' as is_cancelled
    into strict stage;

    if stage.is_cancelled then
        return null;
    elsif stage.remaining = 0 then
        perform from public.productions where productions.id = p_job.production_id for no key update;
        return engine.advance(p_job.production_id, p_dispatched);
    end if;
    finished := stage.total - stage.remaining;
    if 8 * finished / stage.total > 8 * (finished - 1) / stage.total then
        percent := engine.progress_of(p_job.production_id);
        update public.productions
        set progress = percent, updated_at = clock_timestamp()
        where productions.id = p_job.production_id
          and productions.status = 'running'
          and productions.progress + 3 <= percent;
    end if;
    return '[]';
end
$$;

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
begin
    -- One statement is the fence, the lock and the result.
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
        next := '[]';
        perform engine.record_usage(p_job, p_attempt, p_usage);
        return;
    end if;
    next := engine.pass_barrier(job, false, p_dispatched);
    accepted := next is not null;
    if not accepted then
        next := '[]';
        update public.jobs
        set status = 'cancelled',
            output = null,
            output_hash = null,
            error_kind = 'cancelled',
            error = 'Cancelled with its production.'
        where jobs.id = p_job;
    end if;
    next := next || engine.hand_off(job, p_usage, accepted);
end
$$;

drop function engine.complete_and_claim(
    uuid, integer, jsonb, text, jsonb, uuid, text, double precision, boolean
);

create function engine.complete_and_claim(
    p_job uuid,
    p_attempt integer,
    p_output jsonb,
    p_output_hash text,
    p_usage jsonb,
    p_next_job uuid,
    p_owner text,
    p_lease_seconds double precision,
    out accepted boolean,
    out outcome text,
    out wait_seconds double precision,
    out attempt integer,
    out production_id uuid,
    out organization_id uuid,
    out subject_id uuid,
    out stage text,
    out key text,
    out input jsonb,
    out input_hash text,
    out state jsonb,
    out next jsonb
)
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    finish record;
    claim record;
begin
    finish := engine.complete(p_job, p_attempt, p_output, p_output_hash, p_usage);
    claim := engine.claim(p_next_job, p_owner, p_lease_seconds, false);
    accepted := finish.accepted;
    next := finish.next || claim.next;
    outcome := claim.outcome;
    wait_seconds := claim.wait_seconds;
    attempt := claim.attempt;
    production_id := claim.production_id;
    organization_id := claim.organization_id;
    subject_id := claim.subject_id;
    stage := claim.stage;
    key := claim.key;
    input := claim.input;
    input_hash := claim.input_hash;
    state := claim.state;
end
$$;

revoke execute on all functions in schema engine from public;
grant execute on function engine.complete_and_claim to showrunner_worker;
