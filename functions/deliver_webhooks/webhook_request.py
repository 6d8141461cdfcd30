"""One attempt to deliver: a signed POST, whose answer is its status alone; the body is not read."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

from showrunner.errors import StageError
from showrunner.providers.http import retry_after
from showrunner.safe_http import Connection, Resolve, resolve, target_of
from webhook_signature import signature

CONNECT_SECONDS = 3.0
SECONDS = 10.0
_USER_AGENT = "Showrunner-Webhooks/0.1"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What `engine.claim_webhooks` returns. An endpoint is ailing while its last attempt is one that failed."""

    delivery_id: UUID
    attempt: int
    endpoint_id: UUID
    organization_id: UUID
    is_ailing: bool
    event_id: UUID
    event_type: str
    payload: dict[str, Any]
    url: str
    secrets: list[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is None when none came; `error` says what went wrong, None when nothing did."""

    status: int | None
    error: str | None = None
    retry_after: float | None = None


def send(
    delivery: Delivery,
    timestamp: int,
    *,
    allowed_hosts: Collection[str] = (),
    seconds: float = SECONDS,
    resolve: Resolve = resolve,
) -> Answer:
    """Send a delivery once and return what came of it. `timestamp` is the time of this attempt."""
    body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")).encode()
    message_id = str(delivery.event_id)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": _USER_AGENT,
        "Connection": "close",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(delivery.secrets, message_id, timestamp, body),
    }
    deadline = monotonic() + seconds
    try:
        target = target_of(delivery.url, allowed_hosts, schemes=("https",))
        with Connection(target, deadline, resolve=resolve, connect_seconds=CONNECT_SECONDS) as connection:
            response = connection.request("POST", headers, body)
            return _answer(response.status, {name.lower(): value for name, value in response.headers.items()})
    except StageError as error:
        return Answer(None, error.message)


def _answer(status: int, headers: dict[str, str]) -> Answer:
    if 200 <= status < 300:
        return Answer(status)
    if 300 <= status < 400:
        return Answer(status, f"It answered with a redirect ({status}), which is not followed; give the final address.")
    return Answer(status, f"It answered with status {status}.", retry_after(headers))
