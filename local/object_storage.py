"""A WSGI layer over moto's S3: writes are decided by moto and kept on disk, plain reads are served from disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeKey, S3Backend, s3_backends
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response
from werkzeug.wsgi import wrap_file

from local.object_files import Entry, ObjectFiles

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_WRITES = ("PUT", "POST", "DELETE")
_FORM = "application/x-www-form-urlencoded"
_READ_BYTES = 1 << 18


class ObjectStorage:
    """Wraps moto's application; `folder` has one folder per bucket, restored here."""

    def __init__(self, application: WSGIApplication, folder: Path, region: str) -> None:
        self._application = application
        self._folder = folder
        self._region = region
        self._backend: S3Backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        self._buckets: dict[str, ObjectFiles] = {}
        self._locks = [threading.Lock() for _ in range(64)]
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.iterdir()):
            self._restore(path.name)

    def ensure_bucket(self, bucket: str) -> None:
        """Create a bucket unless it is there."""
        if bucket not in self._backend.buckets:
            self._backend.create_bucket(bucket, self._region)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace").lstrip("/")
        bucket, _, key = path.partition("/")
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        if key and environ["REQUEST_METHOD"] in ("GET", "HEAD") and _is_plain_read(environ, query):
            response = self._read(bucket, key, query, environ)
            if response is not None:
                return response(environ, start_response)
        if environ["REQUEST_METHOD"] in _WRITES and bucket:
            return self._write(bucket, key, query, environ, start_response)
        return self._application(environ, start_response)

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read(self, bucket: str, key: str, query: dict[str, list[str]], environ: WSGIEnvironment) -> Response | None:
        """A stored object, whole or the range that was asked for; None leaves the answer to moto."""
        files = self._buckets.get(bucket)
        found = files.open(key) if files else None
        if found is None:
            return None
        entry, body = found
        if _has_expired(query):
            body.close()
            return _error(403, "AccessDenied", "Request has expired")
        response = Response(wrap_file(environ, body, _READ_BYTES), headers=entry.headers, direct_passthrough=True)
        response.call_on_close(body.close)
        for name, values in query.items():
            if name.startswith("response-"):
                response.headers[name.removeprefix("response-")] = values[0]
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.set_etag(entry.etag)
        response.last_modified = entry.modified
        response.content_length = entry.bytes
        try:
            return response.make_conditional(environ, accept_ranges=True, complete_length=entry.bytes)
        except RequestedRangeNotSatisfiable:
            body.close()
            return _error(416, "InvalidRange", "The requested range is not satisfiable")

    # --- writing ----------------------------------------------------------------------------------------------------

    def _write(
        self, bucket: str, key: str, query: dict[str, list[str]], environ: WSGIEnvironment, start: StartResponse
    ) -> Iterable[bytes]:
        if key and environ.get("CONTENT_TYPE", "").startswith(_FORM):
            environ["CONTENT_TYPE"] = "binary/octet-stream"  # moto would take the body for a form, and lose it
        answer: list[Any] = []

        def remember(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            answer[:] = [status, headers]
            return lambda data: None

        body = self._application(environ, remember)
        status, headers = answer
        if status.startswith("2") and bucket in self._backend.buckets and "partNumber" not in query:
            if key:
                self._mirror(bucket, key)
            elif "delete" in query:
                for entry in self._files(bucket):
                    self._mirror(bucket, entry.key)
        start(status, headers)
        return body

    def _mirror(self, bucket: str, key: str) -> None:
        """Make the disk say what moto says about one object. Of a versioned bucket the newest version is kept."""
        files = self._files(bucket)
        with self._locks[hash((bucket, key)) % len(self._locks)]:
            found = self._backend.buckets[bucket].keys.get(key)
            if not isinstance(found, FakeKey):
                files.delete(key)
            elif not isinstance(found._value_buffer, _Body):
                value = found.value
                headers = {str(name): str(text) for name, text in found.metadata.items()}
                entry = files.put(key, found.etag.strip('"'), headers, lambda file: file.write(value))
                _move_to_disk(found, files.path(entry))

    # --- restoring --------------------------------------------------------------------------------------------------

    def _files(self, bucket: str) -> ObjectFiles:
        if bucket not in self._buckets:
            self._buckets[bucket] = ObjectFiles(self._folder / bucket)
        return self._buckets[bucket]

    def _restore(self, bucket: str) -> None:
        self.ensure_bucket(bucket)
        files = self._files(bucket)
        for entry in files:
            self._restore_object(bucket, entry, files.path(entry))

    def _restore_object(self, bucket: str, entry: Entry, path: Path) -> None:
        key = self._backend.put_object(bucket, entry.key, b"", etag=entry.etag, disable_notification=True)
        key.set_metadata(dict(entry.headers))
        key.last_modified = entry.modified.replace(tzinfo=None)
        key.contentsize = entry.bytes
        _move_to_disk(key, path)


class _Body:
    """What moto reads an object's value from, once it is on disk: opened for each read, so that no file stays open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def seek(self, position: int) -> None:
        self._position = position

    def read(self, size: int = -1) -> bytes:
        with self._path.open("rb") as file:
            file.seek(self._position)
            data = file.read(size)
        self._position += len(data)
        return data

    def close(self) -> None:
        """Nothing is open."""


def _move_to_disk(key: FakeKey, path: Path) -> None:
    with key.lock:
        key._value_buffer.close()
        key._value_buffer = _Body(path)  # type: ignore[assignment]
        if key.multipart is not None:
            key.multipart.dispose()
            key.multipart = None


def _is_plain_read(environ: WSGIEnvironment, query: dict[str, list[str]]) -> bool:
    """Whether a read is signed, and asks for an object's body: not for its tags, parts or versions."""
    signed = "HTTP_AUTHORIZATION" in environ or "X-Amz-Signature" in query or "Signature" in query
    plain = ("x-amz-", "x-id", "response-", "signature", "expires", "awsaccesskeyid")
    return signed and all(name.lower().startswith(plain) for name in query)


def _has_expired(query: dict[str, list[str]]) -> bool:
    if "X-Amz-Expires" in query and "X-Amz-Date" in query:
        signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return datetime.now(UTC) > signed + timedelta(seconds=int(query["X-Amz-Expires"][0]))
    if "Expires" in query:
        return datetime.now(UTC).timestamp() > int(query["Expires"][0])
    return False


def _error(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, status=status, content_type="application/xml")
