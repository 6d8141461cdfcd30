-- Undoes tenancy.

-- auth.users belongs to Supabase: its trigger can only go together with the function it calls.
drop function private.welcome_user() cascade;
drop table public.organization_members, public.organizations, public.users, public.tier_limits;
drop function public.create_organization(text);
drop function private.create_organization(text);
drop function private.keep_an_owner();
drop function private.check_user_timezone();
drop function private.is_time_zone(text);
drop function private.let_members(regclass, public.member_role, text[]);
drop function private.my_organizations(public.member_role);
drop function private.my_organizations();
drop type public.member_role;
drop type public.subscription_tier;
