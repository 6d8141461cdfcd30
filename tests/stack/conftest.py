"""One laptop edition for all tests of this folder: they kill parts of it, and it is to be whole again each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.postgres import Postgres
from local.stack import Stack, database_home
from tests.rigs.laptop import PROJECT, HoldingProvider, Laptop, options


@dataclass
class Running:
    stack: Stack
    state: Path
    laptop: Laptop
    provider: HoldingProvider


@pytest.fixture(scope="session")
def provider() -> Iterator[HoldingProvider]:
    with HoldingProvider() as server:
        yield server
        server.release()


@pytest.fixture(scope="session")
def running_stack(provider: HoldingProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    state = tmp_path_factory.mktemp("laptop")
    with Stack(PROJECT, state, options(provider.url)) as stack:
        yield Running(stack, state, Laptop(stack.database_url, provider), provider)
    Postgres(database_home(state)).remove()


@pytest.fixture
def stack(running_stack: Running) -> Stack:
    return running_stack.stack


@pytest.fixture
def laptop(running_stack: Running) -> Laptop:
    return running_stack.laptop
