drop function if exists public.create_organization(text, text);
drop function if exists private.create_organization(text, text);

create function private.create_organization(name text)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
    organization_id uuid := gen_random_uuid();
begin
    if (select auth.uid()) is null then
        raise exception 'Sign in to create an organization.' using errcode = 'insufficient_privilege';
    end if;
    insert into public.organizations (id, name) values (organization_id, create_organization.name);
    insert into public.organization_members (organization_id, user_id, role)
    values (organization_id, (select auth.uid()), 'owner');
    return organization_id;
end
$$;

create function public.create_organization(name text)
returns uuid
language sql
set search_path = ''
as $$
    select private.create_organization(name)
$$;
comment on function public.create_organization(text) is 'Creates a shared organization with the caller as its owner; returns its id.';

revoke execute on function public.create_organization(text), private.create_organization(text) from public, anon;
grant execute on function public.create_organization(text), private.create_organization(text) to authenticated;
