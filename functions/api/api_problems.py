"""Errors as problem details (RFC 9457): type, title, status, detail, and for a client to act on: code, hint, errors.

`code` is the SQLSTATE where the database refused, so that a client sees the same word whether it asks this API or
Supabase's. `errors` names fields, each with what is wrong with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import psycopg
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError, ServiceError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError, ResponseValidationError

from showrunner.database import is_outage
from showrunner.errors import StageError

logger = Logger()

CONTENT_TYPE = "application/problem+json"
BUSY_SECONDS = 10

# What the functions of the database raise, and what it means over HTTP; then whole classes. A refusal's PTnnn is nnn.
_STATUS_OF_STATE = {
    "PT404": 404,  # no such row, or not yours
    "PT409": 409,  # not now
    "PT429": 429,  # a quota
    "P0002": 404,
    "42501": 403,
    "55006": 409,
    "23505": 409,
    "P0001": 422,
}
_STATUS_OF_CLASS = {"22": 422, "23": 422}
_FIELD = re.compile(r"([a-z][a-z0-9_.-]{0,60}): ")


class Problem(Exception):
    """An answer other than success; `detail` is one sentence for a person."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: dict[str, str] | None = None,
        *,
        code: str | None = None,
        hint: str | None = None,
        errors: Sequence[dict[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.code = code
        self.hint = hint
        self.errors = list(errors) or _field_of(detail)


class Missing(Problem):
    """The same answer for what does not exist, is revoked or is malformed: it tells nobody which."""

    def __init__(self) -> None:
        super().__init__(404, "There is nothing at this address.")


class Invalid(Problem):
    """A field of the request cannot be what it is."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(422, f"{field}: {message}", errors=[{"field": field, "message": message}])


def install(app: APIGatewayHttpResolver) -> None:
    """Make every error of the app answer with problem details."""
    app.not_found(_missing)
    app.exception_handler(Problem)(response)
    app.exception_handler(ServiceError)(_service_error)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(ResponseValidationError)(_bug)
    app.exception_handler(psycopg.Error)(_database)
    app.exception_handler(StageError)(_storage)
    app.exception_handler(Exception)(_bug)


def response(problem: Problem) -> Response[str]:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.code:
        body["code"] = problem.code
    if problem.hint:
        body["hint"] = problem.hint
    if problem.errors:
        body["errors"] = problem.errors
    headers = {"cache-control": "no-store"} | problem.headers
    return Response(problem.status, CONTENT_TYPE, json.dumps(body), headers)


def of_database(error: psycopg.Error) -> Problem:
    """Return what a database's refusal means over HTTP: status, message, code and hint. A bug is a 500."""
    state = error.sqlstate or ""
    status = _STATUS_OF_STATE.get(state) or _STATUS_OF_CLASS.get(state[:2])
    if status is not None:
        message = error.diag.message_primary or "The database refused."
        field = error.diag.column_name or ""
        errors = [{"field": field, "message": message}] if field and not _field_of(message) else ()
        return Problem(status, _sentence(message), code=state, hint=error.diag.message_hint or None, errors=errors)
    if isinstance(error, psycopg.DataError) and not state:
        return Problem(422, "A text holds a character that cannot be stored.", code="22021")
    if is_outage(error):
        # Its text may quote the statement, and with it a token.
        logger.error("The database did not answer", error=type(error).__name__, sqlstate=error.sqlstate)
        return Problem(503, "The database does not answer; try again.", {"retry-after": str(BUSY_SECONDS)})
    logger.exception("A bug in the API's SQL", sqlstate=error.sqlstate)
    return _internal()


def _sentence(message: str) -> str:
    """Return the message of a constraint as people read it: the constraints here are named as sentences."""
    broken = re.fullmatch(r'new row for relation "(\w+)" violates check constraint "(\w+)"', message)
    return f"{broken[1]}: {broken[2].replace('_', ' ')}" if broken else message


def _field_of(message: str) -> list[dict[str, str]]:
    found = _FIELD.match(message)
    return [{"field": found[1], "message": message[found.end() :]}] if found else []


def _missing(error: NotFoundError) -> Response[str]:
    return response(Missing())


def _service_error(error: ServiceError) -> Response[str]:
    return response(Problem(error.status_code, str(error.msg)))


def _invalid(error: RequestValidationError) -> Response[str]:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return response(Problem(400, "body: this is not JSON."))
    errors = [{"field": _place(one["loc"]), "message": str(one["msg"])} for one in error.errors()]
    return response(Problem(422, "; ".join(f"{one['field']}: {one['message']}" for one in errors), errors=errors))


def _place(location: Sequence[Any]) -> str:
    """Return a field's name: where it is in the request, without saying whether that is body, path or query."""
    parts = [str(part) for part in location if part not in ("body", "path", "query", "header")]
    return ".".join(parts) or str(location[0])


def _database(error: psycopg.Error) -> Response[str]:
    return response(of_database(error))


def _storage(error: StageError) -> Response[str]:
    logger.warning("Storage did not answer", kind=error.kind.value)
    return response(Problem(503, "The storage does not answer; try again.", {"retry-after": str(BUSY_SECONDS)}))


def _bug(error: Exception) -> Response[str]:
    logger.exception("A bug in the API")
    return response(_internal())


def _internal() -> Problem:
    return Problem(500, "An internal error happened; the function's log has the details.")
