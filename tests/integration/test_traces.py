"""Whatever is asked for by a function in public leaves a row in user_events or audit_log, with who asked."""

from __future__ import annotations

import pytest
from psycopg import sql

from local.access import access
from tests.integration.test_access import call
from tests.rigs.refusals import refused_with

FUNCTIONS = access().functions
READING = {"my_productions", "preview_rebuild", "explain_production", "reserved_gbp"}
# What makes the call of the access matrix one that is accepted, as the tables' owner.
MAKES_READY = {
    "leave_organization": "update organization_members set role = 'owner' where user_id = {guest}",
    "send_test_webhook": "delete from webhook_deliveries",
}
# They need an episode that is made, a token or an answer under way: their own tests look for the event.
ELSEWHERE = {
    "accept_invitation": "invitation_accepted",
    "approve_production": "production_approved",
    "ask_question": "question_asked",
    "cancel_answer": "answer_cancelled",
    "export_highlight": "production_requested",
}
TRACES = """
    select array_agg(actor order by id) from (
        select id, user_id as actor from user_events
        union all
        select id, actor_id from audit_log
    ) as trace
    where id <> all (%s)
"""


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in READING | ELSEWHERE.keys()])
def test_what_is_asked_for_leaves_a_trace_of_who_asked(tenants, name):
    owner, function = tenants.owner, FUNCTIONS[name]
    names = {key: sql.Literal(value) for key, value in tenants.names("owner").items()}
    with owner.transaction(force_rollback=True):
        owner.execute(sql.SQL(MAKES_READY.get(name, "select 1")).format(**names))
        before = [
            row[0] for row in owner.execute("select id from user_events union all select id from audit_log").fetchall()
        ]
        with tenants.acting("owner") as connection:
            connection.execute(sql.SQL(f"select * from public.{name}({function.call})").format(**names))
            connection.execute("reset role")
            actors = connection.execute(TRACES, [before]).fetchone()[0]

    assert actors is not None, f"{name} leaves no trace"
    assert set(actors) == {tenants.a.people["owner"]}


def test_what_is_only_read_leaves_none(tenants):
    owner = tenants.owner
    count = "select (select count(*) from user_events) + (select count(*) from audit_log)"
    before = owner.execute(count).fetchone()

    for name in READING:
        assert call(tenants, "owner", FUNCTIONS[name], tenants.names("owner")) is None

    assert owner.execute(count).fetchone() == before
    assert set(FUNCTIONS) > READING


@pytest.mark.parametrize("event", ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_needs_more_has_an_event_of_its_own(owner, event):
    noted = owner.execute(
        "select count(*) from pg_proc where pronamespace = 'private'::regnamespace and prosrc like %s",
        [f"%note_event(%'{event}'%"],
    ).fetchone()

    assert noted == (1,)


# --- endpoints are made once ----------------------------------------------------------------------------------------

CREATE = "select id, secret from create_webhook_endpoint(%s, 'https://example.com/hooks', idempotency_key => %s)"


def test_the_same_key_gives_the_same_endpoint_and_its_secret(as_user, sign_up):
    ada = sign_up()

    first, again = (as_user(ada).execute(CREATE, [ada, "a key"]).fetchone() for _ in range(2))
    other = as_user(ada).execute(CREATE, [ada, "another key"]).fetchone()

    assert first == again
    assert other[0] != first[0]
    assert as_user(ada).execute("select count(*) from webhook_endpoints").fetchone() == (2,)


def test_anothers_key_opens_nothing(as_user, sign_up, add_member):
    ada, bob = sign_up("ada"), sign_up("bob")
    add_member(ada, bob, "admin")
    made = as_user(ada).execute(CREATE, [ada, "a key"]).fetchone()
    as_user(bob).execute(
        "insert into user_events (organization_id, user_id, event_type, event_data) "
        "values (%s, %s, 'webhook_endpoint_created', jsonb_build_object('endpoint_id', %s::text, "
        "'idempotency_key', 'a key'))",
        [bob, bob, made[0]],
    )

    for organization in (ada, bob):
        assert as_user(bob).execute(CREATE, [organization, "a key"]).fetchone()[0] != made[0]


def test_a_key_that_is_found_later_opens_nothing(as_user, sign_up, owner):
    ada = sign_up()
    made = as_user(ada).execute(CREATE, [ada, "a key"]).fetchone()
    owner.execute("update engine.webhook_endpoint_requests set created_at = now() - interval '61 minutes'")

    late, again = (as_user(ada).execute(CREATE, [ada, "a key"]).fetchone() for _ in range(2))

    assert late[1] != made[1]
    assert late == again


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_has_1_to_200_characters(as_user, sign_up, key):
    ada = sign_up()

    with refused_with("22023", "idempotency_key: 1 to 200 characters are needed"):
        as_user(ada).execute(CREATE, [ada, key])
