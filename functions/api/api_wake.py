"""`/wake`: the database says that something is due (pg_net, see the migration wake_up), and it is sent at once.

Whoever has the operator's key may ask; nothing in the request is believed. It does what the sweeper does each minute.
"""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from api_problems import Missing
from api_requests import Context
from api_shapes import Answer, answers

MOST_JOBS = 100


class Woken(Answer):
    sent: int


def add_routes(app: APIGatewayHttpResolver, context: Context) -> None:
    @app.post(
        "/wake",
        summary="Send what is due (operators)",
        tags=["operations"],
        security=[{"operator": []}],
        responses=answers("What was asked for", 404, 413, 415, 503),
    )
    def wake() -> Woken:
        if not context.is_operator():
            raise Missing
        services = context.services
        return Woken(sent=services.dispatcher.send(services.engine.sweep(MOST_JOBS)))
