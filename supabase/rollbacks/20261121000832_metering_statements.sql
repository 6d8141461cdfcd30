-- Undoes the cheaper counting: all functions are what they were before.

-- Give back what a running job held, count its calls, and hand its places on: the organization's, and the provider's. A
-- provider that did what it was asked to, by a job that started after its breaker was open, works again. Returns the
-- jobs to send.
create or replace function engine.hand_off(p_job public.jobs, p_usage jsonb, p_succeeded boolean)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    limits engine.organization_limits;
    protection engine.provider_limits;
    ready jsonb;
begin
    select * into strict limits
    from engine.organization_limits
    where organization_limits.organization_id = p_job.organization_id
    for no key update;
    if p_job.provider is not null then
        select * into protection
        from engine.provider_limits
        where provider_limits.provider = p_job.provider
        for no key update;
        if p_succeeded and protection.trips > 0 and p_job.started_at >= protection.open_until then
            update engine.provider_limits
            set trips = 0, open_until = null, failed_at = '{}', next_try_at = null
            where provider_limits.provider = p_job.provider
            returning * into protection;
        end if;
    end if;
    perform engine.record_usage(p_job.id, p_job.attempt, p_usage);
    if p_job.estimate_gbp > 0 then
        update public.token_usage_daily as usage
        set reserved_gbp = usage.reserved_gbp - p_job.estimate_gbp
        where usage.organization_id = p_job.organization_id
          and usage.day = p_job.reserved_on;
    end if;
    ready := engine.readmit_one(limits);
    if protection.provider is not null then
        ready := ready || engine.readmit_at_provider(protection);
    end if;
    return ready;
end
$$;

-- Count an attempt's provider calls, numbered by their place in the array. Counting them again changes nothing;
-- a zombie's are counted too, since they were paid for.
create or replace function engine.record_usage(p_job uuid, p_attempt integer, p_calls jsonb)
    returns void
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    if p_calls is null or p_calls = '[]' then
        return;
    end if;
    insert into public.usage_events (
        job_id, attempt, call_number, organization_id, production_id, stage, provider, model,
        input_tokens, output_tokens, characters, seconds, images, cost_gbp, measured
    )
    select
        jobs.id, p_attempt, calls.number, jobs.organization_id, jobs.production_id, jobs.stage, call.provider, call.model,
        call.input_tokens, call.output_tokens, call.characters, call.seconds, call.images,
        call.input_tokens * engine.price(call.provider, call.model, 'input_token')
            + call.output_tokens * engine.price(call.provider, call.model, 'output_token')
            + call.characters * engine.price(call.provider, call.model, 'character')
            + call.seconds * engine.price(call.provider, call.model, 'second')
            + call.images * engine.price(call.provider, call.model, 'image'),
        call.measured
    from public.jobs
    cross join jsonb_array_elements(p_calls) with ordinality as calls (value, number)
    cross join jsonb_to_record(calls.value) as call (
        provider text, model text, input_tokens bigint, output_tokens bigint, characters bigint,
        seconds numeric, images integer, measured boolean
    )
    where jobs.id = p_job
    on conflict (job_id, attempt, call_number) do nothing;
end
$$;

create or replace function engine.add_to_daily_usage()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    insert into public.token_usage_daily as usage (
        organization_id, day, calls, input_tokens, output_tokens, characters, seconds, images, total_cost_gbp
    )
    select
        added.organization_id, (added.created_at at time zone 'utc')::date, count(*), sum(added.input_tokens),
        sum(added.output_tokens), sum(added.characters), sum(added.seconds), sum(added.images), sum(added.cost_gbp)
    from added
    group by added.organization_id, (added.created_at at time zone 'utc')::date
    order by 1, 2
    on conflict (organization_id, day) do update
    set calls = usage.calls + excluded.calls,
        input_tokens = usage.input_tokens + excluded.input_tokens,
        output_tokens = usage.output_tokens + excluded.output_tokens,
        characters = usage.characters + excluded.characters,
        seconds = usage.seconds + excluded.seconds,
        images = usage.images + excluded.images,
        total_cost_gbp = usage.total_cost_gbp + excluded.total_cost_gbp;
    return null;
end
$$;

drop function engine.count_calls(public.jobs, integer, jsonb);
