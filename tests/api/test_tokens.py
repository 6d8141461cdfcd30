"""Who gets in: every kind of token that must not, and the two that must."""

from __future__ import annotations

import base64
import json
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from api_keys import BETWEEN_FETCHES_SECONDS, FRESH_SECONDS, KeySet
from api_problems import Problem
from api_tokens import Tokens
from local.sign_in import new_sign_in
from tests.rigs.api import ISSUER_URL, SHARED_KEY

ISSUER = f"{ISSUER_URL}/auth/v1"
USER = uuid.UUID("7b0c0c3e-2f4b-4a53-9d53-0a3a4b1f9a11")
SIGN_IN = new_sign_in()


def claims(**changes):
    now = int(time.time())
    made = {"iss": ISSUER, "sub": str(USER), "aud": "authenticated", "role": "authenticated", "exp": now + 60}
    return {name: value for name, value in (made | changes).items() if value is not None}


def signed(**changes):
    return SIGN_IN.token(USER, ISSUER, claims=changes)


def shared(key=SHARED_KEY, **changes):
    return jwt.encode(claims(**changes), key, "HS256")


def tokens(keys=None, shared_key=SHARED_KEY):
    return Tokens(ISSUER, KeySet("", keys or (lambda url: SIGN_IN.key_set())), lambda: shared_key)


def unsigned(header, payload):
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, payload)]
    return ".".join([*parts, ""])


def public_pem():
    key = SIGN_IN._private_key.public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def hmac_token(secret, header):
    """An HS256 token with any bytes as its key, which PyJWT would refuse to make."""
    import hashlib
    import hmac

    head = unsigned({"typ": "JWT", **header}, claims()).rstrip(".")
    mac = hmac.new(secret, head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


@pytest.mark.parametrize("sign", [signed, shared], ids=["published key", "shared key"])
def test_a_user_gets_in(sign):
    assert tokens().caller(f"Bearer {sign()}").claims["sub"] == str(USER)


def test_a_user_who_signed_in_anonymously_is_a_user():
    assert tokens().caller(f"Bearer {signed(is_anonymous=True)}").claims["is_anonymous"] is True


NOT_VALID = {
    "expired": lambda: signed(exp=int(time.time()) - 30),
    "not valid yet": lambda: signed(nbf=int(time.time()) + 60),
    "issued in the future": lambda: signed(iat=int(time.time()) + 60),
    "for another audience": lambda: signed(aud="another"),
    "of another issuer": lambda: signed(iss="https://evil.example/auth/v1"),
    "without an end": lambda: shared(exp=None),
    "without a user": lambda: shared(sub=None),
    "without an issuer": lambda: shared(iss=None),
    "without an audience": lambda: shared(aud=None),
    "with a user that is no id": lambda: signed(sub="root"),
    "of another key": lambda: new_sign_in().token(USER, ISSUER),
    "of another key under a known id": lambda: new_sign_in().token(USER, ISSUER, headers={"kid": SIGN_IN.key_id}),
    "without a key's id": lambda: SIGN_IN.token(USER, ISSUER, headers={"kid": ""}),
    "of another shared key": lambda: shared("another-shared-key-of-32-bytes-or-so"),
    "unsigned": lambda: unsigned({"alg": "none", "typ": "JWT"}, claims()),
    "unsigned, in other letters": lambda: unsigned({"alg": "nOnE", "typ": "JWT", "kid": SIGN_IN.key_id}, claims()),
    "the public key as a shared one": lambda: hmac_token(
        public_pem().encode(), {"alg": "HS256", "kid": SIGN_IN.key_id}
    ),
    "an empty shared key": lambda: hmac_token(b"", {"alg": "HS256"}),
    "another algorithm": lambda: jwt.encode(claims(), SHARED_KEY * 2, "HS512"),
    "cut": lambda: signed()[:-10],
    "changed": lambda: changed(signed()),
    "nonsense": lambda: "nonsense",
    "three empty parts": lambda: "..",
    "not base64": lambda: "%%%.%%%.%%%",
    "an unknown critical header": lambda: SIGN_IN.token(USER, ISSUER, headers={"crit": ["exp2"], "exp2": 1}),
    "a header that is no object": lambda: "W10.e30.AA",
}


def changed(token):
    head, payload, signature = token.split(".")
    body = json.loads(base64.urlsafe_b64decode(payload + "=="))
    body["sub"] = str(uuid.uuid4())
    forged = base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")
    return f"{head}.{forged}.{signature}"


@pytest.mark.parametrize("case", NOT_VALID)
def test_a_token_that_is_not_valid_is_refused(case):
    with pytest.raises(Problem) as caught:
        tokens().caller(f"Bearer {NOT_VALID[case]()}")

    assert caught.value.status == 401
    assert caught.value.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("role", ["anon", "service_role", "postgres", "showrunner_worker", None])
def test_a_token_of_another_role_is_not_a_user(role):
    with pytest.raises(Problem) as caught:
        tokens().caller(f"Bearer {shared(role=role)}")

    assert caught.value.status == 403


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", f"Bearer {'a' * 9000}", "sb_publishable_x"])
def test_what_is_no_bearer_token_is_refused(header):
    with pytest.raises(Problem) as caught:
        tokens().caller(header)

    assert caught.value.status == 401


def test_clocks_may_differ_by_a_few_seconds():
    now = int(time.time())

    assert tokens().caller(f"Bearer {signed(exp=now - 2, nbf=now + 2, iat=now + 2)}")


def test_a_project_without_a_shared_key_takes_none():
    with pytest.raises(Problem) as caught:
        tokens(shared_key=None).caller(f"Bearer {shared()}")

    assert caught.value.status == 401


def test_rsa_keys_are_for_rsa_alone():
    private = rsa.generate_private_key(65537, 2048)
    published = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key())) | {"kid": "r", "alg": "RS256"}
    fetch = lambda url: {"keys": [published, *SIGN_IN.key_set()["keys"]]}  # noqa: E731
    good = jwt.encode(claims(), private, "RS256", {"kid": "r"})

    assert tokens(fetch).caller(f"Bearer {good}")
    for wrong in (
        jwt.encode(claims(), private, "RS256", {"kid": SIGN_IN.key_id}),
        jwt.encode(claims(), private, "RS512", {"kid": "r"}),
        SIGN_IN.token(USER, ISSUER, headers={"kid": "r"}),
    ):
        with pytest.raises(Problem) as caught:
            tokens(fetch).caller(f"Bearer {wrong}")
        assert caught.value.status == 401


class Auth:
    """An Auth server that counts, rotates its keys and may be down; and a clock."""

    def __init__(self):
        self.keys, self.asked, self.now, self.is_down = [new_sign_in()], 0, 1000.0, False
        self.set = KeySet("https://a/jwks.json", self.fetch, lambda: self.now)

    def fetch(self, url):
        self.asked += 1
        if self.is_down:
            raise OSError("down")
        return {"keys": [key for one in self.keys for key in one.key_set()["keys"]]}


def test_keys_are_fetched_once_and_again_when_old():
    auth = Auth()
    for _ in range(5):
        assert auth.set.find(auth.keys[0].key_id)
    assert auth.asked == 1

    auth.now += FRESH_SECONDS
    auth.set.find(auth.keys[0].key_id)

    assert auth.asked == 2


def test_a_new_key_is_found_soon_and_a_withdrawn_one_is_gone():
    auth = Auth()
    old = auth.keys[0].key_id
    auth.set.find(old)
    auth.keys = [new_sign_in()]
    auth.now += BETWEEN_FETCHES_SECONDS

    assert auth.set.find(auth.keys[0].key_id)
    assert auth.set.find(old) is None


def test_unknown_keys_do_not_become_requests_to_auth():
    auth = Auth()

    for number in range(1000):
        assert auth.set.find(f"unknown {number}") is None

    assert auth.asked == 1


def test_auths_outage_is_not_ours():
    auth = Auth()
    auth.set.find(auth.keys[0].key_id)
    auth.is_down = True
    auth.now += FRESH_SECONDS

    assert auth.set.find(auth.keys[0].key_id)
    asked = auth.asked
    auth.now += 1
    assert auth.set.find(auth.keys[0].key_id)
    assert auth.asked == asked


def test_without_any_key_the_answer_is_to_try_again():
    auth = Auth()
    auth.is_down = True

    with pytest.raises(Problem) as caught:
        auth.set.find("x")

    assert caught.value.status == 503


@pytest.mark.parametrize("reply", [None, [], {}, {"keys": []}, {"keys": [{"kty": "none"}]}, {"keys": "x"}, "<html>"])
def test_a_reply_that_is_no_key_set_is_an_outage(reply):
    with pytest.raises(Problem) as caught:
        KeySet("", lambda url: reply).find("x")

    assert caught.value.status == 503


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/productions"),
        ("GET", f"/productions/{USER}"),
        ("GET", f"/productions/{USER}/preview"),
        ("GET", f"/productions/{USER}/explanation"),
        ("POST", f"/productions/{USER}/retry"),
        ("POST", f"/productions/{USER}/approve"),
        ("POST", f"/productions/{USER}/cancel"),
        ("GET", f"/episodes/{USER}/script"),
        ("GET", "/assets"),
        ("GET", f"/assets/{USER}"),
        ("POST", f"/uploads/{USER}/complete"),
    ],
)
def test_without_a_token_nothing_is_told(api, method, path):
    before = api.services.database.round_trips

    answer = api.call(method, path)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert api.services.database.round_trips == before


def test_a_token_of_another_role_reaches_no_row(api, show):
    token = api.sign_in.token(show.user, ISSUER, claims={"role": "service_role"})

    assert api.call("GET", "/productions", authorization=f"Bearer {token}").status == 403


def test_an_api_that_knows_no_keys_says_so(make_api, show):
    api = make_api(supabase_url=None, jwt_key=None)

    answer = api.call("GET", "/productions", show.user)

    assert answer.status == 503
    assert "SUPABASE_URL" in answer.json["detail"]


def test_the_database_sees_the_claims_of_the_token_and_nothing_stays(api, show):
    from showrunner.database import Caller

    database = api.services.database
    [row] = database.call(
        "select auth.uid() as who, current_user::text as role, current_setting('statement_timeout') as timeout",
        caller=Caller({"sub": str(show.user), "role": "authenticated"}),
    )
    [after] = database.call("select current_setting('request.jwt.claims', true) as claims, current_user::text as role")

    assert (row["who"], row["role"], row["timeout"]) == (show.user, "authenticated", "10s")
    assert (after["claims"] or "", after["role"]) == ("", "showrunner_worker")
