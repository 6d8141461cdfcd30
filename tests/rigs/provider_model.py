"""A provider's limits and its circuit breaker in Python: the part of the model that all organizations share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.rigs.model import Job

UNLIMITED = 1000


@dataclass
class Provider:
    """`running` gives the jobs that run at it now; `trip_kinds` and the rest are as in `engine.provider_limits`."""

    name: str
    running: Callable[[], list[Job]]
    max_running: int
    per_minute: int
    trip_failures: int
    probes: int
    trip_kinds: tuple[str, ...]
    starts: int = 0
    failures: int = 0
    trips: int = 0
    open: bool = False  # its cool-down has not ended
    asked: bool = False  # it asked everybody to wait
    told: bool = False  # one job was told when to come

    @property
    def row(self) -> tuple[object, ...]:
        return (self.starts, self.failures, self.trips, self.open, self.asked, self.told)

    def room(self) -> tuple[int, bool]:
        """How many may start now; where none may, whether it is known when."""
        if self.open or self.asked:
            return 0, True
        running = self.running()
        places = self.max_running - len(running)
        if self.trips:
            places = min(places, self.probes - sum(job.probe for job in running))
        if places <= 0:
            return 0, False
        places = min(places, self.per_minute - self.starts, UNLIMITED)
        return max(places, 0), True

    def refuse(self, job: Job) -> str:
        """No room: the first where the time is known waits for it, the others are parked."""
        _, is_known = self.room()
        if is_known and not self.told:
            self.told = True
            job.waits, job.due = True, False
            return "not_due"
        job.stop("parked", "provider")
        return "parked"

    def start(self, job: Job) -> None:
        self.starts += 1
        job.probe = self.trips > 0

    def hand_on(self) -> bool | None:
        """Whether a parked job goes now (True), is told when to come (False), or nothing happens (None)."""
        places, is_known = self.room()
        if places:
            return True
        if not is_known or self.told:
            return None
        self.told = True
        return False

    def blame(self, job: Job, kind: str, is_late: bool) -> tuple[bool, bool]:
        """Whether a failure is the provider's, and whether its job is the one that tries again first."""
        if kind == "rate_limited":
            self.asked = True  # every rate limit of the walks says how long
            return False, False
        if kind not in self.trip_kinds or is_late:
            return False, False
        if not self.trips:
            self.failures += 1
            if self.failures < self.trip_failures:
                return False, False
        if not self.trips or job.probe:
            self.trips, self.failures, self.open = self.trips + 1, 0, True
            self._forget_probes(self.running())
        comes_first = self.open and not self.told
        self.told = self.told or comes_first
        return True, comes_first

    def works_again(self) -> None:
        self.trips, self.failures, self.open, self.told = 0, 0, False, False
        self._forget_probes(self.running())

    def pass_time(self) -> None:
        self.starts, self.failures, self.open, self.asked, self.told = 0, 0, False, False, False

    @staticmethod
    def _forget_probes(jobs: Iterable[Job]) -> None:
        for job in jobs:
            job.probe = False
