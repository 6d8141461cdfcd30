-- Provider protection as data: what all organizations together may ask of one provider, and whom a place is handed to.
--
-- A job names its provider; a provider with a row in `engine.provider_limits` is protected. A claim, a failure and
-- whatever ends a job of such a provider lock that row. Its place in the engine's lock order: jobs by id,
-- production_stages by position, productions, engine.organization_limits, engine.provider_limits by provider,
-- token_usage_daily.

create table engine.provider_limits (
    provider text primary key check (provider ~ '^[a-z][a-z0-9_-]*$'),
    max_running integer check (max_running >= 0),
    per_minute integer check (per_minute > 0),
    trip_failures smallint check (trip_failures between 1 and 100),
    trip_seconds integer not null default 60 check (trip_seconds > 0),
    trip_kinds public.error_kind[] not null default '{rate_limited,transient}'
        constraint trips_on_what_may_pass check (trip_kinds <@ '{rate_limited,transient,bad_output,lost}'),
    cool_down_seconds integer not null default 30 check (cool_down_seconds > 0),
    longest_cool_down_seconds integer not null default 900,
    probes smallint not null default 1 check (probes > 0),
    -- From here on it is the engine that writes.
    not_before timestamptz,
    failed_at timestamptz[] not null default '{}',
    trips smallint not null default 0 check (trips >= 0),
    open_until timestamptz,
    starts integer[] not null default '{}',
    starts_at timestamptz,
    next_try_at timestamptz,
    last_organization uuid not null default '00000000-0000-0000-0000-000000000000',
    constraint cool_down_grows check (longest_cool_down_seconds >= cool_down_seconds),
    constraint tripped_says_until_when check ((trips > 0) = (open_until is not null))
) with (fillfactor = 50);

comment on table engine.provider_limits is
    'What all organizations together may ask of a provider, and the state of its circuit breaker. No row, no protection.';
comment on column engine.provider_limits.max_running is 'Jobs that run at once; null is no limit, 0 pauses the provider.';
comment on column engine.provider_limits.per_minute is 'Jobs that start within any 60 seconds; null is no limit.';
comment on column engine.provider_limits.trip_failures is
    'So many failures within trip_seconds open the circuit breaker; null is no breaker.';
comment on column engine.provider_limits.trip_kinds is
    'The failures that count. A rate limit that says how long to wait does not: it sets not_before.';
comment on column engine.provider_limits.cool_down_seconds is
    'How long the breaker stays open; doubles with each trip in a row, up to longest_cool_down_seconds.';
comment on column engine.provider_limits.probes is 'Jobs that may run at once while it is not known whether it works again.';
comment on column engine.provider_limits.not_before is 'The provider asked everybody to wait until then (Retry-After).';
comment on column engine.provider_limits.failed_at is 'The failures within trip_seconds, while the breaker is closed.';
comment on column engine.provider_limits.trips is
    'Trips in a row. 0: closed; else open until open_until, and half open from then on.';
comment on column engine.provider_limits.starts is 'Jobs started in the second starts_at, the second before, and so on.';
comment on column engine.provider_limits.next_try_at is
    'When the one job comes that was told to try again first; the others are parked meanwhile.';
comment on column engine.provider_limits.last_organization is 'Whose turn it was; the next place goes to the one after.';

-- Those that cost money and answer to many at once. How many may run is for the operator, who knows the account.
insert into engine.provider_limits (provider, trip_failures) values ('polly', 10), ('openai', 10), ('bedrock', 10);

alter table engine.provider_limits enable row level security;

-- The starts of the last minute by second, this one first. One more second than a minute has is remembered, so that
-- no 60 seconds hold more than the limit wherever they begin.
create function engine.recent_starts(p_limits engine.provider_limits, p_moment timestamptz)
    returns integer[]
    language sql
    immutable
    set search_path = ''
as $$
    select (array_fill(0, array[least(61, greatest(0, coalesce(
        floor(extract(epoch from p_moment)) - floor(extract(epoch from p_limits.starts_at)), 61
    )))::integer]) || p_limits.starts || array[0])[1:61]
$$;

-- How many jobs of a provider may start now. Where none may: in how many seconds it is worth another try, or null
-- where only a job that ends makes room. The caller holds the provider's row.
create function engine.provider_room(
    p_limits engine.provider_limits,
    p_moment timestamptz,
    out places integer,
    out wait_seconds double precision
)
    language plpgsql
    stable
    set search_path = ''
as $$
declare
    free_at timestamptz := greatest(p_limits.not_before, p_limits.open_until);
    running integer;
    probing integer;
    recent integer[];
begin
    places := 1000;
    if free_at > p_moment then
        places := 0;
        wait_seconds := extract(epoch from free_at - p_moment);
        return;
    end if;
    if p_limits.max_running is not null or p_limits.trips > 0 then
        select count(*), count(*) filter (where jobs.started_at >= p_limits.open_until)
        into running, probing
        from public.jobs
        where jobs.provider = p_limits.provider
          and jobs.status = 'running';
        places := greatest(0, least(
            p_limits.max_running - running,
            case when p_limits.trips > 0 then p_limits.probes - probing end
        ));
    end if;
    if places > 0 and p_limits.per_minute is not null then
        recent := engine.recent_starts(p_limits, p_moment);
        places := least(places, greatest(0, p_limits.per_minute - (select sum(starts) from unnest(recent) as starts)));
        if places = 0 then
            -- Until the oldest second that had a start is forgotten.
            wait_seconds := (
                select 62 - max(second)
                from unnest(recent) with ordinality as counted (starts, second)
                where starts > 0
            ) - (extract(epoch from p_moment) - floor(extract(epoch from p_moment)));
        end if;
    end if;
end
$$;

-- Hand room at a provider to a parked job: the oldest of the next organization in turn. Where there is no room yet but
-- the time is known, one job is told to come back then, and all others stay parked until it has started.
-- The caller holds the provider's row.
create function engine.readmit_at_provider(p_limits engine.provider_limits)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    moment timestamptz := clock_timestamp();
    room record;
    ready record;
    delay double precision;
begin
    select jobs.id, jobs.stage, jobs.organization_id into ready
    from public.jobs
    where jobs.provider = p_limits.provider
      and jobs.status = 'parked'
      and jobs.hold = 'provider'
      and jobs.organization_id > p_limits.last_organization
    order by jobs.organization_id, jobs.due_at
    limit 1
    for no key update skip locked;
    if not found then
        select jobs.id, jobs.stage, jobs.organization_id into ready
        from public.jobs
        where jobs.provider = p_limits.provider
          and jobs.status = 'parked'
          and jobs.hold = 'provider'
          and jobs.organization_id <= p_limits.last_organization
        order by jobs.organization_id, jobs.due_at
        limit 1
        for no key update skip locked;
    end if;
    if not found then
        return '[]';
    end if;
    room := engine.provider_room(p_limits, moment);
    if room.places > 0 then
        delay := 0;
    elsif room.wait_seconds is null or p_limits.next_try_at > moment then
        return '[]';
    else
        delay := room.wait_seconds;
    end if;
    update public.jobs
    set status = 'queued',
        hold = null,
        dispatches = 0,
        not_before = case when delay > 0 then moment + make_interval(secs => delay) end,
        due_at = engine.due_after(moment, delay)
    where jobs.id = ready.id;
    update engine.provider_limits
    set last_organization = ready.organization_id,
        next_try_at = case when delay > 0 then moment + make_interval(secs => delay) else provider_limits.next_try_at end
    where provider_limits.provider = p_limits.provider;
    return jsonb_build_array(jsonb_build_object(
        'id', ready.id, 'stage', ready.stage, 'organization_id', ready.organization_id, 'delay', delay
    ));
end
$$;

-- The same for a caller that does not hold the row: a job that was handed room here and cannot use it.
create function engine.pass_on_at_provider(p_provider text)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    protection engine.provider_limits;
begin
    select * into protection
    from engine.provider_limits
    where provider_limits.provider = p_provider
    for no key update;
    return case when found then engine.readmit_at_provider(protection) else '[]' end;
end
$$;

-- A job that a provider has no room for. The first, where the time of the next try is known, comes back then; the
-- others are parked. Returns its wait in seconds, null when it is parked. The caller holds job and provider.
create function engine.wait_for_provider(
    p_job public.jobs,
    p_limits engine.provider_limits,
    p_moment timestamptz,
    p_wait_seconds double precision
)
    returns double precision
    language plpgsql
    set search_path = ''
as $$
begin
    if p_wait_seconds is null or p_limits.next_try_at > p_moment then
        update public.jobs set status = 'parked', hold = 'provider', due_at = p_job.queued_at where jobs.id = p_job.id;
        return null;
    end if;
    update public.jobs
    set dispatches = 0,
        not_before = p_moment + make_interval(secs => p_wait_seconds),
        due_at = engine.due_after(p_moment, p_wait_seconds)
    where jobs.id = p_job.id;
    update engine.provider_limits
    set next_try_at = p_moment + make_interval(secs => p_wait_seconds)
    where provider_limits.provider = p_job.provider;
    return p_wait_seconds;
end
$$;

-- The backstop of all hand-offs: providers that have parked jobs and room, one index descent for each. A provider whose
-- row an operator has removed has room for all. Returns the jobs to send, about `p_limit` at most.
create function engine.sweep_providers(p_limit integer)
    returns jsonb
    language plpgsql
    set search_path = ''
as $$
declare
    protection engine.provider_limits;
    name text := '';
    places integer;
    readmitted jsonb;
    ready jsonb := '[]';
begin
    loop
        select jobs.provider into name
        from public.jobs
        where jobs.status = 'parked'
          and jobs.hold = 'provider'
          and jobs.provider > name
        order by jobs.provider
        limit 1;
        exit when not found or jsonb_array_length(ready) >= p_limit;
        places := null;
        loop
            select * into protection
            from engine.provider_limits
            where provider_limits.provider = name
            for no key update;
            if not found then
                protection.provider := name;
                protection.last_organization := '00000000-0000-0000-0000-000000000000';
            end if;
            -- At least one, which may be told when to come back.
            places := coalesce(places, greatest(1, (engine.provider_room(protection, clock_timestamp())).places));
            exit when places = 0;
            readmitted := engine.readmit_at_provider(protection);
            exit when readmitted = '[]' or jsonb_array_length(ready) >= p_limit;
            ready := ready || readmitted;
            places := places - 1;
        end loop;
    end loop;
    return ready;
end
$$;

alter function engine.sweep(integer) rename to sweep_organizations;

-- Everything that is to be sent again or has room now, organizations before providers, as locks are ordered.
create function engine.sweep(p_limit integer)
    returns jsonb
    language sql
    security definer
    set search_path = ''
as $$
    select engine.sweep_organizations(p_limit) || engine.sweep_providers(p_limit)
$$;

revoke execute on all functions in schema engine from public;
revoke execute on function engine.sweep_organizations from showrunner_worker;
grant execute on function engine.sweep to showrunner_worker;
