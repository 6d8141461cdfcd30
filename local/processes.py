"""Processes that belong to the laptop edition: each in a group of its own, none of which outlives its owner.

Three things end a process, whichever comes first: its owner's `stop`; the reaper, a tiny process that notices when the
owner is gone, even by kill -9; and, if the reaper was killed too, the ledger, which the next owner reads at its start.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

# Every process carries the path of its ledger in its environment, by which it is recognised when pids were reused.
MARK = "SHOWRUNNER_PROCESSES"


class Processes:
    """Starts and ends processes, and keeps `ledger`, a file of JSON lines, true."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger.resolve()
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._reaper: subprocess.Popen[str] | None = None

    def open(self) -> None:
        """End what an earlier owner of the ledger left behind, and start the reaper."""
        for line in self._ledger.read_text().splitlines() if self._ledger.exists() else ():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                kill_group(int(entry["pid"]), str(self._ledger))
        self._ledger.parent.mkdir(parents=True, exist_ok=True)
        self._ledger.write_text("")
        self._reaper = subprocess.Popen(
            [sys.executable, "-S", "-E", str(Path(__file__).with_name("reaper.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def start(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        output: IO[bytes],
    ) -> subprocess.Popen[bytes]:
        """A process in a new group; what it prints is appended to `output`."""
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**environment, MARK: str(self._ledger)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with self._lock:
            self._running.add(process.pid)
            self._tell_reaper(f"+{process.pid}")
            with self._ledger.open("a") as file:
                file.write(json.dumps({"pid": process.pid, "command": list(command)}) + "\n")
        return process

    def kill(self, process: subprocess.Popen[bytes], grace_seconds: float = 0) -> None:
        """End a process and all of its group; with a grace, ask it first."""
        if grace_seconds and process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace_seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        with self._lock:
            self._running.discard(process.pid)
            self._tell_reaper(f"-{process.pid}")

    def close(self) -> None:
        """End whatever still runs, and the reaper."""
        with self._lock:
            remaining = set(self._running)
            self._running.clear()
        for group in remaining:
            kill_group(group, str(self._ledger))
        if self._reaper is not None:
            self._reaper.communicate()
            self._reaper = None
        self._ledger.write_text("")

    def _tell_reaper(self, line: str) -> None:
        if self._reaper is not None and self._reaper.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                self._reaper.stdin.write(line + "\n")
                self._reaper.stdin.flush()


def kill_group(group: int, mark: str) -> None:
    """Kill a process group, if one of its members carries our mark: the number may belong to others by now."""
    if any(_is_marked(process, mark) for process in psutil.process_iter() if _group_of(process) == group):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def _group_of(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except OSError:
        return None


def _is_marked(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK) == mark
    except psutil.Error:
        return False


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    """Poll a callable until it is true; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
