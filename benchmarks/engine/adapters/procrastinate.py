"""procrastinate: one asyncio worker, LISTEN/NOTIFY on, its default connection pool."""

from __future__ import annotations

import asyncio

import procrastinate

from benchmarks.engine.protocol import Order, Work, serve


class Procrastinate:
    def prepare(self, order: Order) -> None:
        with self._app(order).open() as app:
            app.schema_manager.apply_schema()

    def submit(self, order: Order) -> None:
        asyncio.run(self._submit(order))

    def run(self, order: Order, work: Work) -> None:
        asyncio.run(self._run(order, work))

    def recover(self, order: Order) -> None:
        asyncio.run(self._recover(order))

    def production(self, order: Order, work: Work) -> None:
        raise SystemExit("procrastinate has no join")

    def _app(self, order: Order) -> procrastinate.App:
        return procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=order.url))

    async def _submit(self, order: Order) -> None:
        async with self._app(order).open_async() as app:
            job = app.configure_task("job")
            if order.each:
                for number in range(order.jobs):
                    await job.defer_async(number=number, held=order.held)
            else:
                await job.batch_defer_async(*({"number": n, "held": order.held} for n in range(order.jobs)))

    async def _run(self, order: Order, work: Work) -> None:
        app = self._app(order)

        @app.task(name="job")
        async def job(number: int, held: bool) -> None:
            await work.do_async(number, held)

        async with app.open_async():
            worker = asyncio.create_task(
                app.run_worker_async(
                    concurrency=order.workers, install_signal_handlers=False, update_heartbeat_interval=1
                )
            )
            await asyncio.to_thread(work.wait)
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)

    async def _recover(self, order: Order) -> None:
        # As its documentation shows: a periodic task retries what stalled workers hold.
        async with self._app(order).open_async() as app:
            await asyncio.sleep(3)
            for stalled in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=2):
                await app.job_manager.retry_job(stalled)


if __name__ == "__main__":
    serve(Procrastinate())
