"""Run functions at the same instant, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

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
