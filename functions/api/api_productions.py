"""Productions: ask for one, see how it stands, run it again, stop it. What was asked for is sent to its queue at once.

Everything runs as the caller. The one exception is that, behind the caller's own statement and in its transaction, the
function takes the jobs that are due, to send them after the commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

import api_pages
from api_problems import Missing
from api_requests import Context
from api_shapes import SIGNED_IN, Answer, Body, Cursor, Limit, Text, answers
from showrunner.database import Caller, Statement

logger = Logger()

Status = Literal["queued", "running", "waiting", "completed", "failed", "cancelled"]

_COLUMNS = """
    production.id, production.organization_id, production.kind, production.subject_id, production.status::text,
    production.waiting_for::text, production.current_stage, production.progress, production.build,
    production.error_code::text, production.error, production.estimate_gbp, production.created_at,
    production.started_at, production.finished_at
"""
_ONE = f"select {_COLUMNS} from public.productions as production where production.id = %(id)s"  # noqa: S608
_ASKED = f"""
    select {_COLUMNS} from public.productions as production
    where production.id = current_setting('showrunner.production')::uuid
"""  # noqa: S608
# Of each organization by itself: an index has its newest, where all together would have to be sorted.
_LIST = f"""
    select {_COLUMNS}
    from private.memberships as membership
    cross join lateral (
        select production.*
        from public.productions as production
        where production.organization_id = membership.organization_id
          and (%(subject)s::uuid is null or production.subject_id = %(subject)s)
          and (%(status)s::text is null or production.status::text = %(status)s)
          and {api_pages.AFTER.format(table="production")}
        order by production.created_at desc, production.id
        limit %(limit)s
    ) as production
    where %(organization)s::uuid is null or membership.organization_id = %(organization)s
    order by production.created_at desc, production.id
    limit %(limit)s
"""  # noqa: S608
_STAGES = """
    select stage, status::text, total, remaining, failed, started_at, finished_at
    from public.production_stages
    where production_id = %(id)s
    order by position
"""


class Request(Body):
    kind: Text = Field(max_length=100, description="What is to be made: episode.")
    subject_id: UUID = Field(description="The episode.")
    idempotency_key: Text = Field(
        min_length=1, max_length=200, description="The same key gives the same production, however often it is sent."
    )


class Rebuild(Body):
    from_stage: Text | None = Field(
        None, max_length=100, description="Run this stage again and all that follows; absent: only what changed."
    )


class Production(Answer):
    id: UUID
    organization_id: UUID
    kind: str
    subject_id: UUID
    status: Status
    waiting_for: Literal["approval", "attention"] | None
    current_stage: str | None
    progress: int = Field(description="Percent; 100 when it is complete.")
    build: int
    error_code: str | None
    error: str | None = Field(description="What went wrong, in a sentence.")
    estimate_gbp: float
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Stage(Answer):
    stage: str
    status: Literal["pending", "waiting", "running", "done", "failed"]
    total: int
    remaining: int
    failed: int
    started_at: datetime | None
    finished_at: datetime | None


class ProductionWithStages(Production):
    stages: list[Stage]


class Productions(Answer):
    productions: list[Production]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class PlannedJob(Answer):
    stage: str
    key: str
    reason: str
    estimate_gbp: float


class Preview(Answer):
    jobs: list[PlannedJob]
    estimate_gbp: float


class Explanation(Answer):
    explanation: str


def add_routes(app: APIGatewayHttpResolver, context: Context) -> None:
    _add_reading(app, context)
    _add_asking(app, context)


def _add_reading(app: APIGatewayHttpResolver, context: Context) -> None:
    shared: dict[str, Any] = {"tags": ["productions"], "security": SIGNED_IN}

    @app.get(
        "/productions",
        summary="Productions, newest first",
        responses=answers("What was asked for", 401, 403, 422, 503),
        **shared,
    )
    def list_productions(
        limit: Limit = 20,
        cursor: Cursor = None,
        organization_id: Annotated[UUID | None, Query()] = None,
        subject_id: Annotated[UUID | None, Query(description="An episode.")] = None,
        status: Annotated[Status | None, Query()] = None,
    ) -> Productions:
        wanted = {"organization": organization_id, "subject": subject_id, "status": status, "limit": limit + 1}
        caller, start = context.caller(), api_pages.after(cursor)
        rows, following = api_pages.page(context.services.database.call(_LIST, wanted | start, caller=caller), limit)
        return Productions(productions=[Production(**row) for row in rows], next=following)

    errors = answers("What was asked for", 401, 403, 404, 422, 503)

    @app.get("/productions/<production_id>", summary="A production with its stages", responses=errors, **shared)
    def read_production(production_id: UUID) -> ProductionWithStages:
        caller = context.caller()
        wanted = {"id": production_id}
        found, stages = context.services.database.results(
            [Statement(_ONE, wanted), Statement(_STAGES, wanted)], caller=caller
        )
        if not found:
            raise Missing
        return ProductionWithStages(**found[0], stages=[Stage(**row) for row in stages])

    @app.get(
        "/productions/<production_id>/preview",
        summary="What a rebuild would run, and for how much",
        responses=errors,
        **shared,
    )
    def preview(production_id: UUID, from_stage: Annotated[Text | None, Query(max_length=100)] = None) -> Preview:
        caller = context.caller()
        rows = context.services.database.call(
            "select * from public.preview_rebuild(%s, %s)", (production_id, from_stage), caller=caller
        )
        total = float(sum(row["estimate_gbp"] for row in rows))
        return Preview(jobs=[PlannedJob(**row) for row in rows], estimate_gbp=total)

    @app.get(
        "/productions/<production_id>/explanation",
        summary="Why it is not running, or how it ended",
        responses=errors,
        **shared,
    )
    def explain(production_id: UUID) -> Explanation:
        caller = context.caller()
        [row] = context.services.database.call(
            "select public.explain_production(%s) as explanation", (production_id,), caller=caller
        )
        return Explanation(**row)


def _add_asking(app: APIGatewayHttpResolver, context: Context) -> None:
    shared: dict[str, Any] = {
        "tags": ["productions"],
        "security": SIGNED_IN,
        "status_code": HTTPStatus.ACCEPTED,
        "responses": answers("Accepted", 400, 401, 403, 404, 409, 413, 415, 422, 429, 503, status=202),
    }

    @app.post("/productions", summary="Ask for a production", **shared)
    def request_production(body: Request) -> Response[Production]:
        ask = Statement(
            "select set_config('showrunner.production', public.request_production(%s, %s, %s)::text, true)",
            (body.kind, body.subject_id, body.idempotency_key),
        )
        # Safe to repeat: the idempotency key finds what the first attempt made.
        return _accepted(_ask(context, ask, context.caller(), once=False))

    def resume(statement: str, production_id: UUID, *more: Any) -> Response[Production]:
        ask = Statement(
            f"select set_config('showrunner.production', %s, true), {statement}",
            (str(production_id), production_id, *more),
        )
        return _accepted(_ask(context, ask, context.caller(), once=True))

    @app.post("/productions/<production_id>/retry", summary="Run again what failed", **shared)
    def retry(production_id: UUID) -> Response[Production]:
        return resume("public.retry_production(%s)", production_id)

    @app.post("/productions/<production_id>/rebuild", summary="Run what changed", **shared)
    def rebuild(production_id: UUID, body: Rebuild) -> Response[Production]:
        return resume("public.rebuild_production(%s, %s)", production_id, body.from_stage)

    @app.post("/productions/<production_id>/approve", summary="Let it go on at a gate", **shared)
    def approve(production_id: UUID) -> Response[Production]:
        return resume("public.approve_production(%s)", production_id)

    @app.post("/productions/<production_id>/cancel", summary="Stop it; what is finished is kept", **shared)
    def cancel(production_id: UUID) -> Response[Production]:
        return resume("public.cancel_production(%s)", production_id)


def _ask(context: Context, ask: Statement, caller: Caller, *, once: bool) -> Production:
    """Do what the caller asks and take the jobs that came of it, in one transaction; then send them."""
    database = context.services.database
    take = Statement("select engine.take_due(current_setting('showrunner.production')::uuid) as jobs")
    _, asked, _, taken = database.results(
        [ask, Statement(_ASKED), database.back_to_worker(), take], caller=caller, once=once
    )
    _send(context, taken[0]["jobs"])
    return Production(**asked[0])


def _send(context: Context, jobs: Sequence[dict[str, Any]]) -> None:
    """Wake the first functions. A failure costs half a minute and nothing else: the sweeper sends what is due."""
    if not jobs:
        return
    try:
        context.services.dispatcher.send(jobs)
    except Exception:
        logger.warning("Dispatch failed; the sweeper will send these jobs", jobs=len(jobs), exc_info=True)


def _accepted(production: Production) -> Response[Production]:
    location = {"location": f"/productions/{production.id}", "cache-control": "no-store"}
    return Response(HTTPStatus.ACCEPTED, "application/json", production, location)
