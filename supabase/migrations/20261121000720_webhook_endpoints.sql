-- Webhook endpoints: what an admin may ask for, and their secrets, which are shown once and read back by nobody.
--
-- Endpoints are added by `create_webhook_endpoint`, since its answer is the only sight of the secret. Address, event
-- types, description, on and off, and deletion are plain updates under row-level security; a trigger checks them.

alter table public.webhook_endpoints
    add column failing_since timestamptz,
    add column disabled_at timestamptz,
    add column disabled_reason text;

comment on table public.webhook_endpoints is 'Where an organization wants to hear of its productions. Admins alone see them.';
comment on column public.webhook_endpoints.is_active is 'Off: nothing is recorded or sent. Switching it on again forgets its failures.';
comment on column public.webhook_endpoints.consecutive_failures is 'Attempts that failed since the last one that succeeded.';
comment on column public.webhook_endpoints.failing_since is 'When the first of them failed.';
comment on column public.webhook_endpoints.disabled_reason is 'Why the endpoint was switched off without a person; null when a person did it.';

create table engine.webhook_secrets (
    endpoint_id uuid not null references public.webhook_endpoints (id) on delete cascade,
    secret text not null check (secret ~ '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$'),
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz,
    primary key (endpoint_id, secret)
);

comment on table engine.webhook_secrets is
    'What signs an endpoint''s deliveries. After a rotation the old one signs beside the new one until it expires.';

alter table engine.webhook_secrets enable row level security;

insert into engine.webhook_secrets (endpoint_id, secret, created_at)
select endpoints.id, endpoints.secret, endpoints.created_at
from public.webhook_endpoints as endpoints;

alter table public.webhook_endpoints drop column secret;

-- Functions -----------------------------------------------------------------------------------------------------------

create function private.webhook_event_types()
    returns text[]
    language sql
    immutable
    set search_path = ''
as $$
    select array[
        'production.requested', 'production.running', 'production.waiting',
        'production.completed', 'production.failed', 'production.cancelled'
    ]
$$;

-- 32 bytes in the notation of Standard Webhooks. Three random UUIDs hold 366 random bits; no extension is needed.
create function private.new_webhook_secret()
    returns text
    language sql
    volatile
    set search_path = ''
as $$
    select 'whsec_' || encode(
        sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'
    )
$$;

-- What an address may be; where its name leads is looked at before each delivery. Plain http reaches this machine
-- alone, which only the laptop edition delivers to.
create function private.check_webhook_url(p_url text)
    returns void
    language plpgsql
    immutable
    set search_path = ''
as $$
begin
    if p_url is null or length(p_url) not between 1 and 2000 then
        perform private.refuse('22023', 'url: 1 to 2000 characters are needed');
    end if;
    if p_url !~ '^[!-~]+$' or p_url ~ '[\\"<>^`{|}]' then
        perform private.refuse('22023', 'url: has characters that an address cannot have',
            'Percent-encode them; write a host name with other letters in its xn-- form.');
    end if;
    if p_url ~ '#' then
        perform private.refuse('22023', 'url: has a fragment', 'Leave out what begins with #.');
    end if;
    if p_url ~ '^[^:]*://[^/?]*@' then
        perform private.refuse('22023', 'url: has a user name or password in it', 'The signature says who sends.');
    end if;
    if p_url !~ '^https://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:443)?([/?].*)?$'
        and p_url !~ '^http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?([/?].*)?$'
    then
        perform private.refuse('22023', 'url: is not an https address on port 443',
            'Give one like https://example.com/hooks. On a laptop http://localhost:3000/hooks works too.');
    end if;
end
$$;

create function private.check_webhook_event_types(p_event_types text[])
    returns void
    language plpgsql
    immutable
    set search_path = ''
as $$
declare
    allowed constant text[] := private.webhook_event_types();
    unknown text := (
        select coalesce(wanted, 'null')
        from unnest(p_event_types) as wanted
        where wanted is null or wanted <> all (allowed)
        limit 1
    );
begin
    if cardinality(p_event_types) = 0 or unknown is not null then
        perform private.refuse('22023',
            coalesce('event_types: ' || unknown || ' is not an event', 'event_types: at least one is needed'),
            'Allowed: ' || array_to_string(allowed, ', '));
    end if;
end
$$;

create function private.check_webhook_endpoint()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    most constant integer := 10;
begin
    if tg_op = 'INSERT' or new.url is distinct from old.url then
        perform private.check_webhook_url(new.url);
    end if;
    if tg_op = 'INSERT' or new.event_types is distinct from old.event_types then
        perform private.check_webhook_event_types(new.event_types);
    end if;
    if new.deleted_at is null and (tg_op = 'INSERT' or old.deleted_at is not null) then
        -- One at a time, so that two requests cannot both be the tenth.
        perform from public.organizations where organizations.id = new.organization_id for no key update;
        if most <= (
            select count(*)
            from public.webhook_endpoints as others
            where others.organization_id = new.organization_id
              and others.deleted_at is null
              and others.id <> new.id
        ) then
            perform private.refuse('53400', format('organization_id: has %s webhook endpoints, the most allowed', most),
                'Delete one that is no longer used.');
        end if;
    end if;
    if tg_op = 'UPDATE' and new.is_active and not old.is_active then
        new.consecutive_failures := 0;
        new.failing_since := null;
        new.disabled_at := null;
        new.disabled_reason := null;
    elsif tg_op = 'UPDATE' and old.is_active and not new.is_active then
        new.disabled_at := clock_timestamp();
    end if;
    return new;
end
$$;

create function private.give_webhook_secret()
    returns trigger
    language plpgsql
    security definer
    set search_path = ''
as $$
begin
    insert into engine.webhook_secrets (endpoint_id, secret) values (new.id, private.new_webhook_secret());
    return null;
end
$$;

-- The endpoint, if the caller is an admin of its organization. It is locked: endpoints come before their deliveries.
create function private.webhook_endpoint_for(p_endpoint uuid)
    returns public.webhook_endpoints
    language plpgsql
    security definer
    set search_path = ''
as $$
declare
    endpoint public.webhook_endpoints;
begin
    select * into endpoint
    from public.webhook_endpoints
    where webhook_endpoints.id = p_endpoint
      and webhook_endpoints.deleted_at is null
      and webhook_endpoints.organization_id in (select private.my_organizations())
    for no key update;
    if not found then
        perform private.refuse('P0002', format('endpoint: %s does not exist', coalesce(p_endpoint::text, 'null')));
    end if;
    if endpoint.organization_id not in (select private.my_organizations('admin')) then
        perform private.refuse('42501', 'endpoint: this needs the role admin or above');
    end if;
    return endpoint;
end
$$;

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

create function private.rotate_webhook_secret(p_endpoint uuid, p_overlap interval)
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

-- Add an endpoint. The secret is shown here and never again.
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

-- A new secret, shown here and never again. Until the overlap has passed deliveries are signed with the old one too.
create function public.rotate_webhook_secret(endpoint_id uuid, overlap interval default '24 hours')
    returns text
    language sql
    set search_path = ''
as $$
    select private.rotate_webhook_secret(endpoint_id, overlap)
$$;

-- Triggers ------------------------------------------------------------------------------------------------------------

-- Named so that it comes after stamp_deletion.
create trigger take_what_is_allowed
    before insert or update of url, event_types, is_active, deleted_at on public.webhook_endpoints
    for each row execute function private.check_webhook_endpoint();

create trigger give_secret
    after insert on public.webhook_endpoints
    for each row execute function private.give_webhook_secret();

-- Access --------------------------------------------------------------------------------------------------------------

drop policy "admins add webhook endpoints" on public.webhook_endpoints;
revoke insert on public.webhook_endpoints from authenticated;
-- A grant of columns is not part of the table's.
revoke insert (organization_id, url, description, event_types, is_active) on public.webhook_endpoints from authenticated;

revoke execute on function
    private.webhook_event_types, private.new_webhook_secret, private.check_webhook_url,
    private.check_webhook_event_types, private.check_webhook_endpoint, private.give_webhook_secret,
    private.webhook_endpoint_for, private.create_webhook_endpoint,
    private.rotate_webhook_secret, public.create_webhook_endpoint, public.rotate_webhook_secret
    from public, anon;
grant execute on function
    private.create_webhook_endpoint, private.rotate_webhook_secret,
    public.create_webhook_endpoint, public.rotate_webhook_secret
    to authenticated;
