"""The outbox: a change of status and the deliveries that tell of it are one transaction, and cost nothing unheard."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from tests.rigs.engine import WRITE_SPEAK_MASTER, Stage
from tests.rigs.rows import insert
from tests.rigs.webhooks import listen


def told(owner, production=None):
    rows = owner.execute(
        "select event_type, payload from public.webhook_deliveries where %s::uuid is null or production_id = %s "
        "order by position",
        [production, production],
    ).fetchall()
    return [tuple(row.values()) if isinstance(row, dict) else row for row in rows]


def types(owner, production=None):
    return [event_type for event_type, _ in told(owner, production)]


@pytest.fixture
def heard(rig):
    """An organization with an endpoint that listens for everything."""
    organization = rig.organization()
    listen(rig.owner, organization)
    return organization


def finish(rig, production, stage):
    for _ in rig.jobs(production, stage):
        rig.complete(*rig.granted(production, stage))


def test_a_production_tells_its_life_in_order(rig, heard):
    kind = rig.pipeline("told", WRITE_SPEAK_MASTER)
    production = rig.start(kind, heard, write=1, speak=2, master=1)

    for stage in ("write", "speak", "master"):
        finish(rig, production, stage)

    assert types(rig.owner) == ["production.requested", "production.running", "production.completed"]
    payload = told(rig.owner)[-1][1]
    assert list(payload) == ["data", "type", "timestamp"]
    assert payload["type"] == "production.completed"
    assert payload["timestamp"].endswith("Z")
    assert payload["data"] | {"subject_id": None, "created_at": None, "started_at": None, "finished_at": None} == {
        "production_id": str(production),
        "organization_id": str(heard),
        "kind": "told",
        "subject_id": None,
        "status": "completed",
        "waiting_for": None,
        "current_stage": "master",
        "progress": 100,
        "build": 1,
        "error_code": None,
        "error": None,
        "created_at": None,
        "started_at": None,
        "finished_at": None,
    }


def test_waiting_says_for_what_and_a_rebuild_is_requested_again(rig, heard):
    kind = rig.pipeline("gated", (Stage("write"), Stage("speak", after=("write",), gate=True)))
    production = rig.start(kind, heard, write=1, speak=1)

    finish(rig, production, "write")
    rig.call("approve", production)
    rig.fail(*rig.granted(production, "speak"), "invalid_input", "It is empty.")
    rig.rebuild(production)
    rig.cancel(production)

    assert types(rig.owner) == [
        "production.requested", "production.running", "production.waiting", "production.running",
        "production.failed", "production.requested", "production.cancelled",
    ]  # fmt: skip
    data = [payload["data"] for _, payload in told(rig.owner)]
    assert data[2]["waiting_for"] == "approval"
    assert (data[4]["error_code"], data[4]["error"]) == ("invalid_input", "speak: It is empty.")
    assert [event["build"] for event in data] == [1, 1, 1, 1, 1, 2, 2]


def test_what_is_rolled_back_is_not_told(rig, heard):
    kind = rig.pipeline("undone", (Stage("write"),))

    with rig.owner.transaction(force_rollback=True):
        rig.owner.execute("select * from engine.submit(%s, %s, %s, 'k', null)", [heard, kind, rig.subject(write=1)])
        within = types(rig.owner)

    assert within == ["production.requested"]
    assert types(rig.owner) == []


def test_what_cannot_be_told_is_not_done(rig, heard):
    """The other way round: without its outbox rows the change does not happen either."""
    kind = rig.pipeline("both", (Stage("write"),))
    production = rig.start(kind, heard, write=1)
    rig.owner.execute(
        "alter table public.webhook_deliveries add constraint full_disk check (event_type !~ 'cancelled')"
    )

    try:
        with pytest.raises(psycopg.errors.CheckViolation):
            rig.cancel(production)
        status = rig.owner.execute("select status::text from public.productions").fetchone()
    finally:
        rig.owner.execute("alter table public.webhook_deliveries drop constraint full_disk")

    assert status == {"status": "queued"}


def test_each_endpoint_is_told_what_it_listens_for_under_one_event_id(rig, heard):
    listen(rig.owner, heard, types=["production.cancelled"])
    listen(rig.owner, heard, is_active=False)
    listen(rig.owner, heard, deleted_at="2026-01-01")
    listen(rig.owner, rig.organization())
    production = rig.start(rig.pipeline("several", (Stage("write"),)), heard, write=1)

    rig.cancel(production)

    assert types(rig.owner) == ["production.requested", "production.cancelled", "production.cancelled"]
    events = rig.owner.execute("select count(distinct event_id) as events from public.webhook_deliveries").fetchone()
    assert events == {"events": 2}


def test_an_update_that_changes_no_status_calls_nothing(rig, heard):
    production = rig.start(rig.pipeline("quiet", (Stage("write"),)), heard, write=1)

    with psycopg.connect(rig.owner_url, autocommit=True) as connection:
        triggers = (
            connection.execute(
                "explain (analyze, costs off, timing off, summary off, format json) "
                "update public.productions set progress = 50, status = status, updated_at = now() where id = %s",
                [production],
            )
            .fetchone()[0][0]
            .get("Triggers", [])
        )

    assert [trigger["Trigger Name"] for trigger in triggers if "told" in trigger["Trigger Name"]] == []
    assert types(rig.owner) == ["production.requested"]


def test_a_change_that_nobody_listens_for_reads_a_few_pages(rig):
    kind = rig.pipeline("unheard", (Stage("write"),))
    production = rig.start(kind, write=1)
    # Other tenants' endpoints and deliveries in plenty.
    rig.owner.execute("insert into public.organizations (name) select 'Other' from generate_series(1, 500)")
    rig.owner.execute(
        "insert into public.webhook_endpoints (organization_id, url) "
        "select id, 'https://example.com' from public.organizations where name = 'Other'"
    )
    rig.owner.execute("analyze public.webhook_endpoints")

    plan = rig.owner.execute(
        "explain (analyze, buffers, costs off, timing off, summary off, format json) "
        "select from public.webhook_endpoints as endpoints, public.productions "
        "where productions.id = %s and endpoints.organization_id = productions.organization_id "
        "and endpoints.is_active and endpoints.deleted_at is null",
        [production],
    ).fetchone()["QUERY PLAN"][0]["Plan"]

    assert plan["Actual Rows"] == 0
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= 12


def test_many_statements_of_one_transaction_keep_their_order(rig, heard):
    kind = rig.pipeline("kept", (Stage("write"),))
    production = rig.start(kind, heard, write=0)

    assert types(rig.owner, production) == ["production.requested", "production.completed"]


def test_a_forged_status_by_a_client_tells_nothing(owner, sign_up, as_user):
    ada = sign_up("ada")
    listen(owner, ada)
    production = insert(owner, "productions", {"organization_id": ada, "kind": "episode", "subject_id": uuid.uuid4()})

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_user(ada).execute("update public.productions set status = 'completed' where id = %s", [production])

    assert types(owner) == ["production.requested"]
