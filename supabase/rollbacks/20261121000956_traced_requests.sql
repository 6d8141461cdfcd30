-- Undoes it: these requests leave no event, and an endpoint has no key.

create or replace function private.rotate_webhook_secret(p_endpoint uuid, p_overlap interval)
    returns text
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    endpoint public.webhook_endpoints := private.webhook_endpoint_for(p_endpoint);
    moment timestamptz := clock_timestamp();
    new_secret text := private.new_webhook_secret();
begin
    if p_overlap is null or p_overlap < interval '0' or p_overlap > interval '7 days' then
        perform private.refuse('22023', 'overlap: 0 to 7 days are allowed', 'With 0 the old secret ends at once.');
    end if;
    update engine.webhook_secrets as secrets
    set expires_at = least(secrets.expires_at, moment + p_overlap)
    where secrets.endpoint_id = endpoint.id;
    delete from engine.webhook_secrets as secrets
    where secrets.endpoint_id = endpoint.id
      and secrets.expires_at <= moment;
    insert into engine.webhook_secrets (endpoint_id, secret) values (endpoint.id, new_secret);
    return new_secret;
end
$$;

create or replace function private.send_test_webhook(p_endpoint uuid)
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

create or replace function private.redeliver_webhook(p_delivery uuid)
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

create or replace function private.cancel_answer(p_answer uuid)
    returns boolean
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    production uuid;
begin
    select productions.id into production
    from public.chat_messages as answer
    join public.chat_sessions as session on session.id = answer.session_id
    join public.productions on productions.subject_id = answer.id
    where answer.id = p_answer
      and session.user_id = (select auth.uid())
      and session.organization_id in (select private.my_organizations());
    if production is null then
        perform private.refuse('P0002', format('answer_id: %s does not exist', coalesce(p_answer::text, 'null')));
    end if;
    return engine.cancel(production);
end
$$;

drop function public.create_webhook_endpoint(uuid, text, text[], text, text);
drop function private.create_webhook_endpoint(uuid, text, text[], text, text);
drop table engine.webhook_endpoint_requests;

create function private.create_webhook_endpoint(
    p_organization uuid, p_url text, p_event_types text[], p_description text
)
    returns table (id uuid, secret text)
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    created uuid;
begin
    if p_organization is null or p_organization not in (select private.my_organizations()) then
        perform private.refuse('P0002',
            format('organization_id: %s does not exist', coalesce(p_organization::text, 'null')));
    end if;
    if p_organization not in (select private.my_organizations('admin')) then
        perform private.refuse('42501', 'organization_id: this needs the role admin or above');
    end if;
    if length(p_description) > 1000 then
        perform private.refuse('22023', 'description: is longer than 1000 characters');
    end if;
    insert into public.webhook_endpoints (organization_id, url, event_types, description)
    values (p_organization, p_url, coalesce(p_event_types, '{}'), coalesce(p_description, ''))
    returning webhook_endpoints.id into created;
    return query
    select secrets.endpoint_id, secrets.secret
    from engine.webhook_secrets as secrets
    where secrets.endpoint_id = created;
end
$$;

create function public.create_webhook_endpoint(
    organization_id uuid,
    url text,
    event_types text[] default '{production.completed,production.failed}',
    description text default ''
)
    returns table (id uuid, secret text)
    language sql
    set search_path = ''
as $$
    select * from private.create_webhook_endpoint(organization_id, url, event_types, description)
$$;

revoke execute on function public.create_webhook_endpoint(uuid, text, text[], text),
    private.create_webhook_endpoint(uuid, text, text[], text)
    from public, anon;
grant execute on function public.create_webhook_endpoint(uuid, text, text[], text),
    private.create_webhook_endpoint(uuid, text, text[], text)
    to authenticated;
