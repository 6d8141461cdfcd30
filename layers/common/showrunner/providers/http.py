"""One HTTP request to a provider, within a deadline, and what its refusals mean.

The mapping follows the error table of the design: 401 and 403 are `Auth`, 402 and exhausted accounts `Quota`,
429 `RateLimited`, 408, 409, 5xx and network faults `Transient`, an unknown model `Sunset`, a safety filter
`ContentRefused`, any other refusal `InvalidInput`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from showrunner.errors import (
    Auth,
    BadOutput,
    ContentRefused,
    InvalidInput,
    Quota,
    RateLimited,
    StageError,
    Sunset,
    Transient,
)

if TYPE_CHECKING:
    from urllib3 import PoolManager
    from urllib3.response import BaseHTTPResponse

CONNECT_SECONDS = 10.0
LARGEST_REPLY = 100 * 1024 * 1024
QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "quota_exceeded"}
QUOTA_PREFIX = "LicenseForbidden"  # Mubert: the licence does not cover it, or not any more
REFUSAL_CODES = {"content_filter", "content_policy_violation", "moderation_blocked", "bad_prompt"}
MODEL_CODES = {"model_not_found", "model_deprecated", "model_not_available"}


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole reply; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpProvider:
    """What the sentences of an error name: where it happened and which settings and model to look at.

    The key goes into `key_header` after `key_scheme`; `headers` are sent besides.
    """

    base_url: str
    base_url_setting: str
    key_setting: str
    key: str | None
    model: str
    key_header: str = "authorization"
    key_scheme: str = "Bearer "
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        parts = urlsplit(self.base_url)
        return parts.netloc.rpartition("@")[2] or self.base_url


@dataclass(frozen=True, slots=True)
class Refusal:
    """The provider's own code and message of an error reply; both may be empty."""

    code: str
    message: str


def post_json(provider: HttpProvider, path: str, payload: object, timeout: float) -> HttpReply:
    """POST `payload` to the provider and return its successful reply, or raise the fitting `StageError`.

    `timeout` is in seconds and covers the whole exchange, also of a server that sends one byte at a time.
    """
    return _successful(provider, _exchange(provider, "POST", path, json.dumps(payload).encode(), timeout))


def get(provider: HttpProvider, path: str, timeout: float, *, missing: str) -> HttpReply:
    """GET what is at `path`, with the same promises as `post_json`; 404 is `BadOutput` with the sentence `missing`."""
    reply = _exchange(provider, "GET", path, None, timeout)
    if reply.status == 404:
        raise BadOutput(missing)
    return _successful(provider, reply)


def _exchange(provider: HttpProvider, method: str, path: str, body: bytes | None, timeout: float) -> HttpReply:
    deadline = monotonic() + timeout
    with _opened(provider, method, path, body, timeout) as response:
        return HttpReply(response.status, _headers(response), _read(response, provider.host, deadline))


def _successful(provider: HttpProvider, reply: HttpReply) -> HttpReply:
    if reply.status not in (200, 201, 202):
        raise error_of(provider, reply)
    return reply


def post_for_lines(provider: HttpProvider, path: str, payload: object, timeout: float) -> Iterator[bytes]:
    """POST `payload` and give the successful reply line by line as it arrives, or raise the fitting `StageError`.

    `timeout` covers the whole exchange. Who stops taking lines closes the connection.
    """
    deadline = monotonic() + timeout
    with _opened(provider, "POST", path, json.dumps(payload).encode(), timeout) as response:
        if response.status != 200:
            raise error_of(
                provider, HttpReply(response.status, _headers(response), _read(response, provider.host, deadline))
            )
        try:
            begun = b""
            for part in _parts(response, provider.host, deadline):
                *lines, begun = (begun + part).split(b"\n")
                yield from lines
            yield begun
        finally:
            response.close()


def error_of(provider: HttpProvider, reply: HttpReply) -> StageError:
    """Return the error that a reply which is no success stands for."""
    refusal = read_refusal(reply.body)
    said = _quoted(refusal.message, provider.key)
    wait = retry_after(reply.headers)
    host, model = provider.host, provider.model
    if reply.status == 402 or refusal.code in QUOTA_CODES or refusal.code.startswith(QUOTA_PREFIX):
        return Quota(f"The account at {host} has no credit left; top it up or raise its limit.", retry_after=wait)
    if refusal.code in REFUSAL_CODES:
        return ContentRefused(f"The safety filter at {host} declined the text{said}.")
    if _names_missing_model(reply.status, refusal):
        return Sunset(f"Model {model!r} is not served at {host}{said}; choose another one.")
    if reply.status in (401, 403):
        if not provider.key:
            return Auth(f"{host} wants a key ({reply.status}); set {provider.key_setting}.")
        return Auth(f"{host} refused the key ({reply.status}); check {provider.key_setting}.")
    if reply.status == 429:
        return RateLimited(f"{host} asked to slow down (429).", retry_after=wait)
    if reply.status in (408, 409, 425) or reply.status >= 500:
        return Transient(f"{host} failed for the moment ({reply.status}).", retry_after=wait)
    if reply.status in (404, 405) or reply.status < 400:
        return InvalidInput(f"{host} has nothing at this address ({reply.status}); check {provider.base_url_setting}.")
    return InvalidInput(f"{host} rejected the request for model {model!r} ({reply.status}){said}.")


def read_refusal(body: bytes) -> Refusal:
    """Read the error object of OpenAI and the variants that compatible servers answer.

    Known forms: `{"error": {"code", "type", "message"}}`, `{"error": "text"}`, `{"detail": …}`, `{"message": "text"}`;
    ElevenLabs calls its code `status`.
    """
    try:
        reply = json.loads(body)
    except ValueError:
        return Refusal("", "")
    if not isinstance(reply, dict):
        return Refusal("", "")
    error = reply.get("error", reply.get("detail", reply))
    if not isinstance(error, dict):
        return Refusal("", error if isinstance(error, str) else "")
    codes = (error.get(name) for name in ("code", "type", "status"))
    message = error.get("message", error.get("error", ""))
    code = next((code for code in codes if isinstance(code, str)), "")
    return Refusal(code, message if isinstance(message, str) else "")


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the wait in seconds that `retry-after-ms` or `Retry-After` (RFC 9110: seconds or a date) states."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    stated = headers.get("retry-after", "").strip()
    seconds = _number(stated)
    if seconds is not None or not stated:
        return seconds
    try:
        until = parsedate_to_datetime(stated)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - (now or datetime.now(UTC))).total_seconds())


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def _names_missing_model(status: int, refusal: Refusal) -> bool:
    if refusal.code in MODEL_CODES or status == 410:
        return True
    return status == 404 and "model" in refusal.message.lower()


def _quoted(message: str, key: str | None) -> str:
    """Return the provider's words as `: "…"`, one short line without the key, or nothing."""
    line = " ".join(message.split())
    if key:
        line = line.replace(key, "…")
    line = re.sub(r"\b(sk|key)-\S+", "…", line)
    return f': "{line[:200].rstrip(".")}"' if line else ""


@contextmanager
def _opened(
    provider: HttpProvider, method: str, path: str, body: bytes | None, timeout: float
) -> Iterator[BaseHTTPResponse]:
    """Send the request and give its reply, whose body is still to be read; network faults become a `StageError`."""
    from urllib3 import Timeout
    from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationValueError, ReadTimeoutError

    headers = {"accept": "*/*", **provider.headers}
    if body is not None:
        headers["content-type"] = "application/json"
    if provider.key:
        headers[provider.key_header] = f"{provider.key_scheme}{provider.key}"
    _check_address(provider)
    if timeout <= 0:
        raise Transient(f"No time was left to ask {provider.host}.")
    try:
        yield _pool().request(
            method,
            provider.base_url.rstrip("/") + path,
            body=body,
            headers=headers,
            timeout=Timeout(connect=min(CONNECT_SECONDS, timeout), read=timeout),
            retries=False,
            redirect=False,
            preload_content=False,
        )
    except LocationValueError as error:
        raise InvalidInput(f"{provider.base_url_setting}: is not a valid address.") from error
    except (ConnectTimeoutError, ReadTimeoutError) as error:
        raise Transient(f"{provider.host} did not answer in time.") from error
    except (HTTPError, OSError) as error:
        raise Transient(f"{provider.host} could not be reached or broke off ({type(error).__name__}).") from error


def _check_address(provider: HttpProvider) -> None:
    try:
        parts = urlsplit(provider.base_url)
    except ValueError as error:
        raise InvalidInput(f"{provider.base_url_setting}: is not a valid address.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(f"{provider.base_url_setting}: must be an address that begins with http:// or https://.")


def _headers(response: BaseHTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _read(response: BaseHTTPResponse, host: str, deadline: float) -> bytes:
    try:
        body = b"".join(_parts(response, host, deadline))
    except StageError:
        response.close()
        raise
    response.release_conn()
    return body


def _parts(response: BaseHTTPResponse, host: str, deadline: float) -> Iterator[bytes]:
    """Give the body as it arrives, and make sure that all of it did."""
    size = 0
    while part := _read_some(response, host, deadline):
        yield part
        size += len(part)
        if size > LARGEST_REPLY:
            raise BadOutput(f"{host} sent more than {LARGEST_REPLY // 2**20} MiB.")
    declared = response.headers.get("content-length")
    if declared is not None and declared.isdigit() and size < int(declared):
        raise Transient(f"{host} broke off after {size} of {declared} bytes.")


def _read_some(response: BaseHTTPResponse, host: str, deadline: float) -> bytes:
    left = deadline - monotonic()
    if left <= 0:
        raise Transient(f"{host} did not finish its reply in time.")
    # The read timeout starts anew with every byte that arrives; the deadline does not.
    sock = getattr(response.connection, "sock", None)
    if sock is not None:
        sock.settimeout(left)
    return response.read1(64 * 1024)


@lru_cache(maxsize=1)
def _pool() -> PoolManager:
    from urllib3 import PoolManager

    return PoolManager(num_pools=4, maxsize=2)
