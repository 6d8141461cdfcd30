"""Files as strangers name and fill them: a name that can be shown, and content that is what it says it is."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass

from api_problems import Invalid
from showrunner.errors import InvalidInput
from showrunner.source_text import decode_text

TYPES = {
    "pdf": ("application/pdf",),
    "text": ("text/plain",),
    "markdown": ("text/markdown", "text/plain"),
}
LONGEST_NAME = 200
# ISO 32000: readers look for the header in the first 1024 bytes.
_PDF_HEADER, _PDF_WITHIN = b"%PDF-", 1024


@dataclass(frozen=True, slots=True)
class Announced:
    """What the sender said of a file; `sha256` is hexadecimal or None."""

    kind: str
    bytes: int
    sha256: str | None


def shown_name(name: str) -> str:
    """Return the last part of a file name, without controls and direction marks. Raises `Invalid` for nothing."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    kept = "".join(" " if letter.isspace() else letter for letter in last)
    kept = "".join(letter for letter in kept if not unicodedata.category(letter).startswith("C"))
    kept = " ".join(kept.split()).lstrip(". ")[:LONGEST_NAME].rstrip()
    if not kept:
        raise Invalid("file_name", "a name with at least one visible character is needed.")
    return kept


def title_of(name: str) -> str:
    """Return a file's name without its extension."""
    stem, dot, extension = name.rpartition(".")
    return stem if dot and stem and len(extension) <= 8 else name


def check_type(kind: str, content_type: str) -> None:
    """Raise `Invalid` unless a file of this kind may be of this type."""
    if content_type not in TYPES[kind]:
        raise Invalid("content_type", f"for kind {kind}, expected {' or '.join(TYPES[kind])}.")


def check_content(announced: Announced, body: bytes) -> str:
    """Return the hexadecimal SHA-256 of a file that is what was announced. Raises `Invalid` naming what is not."""
    if len(body) != announced.bytes:
        raise Invalid("bytes", f"{announced.bytes:,} were announced, {len(body):,} have arrived.")
    digest = hashlib.sha256(body).hexdigest()
    if announced.sha256 is not None and digest != announced.sha256:
        raise Invalid("sha256", "what has arrived has another hash than was announced.")
    if announced.kind == "pdf":
        if _PDF_HEADER not in body[:_PDF_WITHIN]:
            raise Invalid("kind", "this is not a PDF file.")
        return digest
    if body.startswith(_PDF_HEADER):
        raise Invalid("kind", "this is a PDF file; upload it as kind pdf.")
    try:
        if not decode_text("kind", body).strip():
            raise Invalid("kind", "the file holds no text.")
    except InvalidInput as error:
        raise Invalid("kind", "this is not a text file; save it as UTF-8 text.") from error
    return digest
