"""Podcast feeds: `/feeds/{token}.xml`, what a podcast app subscribes to. Reading a feed never makes anything."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from api_addresses import feed_token, public_base_url
from api_problems import Missing
from api_shapes import problems
from showrunner.podcast_feed import render_feed
from showrunner.published_show import read_published_show
from showrunner.services import Services

CONTENT_TYPE = "application/rss+xml; charset=utf-8"


def add_routes(app: APIGatewayHttpResolver, services: Callable[[], Services]) -> None:
    @app.route(
        "/feeds/<name>",
        method=["GET", "HEAD"],
        summary="A show's podcast feed: <token>.xml",
        tags=["feeds"],
        responses={
            200: {
                "description": "RSS 2.0",
                "content": {CONTENT_TYPE.partition(";")[0]: {"schema": {"type": "string"}}},
            },
            304: {"description": "Not changed since `If-None-Match`", "content": {}},
            **problems(404, 503),
        },
    )
    def feed(name: str) -> Response[str]:
        event = app.current_event
        xml = feed_xml(services(), name, public_base_url(services().settings, event))
        return conditional(xml, event.headers.get("if-none-match", ""), event.request_context.http.method)


def feed_xml(services: Services, name: str, base_url: str) -> str:
    """Return the feed of the token in `name`; raise `Missing` when it is unknown, revoked or malformed."""
    token = feed_token(name)
    show = read_published_show(services.database, token) if token else None
    if token is None or show is None:
        raise Missing
    return render_feed(show, base_url, token)


def conditional(xml: str, if_none_match: str, method: str) -> Response[str]:
    """Return the feed, or 304 when the caller has this very version (RFC 9110, section 13.1.2)."""
    etag = f'"{hashlib.sha256(xml.encode()).hexdigest()[:32]}"'
    # Kept by the app that holds the token alone, and asked for anew each time.
    headers = {"etag": etag, "cache-control": "private, no-cache", "x-robots-tag": "noindex"}
    if _matches(if_none_match, etag):
        return Response(304, headers=headers, body="")
    return Response(200, CONTENT_TYPE, "" if method == "HEAD" else xml, headers)


def _matches(if_none_match: str, etag: str) -> bool:
    named = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return "*" in named or etag in named
