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
