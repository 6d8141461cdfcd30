"""docs/data-model.md is what `make docs` draws."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from local.data_model import PAGE, page


@pytest.mark.parametrize("postgres_version", [16, 18])
def test_the_data_model_is_drawn_from_the_migrations_as_they_are(owner: psycopg.Connection[Any]) -> None:
    assert PAGE.read_text() == page(owner), "run: make docs"


def test_a_table_without_a_sentence_is_refused(owner: psycopg.Connection[Any]) -> None:
    owner.execute("comment on table public.jobs is null")

    with pytest.raises(LookupError, match="jobs has no comment"):
        page(owner)
