"""What unit tests share: small fakes of a stage's collaborators."""

import hashlib
import time
from collections.abc import Iterator
from types import SimpleNamespace
from uuid import UUID

import pytest

from showrunner.media_store import ObjectMissing, StoredMeanwhile, StoredObject
from showrunner.settings import Settings
from showrunner.stage import Job
from tests.provider_server import ProviderServer

ORGANIZATION = UUID("00000000-0000-4000-8000-00000000000a")
PRODUCTION = UUID("00000000-0000-4000-8000-00000000000b")
SUBJECT = UUID("00000000-0000-4000-8000-00000000000c")


class MemoryMediaStore:
    """The methods of MediaStore that stages use, on a dictionary; `puts` lists the keys in the order of writing."""

    def __init__(self):
        self.files = {}
        self.content_types = {}
        self.puts = []

    def put(self, key, body, content_type):
        self.files[key] = bytes(body)
        self.content_types[key] = content_type
        self.puts.append(key)
        return self.head(key)

    def replace(self, key, body, content_type, seen):
        if self.head(key) != seen and self.files.get(key) != body:
            raise StoredMeanwhile(f"The file {key} was stored by another attempt meanwhile.")
        return self.put(key, body, content_type)

    def replace_file(self, key, path, content_type, seen):
        return self.replace(key, path.read_bytes(), content_type, seen)

    def get(self, key, *, most_bytes=None):
        if key not in self.files:
            raise ObjectMissing(f"The file {key} is missing in storage; rebuild the stage that made it.")
        if most_bytes is not None and len(self.files[key]) > most_bytes:
            raise ValueError(f"{key} has {len(self.files[key])} bytes; at most {most_bytes} are allowed")
        return self.files[key]

    def download(self, key, path):
        path.write_bytes(self.get(key))

    def head(self, key):
        body = self.files.get(key)
        return body if body is None else StoredObject(key, len(body), hashlib.sha256(body).hexdigest())


@pytest.fixture(scope="session")
def new_media_store():
    return MemoryMediaStore


@pytest.fixture
def media_store():
    return MemoryMediaStore()


@pytest.fixture
def services(media_store):
    return SimpleNamespace(settings=Settings(bucket="media"), media_store=media_store, database=None)


@pytest.fixture(scope="session")
def make_job():
    """make_job(input, **fields): a granted attempt; `job.pulse.stopped = True` cancels it."""

    def make(value, *, seconds=120.0, state=None, attempt=1, stage="a_stage"):
        return Job(
            id=UUID("00000000-0000-4000-8000-00000000000d"),
            production_id=PRODUCTION,
            organization_id=ORGANIZATION,
            subject_id=SUBJECT,
            stage=stage,
            key="",
            attempt=attempt,
            input=value,
            input_hash=hashlib.sha256(value.model_dump_json().encode()).hexdigest(),
            state=state or {},
            deadline=time.monotonic() + seconds + 5,
            pulse=SimpleNamespace(progress=None, stopped=False),
            engine=SimpleNamespace(record_usage=lambda *arguments: None),
        )

    return make


@pytest.fixture
def provider_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderServer]:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "an-example-secret"),
        ("AWS_DEFAULT_REGION", "eu-west-2"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with ProviderServer() as server:
        yield server
