"""The API over HTTP: the real function behind the laptop's gateway, a migrated database, S3 in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import psycopg
import pytest
from moto import mock_aws

from local.sign_in import new_sign_in
from tests.rigs.api import Api, open_api
from tests.rigs.line import BUCKET
from tests.rigs.shows import Show, make_show
from tests.texts import ARTICLE


@pytest.fixture
def make_api(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Api]]:
    """make_api(**settings)"""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    opened: list[Api] = []

    def make(**settings: Any) -> Api:
        opened.append(open_api(database_url, new_sign_in(), monkeypatch, BUCKET, **settings))
        return opened[-1]

    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield make
        for api in opened:
            api.close()


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    return make_api()


@pytest.fixture
def show(owner: psycopg.Connection[Any], sign_up: Callable[..., Any]) -> Show:
    """A user's show with one source and an episode."""
    return make_show(owner, sign_up("ada"), ARTICLE)


@pytest.fixture
def stranger(owner: psycopg.Connection[Any], sign_up: Callable[..., Any]) -> Show:
    """Another user's, in another organization."""
    return make_show(owner, sign_up("mallory"), ARTICLE)
