-- Governance: who changed what, what people did, and whom we tell about it.

create type public.audit_action as enum ('insert', 'update', 'delete');
comment on type public.audit_action is 'What happened to the row.';

create type public.webhook_delivery_status as enum ('pending', 'delivering', 'delivered', 'failed');
comment on type public.webhook_delivery_status is 'pending: due at next_attempt_at; delivering: being sent; delivered: answered with 2xx; '
    'failed: given up.';

-- Tables --------------------------------------------------------------------------------------------------------------

-- No foreign keys: the log outlives what it tells of.
create table public.audit_log (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid,
    actor_id uuid,
    actor_role text not null,
    action public.audit_action not null,
    table_name text not null,
    row_id uuid,
    old_values jsonb,
    new_values jsonb,
    created_at timestamptz not null default now()
);
comment on table public.audit_log is 'What people changed through the API, written by triggers. What functions do is told by jobs and productions.';
comment on column public.audit_log.actor_id is 'The signed-in user; null when a server acted with the service role.';
comment on column public.audit_log.row_id is 'The row''s id; of a membership, its user''s.';
comment on column public.audit_log.old_values is 'Of an update, the changed columns alone; of a delete, the whole row.';
comment on column public.audit_log.new_values is 'Of an update, the changed columns alone; of an insert, the whole row. Very long values are replaced by their length.';
create index audit_log_organization_id on public.audit_log (organization_id, created_at desc);
create index audit_log_row on public.audit_log (table_name, row_id, created_at desc);
-- For retention.
create index audit_log_created_at on public.audit_log (created_at);

create table public.user_events (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references public.organizations (id) on delete cascade,
    user_id uuid not null references public.users (id) on delete cascade,
    event_type text not null check (event_type ~ '^[a-z][a-z0-9_.]{0,99}$'),
    event_data jsonb not null default '{}' check (jsonb_typeof(event_data) = 'object' and pg_column_size(event_data) <= 16384),
    created_at timestamptz not null default now()
);
comment on table public.user_events is 'What people did, as client apps report it: events, not boolean flags on users.';
comment on column public.user_events.event_type is 'Lower-case words joined by _ or dots, e.g. onboarding.completed.';
create index user_events_organization_id on public.user_events (organization_id, event_type, created_at desc);
create index user_events_user_id on public.user_events (user_id, event_type, created_at desc);

create table public.webhook_endpoints (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references public.organizations (id) on delete cascade,
    url text not null check (url ~ '^https?://[^\s/]+' and length(url) <= 2000),
    description text not null default '' check (length(description) <= 1000),
    event_types text[] not null default '{production.completed,production.failed}'
        check (cardinality(event_types) between 1 and 50 and array_position(event_types, null) is null),
    secret text not null default 'whsec_' || replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''),
    is_active boolean not null default true,
    consecutive_failures integer not null default 0 check (consecutive_failures >= 0),
    deleted_at timestamptz,
    deleted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (organization_id, id)
);
comment on table public.webhook_endpoints is 'Where an organization wants to hear of its productions. Admins alone see them, since each holds its secret.';
comment on column public.webhook_endpoints.secret is 'Signs each delivery, so that the receiver can tell it from a forgery.';

create table public.webhook_deliveries (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null,
    endpoint_id uuid not null,
    event_id uuid not null,
    event_type text not null,
    payload jsonb not null,
    status public.webhook_delivery_status not null default 'pending',
    attempts integer not null default 0 check (attempts >= 0),
    next_attempt_at timestamptz not null default now(),
    response_status integer,
    error text,
    delivered_at timestamptz,
    created_at timestamptz not null default now(),
    foreign key (organization_id, endpoint_id)
        references public.webhook_endpoints (organization_id, id) on delete cascade,
    constraint one_delivery_of_an_event_to_an_endpoint unique (endpoint_id, event_id),
    constraint delivered_says_when check ((status = 'delivered') = (delivered_at is not null))
);
comment on table public.webhook_deliveries is 'The outbox of webhooks: written with the change that it tells of, sent later.';
create index webhook_deliveries_organization_id on public.webhook_deliveries (organization_id, endpoint_id, created_at desc);
create index webhook_deliveries_due on public.webhook_deliveries (next_attempt_at) where status = 'pending';

-- Functions -----------------------------------------------------------------------------------------------------------

-- Of a long value the log keeps how long it was: it tells what changed, it is not a second copy.
create function private.for_audit(changed jsonb)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_object_agg(
        field.key,
        case
            when length(field.value::text) > 10000 then jsonb_build_object('characters', length(field.value::text))
            else field.value
        end
    )
    from jsonb_each(changed) as field
$$;

-- Trigger arguments are columns whose changes are not worth a line: an update of nothing else writes none.
create function private.write_audit_log()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    unheeded text[] := array['updated_at'] || coalesce(tg_argv::text[], '{}');
    old_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - unheeded end;
    new_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - unheeded end;
    whole_row jsonb := coalesce(new_row, old_row);
begin
    if tg_op = 'UPDATE' then
        select
            jsonb_object_agg(before.key, before.value),
            jsonb_object_agg(before.key, new_row -> before.key)
        into old_row, new_row
        from jsonb_each(old_row) as before
        where before.value is distinct from new_row -> before.key;

        if old_row is null then
            return null;
        end if;
    end if;

    insert into public.audit_log
        (organization_id, actor_id, actor_role, action, table_name, row_id, old_values, new_values)
    values (
        (case tg_table_name when 'organizations' then whole_row ->> 'id' else whole_row ->> 'organization_id' end)::uuid,
        (select auth.uid()),
        coalesce((select auth.role()), session_user),
        lower(tg_op)::public.audit_action,
        tg_table_name,
        coalesce(whole_row ->> 'id', whole_row ->> 'user_id')::uuid,
        private.for_audit(old_row),
        private.for_audit(new_row)
    );
    return null;
end
$$;

-- Audits a table. Only requests with claims, which is what comes through the API; functions write thousands of rows
-- for each production and have none.
create function private.audit(target regclass, variadic unheeded text[] default '{}')
returns void
language plpgsql
set search_path = ''
as $$
declare
    arguments text := (select string_agg(quote_literal(name), ', ') from unnest(unheeded) as name);
begin
    execute format(
        'create trigger audit after insert or update or delete on %s '
        'for each row when (auth.jwt() is not null) execute function private.write_audit_log(%s)',
        target, arguments
    );
end
$$;

revoke execute on function private.for_audit(jsonb), private.write_audit_log(), private.audit(regclass, text[]) from public;

-- Triggers ------------------------------------------------------------------------------------------------------------

select private.audit('public.organizations');
select private.audit('public.organization_members');
select private.audit('public.webhook_endpoints', 'secret', 'consecutive_failures');

create trigger stamp_deletion
    before insert or update of deleted_at, deleted_by on public.webhook_endpoints
    for each row execute function private.stamp_deletion();
create trigger touch_updated_at
    before update on public.webhook_endpoints
    for each row execute function private.touch_updated_at();

-- Access --------------------------------------------------------------------------------------------------------------

revoke all on public.audit_log, public.user_events, public.webhook_endpoints, public.webhook_deliveries
    from anon, authenticated;
grant select on public.audit_log, public.webhook_deliveries to authenticated;
grant select, insert (organization_id, user_id, event_type, event_data) on public.user_events to authenticated;
grant
    select,
    insert (organization_id, url, description, event_types, is_active),
    update (url, description, event_types, is_active, deleted_at)
    on public.webhook_endpoints to authenticated;
grant select, delete on public.audit_log to service_role;
grant select, insert, update, delete
    on public.user_events, public.webhook_endpoints, public.webhook_deliveries
    to service_role;

alter table public.audit_log enable row level security;
alter table public.user_events enable row level security;
alter table public.webhook_endpoints enable row level security;
alter table public.webhook_deliveries enable row level security;

create policy "admins read what was changed" on public.audit_log
    for select to authenticated
    using (organization_id in (select private.my_organizations('admin')));

create policy "people see their own events, admins everyone's" on public.user_events
    for select to authenticated
    using (
        (user_id = (select auth.uid()) and organization_id in (select private.my_organizations()))
        or organization_id in (select private.my_organizations('admin'))
    );

create policy "members report what they did themselves" on public.user_events
    for insert to authenticated
    with check (user_id = (select auth.uid()) and organization_id in (select private.my_organizations()));

create policy "admins see webhook endpoints" on public.webhook_endpoints
    for select to authenticated
    using (organization_id in (select private.my_organizations('admin')));

create policy "admins add webhook endpoints" on public.webhook_endpoints
    for insert to authenticated
    with check (organization_id in (select private.my_organizations('admin')));

create policy "admins change webhook endpoints" on public.webhook_endpoints
    for update to authenticated
    using (organization_id in (select private.my_organizations('admin')))
    with check (organization_id in (select private.my_organizations('admin')));

create policy "admins see deliveries" on public.webhook_deliveries
    for select to authenticated
    using (organization_id in (select private.my_organizations('admin')));

select private.let_worker('public.audit_log', 'select', 'delete');
select private.let_worker('public.user_events', 'select', 'insert', 'delete');
select private.let_worker('public.webhook_endpoints', 'select', 'update', 'delete');
select private.let_worker('public.webhook_deliveries', 'select', 'insert', 'update', 'delete');
