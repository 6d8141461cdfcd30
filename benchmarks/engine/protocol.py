"""What the runner asks of an adapter: one order per process, in JSON on its command line; the answer is its last line.

All engines run the same job: it counts itself, and waits where it is told to be held. One process runs `workers` jobs
at a time. The clock starts when the first job starts, and stops when no job is open in the database any more.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import psycopg

POLL_SECONDS = 0.002
HOLD_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Order:
    """`action` is prepare, submit, run, recover or production.

    `jobs` is how many to submit, or to run before the worker stops. `each` submits them one by one, as requests do.
    `held` jobs wait until the file `release-<role>` is in `folder`; each leaves a file there when it starts.
    `batch` is for engines that claim several at a time. `open_jobs` is SQL that counts what is not finished.
    """

    action: str
    url: str
    open_jobs: str
    jobs: int = 0
    workers: int = 1
    each: bool = False
    held: bool = False
    role: str = "worker"
    folder: str = ""
    batch: int = 1
    organizations: int = 20
    usage: bool = False
    prepared: bool = False
    give_up_seconds: float = 120

    def to_json(self) -> str:
        return json.dumps(asdict(self))


class Adapter(Protocol):
    """An engine as its users would run it."""

    def prepare(self, order: Order) -> None:
        """Install the engine's tables in an empty database."""

    def submit(self, order: Order) -> None:
        """Enqueue `order.jobs` jobs: one transaction each, or by the engine's own means for many."""

    def run(self, order: Order, work: Work) -> None:
        """Run the engine's own worker until `work.wait` returns, then stop it."""

    def recover(self, order: Order) -> None:
        """Take back what dead workers hold, where the engine's worker does not do so by itself."""

    def production(self, order: Order, work: Work) -> None:
        """Where the engine joins: `order.jobs` productions of a plan, then 20 + 20 jobs, then a join, then a render."""


class Work:
    """Counts the jobs that ran in this process, and times them."""

    def __init__(self, order: Order, jobs: int | None = None) -> None:
        self.order = order
        self.ran = 0
        self.started_at: float | None = None
        self.ended_at = 0.0
        self._expected = order.jobs if jobs is None else jobs
        self._all_ran = threading.Event()
        self._lock = threading.Lock()
        self._give_up_at = time.perf_counter() + order.give_up_seconds

    def do(self, number: int, held: bool = False) -> None:
        """What a job does, in engines with threads."""
        self._begin(number, held)
        while held and not self._released():
            time.sleep(HOLD_POLL_SECONDS)
        self._end()

    async def do_async(self, number: int, held: bool = False) -> None:
        """What a job does, in engines with an event loop."""
        self._begin(number, held)
        while held and not self._released():
            await asyncio.sleep(HOLD_POLL_SECONDS)
        self._end()

    def wait(self) -> None:
        """Return when every expected job ran and none is open, or when the time is up."""
        self._all_ran.wait(max(0, self._give_up_at - time.perf_counter()))
        # A zombie's jobs may stay open for good: it only gets a moment to hand in its results.
        give_up_at = time.perf_counter() + 2 if self.order.role == "zombie" else self._give_up_at
        with psycopg.connect(self.order.url, autocommit=True) as connection:
            while time.perf_counter() < give_up_at and count(connection, self.order.open_jobs) > 0:
                time.sleep(POLL_SECONDS)
        self.ended_at = time.perf_counter()

    @property
    def seconds(self) -> float:
        return self.ended_at - (self.ended_at if self.started_at is None else self.started_at)

    def _begin(self, number: int, held: bool) -> None:
        with self._lock:
            self.started_at = self.started_at or time.perf_counter()
        if held:
            (Path(self.order.folder) / f"started-{self.order.role}-{number}").touch()

    def _end(self) -> None:
        with self._lock:
            self.ran += 1
            if self.ran >= self._expected:
                self._all_ran.set()

    def _released(self) -> bool:
        late = time.perf_counter() > self._give_up_at
        return late or (Path(self.order.folder) / f"release-{self.order.role}").exists()


def count(connection: psycopg.Connection[tuple[int]], statement: str) -> int:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]


def carry_out(adapter: Adapter, order: Order) -> dict[str, float]:
    """Do what is ordered; return the jobs that ran (or were submitted) and the seconds they took."""
    if order.action in ("run", "production"):
        work = Work(order, order.jobs * 43 if order.action == "production" else None)
        (adapter.run if order.action == "run" else adapter.production)(order, work)
        return {"jobs": work.ran, "seconds": work.seconds}
    steps: dict[str, Callable[[Order], None]] = {
        "prepare": adapter.prepare,
        "submit": adapter.submit,
        "recover": adapter.recover,
    }
    started = time.perf_counter()
    steps[order.action](order)
    return {"jobs": order.jobs, "seconds": time.perf_counter() - started}


def serve(adapter: Adapter) -> None:
    order = Order(**json.loads(sys.argv[1]))
    print(json.dumps(carry_out(adapter, order)), flush=True)
    if order.role == "zombie":
        # Some engines let an attempt that lost its job wait for the other's result, in a thread that would not end.
        os._exit(0)
