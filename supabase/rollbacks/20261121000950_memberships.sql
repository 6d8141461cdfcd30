-- Undoes it: policies call private.my_organizations again, which reads the members and their organizations.

do $$
declare
    -- What Postgres makes of `array(select memberships.organization_id from private.memberships where role >= …)`.
    with_role constant text :=
        'SELECT memberships\.organization_id\s+FROM private\.memberships\s+WHERE \(memberships\.role >= ([^()]*)\)';
    without constant text := 'SELECT memberships\.organization_id\s+FROM private\.memberships';
    policy record;
    conditions text[];
begin
    set local search_path = '';
    for policy in
        select schemaname, tablename, policyname, qual, with_check
        from pg_catalog.pg_policies
        where schemaname = 'public'
            and concat(qual, with_check) ~ without
    loop
        conditions := array(
            select regexp_replace(
                regexp_replace(condition, with_role, 'SELECT private.my_organizations(\1) AS my_organizations', 'g'),
                without, 'SELECT private.my_organizations() AS my_organizations', 'g'
            )
            from unnest(array[policy.qual, policy.with_check]) with ordinality as given (condition, place)
            order by place
        );
        execute format('alter policy %I on %I.%I', policy.policyname, policy.schemaname, policy.tablename)
            || coalesce(' using (' || conditions[1] || ')', '')
            || coalesce(' with check (' || conditions[2] || ')', '');
    end loop;
    set local search_path to default;
end
$$;

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
    select member.organization_id
    from public.organization_members as member
    join public.organizations as organization on organization.id = member.organization_id
    where member.user_id = (select auth.uid())
        and organization.deleted_at is null;
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
    select member.organization_id
    from public.organization_members as member
    join public.organizations as organization on organization.id = member.organization_id
    where member.user_id = (select auth.uid())
        and member.role >= minimum
        and organization.deleted_at is null;
end
$$;

create or replace function private.let_members(target regclass, minimum public.member_role, variadic commands text[])
returns void
language plpgsql
set search_path = ''
as $$
declare
    condition text := case minimum
        when 'viewer' then 'organization_id = any (array(select private.my_organizations()))'
        else format('organization_id = any (array(select private.my_organizations(%L)))', minimum)
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

create or replace function private.index_policies()
returns integer
language plpgsql
set search_path = ''
as $$
declare
    filter constant text := 'IN \( SELECT (private\.my_organizations\([^()]*\)) AS my_organizations\)';
    array_of constant text := '= ANY (ARRAY( SELECT \1))';
    policy record;
    rewritten integer := 0;
begin
    for policy in
        select schemaname, tablename, policyname, qual, with_check
        from pg_catalog.pg_policies
        where schemaname = 'public'
            and concat(qual, with_check) ~ filter
    loop
        execute format('alter policy %I on %I.%I', policy.policyname, policy.schemaname, policy.tablename)
            || coalesce(' using (' || regexp_replace(policy.qual, filter, array_of, 'g') || ')', '')
            || coalesce(' with check (' || regexp_replace(policy.with_check, filter, array_of, 'g') || ')', '');
        rewritten := rewritten + 1;
    end loop;
    return rewritten;
end
$$;
comment on function private.index_policies() is 'Makes each policy''s organization_id in (select …) an array that indexes can answer; returns how many it changed.';

drop function private.by_memberships(text);
drop trigger keep_memberships on public.organization_members;
drop trigger suspend_memberships on public.organizations;
drop function private.keep_memberships();
drop function private.suspend_memberships();
drop table private.memberships;
