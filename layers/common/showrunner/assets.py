"""Assets: verified files in S3, each a row that clients can read."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from showrunner.database import Statement
from showrunner.media_store import StoredObject

_NAMESPACE = UUID("7d1f5f0e-2f0b-5d0c-9a53-6f4b3a0f7c11")

_UPSERT = """
insert into public.assets (
    id, organization_id, production_id, kind, key, content_type, bytes, sha256,
    duration_seconds, integrated_lufs, true_peak_dbtp, sample_rate
) values (
    %(id)s, %(organization_id)s, %(production_id)s, %(kind)s, %(key)s, %(content_type)s, %(bytes)s, %(sha256)s,
    %(duration_seconds)s, %(integrated_lufs)s, %(true_peak_dbtp)s, %(sample_rate)s
)
on conflict (key) do update
set bytes = excluded.bytes,
    sha256 = excluded.sha256,
    duration_seconds = excluded.duration_seconds,
    integrated_lufs = excluded.integrated_lufs,
    true_peak_dbtp = excluded.true_peak_dbtp
where assets.sha256 is distinct from excluded.sha256
"""


class AssetReference(BaseModel):
    """How jobs speak of an asset in their inputs and outputs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that was verified. Loudness in LUFS, true peak in dBTP, sample rate in Hz."""

    organization_id: UUID
    production_id: UUID | None
    kind: str
    stored: StoredObject
    content_type: str
    duration_seconds: float | None = None
    integrated_lufs: float | None = None
    true_peak_dbtp: float | None = None
    sample_rate: int | None = None

    @property
    def id(self) -> UUID:
        """The same key is the same asset, whoever stores it and however often."""
        return uuid5(_NAMESPACE, self.stored.key)

    @property
    def reference(self) -> AssetReference:
        return AssetReference(id=self.id, key=self.stored.key, sha256=self.stored.sha256)

    def statement(self) -> Statement:
        """The row, written again only when the file's content changed."""
        return Statement(
            _UPSERT,
            {
                "id": self.id,
                "organization_id": self.organization_id,
                "production_id": self.production_id,
                "kind": self.kind,
                "key": self.stored.key,
                "content_type": self.content_type,
                "bytes": self.stored.bytes,
                "sha256": self.stored.sha256,
                "duration_seconds": self.duration_seconds,
                "integrated_lufs": self.integrated_lufs,
                "true_peak_dbtp": self.true_peak_dbtp,
                "sample_rate": self.sample_rate,
            },
        )
