"""Is it up? `/health` asks nobody, `/health/db` makes one round trip to Postgres."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from showrunner import __version__
from showrunner.services import Services


def add_routes(app: APIGatewayHttpResolver, services: Callable[[], Services]) -> None:
    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @app.get("/health/db")
    def database_health() -> dict[str, Any]:
        started = perf_counter()
        [row] = services().database.call("select migration from engine.health()")
        milliseconds = round((perf_counter() - started) * 1000, 1)
        return {"status": "ok", "version": __version__, "migration": row["migration"], "latency_ms": milliseconds}
