"""The addresses under which subscribers reach this API, and the tokens in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import UUID

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from showrunner.settings import Settings

_TOKEN = "[0-9a-f]{32,128}"  # noqa: S105 - a pattern
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_FEED = re.compile(rf"({_TOKEN})\.xml")
_MEDIA = re.compile(rf"({_UUID})\.([a-z0-9]{{1,8}})")


@dataclass(frozen=True, slots=True)
class MediaName:
    asset_id: UUID
    extension: str


def public_base_url(settings: Settings, event: APIGatewayProxyEventV2) -> str:
    """Return the address of this API without a trailing slash: as configured, else as the caller reached it."""
    if "public_base_url" in settings.model_fields_set:
        return settings.public_base_url.rstrip("/")
    context = event.request_context
    stage = "" if context.stage == "$default" else f"/{context.stage}"
    return f"https://{context.domain_name}{stage}"


def feed_token(name: str) -> str | None:
    """Return the token of `<token>.xml`, or None when the name is not of that form."""
    match = _FEED.fullmatch(name)
    return match[1] if match else None


def is_token(text: str) -> bool:
    return re.fullmatch(_TOKEN, text) is not None


def media_name(name: str) -> MediaName | None:
    """Read `<asset id>.<extension>`; None when the name is not of that form."""
    match = _MEDIA.fullmatch(name)
    return MediaName(UUID(match[1]), match[2]) if match else None


def extension_of(key: str) -> str:
    """Return the file name extension of an S3 key, with its dot."""
    return PurePosixPath(key).suffix
