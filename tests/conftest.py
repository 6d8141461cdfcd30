"""Makes each function's modules importable by name, as they are in Lambda."""

import sys
from pathlib import Path

for folder in sorted((Path(__file__).parents[1] / "functions").iterdir()):
    if folder.is_dir():
        sys.path.append(str(folder))
