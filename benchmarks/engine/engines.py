"""The engines, where each keeps its jobs, and what each promises (read in their code and documentation, at the versions
that requirements/bench.txt and node/package.json pin).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Engine:
    """`adapter` is a module of adapters/, or a file of node/. `open_jobs` counts jobs that are not finished.

    `stir` rewrites every open job as it is: what leaves dead rows where a claim looks. `options` go into each order.
    """

    name: str
    adapter: str
    open_jobs: str
    stir: str
    claim: str
    fence: str
    join: str
    limits: str
    options: dict[str, Any] = field(default_factory=dict)
    joins: bool = False

    @property
    def runs_on_node(self) -> bool:
        return self.adapter.endswith(".mjs")

    @property
    def template(self) -> str:
        """The database that is prepared once and cloned for each measure."""
        return "bench_" + self.adapter.removesuffix(".mjs")


def _showrunner(name: str, **options: Any) -> Engine:
    return Engine(
        name=name,
        adapter="showrunner",
        open_jobs="select count(*) from public.jobs where status in ('queued', 'running', 'parked')",
        stir="update public.jobs set due_at = due_at where status = 'queued'",
        claim="each, durable",
        fence="attempt number",
        join="stages of a graph",
        limits="running jobs and budget per organization",
        options=options,
        joins=True,
    )


def _pgqueuer(name: str, batch: int) -> Engine:
    return Engine(
        name=name,
        adapter="pgqueuer",
        open_jobs="select count(*) from pgqueuer",
        stir="update pgqueuer set updated = updated where status = 'queued'",
        claim="each, durable" if batch == 1 else f"{batch} at a time",
        fence="none: deleted by id",
        join="none",
        limits="running jobs per entrypoint",
        options={"batch": batch},
    )


def _pg_boss(name: str, batch: int) -> Engine:
    return Engine(
        name=name,
        adapter="pg_boss.mjs",
        open_jobs="select count(*) from pgboss.job where state <> 'completed'",
        stir="update pgboss.job set start_after = start_after where state < 'active'",
        claim="each, durable" if batch == 1 else f"{batch} at a time",
        fence="state only: any attempt may complete",
        join="flow: jobs that depend on jobs",
        limits="running jobs per group",
        options={"batch": batch},
        joins=batch == 1,
    )


ENGINES = (
    _showrunner("showrunner"),
    _showrunner("showrunner, prepared", prepared=True),
    _showrunner("showrunner, with usage", usage=True),
    _showrunner("showrunner, 1 organization", organizations=1),
    Engine(
        name="procrastinate",
        adapter="procrastinate",
        open_jobs="select count(*) from procrastinate_jobs where status in ('todo', 'doing')",
        stir="update procrastinate_jobs set status = status where status = 'todo'",
        claim="each, durable",
        fence="none: finished by id",
        join="none",
        limits="one at a time per lock",
    ),
    _pgqueuer("pgqueuer, batch 1", 1),
    _pgqueuer("pgqueuer, batch 10", 10),
    Engine(
        name="dbos",
        adapter="dbos",
        open_jobs="select count(*) from dbos.workflow_status where status in ('ENQUEUED', 'PENDING', 'DELAYED')",
        stir="update dbos.workflow_status set status = status where status = 'ENQUEUED'",
        claim="as many as may run",
        fence="owner of the claim",
        join="workflows in code",
        limits="per queue and partition, per period",
        joins=True,
    ),
    Engine(
        name="oban",
        adapter="oban",
        open_jobs="select count(*) from oban_jobs where state in ('available', 'scheduled', 'executing', 'retryable')",
        stir="update oban_jobs set scheduled_at = scheduled_at where state = 'available'",
        claim="as many as may run",
        fence="time of the attempt",
        join="in its Pro edition",
        limits="per queue and node; more in Pro",
    ),
    _pg_boss("pg-boss, batch 1", 1),
    _pg_boss("pg-boss, batch 10", 10),
    Engine(
        name="graphile-worker",
        adapter="graphile_worker.mjs",
        open_jobs="select count(*) from graphile_worker._private_jobs",
        stir="update graphile_worker._private_jobs set run_at = run_at where locked_at is null",
        claim="each, durable",
        fence="none: deleted by id",
        join="none",
        limits="one at a time per named queue",
    ),
)
