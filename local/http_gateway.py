"""The template's HTTP API on a loopback port: requests become events of payload format 2.0, answers become responses.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
import logging
import re
import socket
import threading
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from local.lambda_host import LambdaHost
from local.runtime_api import FunctionError
from local.specs import Cors, HttpRoute, Names

LARGEST_BODY = 6 << 20
_DISCARD_BYTES = 1 << 16

_TEXT = re.compile(r"text/|application/(json|xml|javascript|.*\+json|.*\+xml)")
_PARAMETER = re.compile(r"\\\{(\w+)(\\\+)?\\\}")

_log = logging.getLogger(__name__)


class HttpGateway(ThreadingHTTPServer):
    """Serves `routes` on a socket that listens already; `base_url` is its address. `documents` are JSON that no
    function serves."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        listener: socket.socket,
        routes: Sequence[HttpRoute],
        cors: Cors | None,
        host: LambdaHost,
        names: Names,
        documents: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_address = self.server_name, self.server_port = listener.getsockname()
        self.routes = sorted(((route, _pattern(route.path)) for route in routes), key=lambda pair: _rank(pair[0]))
        self.cors = cors
        self.host = host
        self.names = names
        self.documents = documents or {}

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, name="http gateway", daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def find(self, method: str, path: str) -> tuple[HttpRoute, dict[str, str]] | None:
        """The most specific route for a request, with its path parameters."""
        for route, pattern in self.routes:
            match = pattern.fullmatch(path)
            if match and route.method in ("ANY", method):
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.debug("a client went away", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: HttpGateway

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            while length > 0:  # a client that still sends would not read the answer
                length -= len(self.rfile.read(min(length, _DISCARD_BYTES)) or bytes(length))
            self._message(413, "Request Entity Too Large")
            return
        body = self.rfile.read(length)
        is_preflight = self.command == "OPTIONS" and "Access-Control-Request-Method" in self.headers
        if self.server.cors is not None and is_preflight:
            self._answer(204, preflight_headers(self.server.cors, self.headers.get("Origin", "")), [], b"")
            return
        document = self.server.documents.get(urlsplit(self.path).path)
        if document is not None and self.command in ("GET", "HEAD"):
            self._answer(200, {"content-type": "application/json"}, [], json.dumps(document).encode())
            return
        found = self.server.find(self.command, urlsplit(self.path).path)
        if found is None:
            self._message(404, "Not Found")
            return
        route, parameters = found
        try:
            event = self._event(route, parameters, body)
            status, headers, cookies, payload = response_of(self.server.host.invoke(route.function, event))
        except FunctionError as error:
            _log.warning("%s %s: %s", self.command, self.path, error)
            self._message(500, "Internal Server Error")
            return
        self._answer(status, headers, cookies, payload)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any

    def _event(self, route: HttpRoute, parameters: dict[str, str], body: bytes) -> dict[str, Any]:
        address = urlsplit(self.path)
        query: dict[str, str] = {}
        for name, value in parse_qsl(address.query, keep_blank_values=True):
            query[name] = f"{query[name]},{value}" if name in query else value
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            if name.lower() != "cookie":
                headers[name.lower()] = f"{headers[name.lower()]},{value}" if name.lower() in headers else value
        cookies = [part.strip() for part in ";".join(self.headers.get_all("Cookie", [])).split(";") if part.strip()]
        now = datetime.now(UTC)
        is_text = bool(_TEXT.match(headers.get("content-type", "text/")))
        key = route.path if route.path == "$default" else f"{route.method} {route.path}"
        return {
            "version": "2.0",
            "routeKey": key,
            "rawPath": address.path,
            "rawQueryString": address.query,
            "headers": headers,
            **({"cookies": cookies} if cookies else {}),
            **({"queryStringParameters": query} if query else {}),
            **({"pathParameters": parameters} if parameters else {}),
            "requestContext": {
                "accountId": self.server.names.account,
                "apiId": "laptop",
                "domainName": headers.get("host", "127.0.0.1"),
                "domainPrefix": "laptop",
                "http": {
                    "method": self.command,
                    "path": address.path,
                    "protocol": self.request_version,
                    "sourceIp": self.client_address[0],
                    "userAgent": headers.get("user-agent", ""),
                },
                "requestId": str(uuid.uuid4()),
                "routeKey": key,
                "stage": "$default",
                "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
                "timeEpoch": int(now.timestamp() * 1000),
            },
            **({"body": body.decode(errors="replace") if is_text else base64.b64encode(body).decode()} if body else {}),
            "isBase64Encoded": bool(body) and not is_text,
        }

    def _message(self, status: int, sentence: str) -> None:
        headers = {"content-type": "application/json"}
        self._answer(status, headers, [], json.dumps({"message": sentence}).encode())

    def _answer(self, status: int, headers: Mapping[str, str], cookies: Sequence[str], body: bytes) -> None:
        self.send_response(status)
        own = {name.lower(): value for name, value in headers.items()}
        if self.server.cors is not None:
            own.update(cors_headers(self.server.cors, self.headers.get("Origin", "")))
        own.pop("content-length", None)
        for name, value in own.items():
            self.send_header(name, value)
        for cookie in cookies:
            self.send_header("Set-Cookie", cookie)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        _log.debug(format, *args)


def response_of(answer: Any) -> tuple[int, Mapping[str, str], Sequence[str], bytes]:
    """Status, headers, cookies and body of what a function returned; anything without a status is a JSON body."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return 200, {"content-type": "application/json"}, [], json.dumps(answer).encode()
    headers = {str(name): str(value) for name, value in (answer.get("headers") or {}).items()}
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        headers[str(name)] = ",".join(map(str, values))
    body = answer.get("body") or ""
    text = body if isinstance(body, str) else json.dumps(body)
    payload = base64.b64decode(text) if answer.get("isBase64Encoded") else text.encode()
    if not any(name.lower() == "content-type" for name in headers):
        headers["content-type"] = "text/plain;charset=UTF-8"
    return int(answer["statusCode"]), headers, answer.get("cookies") or [], payload


def cors_headers(cors: Cors, origin: str) -> dict[str, str]:
    """What every answer to a page of `origin` carries; nothing for an origin that is not allowed."""
    if not origin or not ("*" in cors.origins or origin in cors.origins):
        return {}
    headers = {"access-control-allow-origin": "*" if "*" in cors.origins else origin}
    if cors.exposed_headers:
        headers["access-control-expose-headers"] = ",".join(cors.exposed_headers)
    if cors.credentials:
        headers["access-control-allow-credentials"] = "true"
    return headers


def preflight_headers(cors: Cors, origin: str) -> dict[str, str]:
    headers = {
        "access-control-allow-methods": ",".join(cors.methods),
        "access-control-allow-headers": ",".join(cors.headers),
    }
    if cors.max_age_seconds is not None:
        headers["access-control-max-age"] = str(cors.max_age_seconds)
    return headers if cors_headers(cors, origin) else {}


def _pattern(path: str) -> re.Pattern[str]:
    if path == "$default":
        return re.compile(".*")
    named = _PARAMETER.sub(lambda match: f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})", re.escape(path))
    return re.compile(named)


def _rank(route: HttpRoute) -> tuple[bool, bool, int, bool]:
    """Full paths before greedy ones, `$default` last, a method before ANY."""
    return (route.path == "$default", "+}" in route.path, route.path.count("{"), route.method == "ANY")
