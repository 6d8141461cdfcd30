"""The API's answers, given its sample events and collaborators that answer what a test tells them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

import api
import api_feeds
import showrunner
from api_addresses import public_base_url
from showrunner.settings import Settings
from tests.unit.api_requests import ASSET, TOKEN, FakeDatabase, FakeServices, sample_event

KEY = f"organizations/0c2d8a4e-0000-4000-8000-000000000001/episode_audio/{'ab' * 32}.mp3"
XML = '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"/>'


def answer(event: dict[str, Any], services: FakeServices | None = None) -> dict[str, Any]:
    made = services or FakeServices()
    handler = api.http_handler(lambda: made)  # type: ignore[arg-type,return-value]
    return handler(event, SimpleNamespace(aws_request_id="1"))  # type: ignore[arg-type]


@pytest.fixture
def published_feed(monkeypatch: pytest.MonkeyPatch) -> FakeServices:
    show = SimpleNamespace()
    monkeypatch.setattr(api_feeds, "read_published_show", lambda database, token: show if token == TOKEN else None)
    monkeypatch.setattr(api_feeds, "render_feed", lambda of, base_url, token: XML if of is show else "")
    return FakeServices()


def test_health_tells_the_version_and_asks_no_database() -> None:
    services = FakeServices(FakeDatabase(error=psycopg.OperationalError("down")))

    reply = answer(sample_event("health"), services)

    assert reply["statusCode"] == 200
    assert json.loads(reply["body"]) == {"status": "ok", "version": showrunner.__version__}


def test_health_of_the_database_tells_the_migration_and_the_latency() -> None:
    services = FakeServices(FakeDatabase([{"migration": "20261121000600"}]))

    reply = answer(sample_event("health_db"), services)

    health = json.loads(reply["body"])
    assert reply["statusCode"] == 200
    assert health["migration"] == "20261121000600"
    assert health["latency_ms"] >= 0


@pytest.mark.parametrize("case", ["health_db", "feed", "media"])
def test_a_database_that_is_down_is_a_503_that_quotes_nothing(case: str) -> None:
    services = FakeServices(FakeDatabase(error=psycopg.OperationalError("password=hunter2")))

    reply = answer(sample_event(case), services)

    assert reply["statusCode"] == 503
    assert reply["headers"]["Content-Type"] == "application/problem+json"
    assert reply["headers"]["retry-after"] == "10"
    assert "hunter2" not in reply["body"]


def test_a_bug_is_a_500_without_its_text() -> None:
    services = FakeServices(FakeDatabase(error=RuntimeError("secret detail")))

    reply = answer(sample_event("media"), services)

    assert reply["statusCode"] == 500
    assert json.loads(reply["body"])["title"] == "Internal Server Error"
    assert "secret detail" not in reply["body"]


def test_an_unknown_address_is_a_problem_of_status_404() -> None:
    reply = answer(sample_event("unknown_address"))

    assert reply["statusCode"] == 404
    assert reply["headers"]["Content-Type"] == "application/problem+json"
    assert json.loads(reply["body"]) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing at this address.",
    }


def test_a_feed_is_rss_with_a_validator(published_feed: FakeServices) -> None:
    reply = answer(sample_event("feed"), published_feed)

    assert reply["statusCode"] == 200
    assert reply["headers"]["Content-Type"] == "application/rss+xml; charset=utf-8"
    assert reply["headers"]["etag"].startswith('"')
    assert reply["body"] == XML


def test_a_head_request_for_a_feed_has_the_headers_and_no_body(published_feed: FakeServices) -> None:
    whole = answer(sample_event("feed"), published_feed)

    head = answer(sample_event("feed", method="HEAD"), published_feed)

    assert head["body"] == ""
    assert head["headers"] == whole["headers"]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"older", {}', "*"])
def test_an_app_that_has_the_feed_already_is_told_so(published_feed: FakeServices, form: str) -> None:
    etag = answer(sample_event("feed"), published_feed)["headers"]["etag"]

    reply = answer(sample_event("feed", if_none_match=form.format(etag)), published_feed)

    assert reply["statusCode"] == 304
    assert reply["headers"]["etag"] == etag
    assert reply["body"] == ""


def test_an_app_with_an_older_feed_gets_the_new_one(published_feed: FakeServices) -> None:
    reply = answer(sample_event("feed", if_none_match='"older"'), published_feed)

    assert reply["statusCode"] == 200


@pytest.mark.parametrize(
    "path",
    [
        f"/feeds/{'f' * 64}.xml",
        f"/feeds/{TOKEN.upper()}.xml",
        f"/feeds/{TOKEN}",
        f"/feeds/{TOKEN}.json",
        "/feeds/short.xml",
        "/feeds/' or true --.xml",
        f"/feeds/{TOKEN}.xml/more",
        "/feeds/",
    ],
)
def test_a_feed_that_cannot_be_read_gives_the_same_answer_as_nothing(published_feed: FakeServices, path: str) -> None:
    nothing = answer(sample_event("unknown_address"))

    reply = answer(sample_event("feed", path=path), published_feed)

    assert reply == nothing


def test_a_malformed_token_does_not_reach_the_database() -> None:
    services = FakeServices()

    answer(sample_event("feed", path="/feeds/short.xml"), services)

    assert services.database.params == []


@pytest.mark.parametrize(("case", "verb"), [("media", "GET"), ("media_head", "HEAD")])
def test_published_media_redirects_to_an_address_signed_for_the_method(case: str, verb: str) -> None:
    services = FakeServices(FakeDatabase([{"key": KEY}]))

    reply = answer(sample_event(case), services)

    assert reply["statusCode"] == 302
    assert reply["headers"]["location"] == f"https://bucket.example/{KEY}?for={verb}&seconds=3600"
    assert reply["headers"]["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        (f"/media/{TOKEN}/{ASSET}.mp3", []),
        (f"/media/{TOKEN}/{ASSET}.vtt", [{"key": KEY}]),
        (f"/media/{TOKEN}/{ASSET}", [{"key": KEY}]),
        (f"/media/{TOKEN}/7.mp3", [{"key": KEY}]),
        (f"/media/short/{ASSET}.mp3", [{"key": KEY}]),
        (f"/media/{TOKEN}/../{ASSET}.mp3", [{"key": KEY}]),
    ],
)
def test_media_that_is_not_the_feeds_gives_the_same_answer_as_nothing(path: str, rows: list[dict[str, str]]) -> None:
    nothing = answer(sample_event("unknown_address"))

    reply = answer(sample_event("media", path=path), FakeServices(FakeDatabase(rows)))

    assert reply == nothing


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (Settings(public_base_url="https://media.example/"), "https://media.example"),
        (Settings(), "https://abc123.execute-api.eu-west-2.amazonaws.com"),
    ],
)
def test_addresses_are_as_configured_or_else_as_the_caller_reached_us(settings: Settings, url: str) -> None:
    event = APIGatewayProxyEventV2(sample_event("feed"))

    assert public_base_url(settings, event) == url


def test_a_named_stage_is_part_of_the_address() -> None:
    event = sample_event("feed")
    event["requestContext"]["stage"] = "beta"

    assert public_base_url(Settings(), APIGatewayProxyEventV2(event)).endswith(".amazonaws.com/beta")


@pytest.mark.parametrize(
    "case",
    ["production_request", "productions", "production", "production_rebuild", "production_retry", "script", "assets",
     "upload", "upload_complete"],
)  # fmt: skip
def test_a_sample_that_asks_for_something_reaches_its_route_and_needs_a_token(case: str) -> None:
    services = FakeServices(FakeDatabase(error=RuntimeError("nobody may ask")))
    services.settings = Settings(jwt_key="x" * 32)  # type: ignore[arg-type]

    reply = answer(sample_event(case), services)

    assert reply["statusCode"] == 401
    assert reply["headers"]["www-authenticate"].startswith("Bearer")


def test_the_document_needs_neither_token_nor_database() -> None:
    reply = answer(sample_event("openapi"), FakeServices(FakeDatabase(error=RuntimeError("nobody may ask"))))

    assert reply["statusCode"] == 200
    assert "/uploads" in json.loads(reply["body"])["paths"]


def test_a_wake_up_without_a_key_is_answered_like_nothing() -> None:
    assert answer(sample_event("wake")) == answer(sample_event("unknown_address"))
