"""Organizations that share one stage, in virtual time: the engine's real functions, a simulated queue and Lambda.

The engine's functions read `rig.now()` instead of the clock, so a run is exact and takes as long as its statements do.
The queue is SQS's: `fair` gives a free worker a message of the group that has the fewest in flight, as fair queues do
with the organization as MessageGroupId; without it the oldest message comes first. Workers are the stage's
MaximumConcurrency. Each minute a sweep sends what is overdue.
"""

from __future__ import annotations

import heapq
import statistics
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.rigs.engine import Rig, Stage

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KIND = "shared"
STAGE = Stage("work")


class VirtualClock:
    """Makes the engine's functions read a time that the simulation sets."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        rig.owner.execute(
            "create or replace function rig.now() returns timestamptz language sql stable"
            " as $$ select current_setting('rig.now')::timestamptz $$"
        )
        functions = rig.owner.execute(
            "select pg_get_functiondef(oid) as body from pg_proc"
            " where pronamespace = 'engine'::regnamespace and prosrc like '%clock_timestamp()%'"
        ).fetchall()
        for function in functions:
            rig.owner.execute(function["body"].replace("clock_timestamp()", "rig.now()").encode())

    def set(self, seconds: float) -> None:
        now = (NOON + timedelta(seconds=seconds)).isoformat()
        for connection in (self._rig.worker, self._rig.owner):
            connection.execute("select set_config('rig.now', %s, false)", [now])


class Queue:
    """Messages by organization, each group in the order in which it was sent."""

    def __init__(self, fair: bool) -> None:
        self._fair = fair
        self._groups: dict[str, deque[tuple[int, str]]] = defaultdict(deque)
        self._in_flight: dict[str, int] = defaultdict(int)
        self._sent = 0

    def send(self, messages: Iterable[dict[str, Any]]) -> None:
        for message in messages:
            self._sent += 1
            self._groups[message["organization_id"]].append((self._sent, message["id"]))

    def receive(self) -> tuple[str, str] | None:
        """(group, job), in flight until it is deleted."""
        waiting = [group for group, messages in self._groups.items() if messages]
        if not waiting:
            return None
        group = min(waiting, key=lambda one: (self._in_flight[one] if self._fair else 0, self._groups[one][0]))
        self._in_flight[group] += 1
        return group, self._groups[group].popleft()[1]

    def delete(self, group: str) -> None:
        self._in_flight[group] -= 1


@dataclass(frozen=True)
class Setting:
    """`places` is the stage's MaximumConcurrency, `limit` what one organization may run; times are in seconds."""

    heavy: int = 400
    light: int = 20
    places: int = 5
    limit: int = 20
    fair: bool = True
    dispatched: bool = True  # by whoever submits; otherwise the next sweep sends
    lights_at: float = 90.0
    every: float = 0.0  # between one light organization and the next
    job: float = 30.0
    look: float = 0.05  # an invocation that finds nothing to do
    batch: int = 500
    patience: float = 7 * 86400


@dataclass
class Result:
    waits: list[float] = field(default_factory=list)  # of light ones, from request to start
    turnarounds: list[float] = field(default_factory=list)  # from request to result
    claims: int = 0
    granted: int = 0
    heavy_seconds: float = 0.0  # of places that the heavy organization's jobs held
    left_seconds: float = 0.0  # of places that it could have held while it had work

    @property
    def p95_wait(self) -> float:
        return p95(self.waits)

    @property
    def p95_turnaround(self) -> float:
        return p95(self.turnarounds)

    @property
    def heavy_share(self) -> float:
        return self.heavy_seconds / self.left_seconds if self.left_seconds else 1.0


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


class Simulation:
    def __init__(self, rig: Rig, setting: Setting) -> None:
        self.rig = rig
        self.setting = setting
        self.clock = VirtualClock(rig)
        self.queue = Queue(setting.fair)
        self.result = Result()
        self.now = 0.0
        self.free = setting.places
        self.running: dict[str, int] = defaultdict(int)
        self.heavy = str(rig.organization(running=setting.limit))
        self._heavy_left = setting.heavy
        self._asked: dict[str, float] = {}
        self._events: list[tuple[float, int, str, Any]] = []
        self._count = 0

    def run(self) -> Result:
        setting = self.setting
        self.rig.pipeline(KIND, [STAGE])
        if setting.heavy:
            self._at(0.0, "submit", (self.heavy, setting.heavy))
        for number in range(setting.light):
            organization = str(self.rig.organization(running=setting.limit))
            self._at(setting.lights_at + number * setting.every, "submit", (organization, 1))
        self._at(60.0, "sweep", None)
        while self._heavy_left or len(self.result.turnarounds) < setting.light:
            moment, _, kind, value = heapq.heappop(self._events)
            if moment > setting.patience:
                raise AssertionError(f"not done after {moment:.0f} s")
            self._pass_time(moment)
            getattr(self, f"_{kind}")(value)
            self._start_workers()
        return self.result

    def sweep(self) -> list[dict[str, Any]]:
        return self.rig.sweep(self.setting.batch)

    def _at(self, moment: float, kind: str, value: Any) -> None:
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, kind, value))

    def _pass_time(self, moment: float) -> None:
        passed = moment - self.now
        others = sum(self.running.values()) - self.running[self.heavy]
        if self._heavy_left >= self.setting.limit:
            self.result.heavy_seconds += passed * self.running[self.heavy]
            self.result.left_seconds += passed * min(self.setting.limit, self.setting.places - others)
        self.now = moment
        self.clock.set(moment)

    def _submit(self, request: tuple[str, int]) -> None:
        organization, jobs = request
        self._asked[organization] = self.now
        submitted = self.rig.submit(
            UUID(organization), KIND, self.rig.subject(work=jobs), dispatched=self.setting.dispatched
        )
        if self.setting.dispatched:
            self.queue.send(submitted["jobs"])

    def _sweep(self, _: None) -> None:
        self.queue.send(self.sweep())
        self._at(self.now + 60, "sweep", None)

    def _start_workers(self) -> None:
        while self.free and (message := self.queue.receive()) is not None:
            organization, job = message
            self.free -= 1
            claim = self.rig.claim(UUID(job), 3600)
            self.result.claims += 1
            if claim["outcome"] != "granted":
                self._at(self.now + self.setting.look, "look", organization)
                continue
            self.result.granted += 1
            self.running[organization] += 1
            if organization != self.heavy:
                self.result.waits.append(self.now - self._asked[organization])
            self._at(self.now + self.setting.job, "finish", (organization, job, claim["attempt"]))

    def _look(self, organization: str) -> None:
        self.free += 1
        self.queue.delete(organization)

    def _finish(self, work: tuple[str, str, int]) -> None:
        organization, job, attempt = work
        self.free += 1
        self.running[organization] -= 1
        self.queue.delete(organization)
        finished = self.rig.complete(UUID(job), attempt)
        assert finished["accepted"]
        self.queue.send(finished["next"])
        if organization == self.heavy:
            self._heavy_left -= 1
        else:
            self.result.turnarounds.append(self.now - self._asked[organization])
