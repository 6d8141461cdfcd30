-- Sending webhooks: claimed in small batches, each claim leased and fenced like a job's, so that a deliverer that dies
-- loses nothing and one that comes back late changes nothing.
--
-- A claim locks endpoints with `skip locked` and an outcome locks its endpoint first, so what a claim reads of an
-- endpoint is settled. An endpoint that failed last is "ailing": one attempt at a time, and ailing ones together take
-- no more places than the caller allows, so that what is slow or dead leaves room for the others.

-- The delays between attempts, as Standard Webhooks suggests them: the last try is three days after the first.
create function engine.webhook_delays()
    returns interval[]
    language sql
    immutable
    set search_path = ''
as $$
    select array['5 s', '5 min', '30 min', '2 h', '5 h', '10 h', '14 h', '20 h', '24 h']::interval[]
$$;

-- Endpoints with a delivery that is due or whose lease has passed. Hops from endpoint to endpoint through the index:
-- a hundred thousand waiting deliveries of one cost no more than one.
create function engine.webhook_endpoints_due(p_moment timestamptz)
    returns table (endpoint_id uuid, due_at timestamptz)
    language sql
    stable
    set search_path = ''
as $$
    with recursive waiting as (
        (
            select deliveries.endpoint_id, deliveries.next_attempt_at
            from public.webhook_deliveries as deliveries
            where deliveries.status = 'pending'
            order by deliveries.endpoint_id, deliveries.next_attempt_at
            limit 1
        )
        union all
        select following.endpoint_id, following.next_attempt_at
        from waiting
        cross join lateral (
            select deliveries.endpoint_id, deliveries.next_attempt_at
            from public.webhook_deliveries as deliveries
            where deliveries.status = 'pending'
              and deliveries.endpoint_id > waiting.endpoint_id
            order by deliveries.endpoint_id, deliveries.next_attempt_at
            limit 1
        ) as following
    )
    select waiting.endpoint_id, waiting.next_attempt_at from waiting where waiting.next_attempt_at <= p_moment
    union all
    select deliveries.endpoint_id, min(deliveries.lease_until)
    from public.webhook_deliveries as deliveries
    where deliveries.status = 'delivering'
      and deliveries.lease_until <= p_moment
    group by deliveries.endpoint_id
$$;

-- A delivery has failed once more: another try, or given up and the next of its production may go.
create function engine.fail_webhook(p_delivery public.webhook_deliveries, p_error text, p_retry_after interval)
    returns interval
    language plpgsql
    set search_path = ''
as $$
declare
    delay interval := (engine.webhook_delays())[p_delivery.fails + 1];
    again_at timestamptz;
begin
    -- Up to a fifth more, so that what failed together does not come back together.
    delay := greatest(delay * (1 + random() * 0.2), case when delay is not null then p_retry_after end);
    again_at := clock_timestamp() + coalesce(delay, interval '0');
    update public.webhook_deliveries
    set status = case when delay is null then 'failed' else 'pending' end::public.webhook_delivery_status,
        fails = webhook_deliveries.fails + 1,
        next_attempt_at = again_at,
        lease_until = null,
        error = p_error
    where webhook_deliveries.id = p_delivery.id;
    perform engine.move_webhooks_behind(p_delivery, again_at);
    return delay;
end
$$;

-- What waits behind a delivery of its production is due when it is.
create function engine.move_webhooks_behind(p_delivery public.webhook_deliveries, p_due_at timestamptz)
    returns void
    language sql
    set search_path = ''
as $$
    update public.webhook_deliveries
    set next_attempt_at = p_due_at
    where webhook_deliveries.endpoint_id = p_delivery.endpoint_id
      and webhook_deliveries.production_id = p_delivery.production_id
      and webhook_deliveries.position > p_delivery.position
      and webhook_deliveries.status = 'pending'
$$;

-- At most `p_limit` deliveries to send now, of them `p_ailing_limit` to ailing endpoints; of one endpoint at most
-- `p_per_endpoint` are under way at a time. Secrets: newest first.
create function engine.claim_webhooks(
    p_limit integer, p_ailing_limit integer, p_per_endpoint integer, p_lease_seconds double precision
)
    returns table (
        delivery_id uuid, attempt integer, endpoint_id uuid, organization_id uuid, is_ailing boolean,
        event_id uuid, event_type text, payload jsonb, url text, secrets text[]
    )
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    moment timestamptz := clock_timestamp();
    endpoint public.webhook_endpoints;
    lost public.webhook_deliveries;
    room integer := p_limit;
    room_for_ailing integer := p_ailing_limit;
    places integer;
    first uuid[];
begin
    for endpoint in
        select endpoints.*
        from engine.webhook_endpoints_due(moment) as due
        join public.webhook_endpoints as endpoints on endpoints.id = due.endpoint_id
        where endpoints.is_active
          and endpoints.deleted_at is null
        order by due.due_at
        for no key update of endpoints skip locked
    loop
        exit when room <= 0;
        continue when endpoint.consecutive_failures > 0 and room_for_ailing <= 0;
        for lost in
            select *
            from public.webhook_deliveries as deliveries
            where deliveries.endpoint_id = endpoint.id
              and deliveries.status = 'delivering'
              and deliveries.lease_until <= moment
        loop
            perform engine.fail_webhook(lost, 'The deliverer stopped before it knew the outcome.', null);
        end loop;

        places := case when endpoint.consecutive_failures > 0 then 1 else p_per_endpoint end;
        places := places - (
            select count(*)
            from public.webhook_deliveries as deliveries
            where deliveries.endpoint_id = endpoint.id
              and deliveries.status = 'delivering'
        );
        places := least(places, room);
        continue when places <= 0;

        -- An array, not a join: whoever plans it cannot know that it is short.
        first := array(
            select deliveries.id
            from public.webhook_deliveries as deliveries
            where deliveries.endpoint_id = endpoint.id
              and deliveries.status = 'pending'
              and deliveries.next_attempt_at <= moment
              and not exists (
                  select
                  from public.webhook_deliveries as ahead
                  where ahead.endpoint_id = deliveries.endpoint_id
                    and ahead.production_id = deliveries.production_id
                    and ahead.status in ('pending', 'delivering')
                    and ahead.position < deliveries.position
              )
              -- An earlier one that was asked for again must not overtake the one under way.
              and not exists (
                  select
                  from public.webhook_deliveries as under_way
                  where under_way.endpoint_id = deliveries.endpoint_id
                    and under_way.production_id = deliveries.production_id
                    and under_way.status = 'delivering'
              )
            order by deliveries.next_attempt_at, deliveries.position
            limit places
        );
        return query
        update public.webhook_deliveries as deliveries
        set status = 'delivering',
            attempts = deliveries.attempts + 1,
            lease_until = moment + make_interval(secs => p_lease_seconds)
        where deliveries.id = any (first)
        returning
            deliveries.id, deliveries.attempts, deliveries.endpoint_id, deliveries.organization_id,
            endpoint.consecutive_failures > 0, deliveries.event_id, deliveries.event_type, deliveries.payload,
            endpoint.url,
            array(
                select valid.secret
                from engine.webhook_secrets as valid
                where valid.endpoint_id = endpoint.id
                  and (valid.expires_at is null or valid.expires_at > moment)
                order by valid.created_at desc
                limit 3
            );
        room := room - cardinality(first);
        if endpoint.consecutive_failures > 0 then
            room_for_ailing := room_for_ailing - cardinality(first);
        end if;
    end loop;
end
$$;

-- The outcome of an attempt. `p_status` is the answer's, null when none came; `p_error` says what went wrong. Accepted
-- only while the attempt is the delivery's; `retry_seconds` is set when it will be tried again.
create function engine.finish_webhook(
    p_delivery uuid,
    p_attempt integer,
    p_status integer,
    p_error text,
    p_retry_after_seconds double precision,
    out accepted boolean,
    out status public.webhook_delivery_status,
    out retry_seconds double precision
)
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    patience constant interval := '5 days';
    longest_wait constant double precision := 86400;
    moment timestamptz := clock_timestamp();
    endpoint public.webhook_endpoints;
    delivery public.webhook_deliveries;
    delay interval;
begin
    select endpoints.* into endpoint
    from public.webhook_deliveries as deliveries
    join public.webhook_endpoints as endpoints on endpoints.id = deliveries.endpoint_id
    where deliveries.id = p_delivery
    for no key update of endpoints;

    update public.webhook_deliveries
    set response_status = p_status
    where webhook_deliveries.id = p_delivery
      and webhook_deliveries.attempts = p_attempt
      and webhook_deliveries.status = 'delivering'
    returning * into delivery;
    accepted := found;
    if not accepted then
        return;
    end if;

    if p_status between 200 and 299 then
        update public.webhook_deliveries
        set status = 'delivered',
            delivered_at = moment,
            lease_until = null,
            error = null
        where webhook_deliveries.id = delivery.id;
        perform engine.move_webhooks_behind(delivery, moment);
        update public.webhook_endpoints
        set consecutive_failures = 0,
            failing_since = null
        where webhook_endpoints.id = endpoint.id
          and webhook_endpoints.consecutive_failures > 0;
        status := 'delivered';
        return;
    end if;

    delay := engine.fail_webhook(
        delivery, p_error,
        case when p_retry_after_seconds > 0 then make_interval(secs => least(p_retry_after_seconds, longest_wait)) end
    );
    -- 410 is a receiver's way to say that it wants no more.
    update public.webhook_endpoints
    set consecutive_failures = webhook_endpoints.consecutive_failures + 1,
        failing_since = coalesce(webhook_endpoints.failing_since, moment),
        is_active = p_status is distinct from 410
            and coalesce(webhook_endpoints.failing_since, moment) > moment - patience,
        disabled_reason = case
            when p_status = 410 then 'It answered 410 Gone.'
            when webhook_endpoints.failing_since <= moment - patience
                then format('Nothing has arrived since %s UTC. The last error: %s',
                    to_char(webhook_endpoints.failing_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), p_error)
        end
    where webhook_endpoints.id = endpoint.id;
    select deliveries.status into status from public.webhook_deliveries as deliveries where deliveries.id = delivery.id;
    retry_seconds := case when status = 'pending' then extract(epoch from delay) end;
end
$$;

-- History that is older than asked: the audit log, user events, finished schedule slots. Webhook deliveries that have
-- ended are kept for a month at most, as are deleted endpoints and secrets that have expired.
create or replace function engine.prune_history(p_older_than interval, p_limit integer)
    returns integer
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    before timestamptz := clock_timestamp() - p_older_than;
    webhooks_before timestamptz := clock_timestamp() - least(p_older_than, interval '30 days');
    removed integer := 0;
    changed integer;
    history text;
begin
    foreach history in array '{audit_log,user_events}'::text[] loop
        execute format(
            'delete from public.%1$I where ctid in (select ctid from public.%1$I where created_at < $1 limit $2)', history
        ) using before, p_limit;
        get diagnostics changed = row_count;
        removed := greatest(removed, changed);
    end loop;
    delete from public.webhook_deliveries as delivery
    where delivery.id in (
        select old.id
        from public.webhook_deliveries as old
        where old.created_at < webhooks_before
          and (old.status in ('delivered', 'failed') or old.created_at < clock_timestamp() - interval '30 days')
        order by old.created_at
        limit p_limit
    );
    get diagnostics changed = row_count;
    removed := greatest(removed, changed);
    -- Without deliveries, which would all go at once with their endpoint.
    delete from public.webhook_endpoints as endpoint
    where endpoint.id in (
        select old.id
        from public.webhook_endpoints as old
        where old.deleted_at < webhooks_before
          and not exists (select from public.webhook_deliveries where webhook_deliveries.endpoint_id = old.id)
        limit p_limit
    );
    get diagnostics changed = row_count;
    removed := greatest(removed, changed);
    delete from engine.webhook_secrets as secret where secret.expires_at < clock_timestamp();
    delete from public.episode_schedule_queue as slot
    where slot.id in (
        select old.id
        from public.episode_schedule_queue as old
        where old.created_at < before
          and old.status in ('completed', 'skipped', 'failed')
        limit p_limit
    );
    get diagnostics changed = row_count;
    return greatest(removed, changed);
end
$$;

revoke execute on function
    engine.webhook_delays, engine.webhook_endpoints_due, engine.fail_webhook, engine.move_webhooks_behind,
    engine.claim_webhooks, engine.finish_webhook
    from public;
grant execute on function engine.claim_webhooks, engine.finish_webhook to showrunner_worker;
