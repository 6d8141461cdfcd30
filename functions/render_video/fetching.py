"""Brings a part of a video to the disk and proves that it is the part that was made."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

from showrunner.assets import AssetReference
from showrunner.errors import BadOutput


class Files(Protocol):
    def download(self, key: str, path: Path) -> None: ...


def fetch(store: Files, part: AssetReference, path: Path) -> None:
    """Write the file to `path`. Raises `ObjectMissing`, and `BadOutput` when it is another than the reference says."""
    store.download(part.key, path)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != part.sha256:
        path.unlink()
        raise BadOutput(f"The file {part.key} is not the one that was made; rebuild the stage that made it.")
