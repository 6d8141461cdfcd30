"""A proxy before S3 that misbehaves at random: puts that fail, puts whose answer is lost, slow and cut gets, and files
that are missing for a moment."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

PUT_FAULTS = ("put_fails", "put_answer_lost")
GET_FAULTS = ("get_fails", "get_slow", "get_cut", "object_missing")
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "server", "date"}
SLOW_SECONDS = 2.0


class FaultyStorage:
    """Forwards to `upstream`, which may move; each put or get meets a fault with `probability`, those of `next_faults`
    first. `met` counts them."""

    def __init__(self, seed: int, probability: float) -> None:
        self.upstream = ""
        self.probability = probability
        self.met: Counter[str] = Counter()
        self.next_faults: list[str] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def heal(self) -> None:
        self.probability = 0

    def __enter__(self) -> FaultyStorage:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def fault_of(self, method: str) -> str | None:
        faults = {"PUT": PUT_FAULTS, "GET": GET_FAULTS}.get(method)
        with self._lock:
            if faults is None:
                return None
            waiting = [fault for fault in self.next_faults if fault in faults]
            if not waiting and self._random.random() >= self.probability:
                return None
            fault = waiting[0] if waiting else self._random.choice(faults)
            if waiting:
                self.next_faults.remove(fault)
            self.met[fault] += 1
            return fault


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients are killed here in the middle of a request; all else is a mistake of this proxy."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _handler(storage: FaultyStorage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            fault = storage.fault_of(self.command)
            if fault in ("put_fails", "get_fails"):
                self._answer(503, b"<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>")
                return
            if fault == "object_missing":
                self._answer(404, b"<Error><Code>NoSuchKey</Code><Message>It is not there.</Message></Error>")
                return
            try:
                status, headers, content = self._forward(body)
            except (OSError, http.client.HTTPException):
                self._drop()  # S3 is down; the caller sees what it would see without a proxy
                return
            if fault == "put_answer_lost":
                self._drop()
            else:
                self._reply(status, headers, content, fault)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _take

        def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            upstream = urlsplit(storage.upstream)
            connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            try:
                connection.request(self.command, self.path, body, headers)
                reply = connection.getresponse()
                return reply.status, reply.getheaders(), reply.read()
            finally:
                connection.close()

        def _answer(self, status: int, content: bytes) -> None:
            self._reply(status, [("content-type", "application/xml"), ("content-length", str(len(content)))], content)

        def _reply(self, status: int, headers: list[tuple[str, str]], content: bytes, fault: str | None = None) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            half = len(content) // 2
            try:
                self.wfile.write(content[:half])
                if fault == "get_cut":
                    self._drop()
                    return
                if fault == "get_slow":
                    self.wfile.flush()
                    time.sleep(SLOW_SECONDS)
                self.wfile.write(content[half:])
            except OSError:
                self.close_connection = True  # its reader was killed

        def _drop(self) -> None:
            """Reset the connection, so that the other side cannot take it for an end."""
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
