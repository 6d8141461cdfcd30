"""Every minute: turn shows' cadences into due episodes, each slot exactly once.

Slots, time zones and catch-up rules are the database's (`engine.fill_schedule`, `engine.drain_schedule`), so two
ticks at once and a missed hour are no special cases here.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from showrunner.messages import JobToSend
from showrunner.services import Services
from showrunner.settings import Settings

logger = Logger()
services = Services(Settings.from_environment())

LIMIT = 100


def schedule(services: Services, limit: int = LIMIT) -> dict[str, int]:
    """Return how many slots were added, how many jobs they made ready and how many the queues took."""
    added = services.database.call("select engine.fill_schedule() as slots")[0]["slots"]
    jobs = services.database.call("select engine.drain_schedule(%s) as jobs", (limit,))[0]["jobs"]
    ready = [JobToSend.model_validate(job) for job in jobs or ()]
    sent = services.dispatcher.send(ready) if ready else 0
    return {"added": added, "ready": len(ready), "sent": sent}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    counts = schedule(services)
    if any(counts.values()):
        logger.info("Scheduled", extra={"counts": counts})
    return counts
