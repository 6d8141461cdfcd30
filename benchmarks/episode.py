"""A whole episode on the laptop edition: how long each stage takes, what it needs, what a job costs the database.

The first production warms the functions up; the second is measured. Prints one table per length.

    python benchmarks/episode.py [--minutes 10 60] [--words 3000 12000]
"""

from __future__ import annotations

import argparse
import re
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import psutil
import psycopg

from local.stack import Options, Stack
from local.studio import Request, Studio

PROJECT = Path(__file__).parents[1]
SPEAKERS = [{"name": "Ada", "voice": "espeak/ada"}, {"name": "Ben", "voice": "espeak/ben"}]
PLACES = [
    "Argus",
    "Beacon",
    "Corbel",
    "Dorset",
    "Elgin",
    "Fastnet",
    "Gannet",
    "Harris",
    "Iona",
    "Jura",
    "Kelso",
    "Lundy",
    "Mull",
    "Nairn",
    "Orkney",
    "Rona",
]
SAMPLE_SECONDS = 0.1


class PeakMemory:
    """The largest resident size of each function with its children, in MB, sampled while the block runs."""

    def __init__(self, stack: Stack, functions: list[str]) -> None:
        self._stack = stack
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.megabytes = dict.fromkeys(functions, 0.0)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            for function, peak in self.megabytes.items():
                sizes = [_resident(pid) for pid in self._stack.host.pids(function)]
                self.megabytes[function] = max([peak, *sizes])


def _resident(pid: int) -> float:
    total = 0
    try:
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total / 1e6


def prose(words: int) -> str:
    """The sample article, said again about other places until it is long enough: no two sentences are the same."""
    article = (PROJECT / "examples" / "article.md").read_text()
    paragraphs, count, turn = [], 0, 0
    while count < words:
        for paragraph in article.split("\n\n"):
            if paragraph.startswith("#"):
                text = f"## {paragraph.lstrip('# ').strip()} at {PLACES[turn % len(PLACES)]}"
            else:
                sentences = re.split(r"(?<=[.!?])\s+", paragraph.strip())
                text = " ".join(f"{one[:-1]} near {_place(turn, n)}{one[-1]}" for n, one in enumerate(sentences) if one)
            paragraphs.append(text)
            count += len(text.split())
            if count >= words:
                break
        turn += 1
    return "# A long look at the tides\n\n" + "\n\n".join(paragraphs)


def _place(turn: int, number: int) -> str:
    return f"{PLACES[(7 * turn + number) % len(PLACES)]} {PLACES[(turn + 3 * number) % len(PLACES)]}"


def produce(stack: Stack, studio: Studio, text: str, minutes: float) -> uuid.UUID:
    """Make one episode and return its production; raise when it does not complete."""
    request = Request(
        "Benchmark", "markdown", minutes, "en-GB", "dialogue", SPEAKERS, "offline/extractive", content=text
    )
    production = studio.request(studio.create_episode(request), str(uuid.uuid4()))
    stack.invoke("sweep_jobs", {})
    while (row := studio.production(production))["status"] not in {"completed", "failed", "cancelled", "waiting"}:
        time.sleep(0.2)
    if row["status"] != "completed":
        raise RuntimeError(studio.explain(production))
    return production


def job_writes(owner: psycopg.Connection[Any]) -> int:
    """How many rows of `jobs` were inserted or updated so far."""
    owner.execute("select pg_stat_force_next_flush()")
    row = owner.execute("select n_tup_upd + n_tup_ins from pg_stat_all_tables where relname = 'jobs'").fetchone()
    assert row is not None
    return int(row[0])


def measure(stack: Stack, studio: Studio, owner: psycopg.Connection[Any], minutes: float, words: int) -> None:
    text = prose(words)
    before = job_writes(owner)
    functions = [row["stage"] for row in studio.stages(studio.productions(1)[0]["id"])]
    with PeakMemory(stack, functions) as peaks:
        production = produce(stack, studio, text, minutes)
    time.sleep(1.5)  # statistics reach the views after a second
    changes = job_writes(owner) - before
    row = studio.production(production)
    figures = studio.figures(production)
    audio = studio.assets(production)["episode_audio"]
    seconds = (row["finished_at"] - row["created_at"]).total_seconds()
    spoken = float(audio["duration_seconds"])
    print(f"\n{minutes:g} minutes from {len(text.split()):,} words, warm\n")
    print("| stage           |  jobs | seconds | peak MB |")
    print("|-----------------|------:|--------:|--------:|")
    for stage in studio.stages(production):
        peak = peaks.megabytes[stage["stage"]]
        print(f"| {stage['stage']:15} | {stage['total']:5} | {stage['seconds']:7.2f} | {peak:7.0f} |")
    print(f"| whole           | {figures['jobs']:5} | {seconds:7.2f} |         |")
    print(
        f"\n{spoken:.1f} s of audio ({spoken / minutes / 60 - 1:+.2%} of what was asked), "
        f"{spoken / seconds:.0f} s of audio per second, "
        f"{audio['integrated_lufs']} LUFS, {audio['true_peak_dbtp']} dBTP; "
        f"{figures['attempts']} attempts, {changes / figures['jobs']:.1f} writes to `jobs` per job"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[10, 60])
    parser.add_argument("--words", type=int, nargs="+", default=[3000, 12000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="showrunner-benchmark-") as state:
        Path(state).chmod(0o711)  # Postgres does not run as root, and whom it runs as must reach its data
        run(Path(state), options.minutes, options.words)


def run(state: Path, lengths: list[float], words: list[int]) -> None:
    with (
        Stack(PROJECT, state, Options(schedule_seconds={"sweep_jobs": 1})) as stack,
        Studio(stack.database_url) as studio,
        psycopg.connect(stack.database_url, autocommit=True) as owner,
    ):
        produce(stack, studio, prose(700), 2)
        for minutes, count in zip(lengths, words, strict=True):
            measure(stack, studio, owner, minutes, count)


if __name__ == "__main__":
    main()
