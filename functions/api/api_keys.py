"""The public keys of Supabase Auth (RFC 7517), fetched when needed and kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from aws_lambda_powertools import Logger

from api_problems import Problem

if TYPE_CHECKING:
    from jwt import PyJWK

logger = Logger()

PATH = "/auth/v1/.well-known/jwks.json"
FRESH_SECONDS = 600
# A token with a key that nobody knows must not become a request to Auth each time.
BETWEEN_FETCHES_SECONDS = 30
FETCH_SECONDS = 3
MOST_BYTES = 100_000


class KeySet:
    """Keys by id. They are fetched again when old, or when a key is unknown, at most twice a minute.

    When a fetch fails, what was known stays good: Auth's outage is not ours.
    """

    def __init__(
        self, url: str, fetch: Callable[[str], Any] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._fetch = fetch or _fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, PyJWK] = {}
        self._asked_at: float | None = None

    def find(self, key_id: str) -> PyJWK | None:
        """Return the key, or None when there is none of this id. Raises `Problem` 503 when no key was ever fetched."""
        with self._lock:
            age = None if self._asked_at is None else self._clock() - self._asked_at
            missing = key_id not in self._keys and (age is None or age >= BETWEEN_FETCHES_SECONDS)
            if missing or (age is not None and age >= FRESH_SECONDS):
                self._renew()
            return self._keys.get(key_id)

    def _renew(self) -> None:
        from jwt import PyJWKSet
        from jwt.exceptions import PyJWTError

        try:
            keys = PyJWKSet.from_dict(self._fetch(self._url)).keys
        except (OSError, ValueError, TypeError, AttributeError, PyJWTError) as error:
            logger.warning("The keys of Auth cannot be fetched", error=type(error).__name__)
            if not self._keys:
                raise Problem(503, "The keys to check tokens with cannot be fetched; try again.") from error
        else:
            self._keys = {str(key.key_id): key for key in keys if key.key_id}
        self._asked_at = self._clock()


def _fetch(url: str) -> Any:
    with urlopen(url, timeout=FETCH_SECONDS) as reply:  # noqa: S310 - the address is configuration
        return json.loads(reply.read(MOST_BYTES))
