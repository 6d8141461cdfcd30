"""Runs ffmpeg: a list of arguments, no interaction, no network, a time limit, and its last words kept.

ffmpeg comes from the `imageio-ffmpeg` wheel, or from the path in `IMAGEIO_FFMPEG_EXE`. There is no ffprobe in it.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from showrunner.errors import BadOutput, Transient

_TAIL_CHARACTERS = 4_000
_MISSING = re.compile(r"(Unknown (en|de)coder|No such filter:|Requested output format) '[^']*'.*")


@dataclass(frozen=True, slots=True)
class Finished:
    """`log` is the end of what ffmpeg wrote to stderr; `seconds` the length of what it put out."""

    log: str
    seconds: float


class FfmpegFailed(BadOutput):
    """ffmpeg ended with an error. `log` is the end of what it wrote to stderr."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log


def input_file(path: Path) -> list[str]:
    """The arguments that open a local file and nothing that the file itself might point to elsewhere."""
    return ["-protocol_whitelist", "file,pipe", "-i", f"file:{path}"]


def input_pcm(rate: int, path: Path | None = None) -> list[str]:
    """The arguments that read mono 16-bit PCM from a file, or from what `feed` gives."""
    source = "pipe:0" if path is None else f"file:{path}"
    return ["-protocol_whitelist", "file,pipe", "-f", "s16le", "-ar", str(rate), "-ac", "1", "-i", source]


def run_ffmpeg(
    arguments: Sequence[str],
    *,
    timeout: float,
    feed: Iterable[bytes] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Finished:
    """Run ffmpeg to its end. `timeout` in seconds.

    `feed` is written to its standard input, block by block. `on_progress` gets the seconds put out so far, about
    twice a second; what it raises stops ffmpeg and is raised. Raises `FfmpegFailed`, and `Transient` when the time is
    up or the process was killed.
    """
    command = [_executable(), "-hide_banner", "-nostdin", "-nostats", "-y", "-loglevel", "info"]
    command += ["-progress", "pipe:1", "-stats_period", "0.5", *arguments]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            process.kill()

        timer = threading.Timer(max(timeout, 0.0), expire)
        timer.daemon = True
        timer.start()
        try:
            with _feeding(process, feed):
                seconds = _follow(process, on_progress)
                status = process.wait()
        finally:
            timer.cancel()
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        words = _tail(log)
    if expired.is_set():
        raise Transient(f"Audio processing was stopped after {timeout:.0f} s; it will be tried again.")
    if status < 0:
        raise Transient(f"Audio processing was killed by signal {-status}; it will be tried again.")
    if status:
        raise FfmpegFailed(f"Audio processing failed: {_reason(words) or status}", words)
    return Finished(words, seconds)


def _reason(words: str) -> str:
    """What is missing in this ffmpeg, where it says so; else its last words."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    missing = [_MISSING.search(line) for line in lines]
    return next((found[0] for found in missing if found), lines[-1] if lines else "")


def _executable() -> str:
    from imageio_ffmpeg import get_ffmpeg_exe  # type: ignore[import-untyped]

    return str(get_ffmpeg_exe())


@contextlib.contextmanager
def _feeding(process: subprocess.Popen[bytes], feed: Iterable[bytes] | None) -> Iterator[None]:
    """Write the feed from a thread of its own, so that neither side waits for the other's full pipe."""
    if feed is None:
        yield
        return
    failures: list[BaseException] = []

    def write(stdin: IO[bytes]) -> None:
        try:
            for block in feed:
                stdin.write(block)
            stdin.close()
        except (BrokenPipeError, ValueError):
            pass  # ffmpeg ended first; its exit status tells why
        except BaseException as error:
            failures.append(error)
            process.kill()

    assert process.stdin is not None
    thread = threading.Thread(target=write, args=(process.stdin,), daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        process.kill()
        raise
    finally:
        thread.join()
    if failures:
        raise failures[0]


def _follow(process: subprocess.Popen[bytes], on_progress: Callable[[float], None] | None) -> float:
    seconds = 0.0
    assert process.stdout is not None
    for line in process.stdout:
        name, _, value = line.decode(errors="replace").strip().partition("=")
        if name == "out_time_us" and value.lstrip("-").isdigit():
            seconds = max(seconds, int(value) / 1e6)
            if on_progress is not None:
                on_progress(seconds)
    return seconds


def _tail(log: IO[bytes]) -> str:
    size = log.seek(0, 2)
    log.seek(max(0, size - _TAIL_CHARACTERS))
    return log.read().decode(errors="replace")
