"""What a cold start pays before the first line of work: importing each function, in a fresh process.

Prints, per function, the median of some rounds (all functions once per round, so that a busy moment hits them all)
and its ratio to importing boto3 alone in the same run. Bytecode is at hand: a first round, not counted, compiles.

    python benchmarks/cold_imports.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[1]
TIMED = "import time; started = time.perf_counter(); import {module}; print(time.perf_counter() - started)"
# What awslambdaric itself has loaded before it imports the handler.
RUNTIME = "import awslambdaric.bootstrap; "


def import_seconds(module: str, folder: Path, bytecode: str) -> float:
    """Return the seconds that `import module` takes with `folder` first on the path, as in Lambda.

    Bytecode is read from and kept in the folder `bytecode`, whatever the environment says.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": f"{folder}{os.pathsep}{PROJECT / 'layers' / 'common'}"}
    environment |= {"PYTHONPYCACHEPREFIX": bytecode}
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
    seconds: dict[str, list[float]] = {module: [] for module in subjects}
    with tempfile.TemporaryDirectory() as bytecode:
        for module, folder in subjects.items():
            import_seconds(module, folder, bytecode)
        for _ in range(rounds):
            for module, folder in subjects.items():
                seconds[module].append(import_seconds(module, folder, bytecode))
    base = statistics.median(seconds["boto3"])
    print(f"| {'function':18} | median ms | slowest ms | ratio to boto3 |")
    print(f"|{'-' * 20}|----------:|-----------:|---------------:|")
    for module, measured in seconds.items():
        median = statistics.median(measured)
        print(f"| {module:18} | {median * 1e3:9.0f} | {max(measured) * 1e3:10.0f} | {median / base:14.2f} |")


if __name__ == "__main__":
    main()
