-- A day's sums are written by the statement that counts the calls, and by no trigger.

drop trigger daily_usage_is_summed on public.usage_events;
drop function engine.add_to_daily_usage();

-- Count an attempt's provider calls, numbered by their place in the array, and add them to their organization's day.
-- Counting them again changes nothing; only units that were used are looked up in the prices.
create or replace function engine.count_calls(p_job public.jobs, p_attempt integer, p_calls jsonb)
    returns void
    language plpgsql
    set search_path = ''
as $$
declare
    moment timestamptz := clock_timestamp();
    today date := (moment at time zone 'utc')::date;
    added record;
begin
    with counted as (
        insert into public.usage_events (
            job_id, attempt, call_number, organization_id, production_id, stage, provider, model,
            input_tokens, output_tokens, characters, seconds, images, cost_gbp, measured, created_at
        )
        select
            p_job.id, p_attempt, calls.number, p_job.organization_id, p_job.production_id, p_job.stage,
            call.provider, call.model,
            call.input_tokens, call.output_tokens, call.characters, call.seconds, call.images,
            case call.input_tokens when 0 then 0
                else call.input_tokens * engine.price(call.provider, call.model, 'input_token') end
            + case call.output_tokens when 0 then 0
                else call.output_tokens * engine.price(call.provider, call.model, 'output_token') end
            + case call.characters when 0 then 0
                else call.characters * engine.price(call.provider, call.model, 'character') end
            + case call.seconds when 0 then 0
                else call.seconds * engine.price(call.provider, call.model, 'second') end
            + case call.images when 0 then 0
                else call.images * engine.price(call.provider, call.model, 'image') end,
            call.measured, moment
        from jsonb_array_elements(p_calls) with ordinality as calls (value, number)
        cross join jsonb_to_record(calls.value) as call (
            provider text, model text, input_tokens bigint, output_tokens bigint, characters bigint,
            seconds numeric, images integer, measured boolean
        )
        on conflict (job_id, attempt, call_number) do nothing
        returning
            usage_events.input_tokens, usage_events.output_tokens, usage_events.characters, usage_events.seconds,
            usage_events.images, usage_events.cost_gbp
    ),
    sums as (
        select
            count(*) as calls,
            sum(counted.input_tokens) as input_tokens, sum(counted.output_tokens) as output_tokens,
            sum(counted.characters) as characters, sum(counted.seconds) as seconds, sum(counted.images) as images,
            sum(counted.cost_gbp) as cost_gbp
        from counted
    ),
    -- Nearly always the day's row is there; an insert that finds it would lock it first, and log that too.
    updated as (
        update public.token_usage_daily as usage
        set calls = usage.calls + sums.calls,
            input_tokens = usage.input_tokens + sums.input_tokens,
            output_tokens = usage.output_tokens + sums.output_tokens,
            characters = usage.characters + sums.characters,
            seconds = usage.seconds + sums.seconds,
            images = usage.images + sums.images,
            total_cost_gbp = usage.total_cost_gbp + sums.cost_gbp
        from sums
        where usage.organization_id = p_job.organization_id
          and usage.day = today
          and sums.calls > 0
        returning usage.day
    )
    select sums.*, exists (select from updated) as day_is_there into added from sums;

    if added.calls > 0 and not added.day_is_there then
        insert into public.token_usage_daily as usage (
            organization_id, day, calls, input_tokens, output_tokens, characters, seconds, images, total_cost_gbp
        )
        values (
            p_job.organization_id, today, added.calls, added.input_tokens, added.output_tokens, added.characters,
            added.seconds, added.images, added.cost_gbp
        )
        on conflict (organization_id, day) do update
        set calls = usage.calls + excluded.calls,
            input_tokens = usage.input_tokens + excluded.input_tokens,
            output_tokens = usage.output_tokens + excluded.output_tokens,
            characters = usage.characters + excluded.characters,
            seconds = usage.seconds + excluded.seconds,
            images = usage.images + excluded.images,
            total_cost_gbp = usage.total_cost_gbp + excluded.total_cost_gbp;
    end if;
end
$$;

-- Count calls before their job's outcome is known, or after another attempt has it: what was paid is counted, once. Under
-- the lock of the organization's limits, as every completion counts: what a claim has read of a day stays true until it
-- has reserved its own part.
create or replace function engine.record_usage(p_job uuid, p_attempt integer, p_calls jsonb)
    returns void
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    job public.jobs;
begin
    if p_calls is null or p_calls = '[]' then
        return;
    end if;
    select * into job from public.jobs where jobs.id = p_job;
    if found then
        perform
        from engine.organization_limits
        where organization_limits.organization_id = job.organization_id
        for no key update;
        perform engine.count_calls(job, p_attempt, p_calls);
    end if;
end
$$;

comment on table public.token_usage_daily is 'The sum of usage_events per organization and UTC day, kept as calls are counted.';

revoke execute on all functions in schema engine from public;
