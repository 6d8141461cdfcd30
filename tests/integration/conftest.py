from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.conftest import DatabaseForOneTest
from tests.rigs.engine import Rig


@pytest.fixture
def rig(
    owner: psycopg.Connection[Any], connect: Callable[..., psycopg.Connection[Any]], database: DatabaseForOneTest
) -> Rig:
    def open_worker() -> psycopg.Connection[Any]:
        return connect(database.login_url, role="showrunner_worker")

    return Rig(owner, open_worker(), open_worker)
