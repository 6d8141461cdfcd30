-- How people come to an organization: invitations to an e-mail address, and functions in `public` that check who asks,
-- name the field that is wrong and note what was done.
--
-- A membership begins with its person's consent: members can no longer be written in by someone who knows their id,
-- since that would have shown whether the id exists, and its profile.

create table public.organization_invitations (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references public.organizations (id) on delete cascade,
    email text not null check (email = lower(email) and length(email) between 3 and 254),
    role public.member_role not null,
    token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
    invited_by uuid not null references public.users (id) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    accepted_at timestamptz,
    accepted_by uuid references public.users (id) on delete set null,
    revoked_at timestamptz,
    constraint ends_once check (num_nonnulls(accepted_at, revoked_at) <= 1),
    constraint accepted_by_comes_with_accepted_at check (accepted_by is null or accepted_at is not null)
);
comment on table public.organization_invitations is 'Who was asked to join which organization, and as what. Open until it is accepted, revoked or expired.';
comment on column public.organization_invitations.email is 'In lower case, without blanks around it.';
comment on column public.organization_invitations.token_hash is 'SHA-256 of the token, which only the reply of invite_member showed.';
comment on column public.organization_invitations.revoked_at is 'Also set when a newer invitation to the same address replaces it, or when whoever invited may no longer do so.';

-- An address has one invitation at a time.
create unique index organization_invitations_open on public.organization_invitations (organization_id, email)
    where accepted_at is null and revoked_at is null;
create index organization_invitations_newest_first on public.organization_invitations (organization_id, created_at desc);
create index organization_invitations_invited_by on public.organization_invitations (invited_by, organization_id);
create index organization_invitations_accepted_by on public.organization_invitations (accepted_by);

-- Functions -----------------------------------------------------------------------------------------------------------

-- Refuse unless the caller has the role there. To others the organization does not exist.
create function private.require_role(p_organization uuid, p_minimum public.member_role)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
    if p_organization is null or p_organization not in (select private.my_organizations()) then
        perform private.refuse('P0002', format('organization_id: %s does not exist', coalesce(p_organization::text, 'null')));
    end if;
    if p_organization not in (select private.my_organizations(p_minimum)) then
        perform private.refuse('42501', format('organization_id: this needs the role %s or above', p_minimum));
    end if;
end
$$;

-- The same, with the organization locked: of two calls at the same moment one sees what the other did. Asked before,
-- so that strangers lock nothing, and after, since the caller may have lost the role meanwhile.
create function private.lock_organization(p_organization uuid, p_minimum public.member_role)
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform private.require_role(p_organization, p_minimum);
    perform from public.organizations where organizations.id = p_organization for no key update;
    perform private.require_role(p_organization, p_minimum);
end
$$;

create function private.normal_email(p_email text)
returns text
language sql
immutable
set search_path = ''
as $$
    select lower(normalize(btrim(p_email), nfc))
$$;

create function private.hash_of_token(p_token text)
returns text
language sql
immutable
set search_path = ''
as $$
    select encode(sha256(convert_to(p_token, 'UTF8')), 'hex')
$$;

create function private.invite_member(p_organization uuid, p_email text, p_role public.member_role)
returns table (invitation_id uuid, token text, expires_at timestamptz)
language plpgsql
security definer
set search_path = ''
as $$
declare
    most_open constant integer := 100;
    lives_for constant interval := '7 days';
    address text := private.normal_email(p_email);
begin
    perform private.lock_organization(p_organization, 'admin');
    if address is null or length(address) > 254 or address !~ '^[^[:space:][:cntrl:]@]+@[^[:space:][:cntrl:]@.]+(\.[^[:space:][:cntrl:]@.]+)+$' then
        perform private.refuse('22023', 'email: an address like name@example.com is needed');
    end if;
    if p_role is null then
        perform private.refuse('22023', 'role: a role is needed', 'viewer, editor, admin or owner.');
    end if;
    if p_role = 'owner' and p_organization not in (select private.my_organizations('owner')) then
        perform private.refuse('42501', 'role: only an owner may invite another owner', 'Invite as admin or below.');
    end if;

    if exists (
        select
        from public.organization_members as member
        join auth.users as person on person.id = member.user_id
        where member.organization_id = p_organization
          and private.normal_email(person.email) = address
    ) then
        perform private.refuse('23505', 'email: this person is a member already', 'Change the role with set_member_role.');
    end if;
    if not private.may_replace_invitation(p_organization, address) then
        perform private.refuse('42501', 'email: an owner invited this person as owner', 'Only an owner may change that.');
    end if;

    update public.organization_invitations as invitation
    set revoked_at = clock_timestamp()
    where invitation.organization_id = p_organization
      and invitation.email = address
      and invitation.accepted_at is null
      and invitation.revoked_at is null;
    if (
        select count(*)
        from public.organization_invitations as invitation
        where invitation.organization_id = p_organization
          and invitation.accepted_at is null
          and invitation.revoked_at is null
          and invitation.expires_at > clock_timestamp()
    ) >= most_open then
        perform private.refuse('53400', format('email: %s invitations are open already', most_open),
            'Revoke some, or wait until they are accepted.');
    end if;

    token := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
    expires_at := clock_timestamp() + lives_for;
    insert into public.organization_invitations (organization_id, email, role, token_hash, invited_by, expires_at)
    values (p_organization, address, p_role, private.hash_of_token(token), (select auth.uid()), invite_member.expires_at)
    returning id into invitation_id;
    perform private.note_event(p_organization, 'member_invited', jsonb_build_object(
        'invitation_id', invitation_id, 'role', p_role
    ));
    return next;
end
$$;

-- Whether no invitation to an owner's place, which only owners may make and end, is open for the address.
create function private.may_replace_invitation(p_organization uuid, p_address text)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
    select p_organization in (select private.my_organizations('owner'))
        or not exists (
            select
            from public.organization_invitations as invitation
            where invitation.organization_id = p_organization
              and invitation.email = p_address
              and invitation.role = 'owner'
              and invitation.accepted_at is null
              and invitation.revoked_at is null
              and invitation.expires_at > clock_timestamp()
        )
$$;

-- One answer for whatever is wrong with a token: who holds one that is not theirs learns nothing from it. The address
-- is that of the account, not of the claims, and counts when it was confirmed.
create function private.accept_invitation(p_token text)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
    invitation public.organization_invitations;
    member_since timestamptz;
begin
    select found_invitation.* into invitation
    from public.organization_invitations as found_invitation
    join public.organizations as organization on organization.id = found_invitation.organization_id
    join auth.users as person on private.normal_email(person.email) = found_invitation.email
    where found_invitation.token_hash = private.hash_of_token(p_token)
      and found_invitation.revoked_at is null
      and organization.deleted_at is null
      and person.id = (select auth.uid())
      and person.email_confirmed_at is not null
    for no key update of found_invitation;

    select member.created_at into member_since
    from public.organization_members as member
    where member.organization_id = invitation.organization_id
      and member.user_id = (select auth.uid());

    if invitation.accepted_by = (select auth.uid()) and member_since is not null then
        return invitation.organization_id;
    end if;
    if invitation.id is null or invitation.accepted_at is not null or invitation.expires_at <= clock_timestamp() then
        perform private.refuse('P0002', 'token: there is no open invitation with this token for you',
            'Sign in with the address that was invited, or ask for a new invitation.');
    end if;

    update public.organization_invitations as accepted
    set accepted_at = clock_timestamp(), accepted_by = (select auth.uid())
    where accepted.id = invitation.id;
    insert into public.organization_members as member (organization_id, user_id, role)
    values (invitation.organization_id, (select auth.uid()), invitation.role)
    on conflict (organization_id, user_id) do update
    set role = greatest(member.role, excluded.role)
    where member.role < excluded.role;
    perform private.note_event(invitation.organization_id, 'invitation_accepted', jsonb_build_object(
        'invitation_id', invitation.id, 'role', invitation.role
    ));
    return invitation.organization_id;
end
$$;

create function private.revoke_invitation(p_invitation uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
    invitation public.organization_invitations;
begin
    select * into invitation
    from public.organization_invitations as asked
    where asked.id = p_invitation
      and asked.organization_id in (select private.my_organizations('admin'))
    for no key update;
    if not found then
        perform private.refuse('P0002', format('invitation_id: %s does not exist', coalesce(p_invitation::text, 'null')));
    end if;
    if invitation.role = 'owner' and invitation.organization_id not in (select private.my_organizations('owner')) then
        perform private.refuse('42501', 'invitation_id: only an owner may revoke the invitation of an owner');
    end if;
    if num_nonnulls(invitation.accepted_at, invitation.revoked_at) > 0 or invitation.expires_at <= clock_timestamp() then
        return false;
    end if;
    update public.organization_invitations as revoked
    set revoked_at = clock_timestamp()
    where revoked.id = p_invitation;
    perform private.note_event(invitation.organization_id, 'invitation_revoked',
        jsonb_build_object('invitation_id', p_invitation));
    return true;
end
$$;

-- Whoever loses the right to invite takes along what they invited to: nobody comes back by an invitation of their own.
create function private.revoke_invitations_of_member()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    update public.organization_invitations as invitation
    set revoked_at = clock_timestamp()
    where invitation.invited_by = old.user_id
      and invitation.organization_id = old.organization_id
      and invitation.accepted_at is null
      and invitation.revoked_at is null
      and (tg_op = 'DELETE' or new.role < 'admin' or (new.role < 'owner' and invitation.role = 'owner'));
    return null;
end
$$;

-- What the API shows --------------------------------------------------------------------------------------------------

create function public.invite_member(organization_id uuid, email text, role public.member_role default 'viewer')
returns table (invitation_id uuid, token text, expires_at timestamptz)
language sql
set search_path = ''
as $$
    select * from private.invite_member(organization_id, email, role)
$$;
comment on function public.invite_member(uuid, text, public.member_role) is 'Invites an address for seven days, in place of an earlier invitation to it. The token is shown here alone: send it to the person.';

create function public.accept_invitation(token text)
returns uuid
language sql
set search_path = ''
as $$
    select private.accept_invitation(token)
$$;
comment on function public.accept_invitation(text) is 'Makes the caller, whose confirmed address was invited, a member; returns the organization. May be repeated.';

create function public.revoke_invitation(invitation_id uuid)
returns boolean
language sql
set search_path = ''
as $$
    select private.revoke_invitation(invitation_id)
$$;
comment on function public.revoke_invitation(uuid) is 'Makes an invitation useless. True when it was open.';

revoke execute on function
    private.require_role, private.lock_organization, private.normal_email, private.hash_of_token, private.invite_member,
    private.may_replace_invitation, private.accept_invitation, private.revoke_invitation,
    private.revoke_invitations_of_member,
    public.invite_member, public.accept_invitation, public.revoke_invitation
    from public, anon;
grant execute on function
    private.invite_member, private.accept_invitation, private.revoke_invitation,
    public.invite_member, public.accept_invitation, public.revoke_invitation
    to authenticated;

-- Triggers ------------------------------------------------------------------------------------------------------------

create trigger revoke_invitations_of_member
    after delete or update of role on public.organization_members
    for each row
    when (old.role >= 'admin')
    execute function private.revoke_invitations_of_member();

select private.audit('public.organization_invitations', 'token_hash');

-- Access --------------------------------------------------------------------------------------------------------------

revoke all on public.organization_invitations from anon, authenticated;
grant select (
    id, organization_id, email, role, invited_by, created_at, expires_at, accepted_at, accepted_by, revoked_at
) on public.organization_invitations to authenticated;
grant select, insert, update, delete on public.organization_invitations to service_role;

alter table public.organization_invitations enable row level security;

create policy "admins see invitations" on public.organization_invitations
    for select to authenticated
    using (organization_id = any (array(select private.my_organizations('admin'))));

revoke insert on public.organization_members from authenticated;
drop policy "admins add members, owners also add owners" on public.organization_members;
