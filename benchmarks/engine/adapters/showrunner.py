"""Showrunner: threads that work off a queue of ids, as functions do with SQS and its batches, through a transaction
pooler. The first job is claimed, each further one in the round trip that completes the one before it
(`engine.complete_and_claim`); where that is contended, or the queue is empty, by itself. Jobs are lines of productions,
40 each, of `organizations` organizations in turn; each has an estimate, which is reserved on its organization's budget
while it runs, and with `usage` each reports one provider call. With `prepared` statements are prepared, as most of the
peers do and functions behind a pooler cannot.
"""

from __future__ import annotations

import contextlib
import hashlib
import queue
import threading
import uuid
from typing import Any

import psycopg

from benchmarks.engine.protocol import Order, Work, serve

LINES = 40
# Connections to the server that all workers share: three for each of its cores.
POOLED = 6
LEASE_SECONDS = 60
LEASE_OF_A_ZOMBIE = 0.5
OUTPUT = '{"asset": "organizations/bench/clip.flac", "seconds": 4.2}'
OUTPUT_HASH = hashlib.sha256(OUTPUT.encode()).hexdigest()
USAGE = """[{"provider": "bench", "model": "voice", "input_tokens": 0, "output_tokens": 0, "characters": 80,
             "seconds": 4.2, "images": 0, "measured": true}]"""

# Kinds of production: `bench_lines` has 40 jobs, `bench_one` one, `bench_held` the five that zombies hold.
SCHEMA = """
create schema bench;
create view bench.lines as
select productions.id as production_id, 'line-' || number as key,
       jsonb_build_object('number', number, 'text', 'A line of the script, as long as lines are.') as input,
       0.0001 as estimate_gbp
from public.productions cross join generate_series(1, 40) as number
where productions.kind = 'bench_lines';
create view bench.held as
select productions.id as production_id, 'held-' || number as key,
       jsonb_build_object('number', number, 'held', true) as input, 0.0001 as estimate_gbp
from public.productions cross join generate_series(1, 5) as number
where productions.kind = 'bench_held';
create view bench.halves as
select productions.id as production_id, 'item-' || number as key,
       jsonb_build_object('number', number) as input, 0.0001 as estimate_gbp
from public.productions cross join generate_series(1, 20) as number
where productions.kind = 'bench_video';
insert into engine.pipelines (kind, stage, position, after, desired_jobs) values
    ('bench_lines', 'speak', 1, '{}', 'bench.lines'),
    ('bench_held', 'speak', 1, '{}', 'bench.held'),
    ('bench_one', 'speak', 1, '{}', null),
    ('bench_video', 'plan', 1, '{}', null),
    ('bench_video', 'compose', 2, '{plan}', 'bench.halves'),
    ('bench_video', 'paint', 3, '{plan}', 'bench.halves'),
    ('bench_video', 'pair', 4, '{compose,paint}', null),
    ('bench_video', 'render', 5, '{pair}', null);
insert into public.organizations (id, name)
select ('00000000-0000-4000-8000-' || lpad(number::text, 12, '0'))::uuid, 'Bench ' || number
from generate_series(1, 20) as number;
update engine.organization_limits set max_running_jobs = 20, daily_budget_gbp = 1000;
"""

CLAIM = b"select outcome, attempt, input from engine.claim(%s, 'bench', %s)"
COMPLETE = b"select next from engine.complete(%s, %s, %s, %s, %s)"
COMPLETE_AND_CLAIM = (
    b"select next, outcome, attempt, input from engine.complete_and_claim(%s, %s, %s, %s, %s, %s, 'bench', %s)"
)

Ready = queue.SimpleQueue[uuid.UUID | None]
Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]


class Pool:
    """A transaction pooler in small: a connection is lent for one statement."""

    def __init__(self, order: Order, connections: int) -> None:
        self._free: queue.SimpleQueue[psycopg.Cursor[Row]] = queue.SimpleQueue()
        for _ in range(connections):
            self._free.put(connect(order).cursor())

    def one(self, statement: bytes, *arguments: Any) -> Row:
        cursor = self._free.get()
        try:
            row = cursor.execute(statement, arguments).fetchone()
        finally:
            self._free.put(cursor)
        assert row is not None
        return row

    def close(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._free.get_nowait().connection.close()


class Showrunner:
    def prepare(self, order: Order) -> None:
        """The migrations are applied already: see `measures.prepare`."""
        with psycopg.connect(order.url, autocommit=True) as connection:
            connection.execute(SCHEMA.encode())

    def submit(self, order: Order) -> None:
        if order.held:
            self._submit(order, "bench_held", 1)
        elif order.each:
            self._submit(order, "bench_one", order.jobs)
        else:
            self._submit(order, "bench_lines", -(-order.jobs // LINES))

    def run(self, order: Order, work: Work) -> None:
        """As many threads as workers; they stop when the work is done."""
        ready: Ready = queue.SimpleQueue()
        # As the queue of many organizations holds them: in turn, not one organization after the other.
        with connect(order) as connection:
            for (job,) in connection.execute(
                "select id from public.jobs where status = 'queued'"
                " order by row_number() over (partition by organization_id order by key, id), organization_id"
            ):
                ready.put(job)
        pool = Pool(order, min(order.workers, POOLED))
        threads = [threading.Thread(target=self._work, args=(order, work, ready, pool)) for _ in range(order.workers)]
        for thread in threads:
            thread.start()
        work.wait()
        for _ in threads:
            ready.put(None)
        for thread in threads:
            thread.join()
        pool.close()

    def recover(self, order: Order) -> None:
        """The sweeper's part: one expired lease per transaction."""
        with connect(order) as connection:
            connection.execute("select pg_sleep(%s)", [2 * LEASE_OF_A_ZOMBIE])
            for job, attempt in connection.execute("select * from engine.expired(100)").fetchall():
                connection.execute("select * from engine.fail(%s, %s, 'lost', 'The lease passed.')", [job, attempt])

    def production(self, order: Order, work: Work) -> None:
        self._submit(order, "bench_video", order.jobs)
        self.run(order, work)

    def _submit(self, order: Order, kind: str, productions: int) -> None:
        with connect(order) as connection:
            for number in range(productions):
                organization = f"00000000-0000-4000-8000-{number % order.organizations + 1:012}"
                connection.execute(
                    "select * from engine.submit(%s, %s, %s, %s, null, true)",
                    [organization, kind, uuid.uuid4(), str(uuid.uuid4())],
                )

    def _work(self, order: Order, work: Work, ready: Ready, pool: Pool) -> None:
        lease = LEASE_OF_A_ZOMBIE if order.role == "zombie" else LEASE_SECONDS
        usage = USAGE if order.usage else "[]"
        while (job := ready.get()) is not None:
            outcome, attempt, value = pool.one(CLAIM, job, lease)
            while outcome == "granted":
                work.do(value.get("number", 0), value.get("held", False))
                done = (job, attempt, OUTPUT, OUTPUT_HASH, usage)
                job = another(ready)
                if job is None:
                    (following,) = pool.one(COMPLETE, *done)
                    outcome = "completed"
                else:
                    following, outcome, attempt, value = pool.one(COMPLETE_AND_CLAIM, *done, job, lease)
                    if outcome == "contended":
                        outcome, attempt, value = pool.one(CLAIM, job, lease)
                for sent in following:
                    ready.put(uuid.UUID(sent["id"]))


def another(ready: Ready) -> uuid.UUID | None:
    """The next job, if there is one at this moment."""
    try:
        job = ready.get_nowait()
    except queue.Empty:
        return None
    if job is None:
        # What ends a worker is left for when it waits.
        ready.put(None)
    return job


def connect(order: Order) -> Connection:
    """As through a transaction pooler, which keeps no prepared statements; with `prepared`, as without one."""
    connection = psycopg.connect(order.url, autocommit=True, prepare_threshold=5 if order.prepared else None)
    connection.execute("set role showrunner_worker")
    return connection


if __name__ == "__main__":
    serve(Showrunner())
