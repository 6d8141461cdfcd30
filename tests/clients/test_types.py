"""The types that apps copy are those of the database."""

from __future__ import annotations

import pytest

from local.client_types import FILES, types
from tests.conftest import DatabaseForOneTest


@pytest.mark.parametrize("language", FILES)
def test_the_types_are_generated_from_the_migrations_as_they_are(language: str, database: DatabaseForOneTest) -> None:
    assert FILES[language].read_text() == types(language, database.owner_url), "run: make client-types"
