grant insert (organization_id, user_id, role) on public.organization_members to authenticated;
create policy "admins add members, owners also add owners" on public.organization_members
    for insert to authenticated
    with check (
        organization_id in (select private.my_organizations('owner'))
        or (role < 'owner' and organization_id in (select private.my_organizations('admin')))
    );

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

drop trigger if exists revoke_invitations_of_member on public.organization_members;
drop function if exists
    public.invite_member, public.accept_invitation, public.revoke_invitation, public.leave_organization,
    public.remove_member, public.set_member_role,
    private.invite_member, private.accept_invitation, private.revoke_invitation, private.leave_organization,
    private.remove_member, private.set_member_role, private.membership_for, private.may_replace_invitation,
    private.revoke_invitations_of_member, private.hash_of_token, private.normal_email, private.lock_organization,
    private.require_role;
drop table if exists public.organization_invitations;
