"""Who is asking: access tokens of Supabase Auth.

A token is accepted with one of the project's published keys (ES256 or RS256), or with the shared key of a project that
still has one (HS256). Which of the two is settled by the token's `alg` before any key is chosen, so that a published
key can never be used as a shared one. RFC 7519, RFC 8725.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from api_keys import KeySet
from api_problems import Problem
from showrunner.database import Caller

AUDIENCE = "authenticated"
PUBLISHED = ("ES256", "RS256")
SHARED = "HS256"
LEEWAY_SECONDS = 10
LONGEST_TOKEN = 8192


class Tokens:
    """Verifies the tokens of one project. `shared_key` is asked for only when a token calls for it."""

    def __init__(self, issuer: str | None, keys: KeySet | None, shared_key: Callable[[], str | None]) -> None:
        self._issuer = issuer
        self._keys = keys
        self._shared_key = shared_key

    def caller(self, authorization: str) -> Caller:
        """Return the user of an `Authorization` header. Raises `Problem`: 401, 403 for a role, 503 without keys."""
        scheme, _, token = authorization.partition(" ")
        if not authorization:
            raise _refused("Sign in: send the access token as `Authorization: Bearer …`.", error=None)
        if scheme.lower() != "bearer" or not token or len(token) > LONGEST_TOKEN:
            raise _refused("authorization: expected `Bearer` and an access token.")
        claims = self._verified(token.strip())
        if claims.get("role") != AUDIENCE:
            raise Problem(403, "authorization: only signed-in users may call this; the token has another role.")
        if not _is_uuid(claims["sub"]):
            raise _refused("authorization: the token names no user.")
        return Caller(claims)

    def _verified(self, token: str) -> dict[str, Any]:
        # Imported here: feeds, media and health never need it.
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            algorithm, key = header["alg"], self._key(header)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=AUDIENCE,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "aud", *(["iss"] if self._issuer else [])]},
            )
        except jwt.ExpiredSignatureError as error:
            raise _refused("authorization: the token has expired; refresh the session.") from error
        except jwt.PyJWTError as error:
            raise _refused("authorization: the token is not valid here.") from error
        return claims

    def _key(self, header: dict[str, Any]) -> Any:
        algorithm = header.get("alg")
        if algorithm in PUBLISHED and self._keys is not None:
            key = self._keys.find(str(header.get("kid", "")))
            if key is not None and key.algorithm_name == algorithm:
                return key.key
        elif algorithm == SHARED:
            shared = self._shared_key()
            if shared:
                return shared
        elif self._keys is None and self._shared_key() is None:
            raise Problem(503, "This API knows no keys yet; set SUPABASE_URL.")
        raise _refused("authorization: the token is not valid here.")


def _refused(detail: str, error: str | None = "invalid_token") -> Problem:
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    return Problem(401, detail, {"www-authenticate": challenge})


def _is_uuid(text: Any) -> bool:
    try:
        UUID(text)
    except (ValueError, AttributeError, TypeError):
        return False
    return True
