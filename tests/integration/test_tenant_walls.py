"""Nothing crosses from one organization to another: no move, no reference, no message, no forged claim."""

from __future__ import annotations

import json
import uuid

import psycopg
import pytest
from psycopg import sql

from local.access import access

TABLES = access().tables
TENANT_TABLES = [
    name for name, table in TABLES.items() if "organization_id" in table.example and name != "processing_minutes"
]

# Which columns a client may write that name a row elsewhere: (table, column, table it names, that table's column).
REFERENCES = """
    select child.relname, attribute.attname, parent.relname, named.attname
    from pg_constraint as link
    join pg_class as child on child.oid = link.conrelid and child.relnamespace = 'public'::regnamespace
    join pg_class as parent on parent.oid = link.confrelid and parent.relnamespace = 'public'::regnamespace
    cross join lateral unnest(link.conkey, link.confkey) as pair (own, other)
    join pg_attribute as attribute on attribute.attrelid = child.oid and attribute.attnum = pair.own
    join pg_attribute as named on named.attrelid = parent.oid and named.attnum = pair.other
    where link.contype = 'f'
        and named.attname = 'id'
        and attribute.attname <> 'organization_id'
        and has_column_privilege('authenticated', child.oid, attribute.attnum, %s)
    order by 1, 2
"""


def told(connection, statement, values):
    """What a client reads of a refusal: code, message, detail and hint."""
    with pytest.raises(psycopg.Error) as refused:
        connection.execute(statement, values)
    diagnosis = refused.value.diag
    return refused.value.sqlstate, diagnosis.message_primary, diagnosis.message_detail, diagnosis.message_hint


def named_row(tenant, table):
    return tenant.rows.get((table, None)) or tenant.rows[table, "owner"]


def without(answer, *ids):
    text = repr(answer)
    for number in ids:
        text = text.replace(str(number), "id")
    return text


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_no_client_moves_a_row_to_another_organization(tenants, table):
    statement = sql.SQL("update public.{} set organization_id = %s").format(sql.Identifier(table))

    for actor in ("anonymous", "outsider", "removed", "viewer", "editor", "admin", "owner"):
        with tenants.acting(actor) as connection:
            assert told(connection, statement, [tenants.b.organization])[0] == "42501"


# What functions alone decide, by how such columns are named.
DECIDED = r"(^|_)(status|progress|cost|gbp|price|tier|key|token|hash|sha256|secret|attempts?|errors?|version)(_|$)"
OWN_WORDS = {
    "planning_notes.status": "an editor dismisses a note; that it was consumed is refused by its policy",
    "sources.upload_key": "a check holds it to the folder of the organization's own uploads",
}


def test_no_column_that_functions_decide_is_for_clients_to_write(owner):
    writable = owner.execute(
        """
        select class.relname || '.' || attribute.attname
        from pg_class as class
        join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0
        cross join unnest(array['insert', 'update']) as command
        cross join unnest(array['anon', 'authenticated']) as client
        where class.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
            and not attribute.attisdropped
            and has_column_privilege(client, class.oid, attribute.attnum, command)
            and (attribute.attname ~ %s or attribute.attname in ('created_by', 'deleted_by', 'requested_by'))
        """,
        [DECIDED],
    ).fetchall()

    assert {name for (name,) in writable} == set(OWN_WORDS)


def test_columns_that_name_other_rows_are_known(tenants):
    insertable = {row[:3] for row in tenants.owner.execute(REFERENCES, ["insert"]).fetchall()}

    assert ("highlights", "block_id", "blocks") in insertable
    assert ("blocks", "episode_id", "episodes") in insertable
    assert len(insertable) >= 12


def test_a_row_that_names_anothers_row_is_refused_as_if_that_did_not_exist(tenants):
    for table, column, parent, _ in tenants.owner.execute(REFERENCES, ["insert"]).fetchall():
        if parent == "users":
            continue  # the person's own id, or the walk over "own" finds it
        answers = []
        for value in (named_row(tenants.b, parent)["id"], uuid.uuid4()):
            entry = TABLES[table]
            statement, values = tenants.insertion(
                entry, tenants.a, "owner" if entry.personal else None, {**entry.example, column: value}
            )
            with tenants.acting("owner") as connection:
                answers.append(without(told(connection, statement, values), value))
        assert answers[0] == answers[1], f"{table}.{column}"


def test_a_row_that_is_changed_to_name_anothers_row_is_refused_in_the_same_way(tenants):
    found = tenants.owner.execute(REFERENCES, ["update"]).fetchall()

    for table, column, parent, _ in found:
        statement = sql.SQL("update public.{} set {} = %s").format(sql.Identifier(table), sql.Identifier(column))
        answers = []
        for value in (named_row(tenants.b, parent)["id"], uuid.uuid4()):
            with tenants.acting("owner") as connection:
                answers.append(without(told(connection, statement, [value]), value))
        assert answers[0] == answers[1], f"{table}.{column}"

    assert found


@pytest.mark.parametrize("table", [name for name, table in TABLES.items() if "id" in table.insertable])
def test_an_id_that_is_taken_elsewhere_is_refused_without_a_word_about_its_row(tenants, table):
    entry = TABLES[table]
    taken = named_row(tenants.b, table)["id"]
    statement, values = tenants.insertion(
        entry, tenants.a, "owner" if entry.personal else None, {**entry.example, "id": taken}
    )

    with tenants.acting("owner") as connection:
        code, message, detail, _ = told(connection, statement, values)

    assert (code, message, detail) == (
        "23505",
        f'duplicate key value violates unique constraint "{table}_pkey"',
        None,
    )


@pytest.mark.parametrize("actor", ["viewer", "editor", "admin", "owner", "removed", "outsider"])
def test_every_row_that_is_seen_belongs_to_ones_own_organizations(tenants, actor):
    for table in [*TENANT_TABLES, "processing_minutes"]:
        if "select" not in TABLES[table].steps:
            continue
        with tenants.acting(actor) as connection:
            seen = connection.execute(
                sql.SQL("select distinct organization_id from public.{}").format(sql.Identifier(table))
            ).fetchall()
        theirs = {tenants.outsider} if actor == "outsider" else {tenants.a.people[actor]}
        if actor not in ("removed", "outsider"):
            theirs.add(tenants.a.organization)
        assert {organization for (organization,) in seen} <= theirs, table


def test_a_feeds_token_cannot_be_guessed_or_asked_for(tenants):
    token = tenants.owner.execute(
        "select token from feeds where organization_id = %s", [tenants.b.organization]
    ).fetchone()[0]

    with tenants.acting("owner") as connection:
        seen = connection.execute(
            "select count(*) from feeds where token = %s or token like %s", [token, token[:5] + "%"]
        ).fetchone()

    assert seen == (0,)
    assert len(token) == 64


# --- claims ---------------------------------------------------------------------------------------------------------

VICTIM = "{victim}"
FORGERIES = {
    "nothing is set": None,
    "empty": "",
    "no claims": "{}",
    "no sub": '{"role": "authenticated"}',
    "sub is null": '{"role": "authenticated", "sub": null}',
    "an unknown sub": '{"role": "authenticated", "sub": "00000000-0000-4000-8000-000000000000"}',
    "a sub that is no id": '{"role": "authenticated", "sub": "owner"}',
    "a sub that is SQL": json.dumps({"role": "authenticated", "sub": "' or true --"}),
    "service_role in the claims": '{"role": "service_role"}',
    "metadata": json.dumps({"app_metadata": {"sub": VICTIM, "role": "owner"}, "user_metadata": {"sub": VICTIM}}),
    "another claim": json.dumps({"user_id": VICTIM, "email": "owner@example.com", "session_id": VICTIM}),
    "not an object": '["authenticated"]',
    "not JSON": "sub=" + VICTIM,
}


@pytest.mark.parametrize("role", ["authenticated", "anon"])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_claims_show_nothing(tenants, role, forgery):
    claims = FORGERIES[forgery]
    private = [name for name, table in TABLES.items() if table.outcome("outsider", "select") != "everything"]

    for table in private:
        with tenants.owner.transaction(force_rollback=True):
            if claims is not None:
                claims = claims.replace(VICTIM, str(tenants.a.people["owner"]))
                tenants.owner.execute("select set_config('request.jwt.claims', %s, true)", [claims])
            tenants.owner.execute(f"set local role {role}".encode())
            try:
                seen = tenants.owner.execute(sql.SQL("select 1 from public.{}").format(sql.Identifier(table))).rowcount
            except (psycopg.errors.InsufficientPrivilege, psycopg.errors.DataError):
                seen = 0
        assert seen == 0, table


def test_a_token_that_outlives_its_account_shows_and_does_nothing(tenants):
    for table in TENANT_TABLES:
        if "select" in TABLES[table].steps:
            with tenants.owner.transaction(force_rollback=True):
                tenants.owner.execute("delete from auth.users where id = %s", [tenants.a.people["editor"]])
                with tenants.acting("editor") as connection:
                    seen = connection.execute(sql.SQL("select 1 from public.{}").format(sql.Identifier(table))).rowcount
            assert seen == 0, table


@pytest.mark.parametrize(
    "statement",
    [
        "select * from engine.kinds",
        "select engine.cancel(null)",
        "select private.note_event(null, 'x', '{}')",
        "select private.production_for(null, 'viewer')",
        "select * from auth.users",
        "alter table public.blocks disable row level security",
        "create table public.mine (id int)",
        "create function public.mine() returns int language sql as 'select 1'",
    ],
)
def test_a_client_gets_no_further_than_its_role(tenants, statement):
    with tenants.acting("owner") as connection:
        assert told(connection, statement, [])[0] == "42501"
