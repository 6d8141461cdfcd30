"""The deliverer against receivers on this machine: in order, signed, isolated from each other, and lost by no crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest
from standardwebhooks import WebhookVerificationError

from showrunner.services import Services
from showrunner.settings import Settings
from tests.rigs.line import Context, function
from tests.rigs.rows import insert
from tests.rigs.webhooks import Receiver, Reply, ids, listen, secret_of, statuses

ROOT = Path(__file__).parents[2]


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def organization(sign_up):
    return sign_up("ada")


@pytest.fixture
def production(owner):
    """production(organization, *statuses): a production that passes through them; its id."""

    def make(organization, *statuses):
        made = insert(owner, "productions", {"organization_id": organization, "kind": "k", "subject_id": uuid.uuid4()})
        for status in statuses:
            owner.execute(
                "update public.productions set status = %s, finished_at = case when %s = 'completed' then now() end "
                "where id = %s",
                [status, status, made],
            )
        return made

    return make


@pytest.fixture
def services(database_url):
    services = Services(Settings(database_url=database_url))
    yield services
    services.database.close()


@pytest.fixture
def deliver(services, receiver):
    """deliver(): what the function does in one invocation, which ends before a first retry is due."""
    deliverer, request = function("deliver_webhooks"), function("webhook_request")

    def send(delivery):
        return request.send(delivery, int(time.time()), allowed_hosts={receiver.place})

    def deliver(seconds=4.9, send=send, **places):
        return deliverer.deliver(services, seconds, send, deliverer.Places(**places))

    return deliver


@pytest.fixture
def deliver_meanwhile(deliver):
    """deliver_meanwhile(**places): starts it in a thread; `.join()` waits for its end."""
    threads = []

    def start(**places):
        threads.append(threading.Thread(target=deliver, args=[30.0], kwargs=places))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join()


def let_time_pass(owner):
    """Everything that waits is due, every lease has passed."""
    owner.execute("update public.webhook_deliveries set next_attempt_at = now() where status = 'pending'")
    owner.execute("update public.webhook_deliveries set lease_until = now() where status = 'delivering'")


def standing(owner):
    rows = owner.execute("select event_type, status::text from public.webhook_deliveries order by position").fetchall()
    return dict(rows)


def test_a_productions_life_arrives_in_order_with_a_signature(owner, receiver, organization, production, deliver):
    endpoint = listen(owner, organization, receiver.url())
    made = production(organization, "running", "completed")

    counts = deliver()

    assert counts == {"delivered": 3}
    payloads = [request.verified(secret_of(owner, endpoint)) for request in receiver.at()]
    assert [payload["type"] for payload in payloads] == [
        "production.requested", "production.running", "production.completed"
    ]  # fmt: skip
    assert {payload["data"]["production_id"] for payload in payloads} == {str(made)}
    assert len(set(ids(receiver.at()))) == 3


def test_a_failing_first_delivery_holds_its_production_back_and_no_other(
    owner, receiver, organization, production, deliver
):
    listen(owner, organization, receiver.url())
    first_production = str(production(organization, "running", "completed"))
    receiver.replies["/hooks"] = lambda request: Reply(500 if first_production in request.body.decode() else 200)
    deliver()
    production(organization, "running", "completed")
    deliver()
    held_back = receiver.types()
    receiver.replies.clear()
    receiver.received.clear()
    let_time_pass(owner)
    deliver()

    assert held_back == ["production.requested", "production.requested", "production.running", "production.completed"]
    assert receiver.types() == ["production.requested", "production.running", "production.completed"]


def test_a_slow_endpoint_delays_nobody_else(owner, receiver, organization, production, deliver_meanwhile):
    receiver.hold("/slow")
    listen(owner, organization, receiver.url("/slow"))
    for number in range(5):
        listen(owner, organization, receiver.url(f"/fast{number}"))
    production(organization, "running", "completed")

    deliver_meanwhile()

    fast = [f"/fast{number}" for number in range(5)]
    assert receiver.wait_for(lambda: all(len(receiver.at(path)) == 3 for path in fast))
    assert receiver.types("/slow") == ["production.requested"]
    still = owner.execute(
        "select event_type, status::text from public.webhook_deliveries "
        "join public.webhook_endpoints as endpoints on endpoints.id = endpoint_id where url ~ '/slow' order by position"
    ).fetchall()
    receiver.release()
    assert still == [
        ("production.requested", "delivering"), ("production.running", "pending"), ("production.completed", "pending")
    ]  # fmt: skip


def test_a_slow_endpoint_has_its_own_places_and_no_more(owner, receiver, organization, production, deliver_meanwhile):
    receiver.hold("/slow")
    listen(owner, organization, receiver.url("/slow"))
    for _ in range(8):
        production(organization)
    listen(owner, organization, receiver.url("/fast"))
    for _ in range(8):
        production(organization)

    deliver_meanwhile(all=4, ailing=2, per_endpoint=3)

    assert receiver.wait_for(lambda: len(receiver.at("/fast")) == 8 and len(receiver.at("/slow")) >= 3)
    waiting = len(receiver.at("/slow"))
    receiver.release()
    assert waiting == 3


def test_endpoints_that_fail_leave_room_however_many_they_are(
    owner, receiver, sign_up, organization, production, deliver_meanwhile
):
    for number in range(6):
        receiver.hold(f"/dead{number}")
        listen(owner, organization, receiver.url(f"/dead{number}"), consecutive_failures=1, failing_since="now")
    production(organization)
    neighbour = sign_up("ben")
    listen(owner, neighbour, receiver.url("/well"))
    for _ in range(6):
        production(neighbour, "running", "completed")

    deliver_meanwhile(all=4, ailing=2)

    def dead():
        return sum(len(receiver.at(f"/dead{number}")) for number in range(6))

    assert receiver.wait_for(lambda: len(receiver.at("/well")) == 18 and dead() >= 2)
    waiting = dead()
    receiver.release()
    assert waiting == 2


def test_a_first_retry_is_waited_for(owner, receiver, organization, production, deliver):
    listen(owner, organization, receiver.url())
    production(organization)
    receiver.replies["/hooks"] = statuses(503, 200)

    counts = deliver(seconds=30.0)

    first, second = receiver.at()
    assert counts == {"again": 1, "delivered": 1}
    assert (first.id, first.body) == (second.id, second.body)
    assert int(first.headers["webhook-timestamp"]) < int(second.headers["webhook-timestamp"])


def test_while_a_secret_is_rotated_old_and_new_verify_and_then_the_new_one_alone(
    owner, as_user, receiver, organization, production, deliver
):
    endpoint = listen(owner, organization, receiver.url())
    old = secret_of(owner, endpoint)

    new = as_user(organization).execute("select rotate_webhook_secret(%s)", [endpoint]).fetchone()[0]
    production(organization)
    deliver()
    owner.execute("update engine.webhook_secrets set expires_at = now() where expires_at is not null")
    production(organization)
    deliver()

    during, after = receiver.at()
    assert during.verified(old) == during.verified(new)
    assert after.verified(new)["type"] == "production.requested"
    with pytest.raises(WebhookVerificationError):
        after.verified(old)


DELIVERER = """
import sys, time
import deliver_webhooks, webhook_request
allowed = {sys.argv[1]}
deliver_webhooks.deliver(
    deliver_webhooks.services, 30.0,
    lambda delivery: webhook_request.send(delivery, int(time.time()), allowed_hosts=allowed),
)
"""


def test_a_deliverer_that_is_killed_in_the_middle_loses_nothing(
    owner, receiver, organization, production, deliver, database_url
):
    listen(owner, organization, receiver.url())
    production(organization, "running")
    receiver.hold("/hooks")
    path = os.pathsep.join([str(ROOT / "layers/common"), str(ROOT / "functions/deliver_webhooks")])
    environment = os.environ | {"DATABASE_URL": database_url, "PYTHONPATH": path}

    with subprocess.Popen([sys.executable, "-c", DELIVERER, receiver.place], env=environment) as process:
        arrived = receiver.wait_for(lambda: len(receiver.received) == 1)
        process.send_signal(signal.SIGKILL)
    receiver.release()
    before_the_lease = deliver()
    let_time_pass(owner)
    deliver()
    let_time_pass(owner)
    deliver()

    assert arrived
    assert before_the_lease == {}
    assert receiver.types() == ["production.requested", "production.requested", "production.running"]
    assert receiver.at()[0].id == receiver.at()[1].id
    assert standing(owner) == {"production.requested": "delivered", "production.running": "delivered"}


def test_two_deliverers_at_once_send_each_delivery_once(
    owner, receiver, organization, production, deliver, database_url
):
    listen(owner, organization, receiver.url())
    for _ in range(20):
        production(organization, "running")
    other = Services(Settings(database_url=database_url))
    deliverer, request = function("deliver_webhooks"), function("webhook_request")

    def send(delivery):
        return request.send(delivery, int(time.time()), allowed_hosts={receiver.place})

    twin = threading.Thread(target=deliverer.deliver, args=[other, 30.0, send])
    twin.start()
    deliver(seconds=30.0)
    twin.join()
    other.database.close()
    deliver()

    assert len(receiver.at()) == 40
    assert len(set(ids(receiver.at()))) == 40


def test_a_private_address_is_recorded_as_what_is_wrong(owner, as_user, receiver, organization, production, services):
    listen(owner, organization, "https://localhost/hooks")
    listen(owner, organization, receiver.url())
    production(organization)

    deliverer, request = function("deliver_webhooks"), function("webhook_request")
    deliverer.deliver(services, 4.9, lambda delivery: request.send(delivery, int(time.time())))

    seen = as_user(organization).execute("select status::text, error from webhook_deliveries order by error").fetchall()
    assert seen == [
        ("pending", "url: http is not allowed; give an address that begins with https."),
        ("pending", "url: localhost is not on the public internet and may not be reached."),
    ]
    assert receiver.received == []


def test_a_mistake_of_ours_is_a_failed_attempt_and_stops_nobody(owner, receiver, organization, production, deliver):
    listen(owner, organization, receiver.url())
    production(organization)

    def break_down(delivery):
        raise ZeroDivisionError

    counts = deliver(send=break_down)

    [(status, error)] = owner.execute("select status::text, error from public.webhook_deliveries").fetchall()
    assert counts == {"again": 1}
    assert (status, error) == ("pending", "It could not be sent because of a mistake of ours, which is in the log.")


def test_the_function_delivers_to_the_hosts_of_its_setting(
    owner, receiver, organization, production, database_url, monkeypatch
):
    listen(owner, organization, receiver.url())
    production(organization)
    deliverer = function("deliver_webhooks")
    services = Services(Settings(database_url=database_url, webhook_allowed_hosts="127.0.0.1:*"))
    monkeypatch.setattr(deliverer, "services", services)

    counts = deliverer.lambda_handler({}, Context(milliseconds=90_000))

    services.database.close()
    assert counts == {"delivered": 1}
    assert receiver.types() == ["production.requested"]


def test_a_function_without_time_claims_nothing(owner, receiver, organization, production, database_url, monkeypatch):
    listen(owner, organization, receiver.url())
    production(organization)
    deliverer = function("deliver_webhooks")
    services = Services(Settings(database_url=database_url, webhook_allowed_hosts="127.0.0.1:*"))
    monkeypatch.setattr(deliverer, "services", services)

    counts = deliverer.lambda_handler({}, Context(milliseconds=10_000))

    services.database.close()
    assert counts == {}
    assert standing(owner) == {"production.requested": "pending"}
