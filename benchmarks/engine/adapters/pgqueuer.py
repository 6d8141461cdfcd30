"""pgqueuer: its asyncpg driver on one connection, LISTEN/NOTIFY on.

It claims and completes `batch` jobs per statement, and wants room for at least two batches at a time.
"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import asyncpg
from pgqueuer import PgQueuer, Queries
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job

from benchmarks.engine.protocol import Order, Work, serve


class PgQueuerAdapter:
    def prepare(self, order: Order) -> None:
        async def install() -> None:
            await Queries(AsyncpgDriver(await asyncpg.connect(order.url))).install()

        asyncio.run(install())

    def submit(self, order: Order) -> None:
        asyncio.run(self._submit(order))

    def run(self, order: Order, work: Work) -> None:
        asyncio.run(self._run(order, work))

    def recover(self, order: Order) -> None:
        """Its workers take stale jobs back by themselves: see `heartbeat_timeout`."""

    def production(self, order: Order, work: Work) -> None:
        raise SystemExit("pgqueuer has no join")

    async def _submit(self, order: Order) -> None:
        queries = Queries(AsyncpgDriver(await asyncpg.connect(order.url)))
        payloads = [json.dumps({"number": n, "held": order.held}).encode() for n in range(order.jobs)]
        if order.each:
            for payload in payloads:
                await queries.enqueue("job", payload)
        else:
            await queries.enqueue(["job"] * order.jobs, list(payloads), [0] * order.jobs)

    async def _run(self, order: Order, work: Work) -> None:
        queuer = PgQueuer(AsyncpgDriver(await asyncpg.connect(order.url)))

        @queuer.entrypoint("job")
        async def job(job: Job) -> None:
            await work.do_async(**json.loads(job.payload or b"{}"))

        manager = asyncio.create_task(
            queuer.qm.run(
                batch_size=order.batch,
                max_concurrent_tasks=max(order.workers, 2 * order.batch),
                dequeue_timeout=timedelta(seconds=1),
                heartbeat_timeout=timedelta(seconds=2) if order.role != "worker" else timedelta(seconds=30),
            )
        )
        await asyncio.to_thread(work.wait)
        queuer.qm.shutdown.set()
        await asyncio.wait([manager], timeout=10)


if __name__ == "__main__":
    serve(PgQueuerAdapter())
