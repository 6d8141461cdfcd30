-- A completion in its shortest form, and a turn that waits for the limits of both its organizations before it claims.

drop function engine.complete_and_claim(uuid, integer, jsonb, text, jsonb, uuid, text, double precision);

-- Complete a job and claim the next of the same worker, in one round trip and one commit: what `engine.complete` and
-- then `engine.claim` answer, with the jobs to send of both. The claim waits neither for its job nor for a provider,
-- since those locks come before what the completion holds; where somebody else is at them its outcome is `contended`,
-- and the job is claimed by itself.
create function engine.complete_and_claim(
    p_job uuid,
    p_attempt integer,
    p_output jsonb,
    p_output_hash text,
    p_usage jsonb,
    p_next_job uuid,
    p_owner text,
    p_lease_seconds double precision,
    p_dispatched boolean default true,
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
    job public.jobs;
    is_cancelled boolean;
    other uuid;
    claim record;
begin
    next := '[]';
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
    accepted := found;
    if accepted then
        next := engine.count_down(job.production_id, job.stage, false, p_dispatched);
    else
        select * into job from public.jobs where jobs.id = p_job;
    end if;
    -- Asked under the job's lock, so that a cancel is seen that came while this waited for it.
    select
        (select productions.status = 'cancelled' from public.productions where productions.id = job.production_id),
        (select jobs.organization_id from public.jobs where jobs.id = p_next_job)
    into is_cancelled, other;
    perform engine.lock_limits(job.organization_id, other);
    if accepted then
        if is_cancelled then
            accepted := false;
            update public.jobs
            set status = 'cancelled',
                output = null,
                output_hash = null,
                error_kind = 'cancelled',
                error = 'Cancelled with its production.'
            where jobs.id = p_job;
        end if;
        -- What `engine.hand_off` does, without its lock and its call.
        if job.provider is not null then
            next := next || engine.leave_provider(job, accepted);
        end if;
        if p_usage <> '[]' then
            perform engine.count_calls(job, p_attempt, p_usage);
        end if;
        next := next || engine.readmit_one(job.organization_id);
    else
        accepted := coalesce(job.status = 'succeeded' and job.attempt = p_attempt, false);
        perform engine.record_usage(p_job, p_attempt, p_usage);
    end if;

    if p_next_job is not null then
        claim := engine.claim(p_next_job, p_owner, p_lease_seconds, false);
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
        next := next || claim.next;
    end if;
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
    turn record;
begin
    turn := engine.complete_and_claim(
        p_job, p_attempt, p_output, p_output_hash, p_usage, null, null, null, p_dispatched
    );
    accepted := turn.accepted;
    next := turn.next;
end
$$;

drop function engine.pass_barrier(public.jobs, boolean, boolean);

revoke execute on all functions in schema engine from public;
grant execute on function engine.complete_and_claim to showrunner_worker;
