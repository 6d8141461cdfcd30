"""Getting a track from its provider, and never paying twice for one that an earlier attempt asked for.

What was asked for and what came is kept beside the job's other drafts: a task's name as soon as the provider gave it,
the file and its licence before anything else is done with them.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from showrunner.assets import Asset
from showrunner.drafts import Drafts
from showrunner.errors import BadOutput, ContentRefused
from showrunner.media_store import MediaStore, ObjectMissing, StoredObject, draft_key, media_key
from showrunner.providers.music import Licence, Music, MusicResult, Pending, Wish
from showrunner.stage import Job
from showrunner.usage import ProviderCall

_RAW = "application/octet-stream"


class Asked(BaseModel):
    """What polls the provider; None once that track is of no use. `words` is the prompt it was asked with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: str
    state: dict[str, Any] | None


class LicenceCopy(BaseModel):
    """A licence document: where the provider had it, and our copy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    content_type: str
    key: str
    bytes: int
    sha256: str


class Came(BaseModel):
    """What is known of the file that came; `words` as in `Asked`, and empty once the file is of no use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: str
    track_id: str | None = None
    licence: LicenceCopy | None = None


@dataclass(frozen=True, slots=True)
class Obtained:
    """A track as the provider made it, and its licence document, where there is one."""

    path: Path
    track_id: str | None
    licence_url: str | None
    licence: Asset | None


class Sources:
    """The provider's side of one job. `is_paid` is false for what can be made again for nothing."""

    def __init__(self, job: Job[Any], media_store: MediaStore, folder: Path, *, is_paid: bool) -> None:
        self._job = job
        self._media_store = media_store
        self._path = folder / "source"
        self._is_paid = is_paid
        self._drafts = Drafts(media_store, job.organization_id, job.input_hash)
        self._raw_key = draft_key(job.organization_id, job.input_hash, "track")

    def obtain(self, music: Music, wish: Wish, remaining: Callable[[], float]) -> Obtained | Pending:
        """Return the track that is there already, the one that was asked for, or ask for it."""
        came = self._kept(wish)
        if came is None:
            result = self._asked(music, wish, remaining)
            if isinstance(result, Pending):
                return result
            came = self._keep(wish, result)
        return Obtained(self._path, came.track_id, came.licence.url if came.licence else None, self._licence(came))

    def forget(self) -> None:
        """What came, or was asked for, is of no use."""
        if self._is_paid:
            self._drafts.keep("came", Came(words=""))
            self._drafts.keep("asked", Asked(words="", state=None))

    def _kept(self, wish: Wish) -> Came | None:
        came = self._drafts.read("came", Came) if self._is_paid else None
        if came is None or came.words != wish.prompt:
            return None
        try:
            self._media_store.download(self._raw_key, self._path)
        except ObjectMissing:
            return None
        return came

    def _asked(self, music: Music, wish: Wish, remaining: Callable[[], float]) -> MusicResult | Pending:
        asked = self._drafts.read("asked", Asked) if self._is_paid else None
        if asked is not None and asked.state is not None and asked.words == wish.prompt:
            try:
                return music.poll(asked.state, self._path, remaining)
            except (BadOutput, ContentRefused):
                self.forget()
                raise
        result = music.start(wish, self._path, remaining)
        if isinstance(result, Pending):
            self._drafts.keep("asked", Asked(words=wish.prompt, state=result.state))
        self._record(result.call)
        return result

    def _record(self, call: ProviderCall | None) -> None:
        if call is not None:
            self._job.record(call, immediately=self._is_paid)

    def _keep(self, wish: Wish, result: MusicResult) -> Came:
        licence = None if result.licence is None else self._stored(result.licence)
        came = Came(words=wish.prompt, track_id=result.track_id, licence=licence)
        if self._is_paid:
            self._media_store.replace_file(self._raw_key, self._path, _RAW, self._media_store.head(self._raw_key))
            self._drafts.keep("came", came)
        return came

    def _stored(self, licence: Licence) -> LicenceCopy:
        """Keep the document under a key that has its content's hash: what is there never changes."""
        body = licence.path.read_bytes()
        extension = (mimetypes.guess_extension(licence.content_type) or ".bin").removeprefix(".")
        name = f"{self._job.input_hash}-{hashlib.sha256(body).hexdigest()[:16]}"
        key = media_key(self._job.organization_id, "track_licence", name, extension)
        stored = self._media_store.put(key, body, licence.content_type)
        return LicenceCopy(
            url=licence.url, content_type=licence.content_type, key=key, bytes=stored.bytes, sha256=stored.sha256
        )

    def _licence(self, came: Came) -> Asset | None:
        copy = came.licence
        if copy is None:
            return None
        stored = StoredObject(copy.key, copy.bytes, copy.sha256)
        return Asset(self._job.organization_id, self._job.production_id, "track_licence", stored, copy.content_type)
