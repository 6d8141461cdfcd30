-- Creating an organization may be repeated with a key, and not without end: each one has its tier's minutes and budget.

drop function public.create_organization(text);
drop function private.create_organization(text);

-- What was created is remembered by its event, under the lock of the person's profile.
create function private.create_organization(p_name text, p_idempotency_key text)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
    most_owned constant integer := 10;
    organization_id uuid;
begin
    perform from public.users where users.id = (select auth.uid()) for no key update;
    if not found then
        perform private.refuse('42501', 'Sign in to create an organization.');
    end if;
    if p_name is null or length(btrim(p_name)) not between 1 and 200 then
        perform private.refuse('23514', 'name: 1 to 200 characters are needed');
    end if;
    if length(p_idempotency_key) not between 1 and 200 then
        perform private.refuse('22023', 'idempotency_key: 1 to 200 characters are needed',
            'Use a new random key for each new request, and the same one to repeat it.');
    end if;

    select event.organization_id into organization_id
    from public.user_events as event
    where event.user_id = (select auth.uid())
      and event.event_type = 'organization_created'
      and event.event_data ->> 'idempotency_key' = p_idempotency_key
    order by event.created_at
    limit 1;
    if found then
        return organization_id;
    end if;

    if (
        select count(*)
        from public.organization_members as member
        join public.organizations as organization on organization.id = member.organization_id
        where member.user_id = (select auth.uid())
          and member.role = 'owner'
          and organization.deleted_at is null
          and not organization.is_personal
    ) >= most_owned then
        perform private.refuse('53400', format('name: one person may own %s organizations', most_owned),
            'Delete one, or hand it over to another owner and leave it.');
    end if;

    insert into public.organizations (name) values (btrim(p_name)) returning id into organization_id;
    insert into public.organization_members (organization_id, user_id, role)
    values (organization_id, (select auth.uid()), 'owner');
    perform private.note_event(organization_id, 'organization_created', jsonb_strip_nulls(jsonb_build_object(
        'idempotency_key', p_idempotency_key
    )));
    return organization_id;
end
$$;

create function public.create_organization(name text, idempotency_key text default null)
returns uuid
language sql
set search_path = ''
as $$
    select private.create_organization(name, idempotency_key)
$$;
comment on function public.create_organization(text, text) is 'Creates a shared organization with the caller as its owner; returns its id. The same key gives the same organization.';

revoke execute on function public.create_organization(text, text), private.create_organization(text, text)
    from public, anon;
grant execute on function public.create_organization(text, text), private.create_organization(text, text)
    to authenticated;
