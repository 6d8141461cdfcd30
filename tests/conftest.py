"""A function's own modules are top-level modules at run time, so they are in the tests too."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

for folder in sorted((ROOT / "functions").glob("*/")):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
