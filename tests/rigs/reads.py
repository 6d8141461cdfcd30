"""What a statement reads: buffers, rows by table, and the tables that it read from end to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

Row = dict[str, Any]

# Of this transaction alone. Rows of system catalogs are not the statement's.
COUNTERS = """
select relname as name, coalesce(seq_scan, 0) as scans, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as rows
from pg_stat_xact_user_tables
where schemaname in ('public', 'engine', 'private')
"""
# plpgsql settles for a plan after five executions.
WARM_UP = 6


@dataclass(frozen=True)
class Reads:
    buffers: int
    rows: dict[str, int]
    scanned: set[str]


def reads(
    connection: psycopg.Connection[Row],
    statement: str,
    *arguments: Any,
    by_name: Row | None = None,
    warm_up: int = WARM_UP,
) -> Reads:
    """Count what a statement reads once its plans are cached; everything that it does is undone.

    The connection is in a transaction. Parameters are in order, or `by_name`.
    """
    given = arguments if by_name is None else by_name
    for _ in range(warm_up):
        connection.execute("savepoint reading")
        connection.execute(statement.encode(), given)
        connection.execute("rollback to reading")
    before = _counters(connection)
    connection.execute("savepoint reading")
    explained = connection.execute(f"explain (analyze, buffers, format json) {statement}".encode(), given)
    plan = explained.fetchall()[0]["QUERY PLAN"][0]["Plan"]
    connection.execute("rollback to reading")
    rows, scanned = {}, set()
    for name, (count, scans) in _counters(connection).items():
        earlier_count, earlier_scans = before.get(name, (0, 0))
        if count > earlier_count:
            rows[name] = count - earlier_count
            if scans > earlier_scans:
                scanned.add(name)
    return Reads(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], rows, scanned)


def _counters(connection: psycopg.Connection[Row]) -> dict[str, tuple[int, int]]:
    return {row["name"]: (row["rows"], row["scans"]) for row in connection.execute(COUNTERS.encode())}
