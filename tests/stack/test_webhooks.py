"""An episode that is made tells its life to a receiver on this machine, through the whole laptop edition."""

from __future__ import annotations

import json

import psycopg
import pytest

from tests.rigs.laptop import OFFLINE_SPEAKERS
from tests.rigs.webhooks import EVERYTHING, Receiver


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def add_endpoint(laptop, show, url):
    """As the show's user does; returns the endpoint's id and secret."""
    with psycopg.connect(laptop.database_url, autocommit=True) as user:
        claims = json.dumps({"sub": str(show.user), "role": "authenticated"})
        user.execute("select set_config('request.jwt.claims', %s, false)", [claims])
        user.execute("set role authenticated")
        return user.execute(
            "select * from create_webhook_endpoint(%s, %s, %s)", [show.organization, url, list(EVERYTHING)]
        ).fetchone()


def test_a_completed_episode_is_told_with_a_valid_signature(laptop, receiver):
    show = laptop.show(speakers=OFFLINE_SPEAKERS)
    _, secret = add_endpoint(laptop, show, receiver.url())

    production = laptop.request(show)
    laptop.wait_until_completed(production)

    assert receiver.wait_for(lambda: "production.completed" in receiver.types()), laptop.rows(
        "select event_type, status::text, error from public.webhook_deliveries"
    )
    payloads = [request.verified(secret) for request in receiver.at()]
    assert [payload["type"] for payload in payloads] == [
        "production.requested", "production.running", "production.completed"
    ]  # fmt: skip
    data = payloads[-1]["data"]
    assert (data["production_id"], data["subject_id"], data["kind"]) == (str(production), str(show.episode), "episode")
    assert (data["status"], data["progress"], data["error"]) == ("completed", 100, None)
