"""supabase/access.toml against the database: every table and view, command, column and function, for every actor."""

from __future__ import annotations

import uuid

import psycopg
import pytest
from psycopg import sql

from local.access import ACTORS, COMMANDS, PAGE, access, page

TABLES = access().tables
FUNCTIONS = access().functions
EXPOSED = ("public",)


def test_every_table_and_view_has_an_entry(owner):
    found = owner.execute(
        "select relname from pg_class "
        "where relnamespace = any (%s::regnamespace[]) and relkind in ('r', 'p', 'v', 'm', 'f')",
        [list(EXPOSED)],
    )

    assert {name for (name,) in found} == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_each_actor_meets_exactly_what_is_meant(tenants, table):
    entry = TABLES[table]
    cells = [(actor, command) for command in COMMANDS for actor in ACTORS]

    found = {cell: tenants.outcome(entry, *cell) for cell in cells}

    odd = {
        cell: f"{found[cell]}, meant is {entry.outcome(*cell)}" for cell in cells if found[cell] != entry.outcome(*cell)
    }
    assert odd == {}


COLUMNS = """
    select attribute.attname
    from pg_attribute as attribute
    where attribute.attrelid = %(table)s::regclass and attribute.attnum > 0 and not attribute.attisdropped
        and has_column_privilege(%(role)s, attribute.attrelid, attribute.attnum, %(privilege)s)
"""


@pytest.mark.parametrize("table", TABLES)
def test_clients_read_and_write_the_columns_that_are_theirs(owner, table):
    entry = TABLES[table]
    every = {
        name
        for (name,) in owner.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped",
            [f"public.{table}"],
        )
    }
    meant = {
        "select": every - entry.hidden if "select" in entry.steps else set(),
        "insert": entry.insertable,
        "update": entry.updatable,
    }

    found = {
        privilege: {
            name
            for (name,) in owner.execute(
                COLUMNS, {"table": f"public.{table}", "role": "authenticated", "privilege": privilege}
            )
        }
        for privilege in meant
    }

    assert found == meant


@pytest.mark.parametrize("table", TABLES)
def test_even_an_owner_cannot_set_another_column(tenants, table):
    every = tenants.owner.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
        "and not attisdropped and attgenerated = '' and attidentity = ''",
        [f"public.{table}"],
    ).fetchall()

    accepted = {name for (name,) in every if tenants.sets(table, name)}

    assert accepted == TABLES[table].updatable


# --- functions ------------------------------------------------------------------------------------------------------


def test_every_function_that_a_client_may_call_has_an_entry(owner):
    callable_by = {
        role: {
            name
            for (name,) in owner.execute(
                "select distinct proname from pg_proc where pronamespace = any (%s::regnamespace[]) "
                "and has_function_privilege(%s, oid, 'execute')",
                [list(EXPOSED), role],
            )
        }
        for role in ("anon", "authenticated")
    }

    assert callable_by == {"anon": set(), "authenticated": set(FUNCTIONS)}


def call(tenants, actor, function, names):
    """The error's (code, message, hint), or None."""
    statement = sql.SQL("select * from public.{}({})").format(
        sql.Identifier(function.name),
        sql.SQL(function.call).format(**{name: sql.Literal(value) for name, value in names.items()}),
    )
    with tenants.acting(actor) as connection:
        try:
            connection.execute(statement)
        except psycopg.Error as error:
            return error.sqlstate, error.diag.message_primary, error.diag.message_hint
    return None


LEAST = {"signed-in": 1, "viewer": 2, "editor": 3, "admin": 4, "owner": 5}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_is_open_from_its_least_role_on(tenants, function):
    members = ("viewer", "editor", "admin", "owner")
    refusals = {"42501", "PT404"} - {function.always}

    answers = {actor: call(tenants, actor, function, tenants.names(actor)) for actor in members}

    refused = {actor for actor, answer in answers.items() if answer is not None and answer[0] in refusals}
    assert refused == {actor for actor in members if LEAST[actor] < LEAST[function.role]}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_what_is_another_organizations_looks_like_what_does_not_exist(tenants, function):
    def answer(actor, given):
        """What the caller is told, with the ids that they named replaced by what they stand for."""
        told = repr(call(tenants, actor, function, given))
        for name, value in given.items():
            told = told.replace(str(value), name)
        return told

    for actor in ("outsider", "removed"):
        theirs = tenants.names(actor)
        assert answer(actor, theirs) == answer(actor, {name: uuid.uuid4() for name in theirs})
    for actor in ("anonymous", "worker"):
        assert call(tenants, actor, function, tenants.names(actor))[0] == "42501"


# --- the walk itself ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "table", "command"),
    [
        ("create policy x on public.blocks for select to authenticated using (true)", "blocks", "select"),
        ("drop policy \"viewers may select\" on public.blocks", "blocks", "select"),
        ("grant delete on public.projects to authenticated", "projects", "delete"),
        ("grant select on public.jobs to anon", "jobs", "select"),
        ("create policy x on public.blocks for insert to authenticated with check (true)", "blocks", "insert"),
        ("drop policy \"people change their own highlights\" on public.highlights; "
         "select private.let_members('public.highlights', 'viewer', 'update')", "highlights", "update"),
        ("alter view public.processing_minutes set (security_invoker = false)", "processing_minutes", "select"),
        ("grant insert on public.production_stages to showrunner_worker; "
         "select private.let_worker('public.production_stages', 'insert')", "production_stages", "insert"),
        ("alter table public.audit_log disable row level security", "audit_log", "select"),
    ],
)  # fmt: skip
def test_the_walk_notices_what_is_too_wide_or_too_narrow(tenants, fault, table, command):
    entry = TABLES[table]
    meant = [entry.outcome(actor, command) for actor in ACTORS]

    with tenants.owner.transaction(force_rollback=True):
        tenants.owner.execute(fault)
        found = [tenants.outcome(entry, actor, command) for actor in ACTORS]

    assert found != meant


def test_the_page_is_drawn_from_the_entries_as_they_are():
    assert PAGE.read_text() == page(access()), "run: make docs"
