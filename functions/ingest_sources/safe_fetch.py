"""Fetch a web address that a user gave, as `showrunner.safe_http` allows it.

Redirects are followed, each checked in the same way. Size is counted while the body arrives and again while it is
unpacked, and the whole fetch has one deadline.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from showrunner.errors import InvalidInput, RateLimited, StageError, Transient
from showrunner.providers.http import retry_after
from showrunner.safe_http import Connection, Resolve, resolve, target_of
from showrunner.source_text import MOST_FILE_BYTES

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_MOST_REDIRECTS = 5
_MOST_SECONDS = 30.0
_CHUNK = 65_536
_REDIRECTS = {301, 302, 303, 307, 308}
_LONGEST_WAIT_SECONDS = 3600.0
_USER_AGENT = "Showrunner/0.1 (reads a page once for an audio show)"


@dataclass(frozen=True, slots=True)
class Page:
    """What was fetched: `url` after redirects, `content_type` without parameters, `charset` where it was stated."""

    url: str
    content_type: str
    charset: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    bytes: int = MOST_FILE_BYTES
    seconds: float = _MOST_SECONDS
    redirects: int = _MOST_REDIRECTS


def fetch(
    url: str,
    *,
    accept: Collection[str],
    allowed_hosts: Collection[str] = (),
    limits: Limits = Limits(),
    resolve: Resolve = resolve,
) -> Page:
    """Return the page at `url`, of one of the content types `accept`.

    `allowed_hosts` are `host:port` that may be anywhere, on any port. Raises `InvalidInput` (an address that may not
    be fetched, too large, of another type, gone, behind a login), `RateLimited`, or `Transient`.
    """
    deadline = monotonic() + limits.seconds
    headers = {
        "User-Agent": _USER_AGENT,
        "Accept": f"{', '.join(accept)}, */*;q=0.1",
        "Accept-Encoding": "gzip, deflate",
    }
    address = url
    for _ in range(limits.redirects + 1):
        target = target_of(address, allowed_hosts)
        with Connection(target, deadline, resolve=resolve, authorities=_authorities()) as connection:
            response = connection.request("GET", headers)
            _raise_for_status(response, address)
            if response.status not in _REDIRECTS:
                return _page(connection, response, address, accept, limits)
            address = _next(address, response.headers.get("Location", ""))
    raise InvalidInput(f"url: {url} redirects more than {limits.redirects} times; give the final address.")


def _next(address: str, location: str) -> str:
    from urllib.parse import urljoin

    if not location:
        raise InvalidInput(f"url: {address} redirects to nowhere.")
    return urljoin(address, location)


def _authorities() -> str | None:
    """Return the certificate authorities of the certifi package where it is installed, else the system's."""
    try:
        import certifi
    except ImportError:
        return None
    return certifi.where()


def _page(
    connection: Connection, response: BaseHTTPResponse, address: str, accept: Collection[str], limits: Limits
) -> Page:
    kind, _, parameters = response.headers.get("Content-Type", "").partition(";")
    kind = kind.strip().lower()
    if kind and kind not in accept:
        raise InvalidInput(f"url: {address} is {kind}; allowed are {', '.join(accept)}.")
    body = _body(connection, response, address, limits)
    return Page(address, kind, _charset(parameters), body)


def _body(connection: Connection, response: BaseHTTPResponse, address: str, limits: Limits) -> bytes:
    """Read and unpack the body piece by piece, so that what is too large is never whole in memory."""
    too_large = InvalidInput(f"url: {address} is larger than {limits.bytes:,} bytes, which is the most allowed.")
    try:
        announced = int(response.headers.get("Content-Length", "0"))
    except ValueError:
        announced = 0
    if announced > limits.bytes:
        raise too_large
    pieces: list[bytes] = []
    size = 0
    try:
        while piece := response.read1(_CHUNK, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > limits.bytes:
                raise too_large
    except StageError:
        raise
    except Exception as error:
        raise connection.failure(error) from error
    connection.raise_if_late()
    if announced and "Content-Encoding" not in response.headers and size < announced:
        raise Transient(f"{address} ended before it was complete.")
    return b"".join(pieces)


def _charset(parameters: str) -> str | None:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip(" \"'") or None
    return None


def _raise_for_status(response: BaseHTTPResponse, address: str) -> None:
    status = response.status
    if status in {401, 403, 407, 451}:
        raise InvalidInput(f"url: {address} needs a login or refuses to be read ({status}); give a public page.")
    if status in {404, 410}:
        raise InvalidInput(f"url: {address} does not exist ({status}); check the address.")
    if status == 429:
        wait = retry_after({name.lower(): value for name, value in response.headers.items()})
        raise RateLimited(
            f"{address} asks to be read less often.", retry_after=min(wait or 60.0, _LONGEST_WAIT_SECONDS)
        )
    if status >= 500 or status in {408, 425}:
        raise Transient(f"{address} answered with status {status}.")
    if status >= 400:
        raise InvalidInput(f"url: {address} refused the request with status {status}.")
    if status != 200 and status not in _REDIRECTS:
        raise Transient(f"{address} answered with status {status} and no page.")
