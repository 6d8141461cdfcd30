-- The limit of shows is refused as every other limit of a tier is: with the code for "too many", and a hint.

-- Counted under the organization's lock: two shows created at the same moment see each other.
create or replace function private.check_project_limit()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    allowed integer;
    tier public.subscription_tier;
begin
    select limits.max_projects, organization.tier
    into allowed, tier
    from public.organizations as organization
    join public.tier_limits as limits on limits.tier = organization.tier
    where organization.id = new.organization_id
    for no key update of organization;

    if (
        select count(*)
        from public.projects as project
        where project.organization_id = new.organization_id
            and project.deleted_at is null
            and project.id <> new.id
    ) >= allowed then
        perform private.refuse('53400', format('projects: tier %s allows %s show(s)', tier, allowed),
            'Delete one or choose a higher tier.');
    end if;
    return new;
end
$$;
