"""What a template declares, as values: the only thing that the rest of the laptop edition knows about a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class FunctionSpec:
    """One Lambda function. `name` is that of its folder, `function_name` the one AWS would show."""

    name: str
    function_name: str
    arn: str
    folder: Path
    handler: str
    timeout_seconds: int
    memory_mb: int
    environment: Mapping[str, str]
    layers: tuple[Path, ...]
    reserved_concurrency: int | None = None


@dataclass(frozen=True)
class QueueSpec:
    """One SQS queue; after `max_receive_count` receipts a message moves to the queue named `dead_letter_queue`."""

    name: str
    arn: str
    url: str
    visibility_seconds: int
    delay_seconds: int = 0
    dead_letter_queue: str | None = None
    max_receive_count: int | None = None


@dataclass(frozen=True)
class BucketSpec:
    name: str


@dataclass(frozen=True)
class EventSource:
    """A queue that feeds a function, `batch_size` messages at a time, at most `maximum_concurrency` times at once."""

    function: str
    queue: QueueSpec
    batch_size: int
    maximum_concurrency: int | None
    reports_item_failures: bool


@dataclass(frozen=True)
class Schedule:
    """`expression` is `rate(...)`, `cron(...)` or `at(...)`, its times those of `time_zone` (an IANA name)."""

    name: str
    function: str
    expression: str
    time_zone: str = "UTC"
    input: str | None = None


@dataclass(frozen=True)
class HttpRoute:
    """`method` is an HTTP method or `ANY`; `path` has parameters as `{id}` and `{rest+}`, or is `$default`."""

    function: str
    method: str
    path: str


@dataclass(frozen=True)
class Cors:
    """Cross-origin rules of the HTTP API; an empty tuple allows nothing."""

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed_headers: tuple[str, ...] = ()
    max_age_seconds: int | None = None
    credentials: bool = False


@dataclass(frozen=True)
class Template:
    """Everything of a template that runs on a laptop; functions and queues by name."""

    functions: Mapping[str, FunctionSpec]
    queues: Mapping[str, QueueSpec]
    buckets: tuple[BucketSpec, ...]
    event_sources: tuple[EventSource, ...]
    schedules: tuple[Schedule, ...]
    routes: tuple[HttpRoute, ...]
    cors: Cors | None = None


@dataclass(frozen=True)
class Names:
    """What the pseudo parameters and addresses of a template stand for on this laptop."""

    endpoint_url: str
    api_url: str = ""
    stack: str = "showrunner"
    region: str = "us-east-1"
    account: str = "123456789012"
    partition: Literal["aws"] = "aws"

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def queue_url(self, queue: str) -> str:
        return f"{self.endpoint_url}/{self.account}/{queue}"
