"""The process that stands for S3 and SQS: `python -m local.cloud_server PORT FOLDER REGION DECLARED`.

DECLARED is JSON: `{"buckets": [name, …], "queues": [[name, attributes], …]}`. Objects are kept in FOLDER.
Messages are in memory alone: a message is only a wake-up, and the sweeper re-sends the jobs that nobody was woken for.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from moto.sqs.models import sqs_backends
from werkzeug.serving import DechunkedInput, make_server
from werkzeug.wrappers import Response

from local import prompt_queues
from local.object_storage import ObjectStorage

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_READ_BYTES = 1 << 16
_CREDENTIAL_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")


class Services:
    """Gives a request to the service that it is signed for, an unsigned one to S3.

    Everything else is refused: moto would answer with invented data, and a provider would be imitated unnoticed.
    """

    def __init__(self, s3: WSGIApplication, sqs: WSGIApplication) -> None:
        self._applications = {"s3": s3, "sqs": sqs}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        scope = _CREDENTIAL_SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        service = scope[1] if scope else "s3"
        if service in self._applications:
            return self._applications[service](environ, start_response)
        sentence = f"The laptop edition has no {service}; give the address of a real one by its base-URL setting."
        refusal = json.dumps({"__type": "ServiceUnavailable", "message": sentence})
        return Response(refusal, 501, content_type="application/json")(environ, start_response)


class Handler(MotoRequestHandler):
    """Keeps connections open between requests, and sends a small answer as one packet.

    Werkzeug's own way of running an application ends each connection and waits 10 ms for stray input.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def run_wsgi(self) -> None:
        self.environ = self.make_environ()
        # Read whole, so that nothing of this body can be taken for the next request.
        if isinstance(self.environ["wsgi.input"], DechunkedInput):
            body = b"".join(iter(partial(self.environ["wsgi.input"].read, _READ_BYTES), b""))
        else:
            body = self.rfile.read(int(self.environ.get("CONTENT_LENGTH") or 0))
        self.environ["wsgi.input"] = io.BytesIO(body)
        answer: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            answer.append((status, headers))

        parts = self.server.app(self.environ, start_response)
        try:
            status, headers = answer[-1]
            self._answer(status, headers, parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()

    def _answer(self, status: str, headers: list[tuple[str, str]], parts: Iterable[bytes]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            parts = [b"".join(parts)]
            self.send_header("Content-Length", str(len(parts[0])))
        self.end_headers()
        if self.command != "HEAD":
            for part in parts:
                self.wfile.write(part)
        self.wfile.flush()

    def handle_expect_100(self) -> bool:
        allowed = super().handle_expect_100()
        self.wfile.flush()
        return allowed

    def log(self, type: str, message: str, *args: Any) -> None:
        if type == "error":
            super().log(type, message, *args)


def main(port: int, folder: Path, region: str, declared: dict[str, Any]) -> None:
    prompt_queues.install()
    objects = ObjectStorage(create_backend_app("s3"), folder, region)
    for bucket in declared["buckets"]:
        objects.ensure_bucket(bucket)
    for name, attributes in declared["queues"]:
        sqs_backends[DEFAULT_ACCOUNT_ID][region].create_queue(name, None, **attributes)
    application = Services(objects, create_backend_app("sqs"))
    make_server("127.0.0.1", port, application, threaded=True, request_handler=Handler).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4]))
