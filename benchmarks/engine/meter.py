"""What the server did between two moments, read from Postgres' own statistics and from the CPU time of its processes.

Backends hand in their statistics when they end, so a reading waits until the measured database has no visitor left.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import psycopg

from local.postgres import Postgres

PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Reading:
    """Totals since the database was created; `cpu_seconds` and `wal_bytes` are the whole server's."""

    wal_bytes: int
    commits: int
    updates: int
    heap_only_updates: int
    cpu_seconds: float

    def __sub__(self, earlier: Reading) -> Reading:
        return Reading(
            self.wal_bytes - earlier.wal_bytes,
            self.commits - earlier.commits,
            self.updates - earlier.updates,
            self.heap_only_updates - earlier.heap_only_updates,
            self.cpu_seconds - earlier.cpu_seconds,
        )


class Meter:
    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    def read(self, database: str) -> Reading:
        with psycopg.connect(self._postgres.superuser_url(), autocommit=True) as connection:
            self._until_alone(connection, database)
            commits, wal_bytes = _row(
                connection,
                "select xact_commit, pg_current_wal_insert_lsn() - '0/0'::pg_lsn from pg_stat_database"
                " where datname = %s",
                database,
            )
            cpu_seconds = self._cpu_seconds()
        with psycopg.connect(self._postgres.superuser_url(database), autocommit=True) as connection:
            updates, heap_only = _row(
                connection,
                "select coalesce(sum(n_tup_upd), 0), coalesce(sum(n_tup_hot_upd), 0) from pg_stat_user_tables",
            )
        return Reading(int(wal_bytes), int(commits), int(updates), int(heap_only), cpu_seconds)

    def log_statements(self, database: str) -> None:
        """From now on every statement of new sessions is in the server's log; sessions are slower for it."""
        with psycopg.connect(self._postgres.superuser_url(), autocommit=True) as connection:
            connection.execute(f"alter database {database} set log_statement = 'all'".encode())

    def statements(self, database: str, but: str) -> int:
        """How many statements the log has for this database, other than `but`; BEGIN and COMMIT count."""
        with psycopg.connect(self._postgres.superuser_url(), autocommit=True) as connection:
            self._until_alone(connection, database)
        lines = self._postgres.log.read_text(errors="replace").splitlines()
        ours = (line for line in lines if f"@{database} LOG:  " in line)
        return sum((" statement: " in line or " execute " in line) and but not in line for line in ours)

    def _cpu_seconds(self) -> float:
        postmaster = self._postgres.process
        assert postmaster is not None
        times = postmaster.cpu_times()
        total = times.children_user + times.children_system
        for child in postmaster.children():
            spent = child.cpu_times()
            total += spent.user + spent.system
        return float(total)

    def _until_alone(self, connection: psycopg.Connection[Any], database: str) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            (visitors,) = _row(
                connection,
                "select count(*) from pg_stat_activity where datname = %s and backend_type = 'client backend'"
                " and application_name <> 'pinned'",
                database,
            )
            if visitors == 0:
                # The postmaster counts the CPU time of a backend when it reaps it.
                time.sleep(0.05)
                return
            time.sleep(0.05)
        raise TimeoutError(f"{database}: somebody stays connected")


def _row(connection: psycopg.Connection[Any], statement: str, *values: Any) -> tuple[Any, ...]:
    row = connection.execute(statement.encode(), values).fetchone()
    assert row is not None
    return tuple(row)
