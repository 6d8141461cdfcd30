"""Medians of all rounds, as Markdown tables."""

from __future__ import annotations

import json
import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.engine.engines import Engine
from benchmarks.engine.measures import NODE, PROJECT, Speed

NONE = "-"


@dataclass
class Results:
    """Per engine's name: what each round measured. `failures` are engines that could not be measured, and why."""

    speed: dict[tuple[str, int], list[Speed]] = field(default_factory=lambda: defaultdict(list))
    submitted: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statements: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    degraded: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    productions: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)


def tables(results: Results, engines: Sequence[Engine], workers: Sequence[int]) -> str:
    fullest = max(workers)

    def cost(name: str, value: Callable[[Speed], float]) -> str:
        return _median([value(speed) for speed in results.speed[name, fullest]], "{:.2f}")

    rates = [
        [
            engine.name,
            _median(results.submitted[engine.name]),
            _median([speed.submitted for speed in results.speed[engine.name, fullest]]),
            *(_median([speed.ran for speed in results.speed[engine.name, number]]) for number in workers),
            _median(results.degraded[engine.name]),
            _median(results.productions[engine.name], "{:.2f}") if engine.joins else "no join",
        ]
        for engine in engines
    ]
    costs = [
        [
            engine.name,
            cost(engine.name, lambda speed: speed.commits),
            _median(results.statements[engine.name], "{:.2f}"),
            cost(engine.name, lambda speed: speed.wal_bytes / 1000),
            cost(engine.name, lambda speed: 100 * speed.heap_only).removesuffix(".00"),
            cost(engine.name, lambda speed: 1000 * speed.cpu_seconds),
            str(max(results.wrong[engine.name])) if results.wrong[engine.name] else NONE,
        ]
        for engine in engines
    ]
    promises = [[_version(engine), engine.claim, engine.fence, engine.join, engine.limits] for engine in engines]
    parts = [
        _table(
            ["jobs per second", "submit each", "submit many", *(f"{n} workers" for n in workers), "dead rows",
             "productions/s"],
            rates,
        ),
        _table(
            ["per job", "commits", "statements", "WAL kB", "heap-only %", "server CPU ms", "wrong of 5 zombies"], costs
        ),
        _table(["engine", "claim", "fence", "join", "limits"], promises, numbers=False),
        *results.failures,
    ]  # fmt: skip
    return "\n\n".join(parts)


def _median(values: Sequence[float], form: str = "{:.0f}") -> str:
    return form.format(statistics.median(values)) if values else NONE


def _table(heads: list[str], rows: list[list[str]], numbers: bool = True) -> str:
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    align = [False] + [numbers] * (len(heads) - 1)
    lines = [
        " | ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, align, strict=True)
        )
        for row in [heads, *rows]
    ]
    rule = "|".join("-" * (width + 1) + (":" if right else "-") for width, right in zip(widths, align, strict=True))
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])


def _version(engine: Engine) -> str:
    """The engine's name and the version that is pinned."""
    package = engine.name.partition(",")[0]
    pins: dict[str, str] = json.loads((NODE / "package.json").read_text())["dependencies"]
    pins |= dict(re.findall(r"^(\S+)==([^\s;\\]+)", (PROJECT / "requirements/bench.txt").read_text(), re.MULTILINE))
    return engine.name.replace(package, f"{package} {pins[package]}") if package in pins else engine.name
