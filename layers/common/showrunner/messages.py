"""Queue messages: a wake-up `{"job_id": …}`, never the work itself.

It may be lost, late, duplicated or forged without harm; the job's row is the truth.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

BATCH = 10
LONGEST_DELAY_SECONDS = 900


class WakeUp(BaseModel):
    """The body of a message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: UUID


class JobToSend(BaseModel):
    """A job that became ready, as the engine's functions return it in their `next` column; `delay` in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    stage: str
    organization_id: UUID
    delay: float = 0.0


class Dispatcher:
    """Sends wake-ups to the stages' queues."""

    def __init__(self, sqs: SQSClient, queue_url_prefix: str) -> None:
        self._sqs = sqs
        self._queue_url_prefix = queue_url_prefix

    def send(self, jobs: Iterable[JobToSend | dict[str, Any]]) -> int:
        """Send one message per job and return how many were accepted.

        A job whose delay SQS cannot hold, or whose message is refused, is left to the sweeper.
        """
        by_stage: dict[str, list[JobToSend]] = defaultdict(list)
        for item in jobs:
            job = item if isinstance(item, JobToSend) else JobToSend.model_validate(item)
            if job.delay <= LONGEST_DELAY_SECONDS:
                by_stage[job.stage].append(job)
        sent = 0
        for stage, ready in by_stage.items():
            for start in range(0, len(ready), BATCH):
                reply = self._sqs.send_message_batch(
                    QueueUrl=self.queue_url(stage), Entries=[_entry(job) for job in ready[start : start + BATCH]]
                )
                sent += len(reply.get("Successful", ()))
        return sent

    def queue_url(self, stage: str) -> str:
        return self._queue_url_prefix + stage.replace("_", "-")


def _entry(job: JobToSend) -> SendMessageBatchRequestEntryTypeDef:
    return {
        "Id": str(job.id),
        "MessageBody": json.dumps({"job_id": str(job.id)}),
        # On a standard queue the group makes SQS serve tenants fairly; it does not order them.
        "MessageGroupId": str(job.organization_id),
        # Rounded up: a message that comes before its job is due would be sent again, and again.
        "DelaySeconds": math.ceil(job.delay),
    }
