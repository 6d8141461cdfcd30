"""Ingested sources, read back for writing."""

from __future__ import annotations

from collections.abc import Sequence

from showrunner.media_store import MediaStore
from showrunner.script import SourceReference, SourceText


def read_sources(media_store: MediaStore, references: Sequence[SourceReference]) -> list[SourceText]:
    """Return the sources that have text, in their order. Raises `Transient` when storage does not answer."""
    return [
        SourceText(
            id=reference.source_id,
            title=reference.title,
            url=reference.url,
            text=media_store.get(reference.asset.key).decode("utf-8"),
        )
        for reference in references
        if reference.asset is not None and reference.words > 0
    ]
