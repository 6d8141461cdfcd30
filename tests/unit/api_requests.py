"""What the tests of the API share: sample events, and collaborators that answer what a test tells them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from showrunner.database import Statement
from showrunner.settings import Settings

EVENTS = Path(__file__).parents[2] / "events" / "api"
TOKEN = "0123456789abcdef" * 4
ASSET = "6f1c7c52-9d3b-5e0e-8c1a-0f5a3e1d2b4c"


def sample_event(case: str, path: str | None = None, method: str | None = None, **headers: str) -> dict[str, Any]:
    """Return `events/api/<case>.json`, with another path, method or further headers."""
    event: dict[str, Any] = json.loads((EVENTS / f"{case}.json").read_text())
    http = event["requestContext"]["http"]
    event["rawPath"] = http["path"] = path or event["rawPath"]
    http["method"] = method or http["method"]
    event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    return event


@dataclass
class FakeDatabase:
    """Answers every call with the same rows, or raises."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    error: Exception | None = None
    params: list[Any] = field(default_factory=list)

    def call(self, statement: str, params: Mapping[str, Any] | tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        self.params.append(params)
        if self.error:
            raise self.error
        return self.rows

    def results(self, statements: Sequence[Statement], **options: Any) -> list[list[dict[str, Any]]]:
        return [self.call(statement.sql, statement.params) for statement in statements]


class FakeMediaStore:
    def signed_url(self, key: str, seconds: int, *, head: bool = False) -> str:
        return f"https://bucket.example/{key}?for={'HEAD' if head else 'GET'}&seconds={seconds}"


@dataclass
class FakeServices:
    database: FakeDatabase = field(default_factory=FakeDatabase)
    media_store: FakeMediaStore = field(default_factory=FakeMediaStore)
    settings: Settings = field(default_factory=lambda: Settings(public_base_url="https://media.example/"))
