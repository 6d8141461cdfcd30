"""One laptop edition with Supabase's API in front of its database, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from local.migrations import DATABASE
from local.postgres import Postgres
from local.stack import Options, Stack, database_home
from tests.rigs.laptop import PROJECT
from tests.rigs.supabase_api import SupabaseApi, install_auth_tables


@dataclass(frozen=True)
class Backend:
    """What a client app talks to, and a look behind it."""

    api: SupabaseApi
    stack: Stack

    @property
    def environment(self) -> dict[str, str]:
        """What the documentation tells an app to set."""
        return self.api.environment | {"SHOWRUNNER_URL": self.stack.base_url}

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """As the tables' owner."""
        with psycopg.connect(self.stack.database_url, autocommit=True, row_factory=dict_row) as owner:
            return owner.execute(query.encode(), values).fetchall()


@pytest.hookimpl(tryfirst=True)
@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    state = tmp_path_factory.mktemp("clients")
    postgres = Postgres(database_home(state))
    try:
        postgres.start()
        postgres.create_database(DATABASE)
        install_auth_tables(postgres.url(DATABASE))
        api = SupabaseApi(postgres.url(DATABASE), state)
        # This server's tokens carry the shared key's signature and name no issuer.
        environment = {"LEASE_SECONDS": "10", "JWT_KEY": api.jwt_secret, "SUPABASE_URL": ""}
        options = Options(port=0, environment=environment, schedule_seconds={"sweep_jobs": 0.5})
        with Stack(PROJECT, state, options) as stack, api:
            yield Backend(api, stack)
    finally:
        postgres.remove()


@pytest.fixture
def api(backend: Backend) -> SupabaseApi:
    return backend.api
