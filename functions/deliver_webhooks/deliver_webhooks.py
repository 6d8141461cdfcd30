"""Every minute: send what is due in the outbox of webhooks, and stay while there is more.

Claims and outcomes are the database's (`engine.claim_webhooks`, `engine.finish_webhook`), so several of these may run
at once, and one that dies loses nothing. Each delivery has a thread to itself and ten seconds; an endpoint has a few
threads at most, one while it fails, and all failing endpoints together half of them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from showrunner.safe_http import hosts_of
from showrunner.services import Services
from showrunner.settings import Settings
from webhook_request import SECONDS, Answer, Delivery, send

logger = Logger()
services = Services(Settings.from_environment())

LONGEST_SECONDS = 50.0
# What the last attempts may take after the loop has ended, names that resolve slowly included.
_LAST_SECONDS = SECONDS + 5
# Longer than an attempt and its outcome can take; what is not told by then is sent again.
_LEASE_SECONDS = 45.0
_POLL_SECONDS = 1.0

Send = Callable[[Delivery], Answer]


@dataclass(frozen=True, slots=True)
class Places:
    """How many attempts may be under way: in all, to endpoints that failed last, to one endpoint."""

    all: int = 32
    ailing: int = 16
    per_endpoint: int = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the database made of an attempt; `accepted` is false when it was no longer this one's."""

    accepted: bool
    status: str | None
    retry_seconds: float | None


def deliver(services: Services, seconds: float, send: Send, places: Places = Places()) -> dict[str, int]:
    """Send what is or comes due within `seconds`; return how many deliveries ended how.

    Raises `psycopg.Error` when Postgres cannot be reached: what was under way is sent again after its lease.
    """
    until = time.monotonic() + seconds
    again_at = until
    counts: Counter[str] = Counter()
    under_way: dict[Future[Outcome], Delivery] = {}
    pool = ThreadPoolExecutor(places.all, thread_name_prefix="webhook")
    try:
        while time.monotonic() < until:
            for delivery in _claim(services, places, under_way.values()):
                under_way[pool.submit(_attempt, services, delivery, send)] = delivery
            if not under_way:
                if again_at >= until:
                    break
                time.sleep(max(0.0, again_at - time.monotonic()))
                again_at = until
            for outcome in _ended(under_way, _POLL_SECONDS):
                counts[_word(outcome)] += 1
                if outcome.retry_seconds is not None:
                    again_at = min(again_at, time.monotonic() + outcome.retry_seconds)
        last = time.monotonic() + _LAST_SECONDS
        while under_way and time.monotonic() < last:
            counts.update(_word(outcome) for outcome in _ended(under_way, _POLL_SECONDS))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return dict(counts)


def _claim(services: Services, places: Places, under_way: Collection[Delivery]) -> list[Delivery]:
    free = places.all - len(under_way)
    if free <= 0:
        return []
    free_for_ailing = places.ailing - sum(delivery.is_ailing for delivery in under_way)
    rows = services.database.call(
        "select * from engine.claim_webhooks(%s, %s, %s, %s)",
        (free, max(0, free_for_ailing), places.per_endpoint, _LEASE_SECONDS),
    )
    return [Delivery(**row) for row in rows]


def _attempt(services: Services, delivery: Delivery, send: Send) -> Outcome:
    names = {
        "delivery": str(delivery.delivery_id),
        "endpoint": str(delivery.endpoint_id),
        "organization": str(delivery.organization_id),
    }
    try:
        answer = send(delivery)
    except Exception:
        logger.exception("A webhook could not be sent", extra=names)
        answer = Answer(None, "It could not be sent because of a mistake of ours, which is in the log.")
    row = services.database.call(
        "select accepted, status::text, retry_seconds from engine.finish_webhook(%s, %s, %s, %s, %s)",
        (delivery.delivery_id, delivery.attempt, answer.status, answer.error, answer.retry_after),
    )[0]
    outcome = Outcome(**row)
    if outcome.status != "delivered":
        # Neither address nor payload: an address may have a token in it.
        logger.warning("A webhook did not arrive", extra=names | {"answer": answer.status, "then": _word(outcome)})
    return outcome


def _ended(under_way: dict[Future[Outcome], Delivery], seconds: float) -> list[Outcome]:
    """Wait for the first to end, for so long at most; return and forget all that have."""
    ended, _ = wait(under_way, timeout=seconds, return_when=FIRST_COMPLETED)
    for future in ended:
        del under_way[future]
    return [future.result() for future in ended]


def _word(outcome: Outcome) -> str:
    if not outcome.accepted:
        return "too_late"
    return "again" if outcome.retry_seconds is not None else str(outcome.status)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    allowed_hosts = hosts_of(services.settings.webhook_allowed_hosts)

    def send_now(delivery: Delivery) -> Answer:
        return send(delivery, int(time.time()), allowed_hosts=allowed_hosts)

    remaining = context.get_remaining_time_in_millis() / 1000
    counts = deliver(services, min(LONGEST_SECONDS, remaining - _LAST_SECONDS - 5), send_now)
    if counts:
        logger.info("Delivered webhooks", extra={"counts": counts})
    return counts
