"""Plants each fault in a copy of the database and requires the proof to turn red: python -m tests.chaos.mutants."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

from local.postgres import Postgres
from tests.chaos import races
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.machine import walk
from tests.chaos.run import DATABASE, prepare
from tests.rigs.chaos import SCENARIOS, Chaos
from tests.rigs.engine import Rig
from tests.rigs.invariants import ALL

COPY = "mutant"


def walks(examples: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=40, derandomize=True, deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def red(postgres: Postgres, fault: Fault | None, examples: int = 300, seeds: int = 2) -> str:
    """What the proof has to say against a database with this fault; empty when it finds nothing."""
    postgres.drop_database(COPY)
    postgres.create_database(COPY, DATABASE)
    rig = Rig(postgres.url(COPY), postgres.login_url(COPY))
    try:
        if fault is not None:
            fault.plant(rig.owner)
        for race in races.RACES:
            races.prepare(rig)
            try:
                race(rig)
            except Exception as error:
                return f"race {race.__name__}: {_first_line(error)}"
            finally:
                rig.close_lent()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                walk(rig, walks(examples))
        except Exception as error:
            return f"walk: {_first_line(error)}"
    finally:
        rig.close()
    for seed in range(1, seeds + 1):
        result = Chaos(postgres, COPY, SCENARIOS[-1], seed, productions=24, workers=8).run()
        if result.total:
            names = ", ".join(one.id for one in ALL if result.violations[one.id])
            return f"chaos seed {seed}: {names}"
    return ""


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:90]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="words of the faults' names")
    words = parser.parse_args().only
    chosen = [fault for fault in FAULTS if not words or any(word in fault.name for word in words)]
    survivors = 0
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as directory:
        Path(directory).chmod(0o711)
        postgres = Postgres(Path(directory) / "postgres", fast=True)
        try:
            prepare(postgres)
            for fault in [None, *chosen]:
                began = time.monotonic()
                finding = red(postgres, fault)
                as_it_should = bool(finding) == (fault is not None)
                survivors += not as_it_should
                name = fault.name if fault else "(no fault)"
                print(f"{'ok ' if as_it_should else 'NOT'} {name:<42}{time.monotonic() - began:>6.1f} s  "
                      f"{finding or 'green'}", flush=True)  # fmt: skip
        finally:
            postgres.remove()
    print(f"{len(chosen) - survivors} of {len(chosen)} faults turn the proof red")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
