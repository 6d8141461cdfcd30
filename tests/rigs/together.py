"""Run functions at the same instant, each in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg

Result = TypeVar("Result")


def together(actions: Sequence[Callable[[], Result]]) -> list[Result]:
    """Start all at once; return their results in order, or raise the first exception."""
    gate = threading.Barrier(len(actions))

    def run(action: Callable[[], Result]) -> Result:
        gate.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(run, actions))


def start(action: Callable[[], Result]) -> threading.Thread:
    """Start one that is expected to wait for a lock; the caller joins it."""
    thread = threading.Thread(target=action)
    thread.start()
    return thread


def wait_until_blocked(owner_url: str, connection: psycopg.Connection[Any]) -> None:
    """Return when the connection's transaction waits for a lock that another holds."""
    give_up = time.monotonic() + 20
    with psycopg.connect(owner_url, autocommit=True) as watcher:
        while watcher.execute("select pg_blocking_pids(%s)", [connection.info.backend_pid]).fetchone() == ([],):
            assert time.monotonic() < give_up, "it waits for no lock"
