-- Undoes tenancy: no table, type, function or schema of this project remains.

-- auth.users belongs to Supabase: its trigger can only go together with the function it calls.
drop function private.welcome_user() cascade;
drop table public.organization_members, public.organizations, public.users, public.tier_limits;
drop function public.create_organization(text);
drop schema engine;
drop schema private cascade;
drop type public.member_role;
drop type public.subscription_tier;
drop owned by showrunner_worker;

-- A role belongs to the whole server: it stays while another database of it still grants it something.
do $$
begin
    drop role showrunner_worker;
exception
    when dependent_objects_still_exist then
        raise notice 'role showrunner_worker is still used by another database';
end
$$;
