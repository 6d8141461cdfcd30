"""What a client is told when it is refused: PostgREST's codes, which psycopg has no classes for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

NOT_FOUND, NOT_NOW, LIMIT_REACHED = "PT404", "PT409", "PT429"


class Refused:
    """`value` is the error, once there is one."""

    value: psycopg.Error


@contextmanager
def refused_with(code: str, match: str = "") -> Iterator[Refused]:
    """Fail unless the block is refused with this code and a message in which `match` is found."""
    found = Refused()
    try:
        yield found
    except psycopg.Error as error:
        assert error.sqlstate == code, error
        assert re.search(match, str(error)), error
        found.value = error
        return
    raise AssertionError(f"not refused with {code}")
