-- The outbox of webhooks: a production's change of status and the deliveries that tell of it are one transaction.
--
-- Deliveries of one production to one endpoint go out in the order of `position`, one at a time. Those that wait for
-- an earlier one carry its time in `next_attempt_at`, so that what is due is nearly always what may be sent.
-- Lock order: endpoint, then its deliveries. The outbox itself locks nothing, so the engine never waits for a delivery.

alter table public.webhook_deliveries
    add column production_id uuid,
    add column position bigint generated always as identity,
    add column fails smallint not null default 0 check (fails >= 0),
    add column lease_until timestamptz,
    add constraint delivering_is_leased check ((status = 'delivering') = (lease_until is not null));

comment on table public.webhook_deliveries is 'The outbox of webhooks: written with the change that it tells of, sent later, at least once.';
comment on column public.webhook_deliveries.event_id is 'The header webhook-id: the same at every attempt, by which a receiver knows what it has had.';
comment on column public.webhook_deliveries.production_id is 'Deliveries of one production are sent in order. No foreign key: the history outlives the production.';
comment on column public.webhook_deliveries.position is 'The order of events within a production.';
comment on column public.webhook_deliveries.attempts is 'The fence: only ever grows. An outcome counts only with the attempt that was claimed.';
comment on column public.webhook_deliveries.fails is 'Failed attempts since it was recorded or asked for again; they choose the next delay.';
comment on column public.webhook_deliveries.next_attempt_at is 'Not before; while an earlier delivery of the production is open, its time.';
comment on column public.webhook_deliveries.error is 'What became of the last attempt that failed.';

drop index public.webhook_deliveries_due;
create index webhook_deliveries_due on public.webhook_deliveries (endpoint_id, next_attempt_at, position)
    where status = 'pending';
create index webhook_deliveries_in_order on public.webhook_deliveries (endpoint_id, production_id, position)
    where status in ('pending', 'delivering');
-- One under way per endpoint and production, whatever the functions do.
create unique index webhook_deliveries_under_way on public.webhook_deliveries (endpoint_id, production_id)
    where status = 'delivering';
-- For retention.
create index webhook_deliveries_created_at on public.webhook_deliveries (created_at);

-- Functions -----------------------------------------------------------------------------------------------------------

create function private.webhook_payload(p_type text, p_data jsonb)
    returns jsonb
    language sql
    volatile
    set search_path = ''
as $$
    select jsonb_build_object(
        'type', p_type,
        'timestamp', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'data', p_data
    )
$$;

-- One row per endpoint that listens. Without one this is a single look into an index.
create function private.note_webhooks()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    event_id uuid := gen_random_uuid();
    event_type text := 'production.' || case when new.status = 'queued' then 'requested' else new.status::text end;
begin
    insert into public.webhook_deliveries
        (organization_id, endpoint_id, production_id, event_id, event_type, payload, next_attempt_at)
    select
        endpoints.organization_id,
        endpoints.id,
        new.id,
        event_id,
        event_type,
        private.webhook_payload(event_type, jsonb_build_object(
            'production_id', new.id,
            'organization_id', new.organization_id,
            'kind', new.kind,
            'subject_id', new.subject_id,
            'status', new.status,
            'waiting_for', new.waiting_for,
            'current_stage', new.current_stage,
            'progress', new.progress,
            'build', new.build,
            'error_code', new.error_code,
            'error', new.error,
            'created_at', new.created_at,
            'started_at', new.started_at,
            'finished_at', new.finished_at
        )),
        coalesce(
            (
                select max(ahead.next_attempt_at)
                from public.webhook_deliveries as ahead
                where ahead.endpoint_id = endpoints.id
                  and ahead.production_id = new.id
                  and ahead.status in ('pending', 'delivering')
            ),
            clock_timestamp()
        )
    from public.webhook_endpoints as endpoints
    where endpoints.organization_id = new.organization_id
      and endpoints.is_active
      and endpoints.deleted_at is null
      and event_type = any (endpoints.event_types);
    return null;
end
$$;

-- An endpoint that was switched off or deleted is sent nothing more. What was under way may still arrive; its outcome
-- is no longer asked for.
create function private.end_webhook_deliveries()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    update public.webhook_deliveries
    set status = 'failed',
        lease_until = null,
        error = coalesce(webhook_deliveries.error || ' ', '') || case
            when new.deleted_at is not null then 'The endpoint was deleted.'
            else 'The endpoint was switched off.'
        end
    where webhook_deliveries.endpoint_id = new.id
      and webhook_deliveries.status in ('pending', 'delivering');
    return null;
end
$$;

create function private.send_test_webhook(p_endpoint uuid)
    returns uuid
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    endpoint public.webhook_endpoints := private.webhook_endpoint_for(p_endpoint);
    delivery uuid;
begin
    if not endpoint.is_active then
        perform private.refuse('55000', 'endpoint: it is switched off', 'Switch it on first: set is_active to true.');
    end if;
    if exists (
        select
        from public.webhook_deliveries as earlier
        where earlier.endpoint_id = endpoint.id
          and earlier.production_id is null
          and earlier.status in ('pending', 'delivering')
    ) then
        perform private.refuse('55000', 'endpoint: a test is under way', 'Wait for its outcome in webhook_deliveries.');
    end if;
    insert into public.webhook_deliveries (organization_id, endpoint_id, event_id, event_type, payload)
    values (
        endpoint.organization_id, endpoint.id, gen_random_uuid(), 'webhook.test',
        private.webhook_payload('webhook.test', jsonb_build_object('endpoint_id', endpoint.id))
    )
    returning id into delivery;
    return delivery;
end
$$;

create function private.redeliver_webhook(p_delivery uuid)
    returns void
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    endpoint public.webhook_endpoints;
begin
    if not exists (
        select
        from public.webhook_deliveries
        where webhook_deliveries.id = p_delivery
          and webhook_deliveries.organization_id in (select private.my_organizations())
    ) then
        perform private.refuse('P0002', format('delivery: %s does not exist', coalesce(p_delivery::text, 'null')));
    end if;
    endpoint := private.webhook_endpoint_for(
        (select webhook_deliveries.endpoint_id from public.webhook_deliveries where webhook_deliveries.id = p_delivery)
    );
    if not endpoint.is_active then
        perform private.refuse('55000', 'endpoint: it is switched off', 'Switch it on first: set is_active to true.');
    end if;
    update public.webhook_deliveries
    set status = 'pending',
        fails = 0,
        next_attempt_at = clock_timestamp(),
        delivered_at = null
    where webhook_deliveries.id = p_delivery
      and webhook_deliveries.status <> 'delivering';
    if not found then
        perform private.refuse('55000', 'delivery: it is being sent at this moment', 'Wait for its outcome.');
    end if;
end
$$;

-- Send a test event to an endpoint, whatever it listens for. Returns the delivery, whose row tells the outcome.
create function public.send_test_webhook(endpoint_id uuid)
    returns uuid
    language sql
    set search_path = ''
as $$
    select private.send_test_webhook(endpoint_id)
$$;

-- Send a delivery again, or at once, with the webhook-id it had.
create function public.redeliver_webhook(delivery_id uuid)
    returns void
    language sql
    set search_path = ''
as $$
    select private.redeliver_webhook(delivery_id)
$$;

-- Triggers ------------------------------------------------------------------------------------------------------------

create trigger requests_are_told
    after insert on public.productions
    for each row execute function private.note_webhooks();

-- An update that changes no status queues no trigger event.
create trigger changes_of_status_are_told
    after update of status on public.productions
    for each row
    when (old.status is distinct from new.status)
    execute function private.note_webhooks();

create trigger nothing_more_is_sent
    after update of is_active, deleted_at on public.webhook_endpoints
    for each row
    when (old.is_active and old.deleted_at is null and (not new.is_active or new.deleted_at is not null))
    execute function private.end_webhook_deliveries();

-- Access --------------------------------------------------------------------------------------------------------------

-- Transitions are functions; the worker reads.
revoke update, delete on public.webhook_endpoints from showrunner_worker;
revoke insert, update, delete on public.webhook_deliveries from showrunner_worker;
drop policy "workers may update" on public.webhook_endpoints;
drop policy "workers may delete" on public.webhook_endpoints;
drop policy "workers may insert" on public.webhook_deliveries;
drop policy "workers may update" on public.webhook_deliveries;
drop policy "workers may delete" on public.webhook_deliveries;

revoke execute on function
    private.webhook_payload, private.note_webhooks, private.end_webhook_deliveries, private.send_test_webhook,
    private.redeliver_webhook, public.send_test_webhook, public.redeliver_webhook
    from public, anon;
grant execute on function
    private.send_test_webhook, private.redeliver_webhook, public.send_test_webhook, public.redeliver_webhook
    to authenticated;
