"""Who signs people in on a laptop: a key pair of its own, and tokens as Supabase Auth makes them (ES256).

The private key is made on first use and stays in the state folder. The public one is served where Supabase has it, so
that the API verifies a laptop's tokens in the way it verifies all.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

KEY_SET_PATH = "/auth/v1/.well-known/jwks.json"
ALGORITHM = "ES256"


class SignIn:
    """Tokens and the public key they are verified with."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key
        public = private_key.public_key()
        encoded = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.key_id = hashlib.sha256(encoded).hexdigest()[:16]

    def key_set(self) -> dict[str, Any]:
        """Return the public key as RFC 7517 has it."""
        public = json.loads(ECAlgorithm.to_jwk(self._private_key.public_key()))
        return {"keys": [public | {"kid": self.key_id, "alg": ALGORITHM, "use": "sig"}]}

    def token(
        self,
        user: uuid.UUID,
        issuer: str,
        *,
        seconds: int = 3600,
        claims: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> str:
        """Return a token for `user`, valid for so long; `claims` and `headers` are added or replaced."""
        now = int(time.time())
        payload = {
            "iss": issuer,
            "sub": str(user),
            "aud": "authenticated",
            "role": "authenticated",
            "iat": now,
            "exp": now + seconds,
            **(claims or {}),
        }
        return jwt.encode(payload, self._private_key, ALGORITHM, {"kid": self.key_id, **(headers or {})})


def new_sign_in() -> SignIn:
    return SignIn(ec.generate_private_key(ec.SECP256R1()))


def read_sign_in(state: Path) -> SignIn:
    """Return the laptop's, with a key made on first use."""
    path = state / "sign-in-key.pem"
    if not path.exists():
        made = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        # Whole under its name or not there, whoever else starts at this moment.
        own = path.with_suffix(f".{os.getpid()}")
        with open(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
            file.write(made)
        own.replace(path)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return SignIn(key)
