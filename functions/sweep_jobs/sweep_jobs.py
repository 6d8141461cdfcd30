"""Every minute: take back jobs whose worker has gone, send again what nobody picked up, re-admit what was parked."""

from __future__ import annotations

from typing import Any

import psycopg
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from showrunner.database import is_outage
from showrunner.errors import ErrorKind
from showrunner.messages import JobToSend
from showrunner.services import Services
from showrunner.settings import Settings

logger = Logger()
services = Services(Settings.from_environment())

LIMIT = 500
LOST = "The worker stopped before it finished: it crashed, was killed or ran out of time."


def sweep(services: Services, limit: int = LIMIT) -> dict[str, int]:
    """Return how many leases were lost, how many jobs were to be sent and how many the queues took.

    Each lost lease is failed in a transaction of its own, so that no two jobs are locked at a time, and one that
    Postgres refuses to end does not keep the others waiting.
    """
    ready: list[JobToSend] = []
    lost = 0
    for job_id, attempt in services.engine.expired(limit):
        try:
            finish = services.engine.fail(job_id, attempt, ErrorKind.LOST, LOST)
        except psycopg.Error as error:
            if is_outage(error):
                raise
            logger.exception("A lost job cannot be taken back", job_id=str(job_id))
            continue
        lost += finish.accepted
        ready += finish.next
    ready += services.engine.sweep(limit)
    sent = services.dispatcher.send(ready) if ready else 0
    return {"lost": lost, "ready": len(ready), "sent": sent}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    counts = sweep(services)
    if any(counts.values()):
        logger.info("Swept", extra={"counts": counts})
    return counts
