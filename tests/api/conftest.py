"""The API over HTTP: the real function behind the laptop's gateway, a migrated database, S3 in memory.

Database and function are a module's, since making them costs more than a test; people, shows and productions are a
test's own, and what is of one organization is nothing to another.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import psycopg
import pytest
from moto import mock_aws

from local.postgres import Postgres
from local.sign_in import new_sign_in
from tests.conftest import DatabaseForOneTest
from tests.rigs.api import Api, open_api
from tests.rigs.line import BUCKET
from tests.rigs.shows import Show, make_show
from tests.texts import ARTICLE

DATABASE = pytest.StashKey[DatabaseForOneTest]()


@pytest.fixture
def database(postgres: Postgres, template: str, request: pytest.FixtureRequest) -> DatabaseForOneTest:
    """The module's."""
    module = request.node.getparent(pytest.Module)
    if DATABASE not in module.stash:
        made = DatabaseForOneTest(postgres, f"test_{uuid.uuid4().hex}")
        postgres.create_database(made.name, template)
        module.stash[DATABASE] = made
        module.addfinalizer(lambda: postgres.drop_database(made.name))
    return module.stash[DATABASE]


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield


@pytest.fixture
def make_api(aws: None, database_url: str) -> Iterator[Callable[..., Api]]:
    """make_api(**settings): one of the test's own."""
    opened: list[Api] = []

    def make(**settings: Any) -> Api:
        opened.append(open_api(new_sign_in(), BUCKET, **{"database_url": database_url, **settings}))
        return opened[-1]

    yield make
    for api in opened:
        api.close()


API = pytest.StashKey[Api]()


@pytest.fixture
def api(aws: None, database_url: str, request: pytest.FixtureRequest) -> Api:
    """The module's, with nothing in its queue."""
    module = request.node.getparent(pytest.Module)
    if API not in module.stash:
        module.stash[API] = open_api(new_sign_in(), BUCKET, database_url=database_url)
        module.addfinalizer(module.stash[API].close)
    module.stash[API].services.queue.ready.clear()
    return module.stash[API]


@pytest.fixture
def show(owner: psycopg.Connection[Any], sign_up: Callable[..., Any]) -> Show:
    """A user's show with one source and an episode."""
    return make_show(owner, sign_up("ada"), ARTICLE)


@pytest.fixture
def stranger(owner: psycopg.Connection[Any], sign_up: Callable[..., Any]) -> Show:
    """Another user's, in another organization."""
    return make_show(owner, sign_up("mallory"), ARTICLE)
