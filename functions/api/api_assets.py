"""Assets: what was made, each file with an address that opens it for a quarter of an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

import api_pages
from api_addresses import extension_of
from api_problems import Missing
from api_requests import Context
from api_shapes import SIGNED_IN, Answer, Cursor, Limit, Text, answers

LINK_SECONDS = 900

_COLUMNS = """
    asset.id, asset.organization_id, asset.production_id, asset.kind, asset.key, asset.content_type, asset.bytes,
    asset.sha256, asset.duration_seconds, asset.created_at
"""
_ONE = f"select {_COLUMNS} from public.assets as asset where asset.id = %(id)s"  # noqa: S608
# Of each organization by itself, as productions are listed.
_LIST = f"""
    select {_COLUMNS}
    from private.memberships as membership
    cross join lateral (
        select asset.*
        from public.assets as asset
        where asset.organization_id = membership.organization_id
          and (%(production)s::uuid is null or asset.production_id = %(production)s)
          and (%(kind)s::text is null or asset.kind = %(kind)s)
          and {api_pages.AFTER.format(table="asset")}
        order by asset.created_at desc, asset.id
        limit %(limit)s
    ) as asset
    where %(organization)s::uuid is null or membership.organization_id = %(organization)s
    order by asset.created_at desc, asset.id
    limit %(limit)s
"""  # noqa: S608

Disposition = Annotated[
    Literal["inline", "attachment"],
    Query(description="Whether a browser shows the file or saves it."),
]


class Asset(Answer):
    id: UUID
    organization_id: UUID
    production_id: UUID | None
    kind: str
    content_type: str
    bytes: int
    sha256: str
    duration_seconds: float | None
    created_at: datetime
    url: str = Field(description="Opens the file by GET; serves byte ranges.")
    url_expires_at: datetime


class Assets(Answer):
    assets: list[Asset]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


def add_routes(app: APIGatewayHttpResolver, context: Context) -> None:
    shared: dict[str, Any] = {"tags": ["assets"], "security": SIGNED_IN}

    @app.get(
        "/assets", summary="Files, newest first", responses=answers("What was asked for", 401, 403, 422, 503), **shared
    )
    def list_assets(
        limit: Limit = 20,
        cursor: Cursor = None,
        organization_id: Annotated[UUID | None, Query()] = None,
        production_id: Annotated[UUID | None, Query()] = None,
        kind: Annotated[Text | None, Query(max_length=100)] = None,
        disposition: Disposition = "inline",
    ) -> Assets:
        wanted = {"organization": organization_id, "production": production_id, "kind": kind, "limit": limit + 1}
        caller, start = context.caller(), api_pages.after(cursor)
        rows, following = api_pages.page(context.services.database.call(_LIST, wanted | start, caller=caller), limit)
        return Assets(assets=[_signed(context, row, disposition) for row in rows], next=following)

    @app.get(
        "/assets/<asset_id>",
        summary="One file",
        responses=answers("What was asked for", 401, 403, 404, 422, 503),
        **shared,
    )
    def read_asset(asset_id: UUID, disposition: Disposition = "inline") -> Asset:
        caller = context.caller()
        rows = context.services.database.call(_ONE, {"id": asset_id}, caller=caller)
        if not rows:
            raise Missing
        return _signed(context, rows[0], disposition)


def _signed(context: Context, row: dict[str, Any], disposition: str) -> Asset:
    """Return the asset with an address. Only rows that the caller may see get this far."""
    key = row.pop("key")
    # Kinds are words and keys end as we made them, so the name needs no quoting (RFC 6266).
    name = f'{disposition}; filename="{row["kind"]}{extension_of(key)}"'
    expires_at = datetime.now(UTC) + timedelta(seconds=LINK_SECONDS)
    url = context.services.media_store.signed_url(key, LINK_SECONDS, disposition=name)
    return Asset(**row, url=url, url_expires_at=expires_at)
