"""Files in the one S3 bucket."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypedDict
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError

from showrunner.errors import StageError, Transient

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DELETE_BATCH = 1000
_CHANGED = ("PreconditionFailed", "412", "ConditionalRequestConflict")


class PutCondition(TypedDict, total=False):
    """The conditions of S3's PutObject."""

    IfMatch: str
    IfNoneMatch: str


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A file that S3 confirmed: `sha256` is hexadecimal, `bytes` its length, `etag` tells versions of a key apart."""

    key: str
    bytes: int
    sha256: str
    etag: str = ""


class ObjectMissing(StageError):
    """The file is not in the bucket. Raised by reads; a rebuild of the job that made it brings it back."""

    kind = Transient.kind


class StoredMeanwhile(StageError):
    """Another attempt has stored the file since this one looked. Whoever still holds the job tries again."""

    kind = Transient.kind


def media_key(organization_id: UUID, kind: str, input_hash: str, extension: str) -> str:
    """The key of a job's result: derived from its input, so a retry finds what was already paid for."""
    return f"organizations/{organization_id}/{kind}/{input_hash}.{extension}"


def draft_key(organization_id: UUID, input_hash: str, name: str) -> str:
    """The key of an intermediate result; the bucket's lifecycle removes it after some days."""
    return f"drafts/{organization_id}/{input_hash}/{name}"


class MediaStore:
    """Puts carry a SHA-256 that S3 checks before it answers, so a put that returned is a file that is whole.

    A file that a row describes is stored with `replace`, so that an attempt which has lost its job cannot change it;
    `put` is for what depends on its key alone.
    """

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def put(self, key: str, body: bytes, content_type: str) -> StoredObject:
        """Store the bytes. Raises `Transient`."""
        digest = hashlib.sha256(body).digest()
        return self._put(key, body, len(body), digest, content_type)

    def replace(self, key: str, body: bytes, content_type: str, seen: StoredObject | None) -> StoredObject:
        """Store the bytes, if the key still has what `head` said when this attempt began. Storing the same bytes again
        is no change. Raises `StoredMeanwhile` and `Transient`."""
        digest = hashlib.sha256(body).digest()
        return self._put(key, body, len(body), digest, content_type, _unless_changed(seen))

    def replace_file(self, key: str, path: Path, content_type: str, seen: StoredObject | None) -> StoredObject:
        """`replace` for a file, read as it is sent."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
            file.seek(0)
            return self._put(key, file, path.stat().st_size, digest, content_type, _unless_changed(seen))

    def get(self, key: str, *, most_bytes: int | None = None) -> bytes:
        """Return the whole file. Raises `ObjectMissing`; with `most_bytes`, `ValueError` when it is larger."""
        try:
            reply = self._s3.get_object(Bucket=self._bucket, Key=key)
            if most_bytes is not None and reply["ContentLength"] > most_bytes:
                raise ValueError(f"{key} has {reply['ContentLength']} bytes; at most {most_bytes} are allowed")
            return reply["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise _as_stage_error(error, key) from error

    def download(self, key: str, path: Path) -> None:
        """Write the file to `path`, a chunk at a time. Raises `ObjectMissing`."""
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
            with path.open("wb") as file:
                for chunk in body.iter_chunks(1 << 20):
                    file.write(chunk)
        except (ClientError, BotoCoreError) as error:
            raise _as_stage_error(error, key) from error

    def head(self, key: str) -> StoredObject | None:
        """Return what is stored under `key`, or None. The hash is empty where another program put the file."""
        try:
            reply = self._s3.head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        except (ClientError, BotoCoreError) as error:
            failure = _as_stage_error(error, key)
            if isinstance(failure, ObjectMissing):
                return None
            raise failure from error
        digest = reply.get("Metadata", {}).get("sha256", "")
        return StoredObject(key, reply["ContentLength"], digest, reply["ETag"])

    def delete(self, keys: Sequence[str]) -> None:
        """Delete the files; those that do not exist are no error."""
        for start in range(0, len(keys), _DELETE_BATCH):
            batch = keys[start : start + _DELETE_BATCH]
            try:
                reply = self._s3.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
                )
            except (ClientError, BotoCoreError) as error:
                raise _as_stage_error(error, batch[0]) from error
            if reply.get("Errors"):
                raise Transient(f"S3 refused to delete {len(reply['Errors'])} of {len(batch)} files.")

    def signed_url(self, key: str, seconds: int, *, head: bool = False, disposition: str | None = None) -> str:
        """Return an address that opens this file for so long; S3 accepts it for GET, or with `head` for HEAD, only.

        `disposition` is the Content-Disposition that the file is then served with.
        """
        params = {"Bucket": self._bucket, "Key": key}
        if disposition is not None:
            params["ResponseContentDisposition"] = disposition
        return self._s3.generate_presigned_url(
            "head_object" if head else "get_object", Params=params, ExpiresIn=seconds
        )

    def signed_upload(
        self, key: str, seconds: int, *, content_type: str, size: int, sha256: str | None
    ) -> tuple[str, dict[str, str]]:
        """Return an address that takes this file by PUT, and the headers that must be sent with it.

        Type, length and (hexadecimal) hash are part of the signature: S3 itself refuses anything else.
        """
        params: dict[str, object] = {"Bucket": self._bucket, "Key": key}
        params |= {"ContentType": content_type, "ContentLength": size}
        headers = {"content-type": content_type, "content-length": str(size)}
        if sha256 is not None:
            headers["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(sha256)).decode()
            params["ChecksumSHA256"] = headers["x-amz-checksum-sha256"]
        return self._s3.generate_presigned_url("put_object", Params=params, ExpiresIn=seconds), headers

    def _put(
        self,
        key: str,
        body: bytes | BinaryIO,
        size: int,
        digest: bytes,
        content_type: str,
        condition: PutCondition | None = None,
    ) -> StoredObject:
        try:
            reply = self._s3.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType=content_type,
                ContentLength=size,
                ChecksumSHA256=base64.b64encode(digest).decode(),
                Metadata={"sha256": digest.hex()},
                **(condition or {}),
            )
        except (ClientError, BotoCoreError) as error:
            if _code(error) not in _CHANGED:
                raise _as_stage_error(error, key) from error
            # It may be this very put, whose first answer was lost on the way.
            stored = self.head(key)
            if stored is not None and stored.sha256 == digest.hex():
                return stored
            raise StoredMeanwhile(f"The file {key} was stored by another attempt meanwhile.") from error
        return StoredObject(key, size, digest.hex(), reply["ETag"])


def _unless_changed(seen: StoredObject | None) -> PutCondition:
    """S3's conditional write: it answers 412, or 409 while another put is under way."""
    return {"IfNoneMatch": "*"} if seen is None else {"IfMatch": seen.etag}


def _code(error: ClientError | BotoCoreError) -> str:
    return error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""


def _as_stage_error(error: ClientError | BotoCoreError, key: str) -> StageError:
    code = _code(error)
    if code in {"404", "NoSuchKey", "NotFound"}:
        return ObjectMissing(f"The file {key} is missing in storage; rebuild the stage that made it.")
    return Transient(f"Storage did not answer as expected for {key} ({code or type(error).__name__}).")
