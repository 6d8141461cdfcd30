"""Fetch a web address that a user gave, without letting it reach what only we can reach.

Only http and https, on their own ports, without credentials. The name is resolved once; every address it has must be
public; the connection goes to the address that was checked (so a name cannot change its mind in between), with the
name in `Host` and in TLS. Redirects are checked in the same way. Size is counted while the body arrives and again
while it is unpacked, and the whole fetch has one deadline.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Collection
from dataclasses import dataclass
from threading import Timer
from time import monotonic
from typing import TYPE_CHECKING

from addresses import is_public
from showrunner.errors import InvalidInput, RateLimited, StageError, Transient
from showrunner.providers.http import retry_after
from showrunner.source_text import MOST_FILE_BYTES

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse
    from urllib3.connection import HTTPConnection
    from urllib3.util.url import Url

_MOST_REDIRECTS = 5
_MOST_SECONDS = 30.0
_CHUNK = 65_536
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = {301, 302, 303, 307, 308}
_LONGEST_WAIT_SECONDS = 3600.0
_USER_AGENT = "Showrunner/0.1 (reads a page once for an audio show)"

Resolve = Callable[[str, int], list[str]]


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


def resolve(host: str, port: int) -> list[str]:
    """Return every address of `host`. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


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
    address = url
    for _ in range(limits.redirects + 1):
        target = _checked(address, allowed_hosts)
        with _Connection(target, address, allowed_hosts, deadline, resolve) as connection:
            response = connection.get(", ".join(accept))
            _raise_for_status(response, address)
            if response.status not in _REDIRECTS:
                return _page(connection, response, address, accept, limits)
            address = _next(address, response.headers.get("Location", ""))
    raise InvalidInput(f"url: {url} redirects more than {limits.redirects} times; give the final address.")


def _checked(address: str, allowed_hosts: Collection[str]) -> Url:
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    if any(character.isspace() or not character.isprintable() or character == "\\" for character in address):
        raise InvalidInput("url: has spaces, backslashes or control characters; give a plain http or https address.")
    try:
        target = parse_url(address)
    except (LocationParseError, ValueError) as error:
        raise InvalidInput(f"url: {address} is not a web address.") from error
    if target.scheme not in _PORTS or not target.host:
        raise InvalidInput(f"url: {address} is not a web address; only http and https are allowed.")
    if target.auth is not None:
        raise InvalidInput("url: has a user name or password in it; only public pages can be read.")
    if target.port not in (None, _PORTS[target.scheme]) and _place(target) not in allowed_hosts:
        raise InvalidInput(f"url: port {target.port} of {target.host} may not be fetched; allowed are 80 and 443.")
    return target


def _place(target: Url) -> str:
    return f"{target.host}:{target.port or _PORTS[str(target.scheme)]}"


def _next(address: str, location: str) -> str:
    from urllib.parse import urljoin

    if not location:
        raise InvalidInput(f"url: {address} redirects to nowhere.")
    return urljoin(address, location)


class _Connection:
    """One request to one checked address. A timer ends it at the deadline, whatever the server does."""

    def __init__(
        self, target: Url, address: str, allowed_hosts: Collection[str], deadline: float, resolve: Resolve
    ) -> None:
        self._target = target
        self._address = address
        self._is_allowed = _place(target) in allowed_hosts
        self._deadline = deadline
        self._resolve = resolve
        self._connection: HTTPConnection | None = None
        self._response: BaseHTTPResponse | None = None
        self._timer: Timer | None = None

    def __enter__(self) -> _Connection:
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer:
            self._timer.cancel()
        if self._response:
            self._response.close()
        if self._connection:
            self._connection.close()

    def get(self, accept: str) -> BaseHTTPResponse:
        """Return the response to a GET, its body not read yet."""
        try:
            return self._get(accept)
        except StageError:
            raise
        except Exception as error:
            raise self.failure(error) from error

    def failure(self, error: Exception) -> StageError:
        """Return what a failure of the network means. Anything that is not of the network is raised again."""
        from http.client import HTTPException

        from urllib3.exceptions import DecodeError, HTTPError

        self.raise_if_late()
        if isinstance(error, DecodeError):
            return InvalidInput(f"url: {self._address} sends data that cannot be unpacked.")
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return InvalidInput(f"url: the certificate of {self._target.host} is not valid.")
        if isinstance(error, OSError | HTTPError | HTTPException):
            return Transient(f"{self._target.host} could not be reached ({type(error).__name__}).")
        raise error

    def raise_if_late(self) -> None:
        """Raise `Transient` once the deadline has passed: what was read until then may be half a page."""
        if monotonic() >= self._deadline:
            raise Transient(f"{self._target.host} did not answer in time.")

    def _get(self, accept: str) -> BaseHTTPResponse:
        failure: Exception | None = None
        for ip in self._addresses():
            self._connection = self._open(ip)
            try:
                self._connection.connect()
                break
            except OSError as error:
                failure = error
                self._connection.close()
        else:
            raise failure or OSError("no address")
        connection = self._connection
        assert connection is not None
        self._end_at_deadline(connection)
        host = str(self._target.host)
        port = self._target.port
        headers = {
            "Host": f"{host}:{port}" if port else host,
            "User-Agent": _USER_AGENT,
            "Accept": f"{accept}, */*;q=0.1",
            "Accept-Encoding": "gzip, deflate",
        }
        connection.request("GET", self._target.request_uri, headers=headers, preload_content=False)
        self._response = connection.getresponse()
        return self._response

    def _addresses(self) -> list[str]:
        host = str(self._target.host).strip("[]")
        port = self._target.port or _PORTS[str(self._target.scheme)]
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise InvalidInput(f"url: the host {host} is not known; check the address.") from error
        if not self._is_allowed and not all(is_public(ip) for ip in addresses):
            raise InvalidInput(f"url: {host} is not on the public internet and may not be fetched.")
        return addresses

    def _open(self, ip: str) -> HTTPConnection:
        from urllib3.connection import HTTPConnection, HTTPSConnection

        seconds = max(0.05, self._deadline - monotonic())
        port = self._target.port or _PORTS[str(self._target.scheme)]
        if self._target.scheme == "http":
            return HTTPConnection(ip, port, timeout=seconds)
        host = str(self._target.host).strip("[]")
        return HTTPSConnection(
            ip,
            port,
            timeout=seconds,
            ssl_context=ssl.create_default_context(cafile=_authorities()),
            server_hostname=host,
            assert_hostname=host,
        )

    def _end_at_deadline(self, connection: HTTPConnection) -> None:
        sock = connection.sock
        assert sock is not None

        def end() -> None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                sock.close()

        self._timer = Timer(max(0.0, self._deadline - monotonic()), end)
        self._timer.daemon = True
        self._timer.start()


def _authorities() -> str | None:
    """Return the certificate authorities of the certifi package where it is installed, else the system's."""
    try:
        import certifi
    except ImportError:
        return None
    return certifi.where()


def _page(
    connection: _Connection, response: BaseHTTPResponse, address: str, accept: Collection[str], limits: Limits
) -> Page:
    kind, _, parameters = response.headers.get("Content-Type", "").partition(";")
    kind = kind.strip().lower()
    if kind and kind not in accept:
        raise InvalidInput(f"url: {address} is {kind}; allowed are {', '.join(accept)}.")
    body = _body(connection, response, address, limits)
    return Page(address, kind, _charset(parameters), body)


def _body(connection: _Connection, response: BaseHTTPResponse, address: str, limits: Limits) -> bytes:
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
