"""A receiver of webhooks on this machine that answers as a test says, and verifies with the official library."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import scalar_row
from standardwebhooks import Webhook

# Longer than any request may take: who holds one that long was not released.
HOLD_AT_MOST_SECONDS = 60.0


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def type(self) -> str:
        return str(json.loads(self.body)["type"])

    def verified(self, secret: str) -> Any:
        """Return the payload. Raises `WebhookVerificationError`."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass(frozen=True)
class Reply:
    """`raw` replaces everything that would be sent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw: bytes | None = None


class Receiver:
    """Replies 200 to all but the paths in `replies`: a reply, or a list used up one by one, the last one staying.

    Requests to a path that is held wait until `release`.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.replies: dict[str, Reply | list[Reply] | Callable[[Received], Reply]] = {}
        self._held: dict[str, threading.Event] = {}
        self._arrived = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer._answer(self, Received(self.path, headers, body))

            def log_message(self, *arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *arguments: object) -> None:
                """A sender that hangs up is no news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def url(self, path: str = "/hooks") -> str:
        return f"http://{self.place}{path}"

    def hold(self, path: str) -> None:
        self._held[path] = threading.Event()

    def release(self) -> None:
        for gate in self._held.values():
            gate.set()

    def types(self, path: str = "/hooks") -> list[str]:
        return [request.type for request in self.at(path)]

    def at(self, path: str = "/hooks") -> list[Received]:
        return [request for request in list(self.received) if request.path == path]

    def wait_for(self, condition: Callable[[], bool], seconds: float = 60) -> bool:
        """Wait until the condition holds; it is looked at after each request."""
        with self._arrived:
            return self._arrived.wait_for(condition, seconds)

    def _answer(self, handler: BaseHTTPRequestHandler, request: Received) -> None:
        with self._arrived:
            self.received.append(request)
            reply = self._reply(request)
            self._arrived.notify_all()
        if request.path in self._held:
            self._held[request.path].wait(HOLD_AT_MOST_SECONDS)
        if reply.raw is not None:
            handler.wfile.write(reply.raw)
            return
        handler.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body)

    def _reply(self, request: Received) -> Reply:
        found = self.replies.get(request.path, Reply())
        if callable(found):
            return found(request)
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found


def statuses(*codes: int) -> list[Reply]:
    return [Reply(status) for status in codes]


def ids(requests: Iterable[Received]) -> list[str]:
    return [request.id for request in requests]


EVERYTHING = (
    "production.requested",
    "production.running",
    "production.waiting",
    "production.completed",
    "production.failed",
    "production.cancelled",
)


def listen(
    owner: psycopg.Connection[Any],
    organization: uuid.UUID,
    url: str = "https://example.com/hooks",
    types: Sequence[str] = EVERYTHING,
    **columns: Any,
) -> uuid.UUID:
    """A new endpoint's id. `columns` are set afterwards."""
    cursor = owner.cursor(row_factory=scalar_row)
    endpoint: uuid.UUID = cursor.execute(
        "insert into public.webhook_endpoints (organization_id, url, event_types) values (%s, %s, %s) returning id",
        [organization, url, list(types)],
    ).fetchone()
    for column, value in columns.items():
        update = sql.SQL("update public.webhook_endpoints set {} = %s where id = %s").format(sql.Identifier(column))
        owner.execute(update, [value, endpoint])
    return endpoint


def secret_of(owner: psycopg.Connection[Any], endpoint: uuid.UUID) -> str:
    cursor = owner.cursor(row_factory=scalar_row)
    cursor.execute("select secret from engine.webhook_secrets where endpoint_id = %s", [endpoint])
    return str(cursor.fetchone())
