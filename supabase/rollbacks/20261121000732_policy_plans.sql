-- Undoes it: policies compare with the caller's organizations as a filter.

drop statistics public.episodes_of_one_organization,
    public.jobs_of_one_organization,
    public.sources_of_one_organization,
    public.blocks_of_one_organization,
    public.slots_of_one_organization,
    public.messages_of_one_organization;
drop index public.highlights_newest_first;

do $$
declare
    array_of constant text := '= ANY \(ARRAY\( SELECT (private\.my_organizations\([^()]*\)) AS my_organizations\)\)';
    filter constant text := 'IN ( SELECT \1)';
    policy record;
begin
    set local search_path = '';
    for policy in
        select schemaname, tablename, policyname, qual, with_check
        from pg_catalog.pg_policies
        where schemaname = 'public'
            and concat(qual, with_check) ~ array_of
    loop
        execute format('alter policy %I on %I.%I', policy.policyname, policy.schemaname, policy.tablename)
            || coalesce(' using (' || regexp_replace(policy.qual, array_of, filter, 'g') || ')', '')
            || coalesce(' with check (' || regexp_replace(policy.with_check, array_of, filter, 'g') || ')', '');
    end loop;
    set local search_path to default;
end
$$;

drop function private.index_policies();

create or replace function private.my_organizations()
returns setof uuid
language sql
stable
security definer
rows 1000
set search_path = ''
as $$
    select member.organization_id
    from public.organization_members as member
    join public.organizations as organization on organization.id = member.organization_id
    where member.user_id = (select auth.uid())
        and organization.deleted_at is null
$$;

create or replace function private.my_organizations(minimum public.member_role)
returns setof uuid
language sql
stable
security definer
rows 1000
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
create or replace function private.let_members(target regclass, minimum public.member_role, variadic commands text[])
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
