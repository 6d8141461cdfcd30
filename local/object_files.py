"""S3 objects on disk, behind moto's in-memory S3.

    <bucket>/bodies/<random>.mp3            a body, playable as it is
    <bucket>/entries/<sha256 of key>.json   its entry: key, body, content type, metadata, etag, time

An object is what its entry says, and an entry is put in place by a rename after its body was written. So a kill in
between leaves the old object and a body that nobody names, which is removed at the next start. This survives a killed
process and a reboot; it does not wait for the disk, so a power cut may take the last seconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

from pydantic import BaseModel, ConfigDict

_SUFFIX_LENGTH = 8


class Entry(BaseModel):
    """One object as its JSON file states it; `etag` without quotes, `headers` are content type and metadata."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    body: str
    bytes: int
    etag: str
    headers: dict[str, str]
    modified: datetime


class ObjectFiles:
    """All objects of one bucket. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._bodies = folder / "bodies"
        self._entry_files = folder / "entries"
        self._entries: dict[str, Entry] = {}
        self._lock = threading.Lock()
        self._bodies.mkdir(parents=True, exist_ok=True)
        self._entry_files.mkdir(exist_ok=True)
        self._read()

    def __iter__(self) -> Iterator[Entry]:
        with self._lock:
            return iter(list(self._entries.values()))

    def get(self, key: str) -> Entry | None:
        return self._entries.get(key)

    def open(self, key: str) -> tuple[Entry, IO[bytes]] | None:
        """The entry of an object and its body, opened for reading; None when there is no such object."""
        while (entry := self._entries.get(key)) is not None:
            with contextlib.suppress(FileNotFoundError):  # replaced in this moment: the new one is there already
                return entry, self.path(entry).open("rb")
        return None

    def path(self, entry: Entry) -> Path:
        return self._bodies / entry.body

    def put(self, key: str, etag: str, headers: dict[str, str], write: Callable[[IO[bytes]], object]) -> Entry:
        """Store an object whose body `write` writes to the file it is given."""
        suffix = PurePosixPath(key).suffix
        body = uuid.uuid4().hex + (suffix if suffix[1:].isalnum() and len(suffix) <= _SUFFIX_LENGTH else "")
        with (self._bodies / body).open("wb") as file:
            write(file)
            size = file.tell()
        now = datetime.now(UTC).replace(microsecond=0)
        entry = Entry(key=key, body=body, bytes=size, etag=etag, headers=headers, modified=now)
        with self._lock:
            replaced = self._entries.get(key)
            self._write_entry(entry)
            self._entries[key] = entry
        if replaced is not None:
            self.path(replaced).unlink(missing_ok=True)
        return entry

    def delete(self, key: str) -> None:
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is None:
                return
            self._entry_path(key).unlink(missing_ok=True)
        self.path(entry).unlink(missing_ok=True)

    def _entry_path(self, key: str) -> Path:
        return self._entry_files / f"{hashlib.sha256(key.encode()).hexdigest()}.json"

    def _write_entry(self, entry: Entry) -> None:
        path = self._entry_path(entry.key)
        draft = path.with_suffix(".draft")
        draft.write_text(entry.model_dump_json(), encoding="utf-8")
        draft.replace(path)

    def _read(self) -> None:
        for path in self._entry_files.glob("*.json"):
            entry = Entry.model_validate_json(path.read_bytes())
            self._entries[entry.key] = entry
        named = {entry.body for entry in self._entries.values()}
        for item in os.scandir(self._bodies):
            if item.name not in named:
                Path(item.path).unlink(missing_ok=True)
