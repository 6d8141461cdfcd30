"""The engine in Python, in memory and without concurrency: what each transition ought to do, said a second time.

Rows are compared with the database's after every step. Where the engine may choose (which of the jobs that wait is
handed a place), the model is told the choice and says whether it was allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.rigs.engine import Stage
from tests.rigs.provider_model import Provider

OPEN = ("queued", "running", "parked")
TERMINAL = ("completed", "failed", "cancelled")
ENVIRONMENT = ("quota", "auth", "sunset")
MAY_BE_THE_PROVIDERS = ("rate_limited", "transient", "bad_output", "lost")
COUNTED = ("transient", "internal", "lost", "bad_output")
DAY_HOURS = 24


@dataclass
class Job:
    id: UUID
    production: Production
    stage: Stage
    key: str
    status: str = "queued"
    hold: str | None = None
    attempt: int = 0
    fails: int = 0
    slot: int | None = None
    waits: bool = False  # a retry or deferral whose time has not come
    due: bool = False  # the sweeper would send it now
    lapsed: bool = False  # its lease has passed
    queued_at: float = 0  # hours
    estimate: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    input: Any = None
    output: Any = None
    rewrite: bool = False
    probe: bool = False  # it started after its provider's breaker had opened

    @property
    def provider(self) -> Provider | None:
        return self.production.provider if self.stage.fans_out else None

    def stop(self, status: str, hold: str | None = None) -> None:
        self.status, self.hold, self.slot, self.lapsed = status, hold, None, False
        self.reserved, self.probe = Decimal(0), False

    @property
    def row(self) -> tuple[Any, ...]:
        return (self.stage.name, self.key, self.status, self.hold, self.attempt, self.fails, self.slot)


@dataclass
class Barrier:
    status: str = "pending"
    total: int = 0
    remaining: int = 0
    failed: int = 0
    approved: bool = False

    @property
    def row(self) -> tuple[Any, ...]:
        return (self.status, self.total, self.remaining, self.failed, self.approved)


@dataclass
class Production:
    id: UUID
    organization: Organization
    kind: str
    subject: UUID
    stages: tuple[Stage, ...]
    items: dict[tuple[str, str], tuple[str, Decimal]]  # (stage, key): text, estimate
    provider: Provider | None = None
    status: str = "queued"
    waiting_for: str | None = None
    build: int = 1
    rebuild_from: str | None = None
    renew_from: str | None = None
    jobs: dict[tuple[str, str], Job] = field(default_factory=dict)
    barriers: dict[str, Barrier] = field(default_factory=dict)

    @property
    def row(self) -> tuple[Any, ...]:
        return (self.status, self.waiting_for, self.build, self.rebuild_from, self.renew_from)

    def stages_from(self, name: str | None) -> set[str]:
        reached = {name} if name else set()
        for stage in self.stages:
            if reached & set(stage.after):
                reached.add(stage.name)
        return {stage for stage in reached if stage}


@dataclass
class Organization:
    id: UUID
    limit: int
    budget: Decimal
    productions: list[Production] = field(default_factory=list)
    paid: set[tuple[UUID, int, int]] = field(default_factory=set)  # job, attempt, call

    @property
    def jobs(self) -> list[Job]:
        return [job for production in self.productions for job in production.jobs.values()]

    @property
    def running(self) -> list[Job]:
        return [job for job in self.jobs if job.status == "running"]

    @property
    def reserved(self) -> Decimal:
        return sum((job.reserved for job in self.running), Decimal(0))


class Model:
    """All transitions. `new_id` is asked for the id that the engine gave a new job."""

    def __init__(self, price: Decimal, new_id: Callable[[Production, str, str], UUID]) -> None:
        self.price = price
        self.hours = 0.0
        self._new_id = new_id

    # --- a production's life --------------------------------------------------------------------------------------

    def submit(self, production: Production) -> set[UUID]:
        production.organization.productions.append(production)
        production.barriers = {stage.name: Barrier() for stage in production.stages}
        return self._advance(production, dispatched=False)

    def cancel(self, production: Production) -> bool:
        if production.status in TERMINAL:
            return False
        for job in production.jobs.values():
            if job.status in ("queued", "parked"):
                job.stop("cancelled")
                production.barriers[job.stage.name].remaining -= 1
        production.status, production.waiting_for = "cancelled", None
        return True

    def approve(self, production: Production) -> set[UUID] | None:
        waiting = [barrier for barrier in production.barriers.values() if barrier.status == "waiting"]
        if not waiting or production.status in TERMINAL:
            return None
        for barrier in waiting:
            barrier.approved = True
        return self._advance(production, dispatched=False)

    def rebuild(self, production: Production, from_stage: str | None) -> set[UUID]:
        for job in production.jobs.values():
            if job.status in OPEN:
                job.stop("cancelled")
        cleared = production.stages_from(from_stage)
        for name, barrier in production.barriers.items():
            production.barriers[name] = Barrier(approved=barrier.approved and name not in cleared)
        renewing = {from_stage} | ({production.renew_from} if production.status != "completed" else set())
        production.renew_from = next((stage.name for stage in production.stages if stage.name in renewing), None)
        production.status, production.waiting_for = "queued", None
        production.build += 1
        production.rebuild_from = from_stage
        return self._advance(production, dispatched=False)

    def _advance(self, production: Production, dispatched: bool) -> set[UUID]:
        if production.status in TERMINAL or production.waiting_for == "attention":
            return set()
        ready: set[UUID] = set()
        barriers = production.barriers
        for stage in production.stages:
            barrier = barriers[stage.name]
            if barrier.status not in ("pending", "waiting"):
                continue
            if any(barriers[before].status != "done" for before in stage.after):
                continue
            if stage.gate and not barrier.approved:
                barrier.status = "waiting"
                continue
            ready |= self._reconcile(production, stage, dispatched)
        found = {barrier.status for barrier in barriers.values()}
        status = next((name for name in ("running", "failed", "waiting") if name in found), "completed")
        production.waiting_for = "approval" if status == "waiting" else None
        if not (status == "running" and production.status == "queued"):
            production.status = status
        return ready

    def _reconcile(self, production: Production, stage: Stage, dispatched: bool) -> set[UUID]:
        desired = self._desired(production, stage)
        forced = production.rebuild_from == stage.name
        protected = stage.sticky and stage.name not in production.stages_from(production.renew_from)
        opened = []
        for key, (text, estimate) in desired.items():
            job = production.jobs.get((stage.name, key))
            if job is None:
                job = Job(self._new_id(production, stage.name, key), production, stage, key)
                production.jobs[stage.name, key] = job
            elif job.status == "succeeded" and not forced and (job.input == text or protected):
                continue
            job.stop("queued")
            job.fails, job.waits, job.due, job.rewrite = 0, False, not dispatched, False
            job.queued_at, job.estimate, job.input, job.output = self.hours, estimate, text, None
            opened.append(job)
        for job in production.jobs.values():
            if job.stage.name == stage.name and job.key not in desired:
                job.status = "cancelled"
        barrier = production.barriers[stage.name]
        barrier.status = "running" if opened else "done"
        barrier.total, barrier.remaining, barrier.failed = len(desired), len(opened), 0
        if opened:
            for later in production.stages_from(stage.name) - {stage.name}:
                production.barriers[later].approved = False
        return {job.id for job in opened}

    def _desired(self, production: Production, stage: Stage) -> dict[str, tuple[Any, Decimal]]:
        if not stage.fans_out:
            return {"": (None, Decimal(0))}
        upstream = tuple(
            job.output
            for (name, _), job in sorted(production.jobs.items())
            if stage.joins and name in stage.after and job.status == "succeeded"
        )
        return {
            key: ((text, upstream), estimate)
            for (name, key), (text, estimate) in production.items.items()
            if name == stage.name
        }

    # --- a job's life -----------------------------------------------------------------------------------------------

    def claim(self, job: Job) -> tuple[str, list[Provider | None]]:
        """The outcome, and what room is handed on: of the organization (None), of a provider."""
        outcome = self._refuse(job)
        if outcome is not None:
            return outcome, []
        organization, provider = job.production.organization, job.provider
        if provider is None:
            at_provider: list[Provider | None] = []
        else:
            at_provider = [provider]
        taken = {other.slot for other in organization.running}
        free = next((slot for slot in range(1, organization.limit + 1) if slot not in taken), None)
        if len(taken) >= organization.limit or free is None:
            job.stop("parked", "slot")
            return "parked", at_provider
        if provider is not None and not provider.room()[0]:
            return provider.refuse(job), [None]
        if job.estimate > self._left(organization) and job.estimate > 0:
            job.stop("parked", "budget")
            return "parked", [None, *at_provider]
        job.status, job.slot, job.reserved, job.lapsed = "running", free, job.estimate, False
        job.attempt += 1
        if provider is not None:
            provider.start(job)
        return "granted", at_provider

    @staticmethod
    def _refuse(job: Job) -> str | None:
        """Why it may not run whatever room there is."""
        production = job.production
        if job.status != "queued":
            return {"running": "leased", "parked": "parked", "cancelled": "cancelled"}.get(job.status, "terminal")
        if job.waits:
            return "not_due"
        if production.status == "cancelled":
            job.stop("cancelled")
            production.barriers[job.stage.name].remaining -= 1
            return "cancelled"
        if production.status == "failed" or production.waiting_for == "attention":
            job.stop("parked", "attention")
            return "parked"
        if production.status == "queued":
            production.status = "running"
        return None

    def complete(self, job: Job, attempt: int, output: Any, calls: int) -> tuple[bool, Any]:
        if not self._is_current(job, attempt):
            self._pay(job, attempt, calls)
            return job.status == "succeeded" and job.attempt == attempt, set()
        cancelled = job.production.status == "cancelled"
        if not cancelled and job.probe and job.provider is not None and job.provider.trips:
            job.provider.works_again()
        job.stop("cancelled" if cancelled else "succeeded")
        job.output = None if cancelled else output
        opened = self._count_down(job, failed=False)
        self._pay(job, attempt, calls)
        return not cancelled, opened

    def fail(self, job: Job, attempt: int, kind: str, calls: int) -> tuple[bool, str, Any]:
        if not self._is_current(job, attempt) or (kind == "lost" and not job.lapsed):
            self._pay(job, attempt, calls)
            return job.attempt == attempt and job.status not in ("running", "succeeded"), job.status, set()
        cancelled = job.production.status == "cancelled"
        late = kind == "rate_limited" and self.hours > job.queued_at + DAY_HOURS
        blamed, comes_first = False, False
        if job.provider is not None and not cancelled and kind in MAY_BE_THE_PROVIDERS:
            is_late = self.hours > job.queued_at + DAY_HOURS
            blamed, comes_first = job.provider.blame(job, kind, is_late)
        job.fails += not blamed and (kind in COUNTED or late)
        status = "queued"
        if cancelled:
            status = "cancelled"
        elif kind == "quota":
            status = "parked"
        elif (
            kind in ("invalid_input", "auth", "sunset")
            or (kind == "content_refused" and job.rewrite)
            or job.fails >= job.stage.max_fails
        ):
            status = "failed"
        if blamed and not comes_first:
            status = "parked"
        job.stop(status, None if status != "parked" else "provider" if blamed else "attention")
        job.waits = comes_first or kind in ("rate_limited", "transient", "internal", "bad_output")
        job.due = kind == "lost" and not blamed
        job.rewrite = job.rewrite or kind == "content_refused"
        opened = self._count_down(job, status == "failed") if status in ("failed", "cancelled") else set()
        if kind in ENVIRONMENT and not cancelled:
            self._stop(job.production, kind)
        self._pay(job, attempt, calls)
        return True, status, opened

    def defer(self, job: Job, attempt: int, calls: int) -> tuple[bool, Any]:
        current = self._is_current(job, attempt)
        self._pay(job, attempt, calls)
        if not current:
            return job.status == "queued" and job.attempt == attempt, set()
        job.stop("queued")
        job.waits, job.due, job.rewrite = True, False, False
        return True, {job.id}

    def heartbeat(self, job: Job, attempt: int) -> tuple[bool, bool]:
        alive = self._is_current(job, attempt)
        job.lapsed = job.lapsed and not alive
        return alive, not alive or job.production.status == "cancelled"

    def pass_time(self, hours: float) -> None:
        self.hours += hours

    @staticmethod
    def grow_older(jobs: Iterable[Job]) -> None:
        """Longer than any lease, retry or deferral has passed for these."""
        for job in jobs:
            job.waits = False
            job.due = job.due or job.status == "queued"
            job.lapsed = job.status == "running"

    # --- places -----------------------------------------------------------------------------------------------------

    def candidates(self, organization: Organization) -> list[Job]:
        """The jobs of which one must be handed the place that is free now; none when no place is."""
        if len(organization.running) >= organization.limit:
            return []
        parked = [job for job in organization.jobs if job.status == "parked"]
        left = self._left(organization)
        return [job for job in parked if job.hold == "slot"] or [
            job for job in parked if job.hold == "budget" and job.estimate <= left
        ]

    @staticmethod
    def readmit(job: Job, *, now: bool = True, dispatched: bool = True) -> None:
        job.stop("queued")
        job.waits, job.due = not now, now and not dispatched

    def spent(self, organization: Organization) -> Decimal:
        return self.price * len(organization.paid)

    def _left(self, organization: Organization) -> Decimal:
        return organization.budget - self.spent(organization) - organization.reserved

    def _pay(self, job: Job, attempt: int, calls: int) -> None:
        job.production.organization.paid |= {(job.id, attempt, number) for number in range(calls)}

    def _count_down(self, job: Job, failed: bool) -> set[UUID]:
        barrier = job.production.barriers[job.stage.name]
        barrier.remaining -= 1
        barrier.failed += failed
        if barrier.remaining > 0:
            return set()
        barrier.status = "failed" if barrier.failed else "done"
        return self._advance(job.production, dispatched=True)

    @staticmethod
    def _stop(production: Production, kind: str) -> None:
        for job in production.jobs.values():
            if job.status == "queued" or (job.status == "parked" and job.hold != "attention"):
                job.stop("parked", "attention")
        if production.status in ("queued", "running", "waiting"):
            production.status = "waiting" if kind == "quota" else "failed"
            production.waiting_for = "attention" if kind == "quota" else None

    @staticmethod
    def _is_current(job: Job, attempt: int) -> bool:
        return job.status == "running" and job.attempt == attempt
