"""DBOS: each job is a workflow on a queue whose `worker_concurrency` is `workers`.

Its queue thread polls each second by default, which would allow `workers` jobs a second: the interval here is 10 ms.
"""

from __future__ import annotations

from dbos import DBOS, DBOSClient, DBOSConfig

from benchmarks.engine.protocol import Order, Work, serve

POLL_SECONDS = 0.01


class Dbos:
    def prepare(self, order: Order) -> None:
        self._configure(order)
        DBOS.launch()
        DBOS.register_queue("jobs", polling_interval_sec=POLL_SECONDS)
        DBOS.destroy()

    def submit(self, order: Order) -> None:
        """It enqueues one by one, in either case."""
        client = DBOSClient(system_database_url=order.url)
        for number in range(order.jobs):
            client.enqueue({"workflow_name": "job", "queue_name": "jobs", "app_version": "1"}, number, order.held)
        client.destroy()

    def run(self, order: Order, work: Work) -> None:
        self._configure(order)

        @DBOS.workflow(name="job")
        def job(number: int, held: bool) -> None:
            work.do(number, held)

        self._launch(order)
        work.wait()
        DBOS.destroy(workflow_completion_timeout_sec=0)

    def recover(self, order: Order) -> None:
        """A worker that starts under the name of a dead one recovers its workflows."""

    def production(self, order: Order, work: Work) -> None:
        self._configure(order)

        @DBOS.workflow(name="job")
        def job(number: int) -> None:
            work.do(number)

        @DBOS.workflow(name="episode")
        def episode(number: int) -> None:
            DBOS.enqueue_workflow("jobs", job, 0).get_result()
            for handle in [DBOS.enqueue_workflow("jobs", job, n) for n in range(40)]:
                handle.get_result()
            DBOS.enqueue_workflow("jobs", job, 41).get_result()
            DBOS.enqueue_workflow("jobs", job, 42).get_result()

        self._launch(order)
        for number in range(order.jobs):
            DBOS.start_workflow(episode, number)
        work.wait()
        DBOS.destroy(workflow_completion_timeout_sec=0)

    def _configure(self, order: Order) -> None:
        config: DBOSConfig = {
            "name": "bench",
            "system_database_url": order.url,
            "application_version": "1",
            "executor_id": "bench",
            "log_level": "ERROR",
            "sys_db_pool_size": max(20, order.workers + 4),
        }
        DBOS(config=config)

    def _launch(self, order: Order) -> None:
        DBOS.launch()
        DBOS.register_queue("jobs", worker_concurrency=order.workers, polling_interval_sec=POLL_SECONDS)


if __name__ == "__main__":
    serve(Dbos())
