"""The real API function behind the laptop's real HTTP gateway, with a real database and S3 in memory.

A person is a token: the rig has the keys of an Auth server of its own.
"""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import api
from local.http_gateway import HttpGateway
from local.ports import listen
from local.sign_in import SignIn
from local.specs import Cors, HttpRoute, Names
from showrunner.services import Services
from showrunner.settings import Settings
from tests.rigs.line import ListDispatcher

ISSUER_URL = "https://project.supabase.example"
SHARED_KEY = "a-shared-key-of-at-least-32-bytes!"
OPERATOR_KEY = "operator-key"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


class ServicesWithList(Services):
    """The function's own collaborators, but for the queue, which is a list."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.queue = ListDispatcher()

    @property
    def dispatcher(self) -> Any:
        return self.queue


@dataclass
class Api:
    """`call` goes over HTTP; `sign_in` makes tokens that the API accepts."""

    services: ServicesWithList
    sign_in: SignIn
    gateway: HttpGateway
    opener: Any = field(default_factory=lambda: build_opener(_Stay))

    def token(self, user: uuid.UUID, **claims: Any) -> str:
        return self.sign_in.token(user, f"{ISSUER_URL}/auth/v1", claims=claims)

    def call(self, method: str, path: str, user: uuid.UUID | None = None, body: Any = None, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if user is not None:
            sent["authorization"] = f"Bearer {self.token(user)}"
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        request = Request(self.gateway.base_url + path, data, sent, method=method)
        try:
            with self.opener.open(request, timeout=60) as reply:
                return Answer(reply.status, dict(reply.headers.items()), reply.read())
        except HTTPError as error:
            return Answer(error.code, dict(error.headers.items()), error.read())

    def close(self) -> None:
        self.gateway.stop()
        self.services.database.close()


class _Host:
    """Runs the handler in this process, one invocation at a time, as one execution environment does."""

    def __init__(self, handler: api.Handler) -> None:
        self._handler = handler
        self._lock = threading.Lock()

    def invoke(self, function: str, event: Any) -> Any:
        with self._lock:
            # Through JSON, as it reaches a function and leaves it.
            answer = self._handler(json.loads(json.dumps(event)), SimpleNamespace(aws_request_id="1"))  # type: ignore[arg-type]
        return json.loads(json.dumps(answer))


def open_api(sign_in: SignIn, bucket: str, **settings: Any) -> Api:
    """Start it. The published keys are those of `sign_in`."""
    values: dict[str, Any] = {
        "bucket": bucket,
        "supabase_url": ISSUER_URL,
        "jwt_key": SHARED_KEY,
        "operator_key": OPERATOR_KEY,
    }
    services = ServicesWithList(Settings(**(values | settings)))
    handler = api.http_handler(lambda: services, lambda url: sign_in.key_set())
    routes = [HttpRoute("api", "ANY", "$default")]
    gateway = HttpGateway(listen(), routes, Cors(), _Host(handler), Names("http://127.0.0.1"))  # type: ignore[arg-type]
    gateway.start()
    return Api(services, sign_in, gateway)
