"""Feeds queues to functions as Lambda's event source mappings do.

A batch that the function answers is deleted, but for the items that it reports as failed; a batch whose function
fails stays. What stays is delivered again when its visibility timeout is over, until the queue's redrive policy
moves it to the dead letters.
"""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.cloud import LONGEST_POLL_SECONDS, Cloud
from local.lambda_host import LambdaHost
from local.runtime_api import FunctionError
from local.specs import EventSource

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

RETRY_SECONDS = 1.0
MOST_PER_RECEIPT = 10

_log = logging.getLogger(__name__)


class QueuePoller:
    """One event source at work: at most `concurrency` invocations at once, fewer if the mapping says so.

    `on_failure` is given the records of an invocation that failed.
    """

    def __init__(
        self,
        source: EventSource,
        cloud: Cloud,
        host: LambdaHost,
        concurrency: int,
        on_failure: Callable[[Sequence[Mapping[str, Any]]], object] = lambda records: None,
    ) -> None:
        self._source = source
        self._region = cloud.region
        self._host = host
        self._on_failure = on_failure
        self._receiver = cloud.sqs_receiver
        self._deleter = cloud.sqs
        self._limit = min(concurrency, source.maximum_concurrency or concurrency)
        self._running = 0
        self._changed = threading.Condition()
        self._open = True
        self._workers = ThreadPoolExecutor(self._limit, thread_name_prefix=source.queue.name)
        self._thread = threading.Thread(target=self._poll, name=f"poll {source.queue.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Deliver nothing more; what runs is not waited for."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def join(self, seconds: float) -> None:
        """Wait for the poller's last receipt, which ends at once when the cloud has stopped."""
        self._thread.join(seconds)

    def _poll(self) -> None:
        while free := self._free():
            most = min(MOST_PER_RECEIPT, free * self._source.batch_size)
            messages = self._receive(most)
            for start in range(0, len(messages), self._source.batch_size):
                batch = messages[start : start + self._source.batch_size]
                with self._changed:
                    if not self._open:
                        return
                    self._running += 1
                    self._workers.submit(self._deliver, batch)

    def _free(self) -> int:
        """Waits for room, says for how many batches; 0 when closing."""
        with self._changed:
            while self._open and self._running >= self._limit:
                self._changed.wait()
            return self._limit - self._running if self._open else 0

    def _receive(self, most: int) -> Sequence[MessageTypeDef]:
        try:
            answer = self._receiver.receive_message(
                QueueUrl=self._source.queue.url,
                MaxNumberOfMessages=most,
                WaitTimeSeconds=LONGEST_POLL_SECONDS,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except (BotoCoreError, ClientError) as error:
            with self._changed:
                if self._open:
                    _log.warning("cannot receive from %s: %s", self._source.queue.name, error)
                    self._changed.wait(RETRY_SECONDS)
            return ()
        return answer.get("Messages", ())

    def _deliver(self, messages: Sequence[MessageTypeDef]) -> None:
        records = [record_of(message, self._source.queue.arn, self._region) for message in messages]
        try:
            answer = self._host.invoke(self._source.function, {"Records": records})
            failed = failed_items(answer, records) if self._source.reports_item_failures else set()
        except FunctionError as error:
            if self._open:
                _log.warning("%s; it will be delivered again", error)
                self._on_failure(records)
            return
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()
        self._delete([message for message in messages if message["MessageId"] not in failed])

    def _delete(self, messages: Sequence[MessageTypeDef]) -> None:
        entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
        try:
            if len(entries) == 1:
                receipt = entries[0]["ReceiptHandle"]
                self._deleter.delete_message(QueueUrl=self._source.queue.url, ReceiptHandle=receipt)
            elif entries:
                self._deleter.delete_message_batch(QueueUrl=self._source.queue.url, Entries=entries)  # type: ignore[arg-type]
        except (BotoCoreError, ClientError) as error:
            if self._open:
                _log.warning("cannot delete from %s: %s", self._source.queue.name, error)


def record_of(message: MessageTypeDef, queue_arn: str, region: str) -> dict[str, Any]:
    """A message as a function sees it in `Records`."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: {
                "dataType": value["DataType"],
                "stringListValues": [],
                "binaryListValues": [],
                **({"stringValue": value["StringValue"]} if "StringValue" in value else {}),
                **({"binaryValue": base64.b64encode(value["BinaryValue"]).decode()} if "BinaryValue" in value else {}),
            }
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def failed_items(answer: object, records: Sequence[dict[str, Any]]) -> set[str]:
    """The message ids that a batch response reports as failed; an answer that names none of ours fails the batch.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    sent = {str(record["messageId"]) for record in records}
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not failures:
        return set()
    if not isinstance(failures, list):
        return sent
    failed = {item.get("itemIdentifier") if isinstance(item, dict) else None for item in failures}
    return {str(item) for item in failed} if failed <= sent else sent
