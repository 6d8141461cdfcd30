"""A queue as bad as SQS may be, and worse: messages are lost, doubled, late and out of order."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from uuid import UUID


class SimulatedQueue:
    """`trouble` is the chance that a message is dropped, and again that it is doubled or held back."""

    def __init__(self, rng: random.Random, trouble: float) -> None:
        self.trouble = trouble
        self._rng = rng
        self._ready: list[UUID] = []
        self._late: list[UUID] = []
        self._in_hand = 0
        self._lock = threading.Lock()
        self.sent = 0

    def send(self, jobs: Iterable[UUID]) -> None:
        with self._lock:
            for job in jobs:
                self.sent += 1
                if self._rng.random() < self.trouble:
                    continue
                copies = 3 if self._rng.random() < self.trouble else 1
                for _ in range(copies):
                    (self._late if self._rng.random() < self.trouble else self._ready).append(job)

    def receive(self) -> UUID | None:
        """Any message that is ready, not the oldest; the receiver calls `delete` or `give_back` afterwards."""
        with self._lock:
            if not self._ready:
                return None
            index = self._rng.randrange(len(self._ready)) if self.trouble else 0
            self._ready[index], self._ready[-1] = self._ready[-1], self._ready[index]
            self._in_hand += 1
            return self._ready.pop()

    def delete(self) -> None:
        with self._lock:
            self._in_hand -= 1

    def give_back(self, job: UUID) -> None:
        with self._lock:
            self._in_hand -= 1
            self._ready.append(job)

    def let_late_ones_arrive(self) -> None:
        with self._lock:
            self._ready += self._late
            self._late = []

    @property
    def is_empty(self) -> bool:
        with self._lock:
            return not self._ready and not self._in_hand
