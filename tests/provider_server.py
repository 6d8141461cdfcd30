"""A local HTTP server that answers like Polly, Bedrock, an OpenAI-compatible server and music services, and misbehaves
on demand."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import unquote

from tests import music_replies
from tests import provider_replies as replies

Fault = Literal["hang", "hang_in_body", "drip", "truncate", "reset"]
HANG_AT_MOST_SECONDS = 30.0
EVENT_STREAM = "application/vnd.amazon.eventstream"
# What a model writes when it is asked for plain text.
TEXT = ("The harbour ", "opened in ", "1822 [L", "1].")


@dataclass(frozen=True)
class Answer:
    """What the server sends instead of the documented reply.

    `hang` answers nothing, `hang_in_body` stops half-way, `drip` goes on sending a little at a time, all until the
    server closes; `truncate` closes half-way; `reset` drops the connection. A body in parts is sent part by part.
    """

    status: int = 200
    body: bytes | dict[str, Any] | tuple[bytes, ...] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Fault | None = None


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: Any


class ProviderServer:
    """Answers with what `will` queued, and with the documented reply once that is used up."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: deque[Answer] = deque()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def will(self, *answers: Answer) -> None:
        """Queue answers for the next requests, whatever their path."""
        self._answers.extend(answers)

    def mend(self) -> None:
        """Forget the queued answers: from now on every reply is the documented one."""
        self._answers.clear()

    def __enter__(self) -> ProviderServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def take(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            return self._answers.popleft() if self._answers else documented_answer(request)

    def wait_until_closing(self) -> None:
        self._closing.wait(HANG_AT_MOST_SECONDS)

    def closes_within(self, seconds: float) -> bool:
        return self._closing.wait(seconds)


def documented_answer(request: Request) -> Answer:
    """Return the successful reply to a request, as the provider's reference shows it."""
    body = request.body
    if request.path == "/v1/speech" and "VoiceId" in body:
        headers = {"content-type": "audio/pcm", "x-amzn-RequestCharacters": str(len(body["Text"]))}
        return Answer(body=replies.tone(body["Text"], int(body["SampleRate"])), headers=headers)
    if request.path.startswith("/model/") and request.path.endswith("/converse"):
        return Answer(body=_converse(body))
    if request.path.startswith("/model/") and request.path.endswith("/converse-stream"):
        return Answer(body=replies.converse_events(*TEXT), headers={"content-type": EVENT_STREAM})
    if request.path.endswith("/chat/completions") and body.get("stream"):
        return Answer(body=replies.chat_chunks(*TEXT), headers={"content-type": "text/event-stream"})
    if request.path.endswith("/chat/completions"):
        response_format = body.get("response_format", {})
        schema = response_format.get("json_schema", {}).get("schema", {"type": "object"})
        return Answer(body=replies.chat_completion(json.dumps(replies.example_of(schema))))
    if request.path.endswith("/audio/speech"):
        pcm = replies.tone(body["input"], replies.SAMPLE_RATE_OF_OPENAI)
        return Answer(body=replies.wav(pcm), headers={"content-type": "audio/wav"})
    music = music_replies.documented(request.path, request.headers["host"])
    if music is not None:
        return Answer(body=music[0], headers={"content-type": music[1]})
    return Answer(status=404, body=replies.openai_error("Invalid URL", "invalid_request_error"))


def _converse(body: dict[str, Any]) -> dict[str, Any]:
    if "toolConfig" not in body:
        return replies.converse([{"text": "{}"}], "end_turn")
    tool = body["toolConfig"]["tools"][0]["toolSpec"]
    return replies.converse([replies.tool_use(replies.example_of(tool["inputSchema"]["json"]), tool["name"])])


def _handler(server: ProviderServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(server.take(Request(unquote(self.path), headers, json.loads(raw or b"{}"))))

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(server.take(Request(unquote(self.path), headers, None)))

        def _send(self, answer: Answer) -> None:
            if answer.fault == "hang":
                server.wait_until_closing()
            if answer.fault in ("hang", "reset"):
                self._drop()
                return
            if answer.fault == "drip":
                self._drip(answer)
                return
            if isinstance(answer.body, tuple):
                self._send_parts(answer, answer.body)
                return
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            headers = {"content-type": "application/json"} | dict(answer.headers)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if answer.fault else body)
            self.wfile.flush()
            if answer.fault == "hang_in_body":
                server.wait_until_closing()
            if answer.fault:
                self._drop()

        def _send_parts(self, answer: Answer, parts: tuple[bytes, ...]) -> None:
            self.send_response(answer.status)
            for name, value in {**answer.headers, "transfer-encoding": "chunked"}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                for part in parts[: len(parts) // 2 if answer.fault else len(parts)]:
                    self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                    self.wfile.flush()
                if answer.fault is None:
                    self.wfile.write(b"0\r\n\r\n")
            if answer.fault == "hang_in_body":
                server.wait_until_closing()
            if answer.fault:
                self._drop()

        def _drip(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("content-length", str(10**9))
            self.end_headers()
            with contextlib.suppress(OSError):
                while not server.closes_within(0.02):
                    self.wfile.write(bytes(200))
            self.close_connection = True

        def _drop(self) -> None:
            if self.close_connection is False and self.server:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the requests are recorded."""

    return Handler
