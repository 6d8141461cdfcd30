-- Policies that an index can answer. `organization_id in (select …)` is a filter: a query that names no organization
-- itself reads every tenant's rows. `organization_id = any (array(select …))` asks for the caller's organizations once,
-- before the scan, and is an index condition.

-- The set a policy compares organization_id with:
-- `organization_id = any (array(select private.my_organizations()))`.
-- Security definer, because the policies of organization_members themselves call it; plpgsql, because it keeps its plan
-- for the session, and every query of every client pays for it.
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

-- What members of at least a role may do with the rows of their organizations: a policy for each command.
-- The grants, which say what columns, stay with the table.
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

-- Rewrites the policies that compare with the set as a filter; a later migration that brings such policies calls it.
create function private.index_policies()
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

revoke execute on function private.index_policies() from public;

select private.index_policies();

-- What an app shows as unread: an organization's highlights since it last looked.
create index highlights_newest_first on public.highlights (organization_id, created_at desc) where deleted_at is null;

-- A parent's children are all of one organization. Without this the planner takes a question for a show's episodes to
-- be a hundred times rarer than it is, since the policy asks for the organization too, and chooses the wrong index.
create statistics public.episodes_of_one_organization (dependencies) on project_id, organization_id
    from public.episodes;
create statistics public.jobs_of_one_organization (dependencies) on production_id, organization_id
    from public.jobs;
create statistics public.sources_of_one_organization (dependencies) on project_id, organization_id
    from public.sources;
create statistics public.blocks_of_one_organization (dependencies) on episode_id, organization_id
    from public.blocks;
create statistics public.slots_of_one_organization (dependencies) on project_id, organization_id
    from public.episode_schedule_queue;
create statistics public.messages_of_one_organization (dependencies) on session_id, organization_id
    from public.chat_messages;
