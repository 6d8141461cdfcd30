"""The HTTP API. Each group of routes is a module of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

import api_assets
import api_document
import api_episodes
import api_feeds
import api_health
import api_media
import api_problems
import api_productions
import api_requests
import api_uploads
import api_wake
from showrunner.services import Services
from showrunner.settings import Settings

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def make_app(
    services: Callable[[], Services], fetch_keys: Callable[[str], Any] | None = None
) -> APIGatewayHttpResolver:
    """Return the routes, with their checks and their answers to errors. `fetch_keys` is given by tests."""
    app = APIGatewayHttpResolver(
        enable_validation=True, response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR
    )
    context = api_requests.Context(app, services, fetch_keys)
    api_problems.install(app)
    api_document.add_routes(app)
    api_health.add_routes(app, context)
    api_productions.add_routes(app, context)
    api_episodes.add_routes(app, context)
    api_assets.add_routes(app, context)
    api_uploads.add_routes(app, context)
    api_wake.add_routes(app, context)
    api_feeds.add_routes(app, services)
    api_media.add_routes(app, services)
    return app


def http_handler(services: Callable[[], Services], fetch_keys: Callable[[str], Any] | None = None) -> Handler:
    """Return the Lambda handler for API Gateway's HTTP API events (payload version 2.0)."""
    app = make_app(services, fetch_keys)

    def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        try:
            api_requests.check(event)
        except api_problems.Problem as problem:
            return _reply(api_problems.response(problem))
        return app.resolve(event, context)

    return lambda_handler


def _reply(response: Response[str]) -> dict[str, Any]:
    headers = {**response.headers, "Content-Type": response.content_type}
    return {"statusCode": response.status_code, "headers": headers, "body": response.body, "isBase64Encoded": False}


lambda_handler = http_handler(cache(lambda: Services(Settings.from_environment())))
