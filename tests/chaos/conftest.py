"""The engine's rig on a migrated database of the test's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from local.postgres import Postgres
from tests.rigs.engine import Rig


@pytest.fixture
def rig(postgres: Postgres, template: str) -> Iterator[Rig]:
    name = f"test_{uuid.uuid4().hex}"
    postgres.create_database(name, template)
    rig = Rig(postgres.url(name), postgres.login_url(name))
    rig.clean()
    yield rig
    rig.close_lent()
    rig.close()
    postgres.drop_database(name)
