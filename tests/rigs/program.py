"""The program as its user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.rigs.laptop import PROJECT

PATIENCE = 240


class Program:
    """`showrunner` with a state folder of its own; nothing is started that does not end with the command."""

    def __init__(self, state: Path) -> None:
        self.environment = {**os.environ, "SHOWRUNNER_STATE": str(state), "COLUMNS": "160"}

    def __call__(self, *arguments: str, code: int = 0) -> str:
        command = [sys.executable, "-c", "from local.cli import app; app()", *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else done.stdout
