"""Compile every pinned, hashed requirements file from `pyproject.toml`: `make requirements`.

`dev.txt` is resolved first, for every platform and Python that a developer may have; all other files are subsets of it,
so that a version is chosen once. The layers' and functions' files are resolved for the one machine that they run on.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LAMBDA = ("--python-version=3.13", "--python-platform=aarch64-manylinux_2_34")
ANYWHERE = ("--python-version=3.11", "--universal")
SAME_VERSIONS = ("--constraint=requirements/dev.txt",)


def compile_pins(output: str, wanted: list[str], *options: str) -> None:
    """Write `output`, the pins of the requirements `wanted` and of all they need; keep its pins that still fit."""
    subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", "--quiet"),
            *("--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"),
            *options,
            *sys.argv[1:],
            *("-", f"--output-file={output}"),
        ],
        cwd=ROOT,
        input="\n".join(wanted).encode(),
        check=True,
    )


def main() -> None:
    common: list[str] = PYPROJECT["project"]["dependencies"]
    extra: dict[str, list[str]] = PYPROJECT["project"]["optional-dependencies"]
    build: list[str] = PYPROJECT["build-system"]["requires"]
    laptop = common + extra["media"] + extra["ingest"] + extra["speech"] + extra["api"] + extra["local"] + build

    compile_pins("requirements/dev.txt", laptop + extra["dev"], *ANYWHERE)
    compile_pins("requirements/laptop.txt", laptop, *ANYWHERE, *SAME_VERSIONS)
    compile_pins("requirements/uv.txt", ["uv"], *ANYWHERE)
    compile_pins("requirements/sam.txt", extra["sam"], *ANYWHERE)
    compile_pins("requirements/bench.txt", extra["bench"], *ANYWHERE)
    compile_pins("layers/common/requirements.txt", common, *LAMBDA, *SAME_VERSIONS)
    compile_pins("layers/media/requirements.txt", extra["media"], *LAMBDA, *SAME_VERSIONS)
    compile_pins("functions/ingest_sources/requirements.txt", extra["ingest"], *LAMBDA, *SAME_VERSIONS)
    compile_pins("functions/api/requirements.txt", extra["api"], *LAMBDA, *SAME_VERSIONS)
    compile_pins("functions/speak_line/requirements.txt", extra["speech"], *LAMBDA, *SAME_VERSIONS)


if __name__ == "__main__":
    main()
