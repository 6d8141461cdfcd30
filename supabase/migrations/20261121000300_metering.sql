-- What things cost: every provider call once, summed per organization and day.
--
-- The circuit breaker (engine.reserve) reads `token_usage_daily`, never the raw rows.

create type public.usage_unit as enum ('input_token', 'output_token', 'character', 'second', 'image');

create table public.provider_prices (
    provider text not null,
    model text not null,
    unit public.usage_unit not null,
    gbp numeric(18, 12) not null check (gbp >= 0),
    checked_on date not null,
    source text not null,
    primary key (provider, model, unit)
);

comment on table public.provider_prices is
    'GBP per single unit. Prices move: rows are data with the day they were checked, never code. Model ''*'' is any.';

-- Jobs come and go with their productions; what was spent stays, so no foreign key to them.
create table public.usage_events (
    job_id uuid not null,
    attempt integer not null,
    call_number integer not null,
    organization_id uuid not null references public.organizations (id) on delete cascade,
    production_id uuid not null,
    stage text not null,
    provider text not null,
    model text not null,
    input_tokens bigint not null default 0 check (input_tokens >= 0),
    output_tokens bigint not null default 0 check (output_tokens >= 0),
    characters bigint not null default 0 check (characters >= 0),
    seconds numeric(12, 3) not null default 0 check (seconds >= 0),
    images integer not null default 0 check (images >= 0),
    cost_gbp numeric(14, 8) not null check (cost_gbp >= 0),
    measured boolean not null,
    created_at timestamptz not null default clock_timestamp(),
    -- The key is what makes counting twice impossible.
    primary key (job_id, attempt, call_number)
);

comment on table public.usage_events is 'One provider call, counted once whether its job succeeded or not.';
comment on column public.usage_events.measured is 'False where the provider did not report the figure.';

create index usage_events_of_production on public.usage_events (production_id);
create index usage_events_of_organization on public.usage_events (organization_id, created_at desc);

create table public.token_usage_daily (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    day date not null,
    calls bigint not null default 0,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    characters bigint not null default 0,
    seconds numeric(14, 3) not null default 0,
    images bigint not null default 0,
    total_cost_gbp numeric(14, 8) not null default 0,
    reserved_gbp numeric(14, 8) not null default 0 check (reserved_gbp >= 0),
    primary key (organization_id, day)
) with (fillfactor = 70);

comment on table public.token_usage_daily is 'The sum of usage_events per organization and UTC day, kept by trigger.';
comment on column public.token_usage_daily.reserved_gbp is 'Estimates of the jobs that run now; 0 at rest.';

create table public.generation_metrics (
    production_id uuid primary key references public.productions (id) on delete cascade,
    organization_id uuid not null references public.organizations (id) on delete cascade,
    subject_id uuid not null,
    kind text not null,
    build integer not null,
    input_tokens bigint not null,
    output_tokens bigint not null,
    tts_characters bigint not null,
    estimated_cost_gbp numeric(14, 8) not null,
    measured_cost_gbp numeric(14, 8) not null,
    generation_seconds numeric(12, 3) not null,
    created_at timestamptz not null default now()
);

comment on table public.generation_metrics is 'What one finished production took; written when it completes.';

create index generation_metrics_of_subject on public.generation_metrics (subject_id);
create index generation_metrics_by_kind on public.generation_metrics (kind, created_at);
create index generation_metrics_of_organization on public.generation_metrics (organization_id, created_at desc);

create table public.audio_cache (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    cache_key text not null,
    asset_id uuid not null references public.assets (id) on delete cascade,
    audio_bytes bigint not null,
    mime_type text not null default 'audio/mpeg',
    parameters jsonb not null,
    usage_count integer not null default 1,
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    primary key (organization_id, cache_key)
);

comment on table public.audio_cache is 'Spoken lines by the hash of text, voice and language; evicted when long unused.';

create index audio_cache_last_used on public.audio_cache (last_used_at);
create index audio_cache_of_asset on public.audio_cache (asset_id);

-- GBP for one unit: the model's own price, else the provider's for any model, else nothing.
create function engine.price(p_provider text, p_model text, p_unit public.usage_unit)
    returns numeric
    language sql
    stable
    set search_path = ''
as $$
    select coalesce((
        select prices.gbp
        from public.provider_prices as prices
        where prices.provider = p_provider
          and prices.model in (p_model, '*')
          and prices.unit = p_unit
        order by prices.model = '*'
        limit 1
    ), 0)
$$;

-- Count an attempt's provider calls, numbered by their place in the array. Counting them again changes nothing;
-- a zombie's are counted too, since they were paid for.
create function engine.record_usage(p_job uuid, p_attempt integer, p_calls jsonb)
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

create function engine.add_to_daily_usage()
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

create trigger daily_usage_is_summed
    after insert on public.usage_events
    referencing new table as added
    for each statement execute function engine.add_to_daily_usage();

-- A production that completes leaves its figures, and they are those of all its builds. Read at the end of the
-- transaction: the calls of the last job are counted after it has completed the production.
create function engine.measure_generation()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    insert into public.generation_metrics (
        production_id, organization_id, subject_id, kind, build, input_tokens, output_tokens, tts_characters,
        estimated_cost_gbp, measured_cost_gbp, generation_seconds
    )
    select
        new.id, new.organization_id, new.subject_id, new.kind, new.build,
        coalesce(sum(events.input_tokens), 0), coalesce(sum(events.output_tokens), 0),
        coalesce(sum(events.characters), 0), new.estimate_gbp, coalesce(sum(events.cost_gbp), 0),
        extract(epoch from new.finished_at - coalesce(new.started_at, new.created_at))
    from public.usage_events as events
    where events.production_id = new.id
    on conflict (production_id) do update
    set build = excluded.build,
        input_tokens = excluded.input_tokens,
        output_tokens = excluded.output_tokens,
        tts_characters = excluded.tts_characters,
        estimated_cost_gbp = generation_metrics.estimated_cost_gbp + excluded.estimated_cost_gbp,
        measured_cost_gbp = excluded.measured_cost_gbp,
        generation_seconds = excluded.generation_seconds;
    return null;
end
$$;

create constraint trigger completed_production_is_measured
    after update of status on public.productions
    deferrable initially deferred
    for each row
    when (new.status = 'completed' and old.status <> 'completed')
    execute function engine.measure_generation();

revoke execute on all functions in schema engine from public;
grant execute on function engine.record_usage to showrunner_worker;

revoke all on public.provider_prices, public.usage_events, public.token_usage_daily, public.generation_metrics,
    public.audio_cache from anon, authenticated;
grant select on public.provider_prices, public.usage_events, public.token_usage_daily, public.generation_metrics
    to authenticated;
grant select, insert, update, delete on public.provider_prices, public.usage_events, public.token_usage_daily,
    public.generation_metrics, public.audio_cache to service_role;

alter table public.provider_prices enable row level security;
alter table public.usage_events enable row level security;
alter table public.token_usage_daily enable row level security;
alter table public.generation_metrics enable row level security;
alter table public.audio_cache enable row level security;

create policy "Everyone signed in sees prices" on public.provider_prices
    for select to authenticated
    using (true);

create policy "Members see their organization's usage" on public.usage_events
    for select to authenticated
    using (organization_id in (select private.my_organizations()));

create policy "Members see their organization's daily usage" on public.token_usage_daily
    for select to authenticated
    using (organization_id in (select private.my_organizations()));

create policy "Members see their organization's metrics" on public.generation_metrics
    for select to authenticated
    using (organization_id in (select private.my_organizations()));

select private.let_worker('public.provider_prices', 'select');
select private.let_worker('public.usage_events', 'select');
select private.let_worker('public.token_usage_daily', 'select');
select private.let_worker('public.generation_metrics', 'select');
select private.let_worker('public.audio_cache', 'select', 'insert', 'update', 'delete');
