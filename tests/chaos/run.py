"""The long chaos run, with a table: python -m tests.chaos.run [--seed 7] [--seeds 24] [--productions 210]."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from local import migrations
from local.postgres import Postgres
from tests.rigs.chaos import SCENARIOS, Chaos, Result, Scenario
from tests.rigs.invariants import ALL

DATABASE = "chaos"


def prepare(postgres: Postgres) -> None:
    """A migrated database, whose owner may end other backends."""
    postgres.start()
    migrations.prepare(postgres, DATABASE)
    with postgres.connect(user="supabase_admin") as server:
        server.execute("grant pg_signal_backend to postgres")


def table(results: Iterable[Result]) -> str:
    """Scenarios × invariants × violations, a line per scenario."""
    by_scenario: dict[str, list[Result]] = {}
    for result in results:
        by_scenario.setdefault(result.scenario, []).append(result)
    lines = ["  ".join(f"{one.id:>4} {one.sentence}" for one in [invariant]) for invariant in ALL]
    head = f"\n{'scenario':<12}{'seeds':>6}{'productions':>13}{'operations':>12}"
    lines.append(head + "".join(f"{one.id:>5}" for one in ALL))
    for name, runs in by_scenario.items():
        cells = "".join(f"{sum(run.violations[one.id] for run in runs):>5}" for one in ALL)
        productions, operations = sum(run.productions for run in runs), sum(run.operations for run in runs)
        lines.append(f"{name:<12}{len(runs):>6}{productions:>13}{operations:>12}{cells}")
    return "\n".join(lines)


def chosen(seed: int) -> Scenario:
    """Every other seed meets everything at once, the others one trouble after the other."""
    return SCENARIOS[-1] if seed % 2 else SCENARIOS[seed // 2 % (len(SCENARIOS) - 1)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one")
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--productions", type=int, default=210)
    parser.add_argument("--workers", type=int, default=24)
    arguments = parser.parse_args()
    seeds = range(1, arguments.seeds + 1) if arguments.seed is None else [arguments.seed]
    results = []
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as directory:
        Path(directory).chmod(0o711)
        postgres = Postgres(Path(directory) / "postgres", fast=True)
        try:
            prepare(postgres)
            for seed in seeds:
                widest = 4000 if seed == 1 else 40
                chaos = Chaos(postgres, DATABASE, chosen(seed), seed, productions=arguments.productions,
                              workers=arguments.workers, widest=widest)  # fmt: skip
                result = chaos.run()
                results.append(result)
                print(f"seed {seed:>3} {result.scenario:<12}{result.productions:>6} productions"
                      f"{result.operations:>8} operations{result.seconds:>7.1f} s  {result.crashes:>4} crashes"
                      f" {result.zombies:>4} zombies {result.cuts:>4} cuts  {result.total} violations",
                      *result.remarks, sep="\n    ", flush=True)  # fmt: skip
        except KeyboardInterrupt:
            print("stopped; what was run so far:")
        finally:
            postgres.remove()
    print(table(results))
    failed = [result.seed for result in results if result.total]
    if failed:
        print(f"replay: make chaos SEED={failed[0]}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
