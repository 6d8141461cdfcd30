"""One HTTP request to an address that a user gave, without letting it reach what only we can reach.

The name is resolved once; every address it has must be public; the connection goes to the address that was checked
(so a name cannot change its mind in between), with the name in `Host` and in TLS. Nothing is followed: a redirect is
an answer like any other. The whole request has one deadline, whatever the server does.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Timer
from time import monotonic
from typing import TYPE_CHECKING

from showrunner.addresses import is_public
from showrunner.errors import InvalidInput, StageError, Transient

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse
    from urllib3.connection import HTTPConnection

_PORTS = {"http": 80, "https": 443}

Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """Return every address of `host`. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def hosts_of(setting: str) -> frozenset[str]:
    """Return the entries of a setting that lists hosts: `host:port`, or `host:*` for every port of it."""
    return frozenset(entry.strip() for entry in setting.split(",") if entry.strip())


@dataclass(frozen=True, slots=True)
class Target:
    """An address whose form was checked. `is_allowed` says that it may be anywhere, on any port.

    `name` is the host as the address has it (an IPv6 address in brackets); `port` is None where it is not stated.
    """

    url: str
    scheme: str
    name: str
    port: int | None
    request_uri: str
    is_allowed: bool

    @property
    def host(self) -> str:
        return self.name.strip("[]")

    @property
    def port_number(self) -> int:
        return self.port or _PORTS[self.scheme]


def target_of(url: str, allowed_hosts: Collection[str] = (), schemes: Sequence[str] = ("http", "https")) -> Target:
    """Return what `url` addresses. Raises `InvalidInput` for one that may not be reached by its form alone.

    `allowed_hosts` are entries as `hosts_of` returns them; they may be on any port and of either scheme.
    """
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    if any(character.isspace() or not character.isprintable() or character == "\\" for character in url):
        raise InvalidInput("url: has spaces, backslashes or control characters; give a plain web address.")
    try:
        parsed = parse_url(url)
    except (LocationParseError, ValueError) as error:
        raise InvalidInput(f"url: {url} is not a web address.") from error
    if parsed.scheme not in _PORTS or not parsed.host:
        raise InvalidInput(f"url: {url} is not a web address; only {' and '.join(schemes)} are allowed.")
    if parsed.auth is not None:
        raise InvalidInput("url: has a user name or password in it, which is not allowed.")
    port = parsed.port or _PORTS[parsed.scheme]
    is_allowed = not {f"{parsed.host}:{port}", f"{parsed.host}:*"}.isdisjoint(allowed_hosts)
    if parsed.scheme not in schemes and not is_allowed:
        raise InvalidInput(f"url: {parsed.scheme} is not allowed; give an address that begins with {schemes[0]}.")
    if port != _PORTS[parsed.scheme] and not is_allowed:
        ports = " and ".join(str(_PORTS[scheme]) for scheme in schemes)
        raise InvalidInput(f"url: port {port} of {parsed.host} may not be reached; allowed: {ports}.")
    return Target(url, parsed.scheme, parsed.host, parsed.port, parsed.request_uri, is_allowed)


class Connection:
    """One request to one target. A timer ends it at the deadline, whatever the server does.

    `deadline` is on the clock of `time.monotonic`. `authorities` is a file of certificates, by default the system's.
    """

    def __init__(
        self,
        target: Target,
        deadline: float,
        *,
        resolve: Resolve = resolve,
        connect_seconds: float | None = None,
        authorities: str | None = None,
    ) -> None:
        self._target = target
        self._deadline = deadline
        self._resolve = resolve
        self._connect_seconds = connect_seconds
        self._authorities = authorities
        self._connection: HTTPConnection | None = None
        self._response: BaseHTTPResponse | None = None
        self._watched: socket.socket | None = None
        self._timer: Timer | None = None

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_watching()
        if self._response:
            self._response.close()
        if self._connection:
            self._connection.close()

    def request(self, method: str, headers: Mapping[str, str], body: bytes | None = None) -> BaseHTTPResponse:
        """Return the response, its body not read yet. Raises `InvalidInput` or `Transient`."""
        try:
            return self._request(method, headers, body)
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
            return InvalidInput(f"url: {self._target.url} sends data that cannot be unpacked.")
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return InvalidInput(f"url: the certificate of {self._target.name} is not valid.")
        if isinstance(error, OSError | HTTPError | HTTPException):
            return Transient(f"{self._target.name} could not be reached ({type(error).__name__}).")
        raise error

    def raise_if_late(self) -> None:
        """Raise `Transient` once the deadline has passed: what was read until then may be half an answer."""
        if monotonic() >= self._deadline:
            raise Transient(f"{self._target.name} did not answer in time.")

    def _request(self, method: str, headers: Mapping[str, str], body: bytes | None) -> BaseHTTPResponse:
        connection = self._connect()
        target = self._target
        host = f"{target.name}:{target.port}" if target.port else target.name
        connection.request(method, target.request_uri, body, {"Host": host, **headers}, preload_content=False)
        self._response = connection.getresponse()
        # An answer that was cut off at the deadline looks like one that ended there.
        self.raise_if_late()
        return self._response

    def _connect(self) -> HTTPConnection:
        failure: OSError | None = None
        for ip in self._addresses():
            # Resolving, and each address that does not answer, take their time from the same deadline.
            self.raise_if_late()
            try:
                self._connection = self._open(ip)
            except OSError as error:
                failure = error
                continue
            return self._connection
        raise failure or OSError("no address")

    def _addresses(self) -> list[str]:
        host = self._target.host
        try:
            addresses = self._resolve(host, self._target.port_number)
        except (OSError, UnicodeError) as error:
            raise InvalidInput(f"url: the host {host} is not known; check the address.") from error
        if not self._target.is_allowed and not all(is_public(ip) for ip in addresses):
            raise InvalidInput(f"url: {host} is not on the public internet and may not be reached.")
        return addresses

    def _open(self, ip: str) -> HTTPConnection:
        from urllib3.connection import HTTPConnection

        target = self._target
        seconds = min(self._remaining(), self._connect_seconds or self._remaining())
        sock = socket.create_connection((ip, target.port_number), timeout=seconds)
        self._end_at_deadline(sock)
        if target.scheme == "https":
            sock.settimeout(self._remaining())
            context = ssl.create_default_context(cafile=self._authorities)
            try:
                sock = context.wrap_socket(sock, server_hostname=target.host)
            except BaseException:
                sock.close()
                raise
        connection = HTTPConnection(target.host, target.port_number, timeout=self._remaining())
        connection.sock = sock
        return connection

    def _remaining(self) -> float:
        return max(0.05, self._deadline - monotonic())

    def _end_at_deadline(self, sock: socket.socket) -> None:
        """A second handle on the socket ends it for whoever waits on the first, a TLS handshake included."""
        self._stop_watching()
        self._watched = sock.dup()
        self._timer = Timer(max(0.0, self._deadline - monotonic()), _end, [self._watched])
        self._timer.daemon = True
        self._timer.start()

    def _stop_watching(self) -> None:
        if self._timer:
            self._timer.cancel()
        if self._watched:
            self._watched.close()


def _end(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
