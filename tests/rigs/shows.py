"""Rows that most tests of the episode line start from."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

SPEAKERS = [{"name": "Ada", "voice": "espeak/ada"}, {"name": "Ben", "voice": "espeak/ben"}]


@dataclass(frozen=True)
class Show:
    """A show with one text source and its first episode. `organization` is the user's personal one."""

    user: uuid.UUID
    organization: uuid.UUID
    project: uuid.UUID
    source: uuid.UUID
    episode: uuid.UUID


def make_show(owner: psycopg.Connection[Any], user: uuid.UUID, text: str, minutes: float = 1, **project: Any) -> Show:
    """Insert them as the owner; `project` overrides columns of the show."""
    columns = {
        "organization_id": user,
        "name": "Small Wonders",
        "description": "One thing, looked at closely.",
        "author": "Showrunner",
        "language": "en-GB",
        "speakers": SPEAKERS,
        "target_minutes": minutes,
        **project,
    }
    values = [Jsonb(value) if isinstance(value, list | dict) else value for value in columns.values()]
    names = ", ".join(columns)
    marks = ", ".join(["%s"] * len(columns))
    project_id = _id(owner, f"insert into public.projects ({names}) values ({marks}) returning id", values)
    source_id = _id(
        owner,
        "insert into public.sources (organization_id, project_id, kind, title, content) "
        "values (%s, %s, 'markdown', 'A source', %s) returning id",
        [user, project_id, text],
    )
    return Show(user, user, project_id, source_id, add_episode(owner, user, project_id, 1, minutes))


def add_episode(
    owner: psycopg.Connection[Any], organization: uuid.UUID, project: uuid.UUID, number: int, minutes: float
) -> uuid.UUID:
    return _id(
        owner,
        "insert into public.episodes (organization_id, project_id, number, target_minutes) "
        "values (%s, %s, %s, %s) returning id",
        [organization, project, number, minutes],
    )


def _id(owner: psycopg.Connection[Any], statement: str, values: list[Any]) -> uuid.UUID:
    row = owner.execute(statement.encode(), values).fetchone()
    assert row is not None
    return uuid.UUID(str(row[0]))
