"""Oban for Python (the open-source edition): one queue with a limit of `workers`, its own pool and notifier."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

import oban
import psycopg
from oban.schema import install_sql

from benchmarks.engine.protocol import Order, Work, serve


@oban.worker(queue="default")
class Job:
    work: ClassVar[Work]

    async def process(self, job: oban.Job) -> None:
        await self.work.do_async(**job.args)


new: Callable[..., oban.Job] = Job.new  # type: ignore[attr-defined]  # the decorator adds it


class ObanAdapter:
    def prepare(self, order: Order) -> None:
        with psycopg.connect(order.url, autocommit=True) as connection:
            connection.execute(install_sql().encode())

    def submit(self, order: Order) -> None:
        asyncio.run(self._submit(order))

    def run(self, order: Order, work: Work) -> None:
        asyncio.run(self._run(order, work))

    def recover(self, order: Order) -> None:
        """Its leader rescues by itself: see `lifeline`."""

    def production(self, order: Order, work: Work) -> None:
        raise SystemExit("workflows are in Oban Pro")

    async def _submit(self, order: Order) -> None:
        pool = await oban.Oban.create_pool(dsn=order.url)
        async with oban.Oban(pool=pool) as client:
            jobs = [new({"number": n, "held": order.held}) for n in range(order.jobs)]
            if order.each:
                for job in jobs:
                    await client.enqueue(job)
            else:
                for start in range(0, len(jobs), 1000):
                    await client.enqueue_many(*jobs[start : start + 1000])
        await pool.close()

    async def _run(self, order: Order, work: Work) -> None:
        Job.work = work
        pool = await oban.Oban.create_pool(dsn=order.url)
        patience = {"interval": 0.5, "rescue_after": 1.0} if order.role == "successor" else {}
        async with oban.Oban(pool=pool, queues={"default": order.workers}, lifeline=patience):
            await asyncio.to_thread(work.wait)
        await pool.close()


if __name__ == "__main__":
    serve(ObanAdapter())
