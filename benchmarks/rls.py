"""What row-level security costs a client app: its usual queries as a member, and as the owner for the same rows.

Builds a database of a thousand organizations, asks each query many times, members and owner in turn, and prints one
table. Organization 1 has a tenth of all rows and its owner belongs to three; the others are typical.

    python benchmarks/rls.py [--productions 1000000] [--jobs 3] [--rounds 200] [--home DIRECTORY]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from local import migrations
from local.postgres import Postgres
from tests.rigs import past, rows
from tests.rigs.client_queries import NAMED, UNNAMED, for_member, for_owner

DATABASE = "rls"
Connection = psycopg.Connection[dict[str, Any]]


def prepare(postgres: Postgres, size: past.Size) -> None:
    if postgres.has_database(DATABASE):
        return
    migrations.prepare(postgres, DATABASE)
    with psycopg.connect(postgres.superuser_url(DATABASE), autocommit=True) as connection:
        past.build(connection, size)
        connection.execute("vacuum (analyze)")


def parameters(owner: Connection, number: int, detailed: int) -> dict[str, Any]:
    """Ids of what an organization made last, of those that have all their rows."""
    organization = past.id_of("o", number)
    recent = owner.execute(
        "select id as production, subject_id as episode, created_at from public.productions"
        " where organization_id = %s and status = 'completed' order by created_at desc limit %s",
        [organization, 20 * detailed],
    ).fetchall()
    chosen = next(
        row
        for row in recent
        if owner.execute(
            "select 1 from public.production_stages where production_id = %s", [row["production"]]
        ).fetchone()
    )
    mine = owner.execute(
        "select array_agg(organization_id) as ids from public.organization_members where user_id = %s", [organization]
    ).fetchall()
    return {
        "organization": organization,
        "show": past.id_of("s", number),
        "production": chosen["production"],
        "episode": chosen["episode"],
        "seen": recent[-1]["created_at"],
        "mine": mine[0]["ids"],
    }


def milliseconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def measure(member: Connection, owner: Connection, query: str, given: dict[str, Any], rounds: int) -> str:
    """One row of the table: members and owner ask in turn, so that whatever else the machine does meets both."""
    asked = (
        (member, for_member(query).encode(), given),
        (owner, for_owner(query).encode(), given),
    )
    count = len(member.execute(asked[0][1], given).fetchall())
    if count != len(owner.execute(asked[1][1], given).fetchall()):
        raise SystemExit(f"not the same rows: {query}")
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 10):
        for taken, (connection, text, values) in zip(times, asked, strict=True):
            took = milliseconds(lambda c=connection, t=text, v=values: c.execute(t, v).fetchall())
            if turn >= 10:
                taken.append(took)
    buffers = []
    for connection, text, values in asked:
        plan = connection.execute(b"explain (analyze, buffers, format json) " + text, values).fetchall()
        top = plan[0]["QUERY PLAN"][0]["Plan"]
        buffers.append(top["Shared Hit Blocks"] + top["Shared Read Blocks"])
    mine, theirs = (statistics.median(taken) for taken in times)
    p95 = statistics.quantiles(times[0], n=20)[-1]
    spent = f"{mine:9.2f} | {p95:6.2f} | {theirs:8.2f} | {mine / theirs:5.2f}"
    return f"{count:>4} | {spent} | {buffers[0]:>7} | {buffers[1]:>7} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--productions", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=3, help="per production")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--home", type=Path, help="keep the database here, and use it again")
    arguments = parser.parse_args()
    size = past.Size(productions=arguments.productions, jobs=arguments.jobs, blocks=20, detailed=10)
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o711)
        with Postgres((arguments.home or Path(directory)) / "postgres", 16, fast=True) as postgres:
            prepare(postgres, size)
            report(postgres, size, arguments.rounds)


def report(postgres: Postgres, size: past.Size, rounds: int) -> None:
    with psycopg.connect(postgres.url(DATABASE), row_factory=dict_row, autocommit=True) as owner:
        print(f"{size.organizations:,} organizations, {size.productions:,} productions, {size.finished:,} jobs\n")
        print("| query | caller | rows | member ms | p95 ms | owner ms | ratio | buffers | owner's |")
        print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
        for caller, number in (("typical", past.TYPICAL), ("large", past.LARGE)):
            given = parameters(owner, number, size.detailed)
            with psycopg.connect(postgres.url(DATABASE), row_factory=dict_row, autocommit=True) as member:
                rows.act_as_user(member, given["organization"])
                for name, query in {**NAMED, **UNNAMED}.items():
                    print(f"| {name} | {caller} | {measure(member, owner, query, given, rounds)}", flush=True)


if __name__ == "__main__":
    main()
