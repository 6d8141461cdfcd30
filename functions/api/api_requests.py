"""What every request must be before a route sees it, and who sent it."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from functools import cached_property
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from api_keys import PATH, KeySet
from api_problems import Problem
from api_tokens import Tokens
from showrunner.database import Caller
from showrunner.secrets import jwt_key, operator_key
from showrunner.services import Services

# The API takes short JSON; files go to the bucket by a signed address.
MOST_BYTES = 64 * 1024
JSON = "application/json"


def check(event: dict[str, Any]) -> None:
    """Raise `Problem`: 413 for a body that is too large, 415 for one that is not JSON, 400 for an unreadable one."""
    body = event.get("body") or ""
    if not body:
        return
    if len(body) > MOST_BYTES * (4 / 3 if event.get("isBase64Encoded") else 1):
        raise Problem(413, f"body: at most {MOST_BYTES:,} bytes are allowed; files are sent by an upload.")
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        raise Problem(415, f"content-type: {JSON} is expected.")
    if event.get("isBase64Encoded"):
        try:
            base64.b64decode(body, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Problem(400, "body: this is not JSON.") from error


class Context:
    """What routes share of one execution environment: its collaborators, and who is asking."""

    def __init__(
        self,
        app: APIGatewayHttpResolver,
        services: Callable[[], Services],
        fetch_keys: Callable[[str], Any] | None = None,
    ) -> None:
        self.app = app
        self._services = services
        self._fetch_keys = fetch_keys

    @property
    def services(self) -> Services:
        return self._services()

    @cached_property
    def tokens(self) -> Tokens:
        settings = self.services.settings
        url = settings.supabase_url.rstrip("/") if settings.supabase_url else None
        keys = KeySet(url + PATH, self._fetch_keys) if url else None
        return Tokens(f"{url}/auth/v1" if url else None, keys, lambda: jwt_key(settings))

    def caller(self) -> Caller:
        """Return who asks. Raises `Problem` 401 or 403."""
        return self.tokens.caller(self.app.current_event.headers.get("authorization", ""))

    def is_operator(self) -> bool:
        """Return whether the request carries the operator's key."""
        key = operator_key(self.services.settings)
        sent = self.app.current_event.headers.get("authorization", "")
        return bool(key) and hmac.compare_digest(sent.encode(), f"Bearer {key}".encode())
