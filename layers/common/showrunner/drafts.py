"""Paid replies, kept in S3 the moment they arrive: a retry of the job reads them instead of paying again."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from showrunner.media_store import MediaStore, ObjectMissing, draft_key

Reply = TypeVar("Reply", bound=BaseModel)


class Drafts:
    """The replies of one job. They belong to its input: another input has other drafts."""

    def __init__(self, media_store: MediaStore, organization_id: UUID, input_hash: str) -> None:
        self._media_store = media_store
        self._organization_id = organization_id
        self._input_hash = input_hash

    def read(self, name: str, model: type[Reply]) -> Reply | None:
        """Return the kept reply, or None when there is none that fits the model."""
        try:
            return model.model_validate_json(self._media_store.get(self._key(name)))
        except (ObjectMissing, ValidationError):
            return None

    def keep(self, name: str, reply: BaseModel) -> None:
        self._media_store.put(self._key(name), reply.model_dump_json().encode(), "application/json")

    def _key(self, name: str) -> str:
        return draft_key(self._organization_id, self._input_hash, f"{name}.json")
