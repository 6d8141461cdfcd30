"""The episode line in one process: the real functions, a real database, S3 in memory, queues as a list.

What it leaves out is what `local/` adds: processes, SQS, time limits. What it keeps is every row and every file.
"""

from __future__ import annotations

import importlib
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from showrunner.database import Database
from showrunner.messages import JobToSend
from showrunner.services import Services
from showrunner.settings import Settings

BUCKET = "showrunner-test"


def function(name: str) -> ModuleType:
    """A function's module, whose folder the test configuration puts on the path."""
    return importlib.import_module(name)


@dataclass
class ListDispatcher:
    """A queue that loses nothing and keeps its order."""

    ready: deque[JobToSend] = field(default_factory=deque)

    def send(self, jobs: Iterable[JobToSend | dict[str, Any]]) -> int:
        taken = [job if isinstance(job, JobToSend) else JobToSend.model_validate(job) for job in jobs]
        self.ready.extend(taken)
        return len(taken)


@dataclass
class Context:
    """What a stage reads of a Lambda context."""

    milliseconds: int = 900_000
    log_stream_name: str = "test"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_name: str = "test"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:eu-west-2:123456789012:function:test"

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


class Line:
    """Runs jobs until none is ready. `handled` counts the granted and refused wake-ups per stage.

    `milliseconds` is the time that a function is given for each invocation.
    """

    def __init__(self, database_url: str, **settings: Any) -> None:
        self.settings = Settings(database_url=database_url, bucket=BUCKET, **settings)
        self.services = Services(self.settings)
        self.dispatcher = ListDispatcher()
        self.services.dispatcher = self.dispatcher  # type: ignore[misc,assignment]
        self.milliseconds = 900_000
        self.handled: list[tuple[str, uuid.UUID]] = []
        self._handlers: dict[str, Callable[[dict[str, Any], Any], dict[str, Any]]] = {}

    @property
    def database(self) -> Database:
        return self.services.database

    def run(self, most: int = 2000, before: str | None = None) -> None:
        """Work through the queue, ignoring delays, until it is empty; messages to the stage `before` are lost."""
        while self.dispatcher.ready and most:
            most -= 1
            job = self.dispatcher.ready.popleft()
            if job.stage != before:
                self.handle(job)
        assert most, "the queue did not run dry"

    def handle(self, job: JobToSend) -> None:
        self.handled.append((job.stage, job.id))
        event = {"Records": [{"messageId": str(job.id), "body": f'{{"job_id": "{job.id}"}}'}]}
        assert self._handler(job.stage)(event, Context(self.milliseconds)) == {"batchItemFailures": []}

    def _handler(self, stage: str) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
        if stage not in self._handlers:
            from showrunner.stage import stage_handler

            module = function(stage)
            model = module.run.__annotations__["job"].removeprefix("Job[").removesuffix("]")
            self._handlers[stage] = stage_handler(stage, getattr(module, model), module.run, self.services)
        return self._handlers[stage]

    def close(self) -> None:
        self.services.database.close()
