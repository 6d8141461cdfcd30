"""Rows and people that tests start from, made by the role that owns the tables."""

from __future__ import annotations

import json
import uuid
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb


def insert(connection: psycopg.Connection[Any], table: str, columns: dict[str, Any]) -> uuid.UUID:
    """Insert one row of schema public, dicts and lists of dicts as JSON; returns its id."""
    statement = sql.SQL("insert into public.{} ({}) values ({}) returning id").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
    )
    values = [Jsonb(value) if isinstance(value, (dict, list)) else value for value in columns.values()]
    row = connection.execute(statement, values).fetchone()
    assert row is not None
    return row[0]


def sign_up(owner: psycopg.Connection[Any], name: str = "ada", tier: str = "pro") -> uuid.UUID:
    """A new user's id, which is that of their personal organization too."""
    user_id = uuid.uuid4()
    owner.execute(
        "insert into auth.users (id, email, email_confirmed_at, raw_user_meta_data) values (%s, %s, now(), %s)",
        [user_id, f"{name}-{user_id.hex[:8]}@example.com", json.dumps({"display_name": name})],
    )
    owner.execute("update public.organizations set tier = %s where id = %s", [tier, user_id])
    return user_id


def act_as(connection: psycopg.Connection[Any], role: str | None, claims: dict[str, Any] | None = None) -> None:
    """Make a connection what the Data API makes of one, for a caller with these claims."""
    if claims is not None:
        connection.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps(claims)])
    if role is not None:
        connection.execute(f"set role {role}".encode())


def act_as_user(connection: psycopg.Connection[Any], user_id: uuid.UUID) -> None:
    act_as(connection, "authenticated", {"sub": str(user_id), "role": "authenticated"})
