"""What the adapters find in the JSON of a reply."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from showrunner.errors import BadOutput, Transient
from showrunner.providers.image import MOST_BYTES

Model = TypeVar("Model", bound=BaseModel)


class Part(BaseModel):
    """A part of a reply; what it holds besides is left alone, since providers add fields at any time."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def read_reply(body: bytes, model: type[Model], host: str) -> Model:
    """Return the reply as a value. Raises `BadOutput` for anything else."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "the whole"
        raise BadOutput(f"{host} answered in a form that is not documented ({where}).") from error


def write_base64(text: str, out: Path, host: str) -> None:
    """Write the picture that a reply carries. Raises `Transient` for an empty one and `BadOutput` for no picture."""
    if not text:
        raise Transient(f"{host} answered without a picture.")
    if len(text) > MOST_BYTES // 3 * 4:
        raise BadOutput(f"{host} sent more than {MOST_BYTES // 2**20} MiB.")
    try:
        out.write_bytes(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise BadOutput(f"{host} sent a picture that is not valid base64.") from error
