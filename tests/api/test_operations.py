"""What an operator and the database itself ask of the API: health, statistics, wake-up."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.rigs.api import OPERATOR_KEY
from tests.rigs.rows import act_as_user

BEARER = f"Bearer {OPERATOR_KEY}"

# What pg_net and vault are to the trigger: a queue that a function appends to, and secrets in a view.
STUB = """
    create schema net;
    create table net.asked (url text, body jsonb, params jsonb, headers jsonb, timeout_milliseconds integer);
    create function net.http_post(
        url text, body jsonb default '{}', params jsonb default '{}', headers jsonb default '{}',
        timeout_milliseconds integer default 5000
    ) returns bigint language sql as $$
        insert into net.asked values (url, body, params, headers, timeout_milliseconds) returning 1::bigint
    $$;
    create schema vault;
    create table vault.decrypted_secrets (name text, decrypted_secret text);
    insert into vault.decrypted_secrets values
        ('showrunner_api_url', 'https://api.example/'), ('showrunner_operator_key', 'the key');
"""


@pytest.fixture
def pg_net(owner):
    owner.execute(STUB)
    yield lambda: owner.execute("select url, headers, timeout_milliseconds from net.asked").fetchall()
    owner.execute("drop schema if exists net cascade; drop schema if exists vault cascade")


@pytest.fixture
def request_by_rpc(connect, show):
    def request():
        connection = connect()
        act_as_user(connection, show.user)
        query = "select public.request_production('episode', %s, %s)"
        return connection.execute(query, [show.episode, uuid.uuid4().hex]).fetchone()[0]

    return request


def test_health_tells_the_migration(api, owner):
    newest = owner.execute("select max(version) from supabase_migrations.schema_migrations").fetchone()[0]

    answer = api.call("GET", "/health/db").json

    assert (answer["status"], answer["migration"]) == ("ok", newest)
    assert answer["latency_ms"] > 0
    assert answer["statistics"] is None


def test_statistics_are_for_operators(api, request_by_rpc, owner):
    request_by_rpc()
    owner.execute("update public.jobs set due_at = now() - interval '90 s'")

    found = api.call("GET", "/health/db", authorization=BEARER).json["statistics"]

    assert found["database_bytes"] > 1_000_000
    assert {"name", "bytes", "live_rows", "dead_rows", "vacuumed_at"} == found["tables"][0].keys()
    assert sum(found["connections"].values()) >= 1
    assert found["jobs"]["queued"] >= found["jobs"]["overdue"] >= 1
    assert found["jobs"]["oldest_due_seconds"] >= 90
    assert api.call("GET", "/health/db", authorization="Bearer wrong").json["statistics"] is None


def test_a_transaction_that_stays_open_is_seen(api, connect):
    connection = connect()
    connection.execute("begin")
    connection.execute("select pg_sleep(0.05)")

    found = api.call("GET", "/health/db", authorization=BEARER).json["statistics"]
    connection.execute("rollback")

    assert found["oldest_transaction_seconds"] > 0


def test_a_wake_up_sends_what_is_due(api, request_by_rpc):
    request_by_rpc()

    answer = api.call("POST", "/wake", authorization=BEARER)

    assert answer.status == 200
    assert answer.json["sent"] == len(api.services.queue.ready) >= 1


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong", OPERATOR_KEY, f"bearer {OPERATOR_KEY}x"])
def test_a_stranger_wakes_nobody(api, request_by_rpc, sent):
    request_by_rpc()

    answer = api.call("POST", "/wake", **({"authorization": sent} if sent else {}))

    assert answer.status == 404
    assert not api.services.queue.ready


def test_without_an_operators_key_there_is_no_such_address(make_api):
    api = make_api(operator_key=None)

    assert api.call("POST", "/wake", authorization="Bearer ").status == 404
    assert api.call("POST", "/wake", authorization="Bearer None").status == 404


def test_a_request_by_rpc_wakes_the_api(pg_net, request_by_rpc):
    request_by_rpc()

    assert pg_net() == [
        (
            "https://api.example/wake",
            {"authorization": "Bearer the key", "content-type": "application/json"},
            5000,
        )
    ]


def test_a_retry_by_rpc_wakes_it_again_and_the_moves_of_a_production_do_not(
    pg_net, request_by_rpc, owner, connect, show
):
    production = request_by_rpc()
    owner.execute("update public.jobs set status = 'cancelled' where production_id = %s", [production])
    owner.execute("update public.productions set status = 'running' where id = %s", [production])
    owner.execute(
        "update public.productions set status = 'failed', error = 'x', finished_at = now() where id = %s", [production]
    )
    moves = len(pg_net())
    connection = connect()
    act_as_user(connection, show.user)

    connection.execute("select public.retry_production(%s)", [production])

    assert (moves, len(pg_net())) == (1, 2)


def test_a_request_through_the_api_needs_no_wake_up(pg_net, api, show):
    body = {"kind": "episode", "subject_id": str(show.episode), "idempotency_key": "k"}

    assert api.call("POST", "/productions", show.user, body).status == 202
    assert len(api.services.queue.ready) == 1
    assert pg_net() == []


def test_a_request_that_is_rolled_back_wakes_nobody(pg_net, connect, show):
    connection = connect()
    act_as_user(connection, show.user)
    connection.execute("begin")
    connection.execute("select public.request_production('episode', %s, 'k')", [show.episode])
    connection.execute("rollback")

    assert pg_net() == []


@pytest.mark.parametrize(
    "broken",
    [
        "drop schema vault cascade",
        "delete from vault.decrypted_secrets",
        "delete from vault.decrypted_secrets where name = 'showrunner_operator_key'",
        "drop function net.http_post",
        "drop table net.asked",
        "alter table vault.decrypted_secrets drop column name",
    ],
)
def test_whatever_is_wrong_with_the_wake_up_the_request_is_accepted(pg_net, owner, request_by_rpc, broken):
    owner.execute(broken)

    production = request_by_rpc()

    query = "select status from public.productions where id = %s"
    assert owner.execute(query, [production]).fetchone() == ("queued",)
    if "asked" not in broken:
        assert pg_net() == []


def test_the_document_is_served(api):
    document = json.loads(api.call("GET", "/openapi.json").body)

    assert document["openapi"].startswith("3.1")
    assert "/productions" in document["paths"]
