"""A database with a large past, made once per run and shared by all tests, which leave nothing in it."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from local.postgres import Postgres
from tests.rigs import past, rows

NAME = "showrunner_past"
Connection = psycopg.Connection[dict[str, Any]]


@pytest.fixture
def past_database(postgres: Postgres, template: str) -> str:
    """1,000,000 finished, 50,000 parked and 50,000 dead jobs beside what made them; see `tests.rigs.past`."""
    with (postgres.home / "past.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (postgres.home / "past").exists():
            postgres.drop_database(NAME)
            postgres.create_database(NAME, template)
            with psycopg.connect(postgres.superuser_url(NAME), autocommit=True) as connection:
                past.build(connection, past.Size())
            (postgres.home / "past").touch()
    return NAME


@pytest.fixture
def owner(postgres: Postgres, past_database: str) -> Iterator[Connection]:
    """The role that ran the migrations, in a transaction that is rolled back."""
    with psycopg.connect(postgres.url(past_database), row_factory=dict_row) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def member(postgres: Postgres, past_database: str) -> Iterator[Callable[[int], Connection]]:
    """member(number): that organization's owner as the Data API sees them, in a transaction that is rolled back."""
    opened: list[Connection] = []

    def connect(number: int) -> Connection:
        connection = psycopg.connect(postgres.url(past_database), row_factory=dict_row)
        opened.append(connection)
        rows.act_as_user(connection, past.id_of("o", number))
        return connection

    yield connect
    for connection in opened:
        connection.rollback()
        connection.close()


@pytest.fixture
def organization() -> UUID:
    """One of many, with a show and twenty episodes."""
    return past.id_of("o", past.TYPICAL)


@pytest.fixture
def production(owner: Connection, organization: UUID) -> UUID:
    """A new episode of that organization, submitted."""
    show = past.id_of("s", past.TYPICAL)
    owner.execute(
        "insert into public.sources (organization_id, project_id, kind, title, content)"
        " values (%s, %s, 'text', 'A source', 'Something happened.')",
        [organization, show],
    )
    made = owner.execute(
        "insert into public.episodes (organization_id, project_id, target_minutes) values (%s, %s, 10) returning id",
        [organization, show],
    ).fetchall()
    started = owner.execute(
        "select production_id from engine.submit(%s, 'episode', %s, null, null, true)",
        [organization, made[0]["id"]],
    ).fetchall()
    return UUID(str(started[0]["production_id"]))
