"""Addresses that open a file for a while."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from showrunner.services import Services
from showrunner.settings import Settings

KEY = "organizations/o/episode_audio/a.mp3"


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "an-example-secret")
    # A region old enough for boto3 to prefer the old signature there.
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return Services(Settings(bucket="showrunner-media"))


def test_an_address_is_signed_with_version_4_and_for_the_stated_time(services: Services) -> None:
    url = urlsplit(services.media_store.signed_url(KEY, 900))

    query = parse_qs(url.query)
    assert url.path.endswith(KEY)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["900"]


def test_an_address_for_head_has_a_signature_of_its_own(services: Services) -> None:
    get, head = (parse_qs(services.media_store.signed_url(KEY, 900, head=asked)) for asked in (False, True))

    assert get["X-Amz-Signature"] != head["X-Amz-Signature"]
