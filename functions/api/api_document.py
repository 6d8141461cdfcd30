"""The OpenAPI document of this API: made from the routes, served at `/openapi.json`, kept in docs/openapi.json."""

from __future__ import annotations

import json
import re
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from showrunner import __version__

DESCRIPTION = """What SQL cannot do for a client app: signed uploads and downloads, requests that are dispatched at
once, feeds, health. Everything runs as the caller, under the same row-level security as Supabase's own API."""

_THEIR_MODELS = ("HTTPValidationError", "ValidationError", "ResponseValidationError")


def add_routes(app: APIGatewayHttpResolver) -> None:
    made: list[str] = []

    @app.get("/openapi.json", include_in_schema=False)
    def openapi() -> Response[str]:
        if not made:
            made.append(json.dumps(document(app)))
        return Response(200, "application/json", made[0], {"cache-control": "public, max-age=300"})


def document(app: APIGatewayHttpResolver) -> dict[str, Any]:
    """Return the document (OpenAPI 3.1) as plain data."""
    # Its models are a seventh of the function's import time, and seldom needed.
    from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer

    text = app.get_openapi_json_schema(
        title="Showrunner",
        version=__version__,
        description=DESCRIPTION,
        security_schemes={
            "bearer": HTTPBearer(bearerFormat="JWT", description="An access token of Supabase Auth."),
            "operator": HTTPBearer(description="The operator's key."),
        },
    )
    made: dict[str, Any] = json.loads(text)
    # Powertools adds what the function answers with by itself; here every error is problem details.
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            operation["operationId"] = _operation_id(operation["operationId"], path, method)
            operation["responses"] = {
                status: answer for status, answer in sorted(operation["responses"].items()) if not _is_theirs(answer)
            }
    for name in _THEIR_MODELS:
        made["components"]["schemas"].pop(name, None)
    return made


def _operation_id(given: str, path: str, method: str) -> str:
    """Return the function's name, with `_head` where a route answers HEAD as it does GET."""
    name = given.removesuffix(f"{re.sub(r'[^0-9a-zA-Z]', '_', path)}_{method}")
    return f"{name}_head" if method == "head" else name


def _is_theirs(answer: dict[str, Any]) -> bool:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return schema.get("$ref", "").rpartition("/")[2] in _THEIR_MODELS
