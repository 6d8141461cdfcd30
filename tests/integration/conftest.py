from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import psycopg
import pytest
from moto import mock_aws

from tests.conftest import DatabaseForOneTest
from tests.rigs.engine import Rig
from tests.rigs.line import BUCKET, Line


@pytest.fixture
def make_line(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Line]]:
    """make_line(**settings): the episode line in this process, with S3 in memory."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    lines: list[Line] = []

    def make(**settings: Any) -> Line:
        lines.append(Line(database_url, **settings))
        return lines[-1]

    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield make
        for line in lines:
            line.close()


@pytest.fixture
def line(make_line: Callable[..., Line]) -> Line:
    return make_line()


@pytest.fixture
def rig(
    owner: psycopg.Connection[Any], connect: Callable[..., psycopg.Connection[Any]], database: DatabaseForOneTest
) -> Rig:
    def open_worker() -> psycopg.Connection[Any]:
        return connect(database.login_url, role="showrunner_worker")

    return Rig(owner, open_worker(), open_worker)
