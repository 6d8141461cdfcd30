"""supabase/access.toml against the database: every table and view, command, column and function, for every actor."""

from __future__ import annotations

import uuid

import psycopg
import pytest
from psycopg import sql

from local.access import ACTORS, COMMANDS, access

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
    meant = {command: {actor: TABLES[table].outcome(actor, command) for actor in ACTORS} for command in COMMANDS}

    found = {
        command: {actor: tenants.outcome(TABLES[table], actor, command) for actor in ACTORS} for command in COMMANDS
    }

    assert found == meant


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
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0", [f"public.{table}"]
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
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and attgenerated = ''",
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


@pytest.fixture
def names(tenants):
    """What a call may name: the rows of the members' organization."""
    return {
        "organization": tenants.a.organization,
        "guest": tenants.a.people["guest"],
        **{table: row["id"] for (table, person), row in tenants.a.rows.items() if person is None and "id" in row},
    }


LEAST = {"signed-in": 1, "viewer": 2, "editor": 3, "admin": 4, "owner": 5}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_is_open_from_its_least_role_on(tenants, names, function):
    members = ("viewer", "editor", "admin", "owner")
    refusals = {"42501", "P0002"} - {function.always}

    answers = {actor: call(tenants, actor, function, names) for actor in members}

    refused = {actor for actor, answer in answers.items() if answer is not None and answer[0] in refusals}
    assert refused == {actor for actor in members if LEAST[actor] < LEAST[function.role]}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_what_is_another_organizations_looks_like_what_does_not_exist(tenants, names, function):
    ids = {name: value for name, value in names.items() if f"{{{name}}}" in function.call}
    nowhere = names | {name: uuid.uuid4() for name in ids}

    def without_ids(answer, given):
        return answer and tuple(
            None if part is None else part.replace(str(value), "id")
            for part in answer
            for value in [*given.values()][:1]
        )

    for actor in ("outsider", "removed"):
        theirs = call(tenants, actor, function, names)
        missing = call(tenants, actor, function, nowhere)
        assert without_ids(theirs, ids) == without_ids(missing, {name: nowhere[name] for name in ids})
    assert call(tenants, "anonymous", function, names)[0] == "42501"
    assert call(tenants, "worker", function, names)[0] == "42501"
