"""Following a production: a bar per stage on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from local.studio import Row, Studio

POLL_SECONDS = 0.15
# How the production rests: nothing more happens without a person.
AT_REST = frozenset({"completed", "failed", "cancelled", "waiting"})


class Display(Protocol):
    def show(self, production: Row, stages: list[Row]) -> None: ...


class Lines:
    """One line per change of a stage."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: dict[str, tuple[str, int]] = {}

    def show(self, production: Row, stages: list[Row]) -> None:
        for stage in stages:
            done = stage["total"] - stage["remaining"]
            now = (stage["status"], done)
            if stage["status"] != "pending" and self._last.get(stage["stage"]) != now:
                self._last[stage["stage"]] = now
                self._console.print(f"{stage['stage']:16} {done}/{stage['total']} {stage['status']}", highlight=False)


class Bars:
    """A bar per stage, with jobs done of jobs total, and one for the whole."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._whole = progress.add_task("[bold]all", total=100, unit="%")
        self._tasks: dict[str, TaskID] = {}

    def show(self, production: Row, stages: list[Row]) -> None:
        for stage in stages:
            name = stage["stage"]
            if name not in self._tasks:
                self._tasks[name] = self._progress.add_task(name, total=None, start=False)
            task = self._tasks[name]
            if stage["status"] == "pending":
                continue
            self._progress.start_task(task)
            done = stage["total"] - stage["remaining"]
            self._progress.update(task, total=max(stage["total"], 1), completed=done if stage["total"] else 1)
            if stage["status"] in {"done", "failed"}:
                self._progress.stop_task(task)
        self._progress.update(self._whole, completed=production["progress"], description=f"[bold]{production['kind']}")


@contextmanager
def display_on(console: Console) -> Iterator[Display]:
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (TextColumn("{task.description:16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield Bars(progress)


def follow(studio: Studio, production_id: uuid.UUID, console: Console) -> Row:
    """Show progress until the production rests; return its row."""
    with display_on(console) as display:
        while True:
            production = studio.production(production_id)
            display.show(production, studio.stages(production_id))
            if production["status"] in AT_REST:
                return production
            time.sleep(POLL_SECONDS)
