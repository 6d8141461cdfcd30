"""Episodes: the script, line by line, as people edit it through Supabase's own client."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from api_problems import Missing
from api_requests import Context
from api_shapes import SIGNED_IN, Answer, answers
from showrunner.database import Statement

_EPISODE = """
select id, project_id, number, title, summary, status::text, duration_seconds, generation_status::text
from public.episodes
where id = %(episode)s and deleted_at is null
"""
_BLOCKS = """
select id, position, section, speaker, markdown, updated_at
from public.blocks
where episode_id = %(episode)s and position > %(after)s
order by position
limit %(limit)s
"""


class Block(Answer):
    id: UUID
    position: int
    section: str
    speaker: str
    markdown: str
    updated_at: datetime


class Script(Answer):
    id: UUID
    project_id: UUID
    number: int
    title: str
    summary: str
    status: str
    generation_status: str
    duration_seconds: float | None
    blocks: list[Block]
    next: int | None = Field(description="`after` of the next page; null on the last.")


def add_routes(app: APIGatewayHttpResolver, context: Context) -> None:
    @app.get(
        "/episodes/<episode_id>/script",
        summary="An episode with the lines of its script",
        tags=["episodes"],
        security=SIGNED_IN,
        responses=answers("What was asked for", 401, 403, 404, 422, 503),
    )
    def script(
        episode_id: UUID,
        after: Annotated[int, Query(ge=-1, le=2**31 - 1, description="Lines behind this position.")] = -1,
        limit: Annotated[int, Query(ge=1, le=500)] = 200,
    ) -> Script:
        caller = context.caller()
        wanted = {"episode": episode_id, "after": after, "limit": limit + 1}
        episodes, blocks = context.services.database.results(
            [Statement(_EPISODE, wanted), Statement(_BLOCKS, wanted)], caller=caller
        )
        if not episodes:
            raise Missing
        following = blocks[limit - 1]["position"] if len(blocks) > limit else None
        return Script(**episodes[0], blocks=[Block(**row) for row in blocks[:limit]], next=following)
