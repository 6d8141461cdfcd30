"""What the outbox costs and keeps: claims beside a long backlog, and what maintain forgets."""

from __future__ import annotations

import uuid

import pytest

from tests.rigs.line import function
from tests.rigs.rows import insert
from tests.rigs.webhooks import listen


@pytest.fixture
def organization(sign_up):
    return sign_up("ada")


def make_production(owner, organization):
    insert(owner, "productions", {"organization_id": organization, "kind": "k", "subject_id": uuid.uuid4()})


def test_history_forgets_deliveries_after_a_month_and_deleted_endpoints_with_their_secrets(
    owner, make_line, organization
):
    endpoint = listen(owner, organization)
    make_production(owner, organization)
    owner.execute("update public.productions set status = 'running'")
    owner.execute(
        "update public.webhook_deliveries set status = 'failed', created_at = now() - interval '31 days' "
        "where event_type = 'production.requested'"
    )
    owner.execute("alter table public.webhook_endpoints disable trigger stamp_deletion")
    gone = listen(owner, organization)
    owner.execute("update public.webhook_endpoints set deleted_at = now() - interval '31 days' where id = %s", [gone])
    owner.execute(
        "insert into engine.webhook_secrets (endpoint_id, secret, expires_at) "
        "values (%s, private.new_webhook_secret(), now() - interval '1 s')",
        [endpoint],
    )

    counts = function("maintain").maintain(make_line().services)

    assert counts["history"] == 1
    assert owner.execute("select event_type from public.webhook_deliveries").fetchall() == [("production.running",)]
    assert owner.execute("select id from public.webhook_endpoints").fetchall() == [(endpoint,)]
    assert owner.execute("select count(*) from engine.webhook_secrets").fetchone() == (1,)


def test_a_dead_endpoint_with_a_long_backlog_costs_a_claim_next_to_nothing(owner, organization):
    dead = listen(owner, organization, consecutive_failures=3, failing_since="now")
    owner.execute(
        "insert into public.webhook_deliveries "
        "(organization_id, endpoint_id, production_id, event_id, event_type, payload) "
        "select %s, %s, gen_random_uuid(), gen_random_uuid(), 'production.completed', '{}' "
        "from generate_series(1, 30000)",
        [organization, dead],
    )
    owner.execute("update public.webhook_endpoints set event_types = '{production.failed}'")
    well = listen(owner, organization)
    make_production(owner, organization)
    owner.execute("analyze public.webhook_deliveries")

    def buffers(call):
        """Pages that a call reads once its plans are made, and how many rows it returns."""
        explain = f"explain (analyze, buffers, costs off, timing off, summary off, format json) select * from {call}"
        with owner.transaction(force_rollback=True):
            owner.execute(f"select * from {call}".encode())
        plan = owner.execute(explain.encode()).fetchone()[0][0]["Plan"]
        return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], plan["Actual Rows"]

    due, endpoints = buffers("engine.webhook_endpoints_due(clock_timestamp())")
    whole, claimed = buffers("engine.claim_webhooks(10, 10, 4, 45)")

    assert (endpoints, claimed) == (2, 2)
    assert due <= 30
    assert whole <= 150
    under_way = owner.execute(
        "select endpoint_id from public.webhook_deliveries where status = 'delivering'"
    ).fetchall()
    assert sorted(under_way) == sorted([(dead,), (well,)])
