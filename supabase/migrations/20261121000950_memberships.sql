-- Row-level security looks the caller's organizations up in a table made for it. Each table that a query names costs one
-- look-up, and the function that policies called took 0.03 ms, more than many a query itself: it ran two look-ups in an
-- executor of its own. Now a policy reads one index of `private.memberships` within the query:
-- `organization_id = any (array(select memberships.organization_id from private.memberships))`.

create table private.memberships (
    user_id uuid not null,
    organization_id uuid not null,
    role public.member_role not null,
    primary key (user_id, organization_id) include (role),
    foreign key (organization_id, user_id) references public.organization_members (organization_id, user_id)
        on update cascade on delete cascade
);
comment on table private.memberships is
    'organization_members of organizations that are not deleted, kept by triggers; policies show each person their own.';

-- Its own policy is what makes it "the caller's": policies elsewhere need not say whose.
alter table private.memberships enable row level security;
grant select on private.memberships to authenticated;
create policy "people see their own memberships" on private.memberships
    for select to authenticated
    using (user_id = (select auth.uid()));

-- Kept up to date -----------------------------------------------------------------------------------------------------

-- Somebody who joins while the organization is being deleted or restored must not be missed: the one waits for the
-- other. People who join do not wait for each other.
create function private.keep_memberships()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock_shared(hashtextextended('memberships of ' || new.organization_id, 0));
    insert into private.memberships (user_id, organization_id, role)
    select new.user_id, new.organization_id, new.role
    from public.organizations
    where organizations.id = new.organization_id
        and organizations.deleted_at is null
    on conflict (user_id, organization_id) do update
    set role = excluded.role;
    return null;
end
$$;

create function private.suspend_memberships()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('memberships of ' || new.id, 0));
    if new.deleted_at is null then
        insert into private.memberships (user_id, organization_id, role)
        select member.user_id, member.organization_id, member.role
        from public.organization_members as member
        where member.organization_id = new.id
        on conflict (user_id, organization_id) do update
        set role = excluded.role;
    else
        delete from private.memberships as suspended
        using public.organization_members as member
        where member.organization_id = new.id
            and suspended.user_id = member.user_id
            and suspended.organization_id = member.organization_id;
    end if;
    return null;
end
$$;

create trigger keep_memberships
    after insert or update of organization_id, user_id, role on public.organization_members
    for each row execute function private.keep_memberships();
create trigger suspend_memberships
    after update of deleted_at on public.organizations
    for each row
    when ((new.deleted_at is null) is distinct from (old.deleted_at is null))
    execute function private.suspend_memberships();

insert into private.memberships (user_id, organization_id, role)
select member.user_id, member.organization_id, member.role
from public.organization_members as member
join public.organizations on organizations.id = member.organization_id
where organizations.deleted_at is null;

-- Who asks ------------------------------------------------------------------------------------------------------------

-- For functions, which run as the tables' owner and must say whose.
create or replace function private.my_organizations()
returns setof uuid
language plpgsql
stable
security definer
rows 5
set search_path = ''
as $$
begin
    return query
    select membership.organization_id
    from private.memberships as membership
    where membership.user_id = (select auth.uid());
end
$$;

create or replace function private.my_organizations(minimum public.member_role)
returns setof uuid
language plpgsql
stable
security definer
rows 5
set search_path = ''
as $$
begin
    return query
    select membership.organization_id
    from private.memberships as membership
    where membership.user_id = (select auth.uid())
        and membership.role >= minimum;
end
$$;

-- As before, by the table.
create or replace function private.let_members(target regclass, minimum public.member_role, variadic commands text[])
returns void
language plpgsql
set search_path = ''
as $$
declare
    condition text := format(
        'organization_id = any (array(select memberships.organization_id from private.memberships %s))',
        case when minimum > 'viewer' then format('where memberships.role >= %L', minimum) end
    );
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

-- As before, and those that call the function read the table instead.
create or replace function private.index_policies()
returns integer
language plpgsql
set search_path = ''
as $$
declare
    -- What Postgres makes of `in (select …)` and of `= any (array(select …))`, without and with a role.
    call constant text := 'SELECT private\.my_organizations\(([^()]*)\) AS my_organizations';
    policy record;
    rewritten integer := 0;
begin
    for policy in
        select schemaname, tablename, policyname, qual, with_check
        from pg_catalog.pg_policies
        where schemaname = 'public'
            and concat(qual, with_check) ~ call
    loop
        execute format('alter policy %I on %I.%I', policy.policyname, policy.schemaname, policy.tablename)
            || coalesce(' using (' || private.by_memberships(policy.qual) || ')', '')
            || coalesce(' with check (' || private.by_memberships(policy.with_check) || ')', '');
        rewritten := rewritten + 1;
    end loop;
    return rewritten;
end
$$;
comment on function private.index_policies() is 'Makes each policy that calls private.my_organizations read private.memberships, by an index; returns how many it changed.';

create function private.by_memberships(condition text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
    call constant text := 'SELECT private\.my_organizations\(([^()]*)\) AS my_organizations';
    ids constant text := 'SELECT memberships.organization_id FROM private.memberships';
begin
    condition := regexp_replace(condition, 'IN \( (' || call || ')\)', '= ANY (ARRAY( \1))', 'g');
    condition := regexp_replace(condition, 'SELECT private\.my_organizations\(\) AS my_organizations', ids, 'g');
    return regexp_replace(condition, call, ids || ' WHERE memberships.role >= \1', 'g');
end
$$;

revoke execute on function private.keep_memberships(), private.suspend_memberships(), private.by_memberships(text)
    from public;

select private.index_policies();
