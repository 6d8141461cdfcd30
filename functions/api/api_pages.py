"""Pages by keyset: a page begins after the last row of the one before, whatever came in between (no offsets).

A cursor is that row's time and id. It is opaque to clients and opens nothing: row-level security decides each time.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from api_problems import Invalid

Row = dict[str, Any]

# Newest first, then by id: the order of the indexes. The first comparison alone is what an index can seek.
AFTER = """
    (%(time)s::timestamptz is null
     or ({table}.created_at <= %(time)s::timestamptz
         and ({table}.created_at < %(time)s::timestamptz or {table}.id > %(id)s::uuid)))
"""


def after(cursor: str | None) -> dict[str, Any]:
    """Return the parameters `time` and `id` of `AFTER`. Raises `Invalid` for what is no cursor of ours."""
    if cursor is None:
        return {"time": None, "id": None}
    try:
        time, row_id = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=="))
        moment = datetime.fromisoformat(time)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return {"time": moment, "id": UUID(row_id)}
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Invalid("cursor", "this is not a cursor; use `next` of the page before.") from error


def page(rows: list[Row], limit: int) -> tuple[list[Row], str | None]:
    """Return the page and the cursor of the next, from up to `limit` + 1 rows."""
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    mark = json.dumps([last["created_at"].isoformat(), str(last["id"])]).encode()
    return rows[:limit], base64.urlsafe_b64encode(mark).decode().rstrip("=")
