"""What is measured. Each measure takes a fresh clone of the engine's prepared database: none sees another's rows."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.engine.engines import Engine
from benchmarks.engine.meter import Meter
from benchmarks.engine.protocol import Order, count
from local import migrations
from local.postgres import Postgres

PROJECT = Path(__file__).parents[2]
NODE = Path(__file__).parent / "node"
DEAD_ROWS = 50_000
ZOMBIES = 5
JOBS_BESIDE_ZOMBIES = 95
FEW, MORE = 800, 1600
GIVE_UP_SECONDS = 120


class AdapterError(RuntimeError):
    """An adapter could not do what it was ordered; the message ends with what it said."""


@dataclass(frozen=True)
class Speed:
    """Rates per second, and what each job cost the server."""

    submitted: float
    ran: float
    wal_bytes: float
    commits: float
    heap_only: float
    cpu_seconds: float


class Bench:
    """Runs adapters, each order in a process of its own, against one server."""

    def __init__(self, postgres: Postgres, python: Path, node: Path | None) -> None:
        self.postgres = postgres
        self.meter = Meter(postgres)
        self._python = python
        self._node = node
        self._clones = 0

    # --- one order ------------------------------------------------------------------------------------------------

    def prepare(self, engine: Engine) -> None:
        """Make the database that the engine's measures clone. Raises AdapterError where the engine is not installed."""
        if self.postgres.has_database(engine.template):
            return
        if engine.adapter == "showrunner":
            migrations.prepare(self.postgres, engine.template)
        else:
            self.postgres.create_database(engine.template)
        try:
            self.call(engine, engine.template, "prepare")
        except AdapterError:
            self.postgres.drop_database(engine.template)
            raise

    @contextlib.contextmanager
    def clone(self, engine: Engine) -> Iterator[str]:
        self._clones += 1
        database = f"{engine.template}_{self._clones}"
        self.postgres.create_database(database, engine.template)
        try:
            yield database
        finally:
            self.postgres.drop_database(database)

    def call(self, engine: Engine, database: str, action: str, **details: Any) -> dict[str, float]:
        return _answer(self.start(engine, database, action, **details))

    def start(self, engine: Engine, database: str, action: str, **details: Any) -> subprocess.Popen[str]:
        order = Order(
            action=action, url=self.postgres.url(database), open_jobs=engine.open_jobs, **(engine.options | details)
        )
        if engine.runs_on_node:
            if self._node is None:
                raise AdapterError("no Node of version 22 or newer")
            command = [str(self._node), str(NODE / engine.adapter)]
        else:
            command = [str(self._python), "-m", f"benchmarks.engine.adapters.{engine.adapter}"]
        return subprocess.Popen(
            [*command, order.to_json()],
            cwd=PROJECT,
            env=os.environ | {"PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    # --- measures -------------------------------------------------------------------------------------------------

    def speed(self, engine: Engine, jobs: int, workers: int) -> Speed:
        """Submit many at once, then run them all with so many workers."""
        with self.clone(engine) as database:
            submitted = self.call(engine, database, "submit", jobs=jobs)
            self._settle(database)
            before = self.meter.read(database)
            ran = self.call(engine, database, "run", jobs=jobs, workers=workers)
            spent = self.meter.read(database) - before
        if ran["jobs"] < jobs:
            raise AdapterError(f"{engine.name}: only {ran['jobs']} of {jobs} jobs ran")
        return Speed(
            submitted=jobs / submitted["seconds"],
            ran=jobs / ran["seconds"],
            wal_bytes=spent.wal_bytes / jobs,
            commits=spent.commits / jobs,
            heap_only=spent.heap_only_updates / max(1, spent.updates),
            cpu_seconds=spent.cpu_seconds / jobs,
        )

    def submitted_each(self, engine: Engine, jobs: int) -> float:
        """Requests per second, one after the other, each a transaction of its own."""
        with self.clone(engine) as database:
            return jobs / self.call(engine, database, "submit", jobs=jobs, each=True)["seconds"]

    def statements(self, engine: Engine, workers: int = 4) -> float:
        """Statements per job: the difference between a run of many and one of few, so that starting counts nothing."""
        counted = []
        for jobs in (FEW, MORE):
            with self.clone(engine) as database:
                self.call(engine, database, "submit", jobs=jobs)
                self.meter.log_statements(database)
                self.call(engine, database, "run", jobs=jobs, workers=workers)
                counted.append(self.meter.statements(database, but=engine.open_jobs))
        return (counted[1] - counted[0]) / (MORE - FEW)

    def degraded(self, engine: Engine, jobs: int, workers: int = 4) -> float:
        """Jobs per second beside 50,000 dead rows that nothing may remove: an old transaction can still see them."""
        with self.clone(engine) as database:
            self.call(engine, database, "submit", jobs=jobs)
            with self._superuser(database, "pinned") as pinned, self._superuser(database) as owner:
                pinned.execute("begin isolation level repeatable read")
                pinned.execute(f"select ({engine.open_jobs})".encode())
                owner.execute("set session_replication_role = replica")
                for _ in range(DEAD_ROWS // jobs):
                    owner.execute(engine.stir.encode())
                owner.execute("analyze")
                ran = self.call(engine, database, "run", jobs=jobs, workers=workers)
                pinned.execute("rollback")
        return ran["jobs"] / ran["seconds"]

    def productions(self, engine: Engine, productions: int, workers: int) -> float:
        """Productions per second, each 1 plan, 20 + 20 jobs, a join of those, 1 render: 43 jobs."""
        with self.clone(engine) as database:
            done = self.call(engine, database, "production", jobs=productions, workers=workers)
        if done["jobs"] < productions * 43:
            raise AdapterError(f"{engine.name}: only {done['jobs']} of {productions * 43} jobs ran")
        return productions / done["seconds"]

    def wrong_outcomes(self, engine: Engine) -> int:
        """Of 100 jobs, how many of the five zombies' results were accepted.

        A worker takes five jobs and is frozen, as by a paused machine. By the engine's own means they are taken back,
        and a second worker runs them again. While it does, the first wakes up and hands in its results: each job that
        is finished then, although the attempt that holds it still runs, has a wrong outcome. One job at a time, since
        a batch would hold the jobs beside it.
        """
        with self.clone(engine) as database, tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
            folder = Path(name)
            self.call(engine, database, "submit", jobs=ZOMBIES, held=True)
            zombie = self.start(
                engine, database, "run", jobs=ZOMBIES, workers=ZOMBIES, role="zombie", folder=name, batch=1
            )
            stack.callback(_end, zombie)
            _until(lambda: len(list(folder.glob("started-zombie-*"))) == ZOMBIES, "the zombies have started", zombie)
            zombie.send_signal(signal.SIGSTOP)
            self.call(engine, database, "submit", jobs=JOBS_BESIDE_ZOMBIES)
            self.call(engine, database, "recover")
            successor = self.start(
                engine,
                database,
                "run",
                jobs=self._queued(engine, database),
                workers=16,
                role="successor",
                folder=name,
                batch=1,
            )
            stack.callback(_end, successor)
            _until(lambda: len(list(folder.glob("started-successor-*"))) == ZOMBIES, "the jobs run again", successor)
            with psycopg.connect(self.postgres.url(database), autocommit=True) as connection:
                _until(lambda: count(connection, engine.open_jobs) == ZOMBIES, "only held jobs are open", successor)
                (folder / "release-zombie").touch()
                zombie.send_signal(signal.SIGCONT)
                _answer(zombie)
                accepted = ZOMBIES - count(connection, engine.open_jobs)
            (folder / "release-successor").touch()
            _answer(successor)
        return accepted

    # --- how ------------------------------------------------------------------------------------------------------

    def _queued(self, engine: Engine, database: str) -> int:
        with psycopg.connect(self.postgres.url(database), autocommit=True) as connection:
            return count(connection, engine.open_jobs)

    def _settle(self, database: str) -> None:
        """What autovacuum would have done, at once and for every engine."""
        with self._superuser(database) as connection:
            connection.execute("vacuum analyze")

    def _superuser(self, database: str, name: str = "bench") -> psycopg.Connection[Any]:
        return psycopg.connect(self.postgres.superuser_url(database), autocommit=True, application_name=name)


def _answer(process: subprocess.Popen[str]) -> dict[str, float]:
    try:
        said, complaints = process.communicate(timeout=2 * GIVE_UP_SECONDS)
    except subprocess.TimeoutExpired:
        _end(process)
        raise AdapterError("its adapter does not end") from None
    except KeyboardInterrupt:
        _end(process)
        raise
    if process.returncode != 0:
        raise AdapterError((complaints.strip().splitlines() or ["ended without a word"])[-1])
    answer: dict[str, float] = json.loads(said.strip().splitlines()[-1])
    return answer


def _until(true: Any, what: str, process: subprocess.Popen[str]) -> None:
    give_up_at = time.monotonic() + 60
    while not true():
        if process.poll() is not None:
            _answer(process)
        if time.monotonic() > give_up_at:
            raise AdapterError(f"not reached: {what}")
        time.sleep(0.02)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate()
