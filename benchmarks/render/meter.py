"""What a program and its children take: seconds, CPU seconds, and at most at a time memory and temporary disk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

EVERY_SECONDS = 0.1


@dataclass(frozen=True)
class Taken:
    """`memory` is the largest sum of bytes in memory seen, `disk` the largest size of the temporary folder."""

    wall: float
    cpu: float
    memory: int
    disk: int


class ProgramFailed(Exception):
    """The program ended with an error."""


def run(command: Sequence[str], temporary: Path) -> Taken:
    """Run a program with `temporary` as its place for temporary files. Raises `ProgramFailed`."""
    temporary.mkdir()
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, "TMPDIR": str(temporary)}, stdin=subprocess.DEVNULL, stdout=sys.stderr
    )
    memory = disk = 0
    while True:
        # Unlike wait(), it gives the usage of this one child; that of the children it waited for is in it.
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        memory, disk = max(memory, _in_memory(process.pid)), max(disk, size_of(temporary))
        time.sleep(EVERY_SECONDS)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ProgramFailed(f"{Path(command[0]).name} ended with {process.returncode}: {' '.join(command[1:4])} …")
    return Taken(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, memory, disk)


def _in_memory(pid: int) -> int:
    total = 0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                # Pages that two processes share, such as ffmpeg's program, are there once.
                total += each.memory_full_info().pss if psutil.LINUX else each.memory_info().rss
    return total


def size_of(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return total
