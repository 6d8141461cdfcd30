"""Two open transactions, of which the second runs while the first is done but not committed."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from tests.rigs.engine import Connection, Rig

Result = TypeVar("Result")
GIVE_UP_SECONDS = 30


def overlapping(
    rig: Rig, first: Callable[[Connection], Any], second: Callable[[Connection], Result]
) -> tuple[Any, Result]:
    """Run `second` while `first` is done but not committed; commit `first` when `second` waits for it or has ended."""
    one, other = rig.open_worker(), rig.open_worker()
    with ThreadPoolExecutor(1) as thread:
        with one.transaction():
            answer = first(one)
            future: Future[Result] = thread.submit(second, other)
            wait_until_blocked_or_done(rig, other, future)
        return answer, future.result()


def wait_until_blocked_or_done(rig: Rig, connection: Connection, future: Future[Any]) -> None:
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while not future.done():
        if rig.one("select pg_blocking_pids(%s) as pids", connection.info.backend_pid)["pids"]:
            return
        assert time.monotonic() < give_up, "it neither waits nor ends"
        time.sleep(0.002)
