"""Errors as problem details (RFC 9457)."""

from __future__ import annotations

import json
from http import HTTPStatus

import psycopg
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError, ServiceError

logger = Logger()

CONTENT_TYPE = "application/problem+json"
BUSY_SECONDS = 10


class Problem(Exception):
    """An answer other than success; `detail` is one sentence for a person."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


class Missing(Problem):
    """The same answer for what does not exist, is revoked or is malformed: it tells nobody which."""

    def __init__(self) -> None:
        super().__init__(404, "There is nothing at this address.")


def install(app: APIGatewayHttpResolver) -> None:
    """Make every error of the app answer with problem details."""
    app.not_found(_missing)
    app.exception_handler(Problem)(_problem)
    app.exception_handler(ServiceError)(_service_error)
    app.exception_handler(psycopg.Error)(_database)
    app.exception_handler(Exception)(_bug)


def _response(problem: Problem) -> Response[str]:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    headers = {"cache-control": "no-store"} | problem.headers
    return Response(problem.status, CONTENT_TYPE, json.dumps(body), headers)


def _problem(error: Problem) -> Response[str]:
    return _response(error)


def _missing(error: NotFoundError) -> Response[str]:
    return _response(Missing())


def _service_error(error: ServiceError) -> Response[str]:
    return _response(Problem(error.status_code, str(error.msg)))


def _database(error: psycopg.Error) -> Response[str]:
    # Its text may quote the statement, and with it a token.
    logger.error("The database did not answer", error=type(error).__name__, sqlstate=error.sqlstate)
    return _response(Problem(503, "The database does not answer; try again.", {"retry-after": str(BUSY_SECONDS)}))


def _bug(error: Exception) -> Response[str]:
    logger.exception("A bug in the API")
    return _response(Problem(500, "An internal error happened; the function's log has the details."))
