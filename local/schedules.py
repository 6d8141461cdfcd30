"""Invokes functions at the times that the template's schedules say."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from local.cron import parse
from local.runtime_api import FunctionError
from local.specs import Names, Schedule

# Short, so that a laptop that slept notices.
_LONGEST_WAIT_SECONDS = 30.0

_log = logging.getLogger(__name__)


class Ticker:
    """One schedule at work. A tick that is due while the last one still runs is left out.

    `every_seconds` replaces the expression: the first tick is at once, the next that long after each end.
    """

    def __init__(
        self,
        schedule: Schedule,
        names: Names,
        invoke: Callable[[str, Any], Any],
        every_seconds: float | None = None,
    ) -> None:
        self._schedule = schedule
        self._names = names
        self._invoke = invoke
        self._every_seconds = every_seconds
        self._expression = parse(schedule.expression, schedule.time_zone)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"schedule {schedule.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._closing.set()

    def _run(self) -> None:
        if self._every_seconds is not None:
            while not self._closing.is_set():
                self._tick(datetime.now(UTC))
                self._closing.wait(self._every_seconds)
            return
        due = self._expression.next_after(datetime.now(UTC))
        while due is not None and self._wait_until(due):
            self._tick(due)
            due = self._expression.next_after(max(due, datetime.now(UTC)))

    def _wait_until(self, due: datetime) -> bool:
        while (remaining := (due - datetime.now(UTC)).total_seconds()) > 0:
            if self._closing.wait(min(remaining, _LONGEST_WAIT_SECONDS)):
                return False
        return not self._closing.is_set()

    def _tick(self, due: datetime) -> None:
        try:
            self._invoke(self._schedule.function, event_of(self._schedule, self._names, due))
        except FunctionError as error:
            if not self._closing.is_set():
                _log.warning("schedule %s: %s", self._schedule.name, error)


def event_of(schedule: Schedule, names: Names, due: datetime) -> Any:
    """The schedule's own input, its context attributes filled in, or the event that Scheduler sends without one."""
    time = due.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    arn = names.arn("scheduler", f"schedule/default/{schedule.name}")
    if schedule.input is None:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": names.account,
            "time": time,
            "region": names.region,
            "resources": [arn],
            "detail": "{}",
        }
    known = {"scheduled-time": time, "schedule-arn": arn, "execution-id": str(uuid.uuid4()), "attempt-number": "1"}
    text = schedule.input
    for name, value in known.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return json.loads(text)
