"""What a cold start pays before the first line of work: importing each function, in a fresh process.

Prints, per function, the median of some rounds (all functions once per round, so that a busy moment hits them all)
and its ratio to importing boto3 alone in the same run.

    python benchmarks/cold_imports.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
TIMED = "import time; started = time.perf_counter(); import {module}; print(time.perf_counter() - started)"
# What awslambdaric itself has loaded before it imports the handler.
RUNTIME = "import awslambdaric.bootstrap; "


def import_seconds(module: str, folder: Path) -> float:
    """Return the seconds that `import module` takes with `folder` first on the path, as in Lambda."""
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{PROJECT / 'layers' / 'common'}"}
    environment |= {"AWS_DEFAULT_REGION": "eu-west-2", "BUCKET": "b", "DATABASE_URL": "postgresql:///none"}
    command = [sys.executable, "-c", RUNTIME + TIMED.format(module=module)]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    subjects = {"boto3": PROJECT}
    subjects |= {
        path.stem: path.parent for path in sorted(PROJECT.glob("functions/*/*.py")) if path.stem == path.parent.name
    }
    for module, folder in subjects.items():
        import_seconds(module, folder)
    seconds: dict[str, list[float]] = {module: [] for module in subjects}
    for _ in range(rounds):
        for module, folder in subjects.items():
            seconds[module].append(import_seconds(module, folder))
    base = statistics.median(seconds["boto3"])
    print(f"| {'function':18} | median ms | slowest ms | ratio to boto3 |")
    print(f"|{'-' * 20}|----------:|-----------:|---------------:|")
    for module, measured in seconds.items():
        median = statistics.median(measured)
        print(f"| {module:18} | {median * 1e3:9.0f} | {max(measured) * 1e3:10.0f} | {median / base:14.2f} |")


if __name__ == "__main__":
    main()
