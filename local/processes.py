"""Processes that belong to the laptop edition: each in a group of its own, none of which outlives its owner.

Three things end a process, whichever comes first: its owner's `close`; the reaper, a tiny process that notices when
the owner is gone, even by kill -9; and, should the reaper have been killed too, the next owner's `open`. All that was
ever started carries the owner's mark in its environment, and so do its own children; a recorded pid could by then be
someone else's.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

MARK = "SHOWRUNNER_PROCESSES"


class Processes:
    """Starts and ends the processes of one owner; `mark` is what tells them from another owner's."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._lock = threading.Lock()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._reaper: subprocess.Popen[str] | None = None

    def open(self) -> None:
        """End what an earlier owner left behind, and start the reaper."""
        for process in marked(self._mark):
            with contextlib.suppress(psutil.Error):
                process.kill()
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
        """A process in a new group; what it prints is appended to `output`. Raises OSError when it cannot start."""
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**environment, MARK: self._mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with self._lock:
            self._running[process.pid] = process
            self._tell_reaper(f"+{process.pid}")
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End a process and all of its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        with self._lock:
            if self._running.pop(process.pid, None) is not None:
                self._tell_reaper(f"-{process.pid}")

    def close(self) -> None:
        """End whatever still runs, and the reaper."""
        with self._lock:
            remaining = list(self._running.values())
        for process in remaining:
            self.kill(process)
        if self._reaper is not None:
            self._reaper.communicate()
            self._reaper = None

    def _tell_reaper(self, line: str) -> None:
        if self._reaper is not None and self._reaper.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                self._reaper.stdin.write(line + "\n")
                self._reaper.stdin.flush()


def interrupt_on_signals() -> None:
    """From now on SIGTERM and SIGHUP end this program as Ctrl-C does: by KeyboardInterrupt, so that it cleans up."""
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.default_int_handler)


def marked(mark: str) -> Iterator[psutil.Process]:
    """The processes of this machine that carry a mark, this one left out."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                yield process


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    """Poll a callable until it is true; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
