"""The engine's rig: one migrated database per module, emptied before each test, since cloning one costs more."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from local.postgres import Postgres
from tests.conftest import DatabaseForOneTest
from tests.rigs.engine import Rig

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
