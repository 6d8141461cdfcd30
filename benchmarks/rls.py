"""What row-level security costs a client app: its usual queries as a member, and as the owner for the same rows.

Builds a database of a thousand organizations, asks each query many times, member and owner in turn, and prints one
table: medians and their ratio; `calm` is the ratio of the fastest tenths, which a busy machine changes least.
Organization 1 has a tenth of all rows and its owner belongs to three; the others are typical.

    python benchmarks/rls.py [--productions 1000000] [--jobs 3] [--rounds 400] [--seconds 6] [--home DIRECTORY]
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from local import migrations
from local.postgres import Postgres
from tests.rigs import past, rows
from tests.rigs.client_queries import CALLS, NAMED, UNNAMED, for_member, for_owner

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


def rounds_of(asked: Sequence[Callable[[], Any]], most: int, seconds: float) -> list[list[float]]:
    """Milliseconds of each, in rounds of all in a new order: whatever else the machine does meets all alike.

    A round's first answer of each is not counted: it finds the caches as the other's left them. Slow ones get fewer
    rounds, but not less than fifteen.
    """
    times: list[list[float]] = [[] for _ in asked]
    order = list(range(len(asked)))
    until = time.perf_counter() + seconds
    while len(times[0]) < most and (len(times[0]) < 15 or time.perf_counter() < until):
        random.shuffle(order)
        for number in order:
            asked[number]()
            times[number].append(milliseconds(asked[number]))
    return times


def measure(
    member: Connection, owner: Connection, texts: tuple[str, str], given: dict[str, Any], rounds: int, seconds: float
) -> str:
    """One row of the table, of a query's text for a member and for the owner."""
    asked = tuple((connection, text.encode(), given) for connection, text in zip((member, owner), texts, strict=True))
    counts = [len(connection.execute(text, values).fetchall()) for connection, text, values in asked]
    if counts[0] != counts[1]:
        raise SystemExit(f"not the same rows: {texts[0]}")
    calls = [lambda c=connection, t=text, v=values: c.execute(t, v).fetchall() for connection, text, values in asked]
    # A statement is prepared at its sixth time, and Postgres settles for a plan after five more.
    rounds_of(calls, 15, 0)
    gc.disable()
    times = rounds_of(calls, rounds, seconds)
    gc.enable()
    buffers = []
    for connection, text, values in asked:
        plan = connection.execute(b"explain (analyze, buffers, format json) " + text, values).fetchall()
        top = plan[0]["QUERY PLAN"][0]["Plan"]
        buffers.append(top["Shared Hit Blocks"] + top["Shared Read Blocks"])
    mine, theirs = (statistics.median(taken) for taken in times)
    calm = [statistics.quantiles(taken, n=10)[0] for taken in times]
    p95 = statistics.quantiles(times[0], n=20)[-1]
    spent = f"{mine:9.2f} | {p95:6.2f} | {theirs:8.2f} | {mine / theirs:5.2f} | {calm[0] / calm[1]:4.2f}"
    return f"{counts[0]:>4} | {spent} | {buffers[0]:>7} | {buffers[1]:>7} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--productions", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=3, help="per production")
    parser.add_argument("--rounds", type=int, default=400, help="at most, of each query")
    parser.add_argument("--seconds", type=float, default=6, help="at most, of each query that takes long")
    parser.add_argument("--home", type=Path, help="keep the database here, and use it again")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        # On one core client and server take turns; on more, where each runs can weigh more than the query.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    size = past.Size(productions=arguments.productions, jobs=arguments.jobs, blocks=20, detailed=10)
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o711)
        with Postgres((arguments.home or Path(directory)) / "postgres", 16, fast=True) as postgres:
            prepare(postgres, size)
            report(postgres, size, arguments.rounds, arguments.seconds)


def report(postgres: Postgres, size: past.Size, rounds: int, seconds: float) -> None:
    texts = {name: (for_member(query), for_owner(query)) for name, query in {**NAMED, **UNNAMED}.items()}
    texts |= {name: (member, for_owner(owner)) for name, (member, owner) in CALLS.items()}
    with psycopg.connect(postgres.url(DATABASE), row_factory=dict_row, autocommit=True) as owner:
        print(f"{size.organizations:,} organizations, {size.productions:,} productions, {size.finished:,} jobs\n")
        print("| query | caller | rows | member ms | p95 ms | owner ms | ratio | calm | buffers | owner's |")
        print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")
        for caller, number in (("typical", past.TYPICAL), ("large", past.LARGE)):
            given = parameters(owner, number, size.detailed)
            with psycopg.connect(postgres.url(DATABASE), row_factory=dict_row, autocommit=True) as member:
                rows.act_as_user(member, given["organization"])
                for name, pair in texts.items():
                    print(f"| {name} | {caller} | {measure(member, owner, pair, given, rounds, seconds)}", flush=True)


if __name__ == "__main__":
    main()
