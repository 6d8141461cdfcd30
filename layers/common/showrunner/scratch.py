"""A folder for a job's temporary files, gone when the job ends; what a killed process left is removed by the next.

Lambda does not empty the disk of an execution environment in which a function was killed.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from showrunner.errors import BadOutput, Transient

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def scratch_folder(kind: str) -> Iterator[Path]:
    """Give an empty folder. A process has one of a kind at a time: another under its number is from a time before.

    A disk that is full, by Python's words or ffmpeg's, is nobody's mistake: it is raised as `Transient`, since another
    machine, or a later attempt, may have room.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{kind}-*"):
        owner = re.fullmatch(rf"{re.escape(kind)}-(\d+)-\w+", left.name)
        if owner and not _is_another_that_runs(int(owner[1])):
            shutil.rmtree(left, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory(prefix=f"{kind}-{os.getpid()}-") as folder:
            yield Path(folder)
    except (OSError, BadOutput) as error:
        if _is_full(error):
            raise Transient("The temporary disk is full; it will be tried again.") from error
        raise


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    return "No space left on device" in f"{error} {getattr(error, 'log', '')}"


def _is_another_that_runs(process: int) -> bool:
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
