"""One attempt to deliver a webhook: what is sent, where it may go, and what each answer means."""

from __future__ import annotations

import base64
import re
import time
import uuid

import pytest
from standardwebhooks import WebhookVerificationError

from tests.rigs.webhooks import Receiver, Reply
from webhook_request import Delivery, send
from webhook_signature import signature

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
OTHER = "whsec_" + base64.b64encode(b"another one of thirty-two bytes.").decode()
PAYLOAD = {"type": "production.completed", "timestamp": "2026-11-21T09:00:00.000Z", "data": {"status": "completed"}}


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def deliver(receiver):
    """deliver(url, **fields): one attempt, to the test's own receiver unless an address is given."""

    def deliver(url=None, allowed_hosts=None, resolve=None, seconds=10.0, **fields):
        delivery = Delivery(
            **{
                "delivery_id": uuid.uuid4(),
                "attempt": 1,
                "endpoint_id": uuid.uuid4(),
                "organization_id": uuid.uuid4(),
                "is_ailing": False,
                "event_id": uuid.uuid4(),
                "event_type": "production.completed",
                "payload": PAYLOAD,
                "url": url or receiver.url(),
                "secrets": [SECRET],
                **fields,
            }
        )
        options = {} if resolve is None else {"resolve": resolve}
        allowed = {receiver.place} if allowed_hosts is None else allowed_hosts
        return send(delivery, int(time.time()), allowed_hosts=allowed, seconds=seconds, **options)

    return deliver


def test_the_example_of_the_specification_is_signed_as_it_says():
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    header = signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert header == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_verifies_what_was_sent(receiver, deliver):
    event = uuid.uuid4()

    answer = deliver(event_id=event)

    [request] = receiver.received
    assert (answer.status, answer.error) == (200, None)
    assert request.verified(SECRET) == PAYLOAD
    assert request.id == str(event)
    assert request.headers["content-type"] == "application/json"


def test_the_signature_covers_id_time_and_body(receiver, deliver):
    deliver()

    [request] = receiver.received
    for name, value in (("webhook-id", "another"), ("webhook-timestamp", str(int(time.time()) - 1))):
        forged = type(request)(request.path, request.headers | {name: value}, request.body)
        with pytest.raises(WebhookVerificationError):
            forged.verified(SECRET)
    with pytest.raises(WebhookVerificationError):
        type(request)(request.path, request.headers, request.body + b" ").verified(SECRET)


def test_while_two_secrets_are_valid_each_of_them_verifies(receiver, deliver):
    deliver(secrets=[SECRET, OTHER])

    [request] = receiver.received
    assert request.verified(SECRET) == request.verified(OTHER) == PAYLOAD


def test_letters_of_every_script_arrive(receiver, deliver):
    payload = PAYLOAD | {"data": {"error": 'Leuchttürme — 灯台 \U0001f5fc \u2028 "quoted" \\ \x7f'}}

    deliver(payload=payload)

    [request] = receiver.received
    assert request.verified(SECRET) == payload
    assert "灯台".encode() in request.body


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_success(receiver, deliver, status):
    receiver.replies["/hooks"] = Reply(status)

    assert deliver().error is None


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(302, {"Location": "/elsewhere"}), r"redirect \(302\), which is not followed"),
        (Reply(304), r"redirect \(304\)"),
        (Reply(400), "status 400"),
        (Reply(410), "status 410"),
        (Reply(500, body=b"x" * 100_000), "status 500"),
        (Reply(raw=b"SSH-2.0-OpenSSH_9.9\r\n"), "could not be reached"),
        (Reply(raw=b"HTTP/1.1 two hundred\r\n\r\n"), "could not be reached"),
        (Reply(raw=b""), "could not be reached"),
        (Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"), "could not be reached"),
        (Reply(raw=b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 1000 + b"\r\n"), "could not be reached"),
    ],
)
def test_anything_else_is_a_failure_with_a_sentence(receiver, deliver, reply, words):
    receiver.replies["/hooks"] = reply

    answer = deliver()

    assert re.search(words, answer.error)
    assert len(receiver.received) == 1


def test_an_answer_is_its_status_however_long_its_body_goes_on(receiver, deliver):
    receiver.replies["/hooks"] = Reply(200, {"Content-Length": "10000000000"}, b"x" * 1_000_000)

    assert deliver().error is None


def test_a_server_that_does_not_answer_is_given_up_at_the_deadline(receiver, deliver):
    receiver.hold("/hooks")

    answer = deliver(seconds=0.3)

    assert (answer.status, answer.error) == (None, "127.0.0.1 did not answer in time.")


def test_a_wish_to_wait_is_passed_on(receiver, deliver):
    receiver.replies["/hooks"] = Reply(429, {"Retry-After": "120"})

    assert deliver().retry_after == 120


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hooks",
        "https://localhost/hooks",
        "https://[::1]/hooks",
        "https://[::ffff:127.0.0.1]/hooks",
        "https://[::ffff:a9fe:a9fe]/latest/meta-data",
        "https://[64:ff9b::a00:1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://0x7f.1/",
        "https://2130706433/",
    ],
)
def test_an_address_of_a_private_network_is_refused(receiver, deliver, url):
    answer = deliver(url, allowed_hosts=())

    assert answer.status is None
    assert "not on the public internet" in answer.error


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["169.254.169.254"],
        ["93.184.215.14", "192.168.0.1"],
    ],
)
def test_a_name_that_leads_into_a_private_network_is_refused(deliver, addresses):
    answer = deliver("https://hooks.example/", allowed_hosts=(), resolve=lambda host, port: addresses)

    assert answer.error == "url: hooks.example is not on the public internet and may not be reached."


def test_an_allowed_host_does_not_open_the_others(receiver, deliver):
    port = receiver.place.split(":")[1]

    refused = deliver(f"https://other.example:{port}/", resolve=lambda host, port: ["127.0.0.1"])

    assert "may not be reached" in refused.error
    assert receiver.received == []


def test_a_host_may_be_allowed_on_every_port(receiver, deliver):
    assert deliver(allowed_hosts={"127.0.0.1:*"}).status == 200


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/", "http is not allowed"),
        ("https://example.com:8443/", "port 8443"),
        ("https://user:secret@example.com/", "user name or password"),
        ("gopher://example.com/", "not a web address"),
    ],
)
def test_an_address_of_the_wrong_form_is_refused_before_any_name_is_resolved(deliver, url, words):
    def resolve(host, port):
        raise AssertionError("must not be asked")

    answer = deliver(url, allowed_hosts=(), resolve=resolve)

    assert words in answer.error
    assert "secret" not in answer.error


def test_a_name_that_does_not_exist_is_said(deliver):
    def resolve(host, port):
        raise OSError("no such name")

    assert "is not known" in deliver("https://nowhere.example/", resolve=resolve).error
