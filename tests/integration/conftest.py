"""The line's rig, and the engine's: one migrated database per module, emptied before each test (a clone costs more)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import psycopg
import pytest
from moto import mock_aws

from local.postgres import Postgres
from tests.conftest import DatabaseForOneTest
from tests.rigs.access import Tenants
from tests.rigs.engine import Rig
from tests.rigs.line import BUCKET, Line
from tests.rigs.singer import Singer


@pytest.fixture
def make_line(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Line]]:
    """make_line(**settings): the episode line in this process, with S3 in memory."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    lines: list[Line] = []

    def make(**settings: Any) -> Line:
        lines.append(Line(database_url, **settings))
        return lines[-1]

    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield make
        for line in lines:
            line.close()


@pytest.fixture
def line(make_line: Callable[..., Line]) -> Line:
    return make_line()


RIG = pytest.StashKey[Rig]()


@pytest.fixture
def rig(postgres: Postgres, template: str, request: pytest.FixtureRequest) -> Iterator[Rig]:
    module = request.node.getparent(pytest.Module)
    if RIG not in module.stash:
        database = DatabaseForOneTest(postgres, f"test_{uuid.uuid4().hex}")
        postgres.create_database(database.name, template)
        module.stash[RIG] = Rig(database.owner_url, database.login_url)
        module.addfinalizer(lambda: postgres.drop_database(database.name))
        module.addfinalizer(module.stash[RIG].close)
    module.stash[RIG].clean()
    yield module.stash[RIG]
    module.stash[RIG].close_lent()


TENANTS = pytest.StashKey[Tenants]()


@pytest.fixture
def singer(rig: Rig) -> Iterator[Singer]:
    singer = Singer(rig)
    yield singer
    singer.services.database.close()


@pytest.fixture
def tenants(postgres: Postgres, template: str, request: pytest.FixtureRequest) -> Tenants:
    """Two organizations with a row in every table, made once per module: what tests do is undone, not repeated."""
    module = request.node.getparent(pytest.Module)
    if TENANTS not in module.stash:
        database = DatabaseForOneTest(postgres, f"test_{uuid.uuid4().hex}")
        postgres.create_database(database.name, template)
        connection = psycopg.connect(database.owner_url, autocommit=True)
        module.addfinalizer(lambda: postgres.drop_database(database.name))
        module.addfinalizer(connection.close)
        module.stash[TENANTS] = Tenants(connection)
    return module.stash[TENANTS]


@pytest.fixture
def address(owner: psycopg.Connection[Any]) -> Callable[[uuid.UUID], str]:
    """address(person): the address of their account."""
    return lambda person: owner.execute("select email from auth.users where id = %s", [person]).fetchone()[0]


@pytest.fixture
def team(sign_up: Any, as_user: Any, add_member: Any) -> tuple[uuid.UUID, dict[str, uuid.UUID]]:
    """A shared organization of one of each role: its id, and the people by role. A guest is not in it."""
    people = {role: sign_up(role) for role in ("owner", "admin", "editor", "viewer", "guest")}
    organization = as_user(people["owner"]).execute("select create_organization('Team')").fetchone()[0]
    for role in ("admin", "editor", "viewer"):
        add_member(organization, people[role], role)
    return organization, people


@pytest.fixture
def roles(owner: psycopg.Connection[Any], team: tuple[uuid.UUID, dict[str, uuid.UUID]]) -> Callable[[], dict[str, str]]:
    """roles(): role by person's name, of the team."""
    organization, people = team
    names = {person: name for name, person in people.items()}

    def read() -> dict[str, str]:
        found = owner.execute(
            "select user_id, role::text from organization_members where organization_id = %s", [organization]
        )
        return {names[person]: role for person, role in found}

    return read
