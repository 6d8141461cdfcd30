"""One organization with 10,000 jobs beside twenty with one, in virtual time; prints one table.

    python benchmarks/fairness.py [--heavy 10000]

Waits are of the light organizations, from request to start. `share` is what the heavy organization's jobs held of the
places that were left to it; `claims` are invocations per job that ran.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from local import migrations
from local.postgres import Postgres
from tests.rigs.engine import Rig
from tests.rigs.fairness import Setting, Simulation

DATABASE = "fairness"
# A backlog of 10,000 of which the stage works on five at a time takes 17 hours: what comes early is what matters.
SETTINGS = {
    "5 places, limit 20": Setting(places=5, limit=20, job=5.0),
    "50 places, limit 20": Setting(places=50, limit=20, job=5.0),
    "10 places, limit 3": Setting(places=10, limit=3, job=5.0),
    "20 places, limit 20": Setting(places=20, limit=20, job=5.0),
    "5 places, no fair queues": Setting(places=5, limit=20, job=5.0, fair=False),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heavy", type=int, default=10_000)
    heavy = parser.parse_args().heavy
    print("| setting | p95 wait alone s | beside s | p95 done alone s | beside s | share | claims |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o711)
        with Postgres(Path(directory) / "postgres", 16, fast=True) as postgres:
            migrations.prepare(postgres, DATABASE)
            rig = Rig(postgres.url(DATABASE), postgres.login_url(DATABASE))
            for name, setting in SETTINGS.items():
                print(f"| {name} | {row(rig, replace(setting, heavy=heavy))}", flush=True)
            rig.close()


def row(rig: Rig, setting: Setting) -> str:
    rig.clean()
    alone = Simulation(rig, replace(setting, heavy=0)).run()
    rig.clean()
    beside = Simulation(rig, setting).run()
    return (
        f"{alone.p95_wait:.1f} | {beside.p95_wait:.1f} | {alone.p95_turnaround:.1f} | {beside.p95_turnaround:.1f} | "
        f"{beside.heavy_share:.3f} | {beside.claims / beside.granted:.2f} |"
    )


if __name__ == "__main__":
    main()
