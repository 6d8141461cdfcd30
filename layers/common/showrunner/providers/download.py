"""Copies what a provider made from the address that it gives: an address that expires, on a host we do not choose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from urllib.parse import urljoin, urlsplit

from showrunner.errors import BadOutput, InvalidInput, Transient
from showrunner.safe_http import Connection, Target, target_of

_REDIRECTS = 3
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Downloaded:
    """`content_type` without its parameters, in small letters; empty where the server stated none."""

    bytes: int
    content_type: str


def download(url: str, out: Path, *, base_url: str, most_bytes: int, timeout: float) -> Downloaded:
    """Write what is at `url` to `out`. `timeout` in seconds covers everything.

    Only public hosts are asked, and the provider's own as `base_url` has it. Raises `Transient` for an address that
    has expired (asking the provider again gives a fresh one) and for a failing network, `BadOutput` for an address
    that may not be asked and for more than `most_bytes`.
    """
    deadline = monotonic() + timeout
    own_host = urlsplit(base_url).netloc.rpartition("@")[2]
    for _ in range(_REDIRECTS + 1):
        try:
            target = target_of(url, {own_host})
            reply = _fetch(target, out, most_bytes, deadline)
        except InvalidInput as error:
            raise BadOutput(f"The provider gave an address that may not be fetched ({error.message})") from error
        if isinstance(reply, Downloaded):
            return reply
        url = urljoin(url, reply)
    raise BadOutput(f"The provider's address on {target.name} leads in circles.")


def _fetch(target: Target, out: Path, most_bytes: int, deadline: float) -> Downloaded | str:
    """Return what was written, or where it has moved to."""
    with Connection(target, deadline) as connection:
        response = connection.request("GET", {"Accept": "*/*", "Accept-Encoding": "identity"})
        location = response.headers.get("location")
        if response.status in (301, 302, 303, 307, 308) and location:
            return location
        if response.status in (401, 403, 404, 410):
            raise Transient(f"The file's address on {target.name} has expired ({response.status}); asking again.")
        if response.status != 200:
            raise Transient(f"{target.name} did not give the file ({response.status}).")
        size = 0
        try:
            with out.open("wb") as file:
                while part := response.read(_CHUNK):
                    size += len(part)
                    if size > most_bytes:
                        raise BadOutput(f"{target.name} sent more than {most_bytes // 2**20} MiB.")
                    file.write(part)
        except BadOutput:
            raise
        except Exception as error:
            raise connection.failure(error) from error
        connection.raise_if_late()
        declared = response.headers.get("content-length", "")
        if declared.isdigit() and size < int(declared):
            raise Transient(f"{target.name} broke off after {size} of {declared} bytes.")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Downloaded(size, kind)
