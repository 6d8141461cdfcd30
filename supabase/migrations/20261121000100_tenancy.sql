-- Tenancy: organizations, their members, the people behind them, and what each subscription tier allows.
-- Everything that a tenant owns carries organization_id; who may see it is decided by membership alone.

-- Types ---------------------------------------------------------------------------------------------------------------

create type public.subscription_tier as enum ('free', 'creator', 'pro');
comment on type public.subscription_tier is 'What an organization pays for; tier_limits says what each tier allows.';

create type public.member_role as enum ('viewer', 'editor', 'admin', 'owner');
comment on type public.member_role is 'Ascending: viewer reads; editor also makes and edits media; admin also invites people and '
    'changes settings; owner also appoints owners and deletes the organization.';

-- Tables --------------------------------------------------------------------------------------------------------------

create table public.tier_limits (
    tier public.subscription_tier primary key,
    max_projects integer not null check (max_projects >= 0),
    processing_minutes_monthly integer not null check (processing_minutes_monthly >= 0),
    max_running_jobs integer not null check (max_running_jobs between 1 and 1000),
    daily_budget_gbp numeric(12, 2) not null default 50 check (daily_budget_gbp >= 0),
    max_voice_clones integer not null check (max_voice_clones >= 0)
);
comment on table public.tier_limits is 'Reference data: what each subscription tier allows an organization.';
comment on column public.tier_limits.max_projects is 'Shows that are not deleted.';
comment on column public.tier_limits.processing_minutes_monthly is 'Minutes of finished media in a calendar month (UTC).';
comment on column public.tier_limits.max_running_jobs is 'Jobs that run at the same time.';
comment on column public.tier_limits.daily_budget_gbp is 'Circuit breaker: spent and reserved on one day (UTC) never exceed it.';

insert into public.tier_limits
    (tier, max_projects, processing_minutes_monthly, max_running_jobs, daily_budget_gbp, max_voice_clones)
values
    ('free', 1, 120, 5, 5, 0),
    ('creator', 5, 600, 10, 20, 3),
    ('pro', 50, 6000, 20, 50, 20);

create table public.users (
    id uuid primary key references auth.users (id) on delete cascade,
    display_name text not null check (length(btrim(display_name)) between 1 and 200),
    timezone text not null default 'UTC',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.users is 'The public profile of each row of auth.users, made by a trigger.';
comment on column public.users.timezone is 'A name of the IANA time zone database, as listed in pg_timezone_names.';

create table public.organizations (
    id uuid primary key default gen_random_uuid(),
    name text not null check (length(btrim(name)) between 1 and 200),
    tier public.subscription_tier not null default 'free' references public.tier_limits (tier),
    settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
    personal_user_id uuid unique references auth.users (id) on delete cascade,
    is_personal boolean not null generated always as (personal_user_id is not null) stored,
    deleted_at timestamptz,
    deleted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint personal_organization_has_its_users_id check (personal_user_id is null or personal_user_id = id),
    constraint personal_organization_ends_with_its_user check (personal_user_id is null or deleted_at is null)
);
comment on table public.organizations is 'The tenant. Every user has a personal one; others are shared.';
comment on column public.organizations.tier is 'Changed by billing (service_role), never by members.';
comment on column public.organizations.settings is 'Free for client apps; the backend reads nothing from it.';
comment on column public.organizations.deleted_at is 'A deleted organization is invisible to its members at once; maintain removes its data later.';
comment on constraint personal_organization_has_its_users_id on public.organizations is 'A personal organization and its user share one id.';

create table public.organization_members (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    user_id uuid not null references public.users (id) on delete cascade,
    role public.member_role not null default 'viewer',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, user_id)
);
comment on table public.organization_members is 'Who belongs to which organization, and as what.';
-- Every policy asks for the organizations of one user.
create index organization_members_user_id on public.organization_members (user_id, organization_id) include (role);

-- Functions -----------------------------------------------------------------------------------------------------------

-- The set a policy compares organization_id with: `organization_id in (select private.my_organizations())`.
-- Security definer, because the policies of organization_members themselves call it.
create function private.my_organizations()
returns setof uuid
language sql
stable
security definer
set search_path = ''
as $$
    select member.organization_id
    from public.organization_members as member
    join public.organizations as organization on organization.id = member.organization_id
    where member.user_id = (select auth.uid())
        and organization.deleted_at is null
$$;

create function private.my_organizations(minimum public.member_role)
returns setof uuid
language sql
stable
security definer
set search_path = ''
as $$
    select member.organization_id
    from public.organization_members as member
    join public.organizations as organization on organization.id = member.organization_id
    where member.user_id = (select auth.uid())
        and member.role >= minimum
        and organization.deleted_at is null
$$;

-- What members of at least a role may do with the rows of their organizations: a policy for each command.
-- The grants, which say what columns, stay with the table.
create function private.let_members(target regclass, minimum public.member_role, variadic commands text[])
returns void
language plpgsql
set search_path = ''
as $$
declare
    condition text := case minimum
        when 'viewer' then 'organization_id in (select private.my_organizations())'
        else format('organization_id in (select private.my_organizations(%L))', minimum)
    end;
    command text;
    conditions text;
begin
    foreach command in array commands loop
        conditions := case lower(command)
            when 'select' then format('using (%s)', condition)
            when 'delete' then format('using (%s)', condition)
            when 'insert' then format('with check (%s)', condition)
            when 'update' then format('using (%s) with check (%s)', condition, condition)
        end;
        if conditions is null then
            raise exception 'let_members: "%" is not one of select, insert, update, delete', command;
        end if;
        execute format(
            'create policy %I on %s for %s to authenticated %s',
            minimum || 's may ' || lower(command), target, command, conditions
        );
    end loop;
end
$$;

create function private.is_time_zone(name text)
returns boolean
language sql
stable
set search_path = ''
as $$
    select name = 'UTC' or exists (select from pg_catalog.pg_timezone_names as zone where zone.name = is_time_zone.name)
$$;

create function private.check_user_timezone()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if not private.is_time_zone(new.timezone) then
        raise exception 'timezone: "%" is not a known time zone. Use a name like Europe/London.', new.timezone
            using errcode = 'check_violation', column = 'timezone';
    end if;
    return new;
end
$$;

-- A new user finds a profile and a personal organization of which they are the owner.
create function private.welcome_user()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    given text := left(btrim(coalesce(new.raw_user_meta_data ->> 'display_name', new.raw_user_meta_data ->> 'full_name', '')), 200);
    zone text := new.raw_user_meta_data ->> 'timezone';
    display_name text := coalesce(nullif(given, ''), nullif(left(split_part(new.email, '@', 1), 200), ''), 'New user');
begin
    -- A sign-up must not fail because a browser reports an odd time zone.
    insert into public.users (id, display_name, timezone)
    values (new.id, display_name, case when zone is not null and private.is_time_zone(zone) then zone else 'UTC' end);

    insert into public.organizations (id, name, personal_user_id)
    values (new.id, display_name, new.id);

    insert into public.organization_members (organization_id, user_id, role)
    values (new.id, new.id, 'owner');

    return new;
end
$$;

-- Someone must remain who can appoint others. Checked at the end of the transaction, so that ownership can be handed
-- over in any order; the organization is locked first, so that two owners cannot leave past each other.
create function private.keep_an_owner()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform from public.organizations as organization
    where organization.id = old.organization_id
    for no key update;

    if found and not exists (
        select
        from public.organization_members as member
        where member.organization_id = old.organization_id
            and member.role = 'owner'
    ) then
        raise exception 'role: an organization needs at least one owner. Appoint another owner first.'
            using errcode = 'check_violation', column = 'role';
    end if;
    return null;
end
$$;

create function private.create_organization(name text)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
    organization_id uuid := gen_random_uuid();
begin
    if (select auth.uid()) is null then
        raise exception 'Sign in to create an organization.' using errcode = 'insufficient_privilege';
    end if;
    insert into public.organizations (id, name) values (organization_id, create_organization.name);
    insert into public.organization_members (organization_id, user_id, role)
    values (organization_id, (select auth.uid()), 'owner');
    return organization_id;
end
$$;

create function public.create_organization(name text)
returns uuid
language sql
set search_path = ''
as $$
    select private.create_organization(name)
$$;
comment on function public.create_organization(text) is 'Creates a shared organization with the caller as its owner; returns its id.';

revoke execute on all functions in schema private from public;
revoke execute on function public.create_organization(text) from public, anon;
grant execute on function public.create_organization(text), private.create_organization(text) to authenticated;
grant execute on function private.my_organizations(), private.my_organizations(public.member_role)
    to authenticated, service_role, showrunner_worker;
grant execute on function private.is_time_zone(text) to authenticated, service_role, showrunner_worker;

-- Triggers ------------------------------------------------------------------------------------------------------------

create trigger welcome_user
    after insert on auth.users
    for each row execute function private.welcome_user();

create trigger check_timezone
    before insert or update of timezone on public.users
    for each row execute function private.check_user_timezone();

create constraint trigger keep_an_owner
    after update of role, organization_id or delete on public.organization_members
    deferrable initially deferred
    for each row
    when (old.role = 'owner')
    execute function private.keep_an_owner();

create trigger stamp_deletion
    before insert or update of deleted_at, deleted_by on public.organizations
    for each row execute function private.stamp_deletion();

create trigger touch_updated_at
    before update on public.users
    for each row execute function private.touch_updated_at();
create trigger touch_updated_at
    before update on public.organizations
    for each row execute function private.touch_updated_at();
create trigger touch_updated_at
    before update on public.organization_members
    for each row execute function private.touch_updated_at();

-- Access --------------------------------------------------------------------------------------------------------------

revoke all on public.tier_limits, public.users, public.organizations, public.organization_members from anon, authenticated;
grant select on public.tier_limits to anon, authenticated;
grant select, update (display_name, timezone) on public.users to authenticated;
grant select, update (name, settings, deleted_at) on public.organizations to authenticated;
grant select, insert (organization_id, user_id, role), update (role), delete on public.organization_members to authenticated;
grant select, insert, update, delete
    on public.tier_limits, public.users, public.organizations, public.organization_members
    to service_role;

alter table public.tier_limits enable row level security;
alter table public.users enable row level security;
alter table public.organizations enable row level security;
alter table public.organization_members enable row level security;

create policy "everyone sees what each tier allows" on public.tier_limits
    for select to anon, authenticated
    using (true);

create policy "people see themselves and those they share an organization with" on public.users
    for select to authenticated
    using (
        id = (select auth.uid())
        or id in (
            select member.user_id
            from public.organization_members as member
            where member.organization_id in (select private.my_organizations())
        )
    );

create policy "people edit their own profile" on public.users
    for update to authenticated
    using (id = (select auth.uid()))
    with check (id = (select auth.uid()));

create policy "members see their organizations" on public.organizations
    for select to authenticated
    using (id in (select private.my_organizations()));

create policy "admins change the settings, owners also delete" on public.organizations
    for update to authenticated
    using (id in (select private.my_organizations('admin')))
    with check (
        id in (select private.my_organizations('admin'))
        and (deleted_at is null or id in (select private.my_organizations('owner')))
    );

create policy "members see each other" on public.organization_members
    for select to authenticated
    using (organization_id in (select private.my_organizations()));

create policy "admins add members, owners also add owners" on public.organization_members
    for insert to authenticated
    with check (
        organization_id in (select private.my_organizations('owner'))
        or (role < 'owner' and organization_id in (select private.my_organizations('admin')))
    );

create policy "admins change roles, owners also those of owners" on public.organization_members
    for update to authenticated
    using (
        organization_id in (select private.my_organizations('owner'))
        or (role < 'owner' and organization_id in (select private.my_organizations('admin')))
    )
    with check (
        organization_id in (select private.my_organizations('owner'))
        or (role < 'owner' and organization_id in (select private.my_organizations('admin')))
    );

create policy "admins remove members, owners also owners, everyone themselves" on public.organization_members
    for delete to authenticated
    using (
        organization_id in (select private.my_organizations('owner'))
        or (role < 'owner' and organization_id in (select private.my_organizations('admin')))
        or (user_id = (select auth.uid()) and organization_id in (select private.my_organizations()))
    );

select private.let_worker('public.tier_limits', 'select');
select private.let_worker('public.users', 'select');
select private.let_worker('public.organizations', 'select', 'delete');
select private.let_worker('public.organization_members', 'select');
