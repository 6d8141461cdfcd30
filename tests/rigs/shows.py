"""Rows that most tests of the episode line start from."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.rigs.rows import insert

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
    project_id = insert(owner, "projects", columns)
    of_show = {"organization_id": user, "project_id": project_id}
    source_id = insert(owner, "sources", of_show | {"kind": "markdown", "title": "A source", "content": text})
    return Show(user, user, project_id, source_id, add_episode(owner, user, project_id, 1, minutes))


def add_episode(
    owner: psycopg.Connection[Any], organization: uuid.UUID, project: uuid.UUID, number: int, minutes: float
) -> uuid.UUID:
    columns = {"organization_id": organization, "project_id": project, "number": number, "target_minutes": minutes}
    return insert(owner, "episodes", columns)
