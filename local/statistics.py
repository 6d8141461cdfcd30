"""How the database stands, as tables for a person: what `engine.statistics` counts."""

from __future__ import annotations

from typing import Any

import psycopg
from rich.console import Console
from rich.table import Column, Table

MEGABYTE = 1_000_000


def read_statistics(owner_url: str) -> dict[str, Any]:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        row = connection.execute("select engine.statistics()").fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


def show_statistics(owner_url: str, console: Console) -> None:
    """Print sizes, connections and the queue of the database at `owner_url`."""
    found = read_statistics(owner_url)
    numbers = [Column(name, justify="right") for name in ("MB", "rows", "dead")]
    tables = Table("table", *numbers)
    for row in found["tables"]:
        tables.add_row(row["name"], f"{row['bytes'] / MEGABYTE:.1f}", str(row["live_rows"]), str(row["dead_rows"]))
    console.print(tables)
    states = ", ".join(f"{count} {state}" for state, count in sorted(found["connections"].items()))
    jobs = found["jobs"]
    lines = [
        f"database            {found['database_bytes'] / MEGABYTE:.1f} MB",
        f"connections         {states} of at most {found['most_connections']}",
        f"oldest transaction  {found['oldest_transaction_seconds']:.0f} s",
        f"jobs                {jobs['queued']} queued, {jobs['running']} running, {jobs['parked']} parked",
        f"due and not taken   {jobs['overdue']}, the oldest for {jobs['oldest_due_seconds']:.0f} s",
        f"lost leases         {jobs['lost_leases']}",
        f"files to delete     {found['files_to_delete']}",
    ]
    for line in lines:
        console.print(line, highlight=False)
