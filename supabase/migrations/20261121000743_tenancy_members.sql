-- How people leave an organization, and how what they may do there is changed. Each call locks the organization, so that
-- of two at the same moment one sees what the other did; the rule that an owner stays is the trigger's.

-- As before, and: a personal organization stays its person's own.
create or replace function private.keep_an_owner()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    organization public.organizations;
begin
    select * into organization
    from public.organizations
    where organizations.id = old.organization_id
    for no key update;
    if not found then
        return null;
    end if;

    if organization.personal_user_id = old.user_id and not exists (
        select
        from public.organization_members as member
        where member.organization_id = old.organization_id
            and member.user_id = old.user_id
            and member.role = 'owner'
    ) then
        raise exception 'role: a personal organization belongs to its person, who stays its owner.'
            using errcode = 'check_violation', column = 'role';
    end if;

    if not exists (
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

-- The membership that the caller may end or change: any for owners, those below owner for admins, null when there is
-- none. The organization is locked.
create function private.membership_for(p_organization uuid, p_user uuid)
returns public.organization_members
language plpgsql
security definer
set search_path = ''
as $$
declare
    membership public.organization_members;
begin
    perform private.lock_organization(p_organization, 'admin');
    select * into membership
    from public.organization_members as member
    where member.organization_id = p_organization
      and member.user_id = p_user;
    if membership.role = 'owner' and p_organization not in (select private.my_organizations('owner')) then
        perform private.refuse('42501', 'user_id: only an owner may change or remove an owner');
    end if;
    return membership;
end
$$;

-- Asked again, it has nothing left to do; the answer is the same for an organization that does not exist.
create function private.leave_organization(p_organization uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
    if p_organization is null or p_organization not in (select private.my_organizations()) then
        return false;
    end if;
    perform private.lock_organization(p_organization, 'viewer');
    set constraints public.keep_an_owner immediate;
    delete from public.organization_members as member
    where member.organization_id = p_organization
      and member.user_id = (select auth.uid());
    set constraints public.keep_an_owner deferred;
    if not found then
        return false;
    end if;
    perform private.note_event(p_organization, 'organization_left', '{}');
    return true;
end
$$;

create function private.remove_member(p_organization uuid, p_user uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
    membership public.organization_members := private.membership_for(p_organization, p_user);
begin
    if membership.user_id is null then
        return false;
    end if;
    set constraints public.keep_an_owner immediate;
    delete from public.organization_members as member
    where member.organization_id = p_organization
      and member.user_id = p_user;
    set constraints public.keep_an_owner deferred;
    perform private.note_event(p_organization, 'member_removed', jsonb_build_object('user_id', p_user));
    return true;
end
$$;

create function private.set_member_role(p_organization uuid, p_user uuid, p_role public.member_role)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
    membership public.organization_members := private.membership_for(p_organization, p_user);
begin
    if membership.user_id is null then
        perform private.refuse('P0002', format('user_id: %s is not a member', coalesce(p_user::text, 'null')));
    end if;
    if p_role is null then
        perform private.refuse('22023', 'role: a role is needed', 'viewer, editor, admin or owner.');
    end if;
    if p_role = 'owner' and p_organization not in (select private.my_organizations('owner')) then
        perform private.refuse('42501', 'role: only an owner may appoint another owner');
    end if;
    if membership.role = p_role then
        return false;
    end if;
    set constraints public.keep_an_owner immediate;
    update public.organization_members as member
    set role = p_role
    where member.organization_id = p_organization
      and member.user_id = p_user;
    set constraints public.keep_an_owner deferred;
    perform private.note_event(p_organization, 'member_role_changed', jsonb_build_object(
        'user_id', p_user, 'from', membership.role, 'to', p_role
    ));
    return true;
end
$$;

create function public.leave_organization(organization_id uuid)
returns boolean
language sql
set search_path = ''
as $$
    select private.leave_organization(organization_id)
$$;
comment on function public.leave_organization(uuid) is 'Ends the caller''s own membership. True when there was one; the last owner cannot leave.';

create function public.remove_member(organization_id uuid, user_id uuid)
returns boolean
language sql
set search_path = ''
as $$
    select private.remove_member(organization_id, user_id)
$$;
comment on function public.remove_member(uuid, uuid) is 'Ends another''s membership. True when there was one; only owners remove owners.';

create function public.set_member_role(organization_id uuid, user_id uuid, role public.member_role)
returns boolean
language sql
set search_path = ''
as $$
    select private.set_member_role(organization_id, user_id, role)
$$;
comment on function public.set_member_role(uuid, uuid, public.member_role) is 'Changes what a member may do. True when it was something else; only owners appoint and change owners.';

revoke execute on function
    private.membership_for, private.leave_organization, private.remove_member, private.set_member_role,
    public.leave_organization, public.remove_member, public.set_member_role
    from public, anon;
grant execute on function
    private.leave_organization, private.remove_member, private.set_member_role,
    public.leave_organization, public.remove_member, public.set_member_role
    to authenticated;
