grant insert (organization_id, user_id, role) on public.organization_members to authenticated;
create policy "admins add members, owners also add owners" on public.organization_members
    for insert to authenticated
    with check (
        organization_id in (select private.my_organizations('owner'))
        or (role < 'owner' and organization_id in (select private.my_organizations('admin')))
    );

drop trigger if exists revoke_invitations_of_member on public.organization_members;
drop function if exists
    public.invite_member, public.accept_invitation, public.revoke_invitation,
    private.invite_member, private.accept_invitation, private.revoke_invitation, private.may_replace_invitation,
    private.revoke_invitations_of_member, private.hash_of_token, private.normal_email, private.lock_organization,
    private.require_role;
drop table if exists public.organization_invitations;
