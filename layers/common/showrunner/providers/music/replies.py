"""What the replies of music services share: JSON of a stated form, and tasks that are looked up by their name."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from showrunner.errors import Transient
from showrunner.providers.download import download
from showrunner.providers.http import HttpProvider, HttpReply, get
from showrunner.providers.music import MOST_BYTES, Licence, Remaining

MOST_LICENCE_BYTES = 10 * 1024 * 1024
LICENCE_TYPES = ("application/pdf", "text/html", "text/plain", "application/json")


class Reply(BaseModel):
    """A part of a provider's reply; fields that we do not use may come and go."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Model = TypeVar("Model", bound=Reply)


def read(reply: HttpReply, model: type[Model], host: str) -> Model:
    """Return the reply as `model`. Raises `Transient` for anything else: a success without content."""
    try:
        return model.model_validate_json(reply.body)
    except ValidationError as error:
        raise Transient(f"{host} answered without what it documents.") from error


def look_up(provider: HttpProvider, path: str, task: str, model: type[Model], timeout: float) -> Model:
    """Return how far a task is. Raises `BadOutput` when the provider does not know it any more."""
    missing = f"{provider.host} does not know the track any more; it has to be composed again."
    return read(get(provider, f"{path}/{quote(task, safe='')}", timeout, missing=missing), model, provider.host)


def copy_track(
    provider: HttpProvider, url: str, licence_url: str | None, out: Path, remaining: Remaining
) -> Licence | None:
    """Write the track to `out` and its licence, where there is one, beside it: both addresses expire."""
    download(url, out, base_url=provider.base_url, most_bytes=MOST_BYTES, timeout=remaining())
    if licence_url is None:
        return None
    path = out.with_name(f"{out.name}.licence")
    found = download(licence_url, path, base_url=provider.base_url, most_bytes=MOST_LICENCE_BYTES, timeout=remaining())
    known = found.content_type in LICENCE_TYPES
    return Licence(licence_url, path, found.content_type if known else "application/octet-stream")
