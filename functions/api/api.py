"""The HTTP API: health, podcast feeds and their media. Each group of routes is a module of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

import api_feeds
import api_health
import api_media
import api_problems
from showrunner.services import Services
from showrunner.settings import Settings

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def http_handler(services: Callable[[], Services]) -> Handler:
    """Return the Lambda handler for API Gateway's HTTP API events (payload version 2.0)."""
    app = APIGatewayHttpResolver()
    api_problems.install(app)
    api_health.add_routes(app, services)
    api_feeds.add_routes(app, services)
    api_media.add_routes(app, services)

    def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        return app.resolve(event, context)

    return lambda_handler


lambda_handler = http_handler(cache(lambda: Services(Settings.from_environment())))
