"""A folder for a job's temporary files, gone when the job ends; what a killed process left is removed by the next.

Lambda does not empty the disk of an execution environment in which a function was killed.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(kind: str) -> Iterator[Path]:
    """Give an empty folder. A process has one of a kind at a time: another under its number is from a time before."""
    for left in Path(tempfile.gettempdir()).glob(f"{kind}-*"):
        owner = re.fullmatch(rf"{re.escape(kind)}-(\d+)-\w+", left.name)
        if owner and not _is_another_that_runs(int(owner[1])):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{kind}-{os.getpid()}-") as folder:
        yield Path(folder)


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
