"""How tests invite people and let them join."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg

INVITE = "select invitation_id, token, expires_at from invite_member(%s, %s, %s)"


def invite(
    connection: psycopg.Connection[Any], organization: uuid.UUID, email: str | None, role: str = "viewer"
) -> tuple[uuid.UUID, str]:
    """The new invitation's (id, token)."""
    row = connection.execute(INVITE, [organization, email, role]).fetchone()
    assert row is not None
    return row[0], row[1]


def accept(connection: psycopg.Connection[Any], token: str | None) -> uuid.UUID:
    """The organization that was joined."""
    row = connection.execute("select accept_invitation(%s)", [token]).fetchone()
    assert row is not None
    return row[0]
