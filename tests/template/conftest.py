from __future__ import annotations

import pytest

from tests.rigs.sam import Sam


@pytest.fixture(scope="session")
def sam() -> Sam:
    """template.yaml as plain data."""
    return Sam()
