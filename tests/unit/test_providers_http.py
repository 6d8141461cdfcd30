"""Waiting times, error bodies and secrets."""

from __future__ import annotations

from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import NoCredentialsError, NoRegionError
from botocore.stub import Stubber
from pydantic import SecretStr

from showrunner import secrets
from showrunner.errors import Auth, InvalidInput, StageError, Transient
from showrunner.providers import aws
from showrunner.providers.http import HttpProvider, Refusal, post_json, read_refusal, retry_after
from showrunner.settings import Settings

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "Fri, 20 Nov 2026 12:01:30 GMT"}, 90.0),
        ({"retry-after": "Fri, 20 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_the_stated_delay_is_read_in_each_of_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b'{"error": {"message": "m", "type": "t", "param": null, "code": "c"}}', Refusal("c", "m")),
        (b'{"error": {"message": "m", "type": "t", "code": null}}', Refusal("t", "m")),
        (b'{"error": "m"}', Refusal("", "m")),
        (b'{"detail": "m"}', Refusal("", "m")),
        (b'{"detail": {"error": "validation_error", "message": "m"}}', Refusal("", "m")),
        (
            b'{"object": "error", "message": "m", "type": "BadRequestError", "code": 400}',
            Refusal("BadRequestError", "m"),
        ),
        (b'{"detail": [{"loc": ["body"], "msg": "m"}]}', Refusal("", "")),
        (b"<html>", Refusal("", "")),
        (b"[]", Refusal("", "")),
    ],
)
def test_error_bodies_of_compatible_servers_are_understood(body: bytes, refusal: Refusal) -> None:
    assert read_refusal(body) == refusal


@pytest.mark.parametrize("url", ["localhost:1234/v1", "ftp://example.org/v1", "http://[::1", ""])
def test_an_address_that_is_none_names_its_setting(url: str) -> None:
    provider = HttpProvider(url, "OPENAI_BASE_URL", "OPENAI_API_KEY", None, "m")

    with pytest.raises(InvalidInput, match="OPENAI_BASE_URL"):
        post_json(provider, "/chat/completions", {}, 1.0)


def test_a_password_in_the_address_is_not_repeated() -> None:
    provider = HttpProvider("http://ada:secret@127.0.0.1:9/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY", None, "m")

    with pytest.raises(Transient) as raised:
        post_json(provider, "/chat/completions", {}, 5.0)

    assert "secret" not in raised.value.message
    assert "127.0.0.1:9" in raised.value.message


@pytest.mark.parametrize(
    ("fault", "phrase"),
    [(NoCredentialsError(), "no AWS credentials"), (NoRegionError(), "AWS_DEFAULT_REGION")],
)
def test_a_missing_login_says_what_to_set(fault: Exception, phrase: str) -> None:
    with pytest.raises(Auth, match=phrase), aws.stage_errors("Polly", "polly:SynthesizeSpeech", "voice 'Amy'"):
        raise fault


def test_the_key_itself_wins_over_the_secret_that_is_named() -> None:
    settings = Settings(openai_api_key=SecretStr("the-key"), openai_api_key_secret="showrunner/openai")

    assert secrets.openai_api_key(settings) == "the-key"


def test_a_key_with_a_line_break_inside_is_refused_without_quoting_it() -> None:
    with pytest.raises(Auth, match="OPENAI_API_KEY") as raised:
        secrets.openai_api_key(Settings(openai_api_key=SecretStr("sk-one\r\nsk-two")))

    assert "sk-" not in raised.value.message


def test_no_key_is_none() -> None:
    assert secrets.openai_api_key(Settings()) is None


@pytest.fixture
def secrets_manager(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider

    client = boto3.client("secretsmanager", region_name="eu-west-2", aws_access_key_id="x", aws_secret_access_key="y")
    provider = SecretsProvider(boto3_client=client)
    monkeypatch.setattr(secrets, "_provider", lambda: provider)
    stubber = Stubber(client)
    stubber.activate()
    return stubber


def test_the_key_is_read_from_the_named_secret_once(secrets_manager: Stubber) -> None:
    settings = Settings(openai_api_key_secret="showrunner/openai")
    secrets_manager.add_response("get_secret_value", {"SecretString": "the-key\n"}, {"SecretId": "showrunner/openai"})

    first = secrets.openai_api_key(settings)
    second = secrets.openai_api_key(settings)

    assert (first, second) == ("the-key", "the-key")


@pytest.mark.parametrize(
    ("code", "status", "error", "phrase"),
    [
        ("ResourceNotFoundException", 400, Auth, "OPENAI_API_KEY_SECRET: there is no readable secret"),
        ("AccessDeniedException", 400, Auth, "secretsmanager:GetSecretValue"),
        ("InternalServiceError", 500, Transient, "Secrets Manager"),
    ],
)
def test_a_secret_that_cannot_be_read_says_why(
    secrets_manager: Stubber, code: str, status: int, error: type[StageError], phrase: str
) -> None:
    settings = Settings(openai_api_key_secret="showrunner/openai")
    secrets_manager.add_client_error("get_secret_value", code, "", status)

    with pytest.raises(error, match=phrase):
        secrets.openai_api_key(settings)
