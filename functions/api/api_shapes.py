"""Types that several routes share."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}]


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character cannot be stored")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Cursor = Annotated[
    str | None, Query(max_length=500, description="`next` of the page before; absent for the first page.")
]


class Body(BaseModel):
    """What a client sends: nothing that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProblemDetails(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = Field(description="A sentence for a person.")
    code: str | None = Field(None, description="SQLSTATE, where the database refused.")
    hint: str | None = Field(None, description="What to do instead.")
    errors: list[dict[str, str]] | None = Field(None, description="Fields, each with what is wrong with it.")


def answers(ok: str, *statuses: int, status: int = 200) -> dict[int, Any]:
    """Return a route's `responses`: what success is, and problem details for each of the other statuses."""
    return {status: {"description": ok}, **problems(*statuses)}


def problems(*statuses: int) -> dict[int, Any]:
    sentences = {
        400: "The body is not JSON",
        401: "No valid token",
        403: "The role does not allow it",
        404: "It does not exist, or is another organization's",
        409: "Not in this state",
        413: "The body is too large",
        415: "The body is not application/json",
        422: "A field is not what it must be",
        429: "A quota is used up",
        503: "The database, the storage or the sign-in keys cannot be reached",
    }
    content = {"application/problem+json": {"model": ProblemDetails}}
    return {status: {"description": sentences[status], "content": content} for status in statuses}
