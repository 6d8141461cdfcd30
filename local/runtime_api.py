"""The Lambda Runtime API of one execution environment.

The function's process asks for the next event, and posts a response or an error:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
import uuid
from concurrent.futures import Future
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_PREFIX = "/2018-06-01/runtime"


class FunctionError(RuntimeError):
    """A function failed: it raised, could not be imported, crashed, or ran out of time or memory.

    `kind` is the error type that Lambda reports, for example `ValueError` or `Sandbox.Timedout`.
    """

    def __init__(self, function: str, kind: str, message: str, trace: tuple[str, ...] = ()) -> None:
        super().__init__(f"{function}: {kind}: {message}")
        self.function = function
        self.kind = kind
        self.message = message
        self.trace = trace


@dataclass
class Invocation:
    """One event on its way through a function. `started` is set once the function has it."""

    event: bytes
    arn: str
    timeout_seconds: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    result: Future[bytes] = field(default_factory=Future)
    started: threading.Event = field(default_factory=threading.Event)

    def fail(self, error: FunctionError) -> None:
        """The first outcome counts."""
        with contextlib.suppress(Exception):
            self.result.set_exception(error)

    def succeed(self, payload: bytes) -> None:
        with contextlib.suppress(Exception):
            self.result.set_result(payload)

    def headers(self) -> dict[str, str]:
        deadline = int((time.time() + self.timeout_seconds) * 1000)
        digits = self.request_id.replace("-", "")
        return {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": self.arn,
            # Without a trace id AWS's runtime client ends the process on Python 3.11.
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{digits[:24]};Parent={digits[:16]};Sampled=0",
            "Content-Type": "application/json",
        }


class RuntimeApi(ThreadingHTTPServer):
    """Hands one invocation at a time to the process behind it; `address` is its AWS_LAMBDA_RUNTIME_API."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, function: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.function = function
        self.current: Invocation | None = None
        self.init_error: FunctionError | None = None
        self._given = threading.Condition()
        self._open = True
        threading.Thread(target=self.serve_forever, name=f"runtime api of {function}", daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def give(self, invocation: Invocation) -> None:
        with self._given:
            self.current = invocation
            self._given.notify_all()

    def next(self) -> Invocation | None:
        """Waits for an invocation that is not started; None when this environment is closing."""
        with self._given:
            while self._open:
                if self.current is not None and not self.current.started.is_set():
                    self.current.started.set()
                    return self.current
                self._given.wait()
        return None

    def close(self) -> None:
        with self._given:
            self._open = False
            self._given.notify_all()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A process that was killed leaves its connection broken, which is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: RuntimeApi

    def do_GET(self) -> None:
        if self.path != f"{_PREFIX}/invocation/next":
            self._answer(404)
            return
        invocation = self.server.next()
        if invocation is None:
            self.close_connection = True
        else:
            self._answer(200, invocation.event, invocation.headers())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(202, b'{"status":"OK"}', {"Content-Type": "application/json"})
        self.wfile.flush()
        if self.path == f"{_PREFIX}/init/error":
            self.server.init_error = self._error(body)
            return
        invocation = self.server.current
        if invocation is None or not self.path.startswith(f"{_PREFIX}/invocation/{invocation.request_id}/"):
            return  # an answer that comes too late
        if self.path.endswith("/response"):
            invocation.succeed(body)
        else:
            invocation.fail(self._error(body))

    def _error(self, body: bytes) -> FunctionError:
        try:
            error = json.loads(body)
        except ValueError:
            error = {}
        message = str(error.get("errorMessage") or "no message")
        kind = str(error.get("errorType") or "Unknown")
        return FunctionError(self.server.function, kind, message, tuple(map(str, error.get("stackTrace") or ())))

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """The function's own log is enough."""
