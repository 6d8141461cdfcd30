"""Whatever a client sends in a column or an argument is taken, or refused with a code and a word about the field."""

from __future__ import annotations

import re
import uuid

import psycopg
import pytest
from psycopg import sql

from local.access import access

TABLES = access().tables
FUNCTIONS = access().functions

TEXTS = {
    "null": None,
    "empty": "",
    "blank": " \t\n",
    "huge": "x" * 1_500_000,
    "control characters": "a\x01\x1b[31mb",
    "right to left and zero width": "\u202eabc\u200b\u2066",
    "outside the basic plane": "🎙️" * 50,
    "decomposed": "e\u0301" * 10,
    "no text but a number": "-1",
    "SQL": "'; drop table public.blocks; --",
    "HTML": "<script>alert(1)</script>",
    "an address within": "file:///etc/passwd",
    "a private address": "http://169.254.169.254/latest",
}
NUMBERS = {
    "null": None,
    "negative": "-1",
    "zero": "0",
    "huge": "1e30",
    "not a number": "NaN",
    "infinite": "Infinity",
    "a word": "many",
    "empty": "",
    "a fraction": "0.0000001",
    "just over": "2147483648",
}
DOCUMENTS = {
    "null": None,
    "JSON null": "null",
    "an empty array": "[]",
    "an empty object": "{}",
    "a string": '"x"',
    "a number": "1e400",
    "NUL": '{"a": "\\u0000"}',
    "half a pair": '["\\ud800"]',
    "not JSON": "{",
    "deep": "[" * 3000 + "]" * 3000,
    "huge": '["' + "x" * 1_500_000 + '"]',
    "many": "[" + ",".join(['"x"'] * 5000) + "]",
    "wrong inside": '[{"name": 1, "voice": null}]',
    "wrong keys": '{"days": "mon", "time": "25:00", "time_zone": "Mars/Olympus"}',
}
TIMES = {
    "null": None,
    "no date": "soon",
    "empty": "",
    "far": "294276-12-31",
    "too far": "300000-01-01",
    "before all": "-infinity",
    "after all": "infinity",
    "long ago": "4713-01-01 BC",
    "an odd zone": "2026-01-01 00:00 Mars/Olympus",
    "a date that is none": "2026-02-30",
}
IDS = {"null": None, "no id": "x", "empty": "", "nobody's": str(uuid.UUID(int=7)), "another tenant's": "{theirs}"}
WORDS = {"null": None, "unknown": "x", "empty": "", "in capitals": "VIEWER", "a number": "1"}
LISTS = {
    "null": None,
    "empty": "{}",
    "of null": "{NULL}",
    "of blanks": '{" "}',
    "many": "{" + ",".join(["x"] * 500) + "}",
}
VALUES = {
    "text": TEXTS,
    "integer": NUMBERS,
    "smallint": NUMBERS,
    "numeric": NUMBERS,
    "jsonb": DOCUMENTS,
    "timestamp with time zone": TIMES,
    "interval": TIMES,
    "uuid": IDS,
    "boolean": WORDS,
    "text[]": LISTS,
}

COLUMN_TYPES = """
    select attname, format_type(atttypid, null) from pg_attribute
    where attrelid = %s::regclass and attnum > 0 and not attisdropped
"""
ARGUMENTS = """
    select argument.name, format_type(argument.type, null)
    from pg_proc
    cross join lateral unnest(proargnames[1:pronargs], proargtypes::oid[]) as argument (name, type)
    where pronamespace = 'public'::regnamespace and proname = %s
"""
# Data, integrity, access, our own, object state, limits. Never an internal error, never a resource that ran out.
# PT is PostgREST's: the status that the client is to get.
ALLOWED_CLASSES = ("22", "23", "42", "PT", "55")
# A value that is not of its type is refused before a row exists: the message quotes the value and names the type.
CASTS = re.compile(
    r"invalid input (syntax|value)|out of range|overflow|cannot (be converted|convert)|"
    r"unsupported Unicode|malformed (array|record)|time zone .* not recognized"
)


def problem(error, field, *others):
    """What is wrong with a refusal; None when a client can show it. A call may be refused for another of its fields."""
    message = error.diag.message_primary
    if error.sqlstate[:2] not in ALLOWED_CLASSES:
        return f"{error.sqlstate}: {message}"
    if len(message) > 1000 and not CASTS.search(message):
        return f"a message of {len(message)} characters"
    words = {"_pkey" if field == "id" else field, *(name.removesuffix("_id") for name in (field, *others))}
    told = " ".join(filter(None, [message, error.diag.constraint_name, error.diag.column_name]))
    if CASTS.search(message) or error.sqlstate == "42501" or any(word in told for word in words):
        return None
    return f"{field} is not named: {error.sqlstate} {message}"


def values_of(column_type):
    return VALUES.get(column_type, WORDS).items()


@pytest.mark.parametrize("table", [name for name, table in TABLES.items() if table.insertable | table.updatable])
def test_a_column_takes_a_value_or_says_why_not(tenants, table):
    entry = TABLES[table]
    types = dict(tenants.owner.execute(COLUMN_TYPES, [f"public.{table}"]).fetchall())
    row = tenants.a.rows[table, "owner" if entry.personal else None]
    problems = []

    for command, columns in (("insert", entry.insertable), ("update", entry.updatable)):
        for column in sorted(columns):
            for name, value in values_of(types[column]):
                theirs = str(tenants.b.rows.get((table, None), {"id": uuid.uuid4()}).get("id"))
                given = theirs if value == "{theirs}" else value
                with tenants.acting("owner") as connection:
                    try:
                        if command == "insert":
                            values = {**entry.example, column: given}
                            connection.execute(
                                *tenants.insertion(entry, tenants.a, "owner" if entry.personal else None, values)
                            )
                        else:
                            where = sql.SQL(" and ").join(sql.SQL("{} = %s").format(sql.Identifier(key)) for key in row)
                            statement = sql.SQL("update public.{} set {} = %s where {}").format(
                                sql.Identifier(table), sql.Identifier(column), where
                            )
                            connection.execute(statement, [given, *row.values()])
                    except psycopg.Error as error:
                        if (found := problem(error, column)) is not None:
                            problems.append(f"{command} {column}, {name}: {found}")

    assert problems == []


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_an_argument_is_taken_or_refused_with_a_reason(tenants, function):
    arguments = dict(tenants.owner.execute(ARGUMENTS, [function.name]).fetchall())
    ids = tenants.names("owner")
    good = dict(
        part.split(" => ") for part in function.call.format(**{k: f"'{v}'" for k, v in ids.items()}).split(", ")
    )
    everything = (
        "select (select count(*) from productions), (select count(*) from organization_members), "
        "(select count(*) from organization_invitations), (select count(*) from user_events)"
    )
    problems = []

    for argument, kind in arguments.items():
        for name, value in values_of(kind):
            given = str(tenants.b.organization) if value == "{theirs}" else value
            call = sql.SQL(", ").join(
                sql.SQL("{} => {}").format(
                    sql.Identifier(key), sql.Literal(given) if key == argument else sql.SQL(text)
                )
                for key, text in {**good, argument: ""}.items()
            )
            with tenants.acting("owner") as connection:
                before = tenants.owner.execute(everything).fetchone()
                try:
                    with connection.transaction():
                        connection.execute(
                            sql.SQL("select * from public.{}({})").format(sql.Identifier(function.name), call)
                        )
                except psycopg.Error as error:
                    if (found := problem(error, argument, *arguments, "subject_id")) is not None:
                        problems.append(f"{argument}, {name}: {found}")
                    assert tenants.owner.execute(everything).fetchone() == before

    assert problems == []


def test_every_check_that_a_client_can_meet_is_a_sentence_about_its_column(tenants):
    checks = tenants.owner.execute("""
        select child.relname, link.conname, array_agg(attribute.attname::text)
        from pg_constraint as link
        join pg_class as child on child.oid = link.conrelid and child.relnamespace = 'public'::regnamespace
        join pg_attribute as attribute on attribute.attrelid = child.oid and attribute.attnum = any (link.conkey)
        where link.contype = 'c'
        group by child.relname, link.conname
    """).fetchall()

    # That a note is consumed is for functions to say: row-level security refuses before the check does.
    unreachable = {"consumed_says_when", "only_consumed_names_an_episode"}

    unclear = [
        (table, name)
        for table, name, columns in checks
        if (writable := set(columns) & (TABLES[table].insertable | TABLES[table].updatable))
        and name not in unreachable
        and (name.endswith("_check") or not any(column.removesuffix("_id") in name for column in writable))
    ]

    assert unclear == []


def test_text_with_a_nul_is_no_text(tenants):
    with tenants.acting("owner") as connection, pytest.raises(psycopg.DataError, match="NUL"):
        connection.execute("update projects set name = %s", ["a\0b"])
