"""Uploads: ask for an address, put the file there, say that it is complete; it is checked and becomes a source.

The address takes one file of the announced type, length and hash, for a quarter of an hour: S3 itself refuses others.
What was put there could still be replaced by its sender, so the checked bytes are stored anew where no address leads.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from pydantic import Field

from api_problems import Problem
from api_requests import Context
from api_shapes import SIGNED_IN, Answer, Body, Text, answers
from api_upload_files import Announced, check_content, check_type, shown_name, title_of
from showrunner.database import Statement
from showrunner.source_text import MOST_FILE_BYTES

LINK_SECONDS = 900

_BEGIN = "select id, key from private.begin_upload(%s, %s, %s, %s, %s, %s, %s)"
_READ = "select * from private.upload_to_complete(%s)"
_COMPLETE = "select engine.complete_upload(%s, %s) as source_id"


class Upload(Body):
    project_id: UUID = Field(description="The show whose source the file becomes.")
    episode_id: UUID | None = Field(None, description="For one episode alone.")
    kind: Literal["pdf", "text", "markdown"]
    file_name: Text = Field(min_length=1, max_length=1000)
    content_type: Literal["application/pdf", "text/plain", "text/markdown"]
    bytes: int = Field(ge=1, le=MOST_FILE_BYTES)
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="Hexadecimal.")


class Place(Answer):
    """Where the file goes."""

    id: UUID
    method: Literal["PUT"] = "PUT"
    url: str
    headers: dict[str, str] = Field(description="To be sent with the file, exactly.")
    expires_at: datetime


class Completed(Answer):
    source_id: UUID


def add_routes(app: APIGatewayHttpResolver, context: Context) -> None:
    shared: dict[str, Any] = {"tags": ["uploads"], "security": SIGNED_IN}
    errors = (400, 401, 403, 404, 409, 413, 415, 422, 429, 503)

    @app.post(
        "/uploads",
        summary="Ask for an address to put a file",
        status_code=HTTPStatus.CREATED,
        responses=answers("PUT the file to `url` with `headers`, then complete the upload", *errors, status=201),
        **shared,
    )
    def begin(body: Upload) -> Response[Place]:
        caller = context.caller()
        check_type(body.kind, body.content_type)
        name = shown_name(body.file_name)
        wanted = (body.project_id, body.episode_id, body.kind, name, body.content_type, body.bytes, body.sha256)
        [row] = context.services.database.run([Statement(_BEGIN, wanted)], caller=caller, once=True)
        expires_at = datetime.now(UTC) + timedelta(seconds=LINK_SECONDS)
        url, headers = context.services.media_store.signed_upload(
            row["key"], LINK_SECONDS, content_type=body.content_type, size=body.bytes, sha256=body.sha256
        )
        place = Place(id=row["id"], url=url, headers=headers, expires_at=expires_at)
        return Response(HTTPStatus.CREATED, "application/json", place, {"cache-control": "no-store"})

    @app.post(
        "/uploads/<upload_id>/complete",
        summary="Check the file and make it a source",
        responses=answers("The source that the file has become", *errors),
        **shared,
    )
    def complete(upload_id: UUID) -> Completed:
        caller = context.caller()
        database, store = context.services.database, context.services.media_store
        read = Statement(_READ, (upload_id,))
        [upload] = database.run([read], caller=caller)
        if upload["source_id"] is not None:
            return Completed(source_id=upload["source_id"])
        body = _arrived(context, upload)
        check_content(Announced(upload["kind"], upload["bytes"], upload["sha256"]), body)
        store.put(upload["stored_key"], body, upload["content_type"])
        # Asked again in the transaction that writes: the caller may have left the organization meanwhile.
        title = title_of(upload["file_name"])
        [row] = database.run([read, database.back_to_worker(), Statement(_COMPLETE, (upload_id, title))], caller=caller)
        return Completed(source_id=row["source_id"])


def _arrived(context: Context, upload: dict[str, Any]) -> bytes:
    store = context.services.media_store
    stored = store.head(upload["key"])
    if stored is None:
        raise Problem(409, "upload_id: the file has not arrived; put it to the address first.")
    if stored.bytes != upload["bytes"]:
        # Told without reading: the address may have been used wrongly, the file may be huge.
        sentence = f"{upload['bytes']:,} were announced, {stored.bytes:,} have arrived."
        raise Problem(422, f"bytes: {sentence}")
    return store.get(upload["key"], most_bytes=MOST_FILE_BYTES)
