drop function if exists
    public.leave_organization, public.remove_member, public.set_member_role,
    private.leave_organization, private.remove_member, private.set_member_role, private.membership_for;

create or replace function private.keep_an_owner()
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
