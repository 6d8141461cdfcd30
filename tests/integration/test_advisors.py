"""What holds for the whole catalogue: Supabase's own advisors where its command line is there, and the same questions
as queries wherever Postgres is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.access import access

INSTALLED = Path(__file__).parents[1] / "clients" / "node_modules" / ".bin" / "supabase"
CLI = str(INSTALLED) if INSTALLED.exists() else shutil.which("supabase")

# Each finds what should not be; the name is that of Supabase's lint where it has one.
LINTS = {
    "rls_disabled": """
        select relname from pg_class
        where relnamespace in ('public'::regnamespace, 'engine'::regnamespace, 'private'::regnamespace)
            and relkind in ('r', 'p') and not relrowsecurity
    """,
    "policy_exists_rls_disabled": """
        select distinct policies.tablename, policies.policyname
        from pg_policies as policies
        join pg_tables as tables using (schemaname, tablename)
        where not tables.rowsecurity and policies.schemaname in ('public', 'engine', 'private')
    """,
    "rls_enabled_no_policy": """
        select relname from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relrowsecurity
            and not exists (select from pg_policy where polrelid = pg_class.oid)
    """,
    "auth_rls_initplan": r"""
        select tablename, policyname from pg_policies
        where regexp_replace(
            coalesce(qual, '') || ' ' || coalesce(with_check, ''), '\( SELECT (auth\.\w+|current_setting)\(', '', 'g'
        ) ~ '(auth\.\w+|current_setting)\('
    """,
    # By an array that the query asks for once, of all the caller's memberships or of those from a role on.
    "membership_is_asked_once_per_statement": r"""
        select tablename, policyname from pg_policies
        where schemaname = 'public' and regexp_replace(
            concat(qual, ' ', with_check),
            '= ANY \(ARRAY\( SELECT memberships\.organization_id\s+FROM private\.memberships'
                || '(\s+WHERE \(memberships\.role >= ''\w+''::(public\.)?member_role\))?\)\)',
            '', 'g'
        ) ~ 'memberships|my_organizations'
    """,
    # The policies of all tables rest on it.
    "people_see_their_own_memberships_alone": """
        select policyname from pg_policies
        where schemaname = 'private' and tablename = 'memberships'
            and (policyname, permissive, roles::text, cmd, qual) is distinct from (
                'people see their own memberships', 'PERMISSIVE', '{authenticated}', 'SELECT',
                '(user_id = ( SELECT auth.uid() AS uid))'
            )
    """,
    "multiple_permissive_policies": """
        select tablename, role, cmd, array_agg(policyname)
        from pg_policies
        cross join unnest(roles) as role
        where permissive = 'PERMISSIVE' and schemaname in ('public', 'engine')
        group by tablename, role, cmd
        having count(*) > 1
    """,
    "a_policy_is_for_one_command_and_named_roles": """
        select tablename, policyname from pg_policies
        where schemaname in ('public', 'engine') and (cmd = 'ALL' or 'public' = any (roles))
    """,
    "an_update_policy_also_checks_the_new_row": """
        select tablename, policyname from pg_policies
        where schemaname in ('public', 'engine') and cmd = 'UPDATE' and with_check is null
    """,
    "rls_policy_always_true": """
        select tablename, policyname from pg_policies
        where cmd <> 'SELECT' and 'showrunner_worker' <> all (roles)
            and (qual = 'true' or with_check = 'true')
    """,
    "rls_references_user_metadata": """
        select tablename, policyname from pg_policies
        where coalesce(qual, '') || coalesce(with_check, '') ~ 'user_metadata'
    """,
    "function_search_path_mutable": """
        select oid::regprocedure::text from pg_proc
        where pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'engine'::regnamespace)
            and not coalesce(proconfig, '{}') @> array['search_path=""']
    """,
    "security_definer_function_in_an_exposed_schema": """
        select oid::regprocedure::text from pg_proc where pronamespace = 'public'::regnamespace and prosecdef
    """,
    "function_that_anybody_may_execute": """
        select oid::regprocedure::text from pg_proc
        where pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'engine'::regnamespace)
            and (has_function_privilege('anon', oid, 'execute') or proacl is null)
    """,
    "security_definer_view": """
        select oid::regclass::text from pg_class
        where relkind = 'v'
            and relnamespace in ('public'::regnamespace, 'private'::regnamespace, 'engine'::regnamespace)
            and not coalesce(reloptions, '{}') @> array['security_invoker=true']
    """,
    "materialized_view_or_foreign_table_in_api": """
        select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('m', 'f')
    """,
    "auth_users_exposed": """
        select distinct dependent.relname
        from pg_depend
        join pg_rewrite on pg_rewrite.oid = pg_depend.objid
        join pg_class as dependent on dependent.oid = pg_rewrite.ev_class
        where pg_depend.refobjid = 'auth.users'::regclass and dependent.relnamespace = 'public'::regnamespace
    """,
    "extension_in_public": "select extname from pg_extension where extnamespace = 'public'::regnamespace",
    "no_primary_key": """
        select relname from pg_class
        where relkind in ('r', 'p') and relnamespace in ('public'::regnamespace, 'engine'::regnamespace)
            and not exists (select from pg_index where indrelid = pg_class.oid and indisprimary)
    """,
    "duplicate_index": """
        select array_agg(indexrelid::regclass::text)
        from pg_index
        join pg_class as tables on tables.oid = indrelid
        where tables.relnamespace in ('public'::regnamespace, 'engine'::regnamespace)
        group by indrelid, indkey::text, indclass::text, indoption::text, indisunique,
            coalesce(pg_get_expr(indpred, indrelid), ''), coalesce(pg_get_expr(indexprs, indrelid), '')
        having count(*) > 1
    """,
    # Who deleted a row, or asked for it, is rarely looked up; accounts are rarely removed. Of a key with two columns
    # one suffices: rows of one show or episode are few.
    "unindexed_foreign_keys": """
        select conrelid::regclass::text, conname
        from pg_constraint
        where contype = 'f' and connamespace = 'public'::regnamespace
            and confrelid not in ('auth.users'::regclass, 'public.users'::regclass, 'public.tier_limits'::regclass)
            and not exists (
                select from pg_index
                where indrelid = conrelid and indkey[0] = any (conkey)
                    and (cardinality(conkey) = 1 or indkey[1] = any (conkey) or conkey[2] = indkey[0])
            )
    """,
    "every_tenant_column_leads_an_index": """
        select attrelid::regclass::text
        from pg_attribute
        join pg_class on pg_class.oid = attrelid and relkind = 'r' and relnamespace = 'public'::regnamespace
        where attname = 'organization_id'
            and not exists (select from pg_index where indrelid = attrelid and indkey[0] = attnum)
    """,
    "without_signing_in_only_reference_data_is_seen": """
        select distinct table_schema, table_name, privilege_type from information_schema.role_table_grants
        where grantee in ('anon', 'PUBLIC') and table_schema in ('public', 'private', 'engine')
            and (table_name, privilege_type) not in (('tier_limits', 'SELECT'), ('voices', 'SELECT'))
    """,
    "clients_enter_no_schema_of_the_backend": """
        select role from unnest(array['anon', 'authenticated']) as role
        where has_schema_privilege(role, 'engine', 'usage')
        union all
        select 'anon' where has_schema_privilege('anon', 'private', 'usage')
    """,
    "clients_hold_no_grant_on_the_backends_tables": """
        select table_schema, table_name from information_schema.role_table_grants
        where grantee in ('anon', 'authenticated') and table_schema in ('private', 'engine')
            and (table_name, grantee, privilege_type) <> ('memberships', 'authenticated', 'SELECT')
    """,
    # What a function in public passes on to, and the helpers that are named as such.
    "clients_execute_only_what_is_meant_in_private": """
        select proname from pg_proc as inner_function
        where pronamespace in ('private'::regnamespace, 'engine'::regnamespace)
            and has_function_privilege('authenticated', oid, 'execute')
            and proname <> all (string_to_array('{helpers}', ' '))
            and not exists (
                select from pg_proc as outer_function
                where outer_function.pronamespace = 'public'::regnamespace
                    and outer_function.prosrc ~ ('private\\.' || inner_function.proname || '\\(')
            )
    """.replace("{helpers}", " ".join(access().helpers)),
}

FAULTS = {
    "rls_disabled": "alter table public.blocks disable row level security",
    "policy_exists_rls_disabled": "alter table public.blocks disable row level security",
    "rls_enabled_no_policy": "create table public.x (id int primary key); "
    "alter table public.x enable row level security",
    "auth_rls_initplan": "create policy x on public.blocks for select to authenticated using (id = auth.uid())",
    "membership_is_asked_once_per_statement": "create policy x on public.blocks for select to authenticated "
    "using (organization_id = any (array(select private.my_organizations())) or private.is_time_zone('UTC') "
    "and exists (select from private.my_organizations() as mine where mine = organization_id))",
    "multiple_permissive_policies": "create policy x on public.blocks for select to authenticated using (true)",
    "a_policy_is_for_one_command_and_named_roles": "create policy x on public.blocks using (true)",
    "an_update_policy_also_checks_the_new_row": "create policy x on public.blocks for update to anon using (true)",
    "rls_policy_always_true": "create policy x on public.blocks for delete to anon using (true)",
    "rls_references_user_metadata": "create policy x on public.blocks for select to anon "
    "using (((select auth.jwt()) -> 'user_metadata') is not null)",
    "function_search_path_mutable": "create function public.x() returns int language sql as 'select 1'",
    "security_definer_function_in_an_exposed_schema": "create function public.x() returns int language sql "
    "security definer as 'select 1'",
    "function_that_anybody_may_execute": "create function private.x() returns int language sql as 'select 1'",
    "security_definer_view": "create view public.x as select 1 as one",
    "materialized_view_or_foreign_table_in_api": "create materialized view public.x as select 1 as one",
    "auth_users_exposed": "create view public.x with (security_invoker = true) as select email from auth.users",
    "no_primary_key": "create table public.x (id int)",
    "duplicate_index": "create index x on public.blocks (organization_id, episode_id)",
    "unindexed_foreign_keys": "drop index public.highlights_block_id",
    "people_see_their_own_memberships_alone": "create policy x on private.memberships for select to authenticated "
    "using (true)",
    "every_tenant_column_leads_an_index": "drop index public.production_stages_of_organization",
    "without_signing_in_only_reference_data_is_seen": "grant select on public.blocks to anon",
    "clients_enter_no_schema_of_the_backend": "grant usage on schema engine to authenticated",
    "clients_hold_no_grant_on_the_backends_tables": "grant select on engine.kinds to authenticated",
    "clients_execute_only_what_is_meant_in_private": "grant execute on function private.note_event to authenticated",
}


@pytest.mark.parametrize("lint", LINTS)
def test_the_catalogue_has_no_finding(tenants, lint):
    assert tenants.owner.execute(LINTS[lint]).fetchall() == []


@pytest.mark.parametrize("lint", FAULTS)
def test_a_finding_would_be_found(tenants, lint):
    with tenants.owner.transaction(force_rollback=True):
        tenants.owner.execute(FAULTS[lint])

        assert tenants.owner.execute(LINTS[lint]).fetchall() != []


if CLI is not None:

    def test_supabases_advisors_report_nothing_from_warnings_on(database, tmp_path):
        command = [
            CLI,
            "db",
            "advisors",
            f"--remote={database.owner_url}",
            "--level",
            "warn",
            "--output-format",
            "json",
        ]

        # Where Node came with a wheel, it is beside this Python.
        environment = os.environ | {"CI": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

        done = subprocess.run(
            command,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env=environment,
        )

        found = json.loads(done.stdout)["results"] if done.stdout.startswith("{") else done.stderr
        assert found == []
