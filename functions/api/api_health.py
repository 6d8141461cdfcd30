"""Is it up? `/health` asks nobody, `/health/db` makes one round trip to Postgres. Operators also see its statistics."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from pydantic import Field

from api_requests import Context
from api_shapes import Answer, answers
from showrunner import __version__
from showrunner.database import Statement


class Health(Answer):
    status: str
    version: str


class DatabaseHealth(Health):
    migration: str | None = Field(description="The newest migration applied.")
    latency_ms: float
    statistics: dict[str, Any] | None = Field(None, description="For operators: sizes, connections, queue.")


def add_routes(app: APIGatewayHttpResolver, context: Context) -> None:
    @app.get("/health", summary="Whether the API is up", tags=["operations"])
    def health() -> Health:
        return Health(status="ok", version=__version__)

    @app.get(
        "/health/db",
        summary="Whether the database is up",
        tags=["operations"],
        responses=answers("What was asked for", 503),
    )
    def database_health() -> DatabaseHealth:
        asked = [Statement("select migration from engine.health()")]
        if context.is_operator():
            asked.append(Statement("select engine.statistics() as statistics"))
        started = perf_counter()
        answers = context.services.database.results(asked)
        milliseconds = round((perf_counter() - started) * 1000, 1)
        return DatabaseHealth(
            status="ok",
            version=__version__,
            migration=answers[0][0]["migration"],
            latency_ms=milliseconds,
            statistics=answers[1][0]["statistics"] if len(answers) > 1 else None,
        )
