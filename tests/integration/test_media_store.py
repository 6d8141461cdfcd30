"""Files in S3: what a put promises, and that an attempt which has lost its job changes no file."""

from __future__ import annotations

import contextlib
import hashlib

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from showrunner.media_store import MediaStore, StoredMeanwhile
from tests.rigs.faulty_storage import FaultyStorage

KEY = "organizations/a/speech/b.wav"


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "an-example-secret")
    with mock_aws():
        client = boto3.client("s3", region_name="eu-west-2")
        client.create_bucket(Bucket="media", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        yield client


@pytest.fixture
def store(s3):
    return MediaStore(s3, "media")


def test_what_was_stored_is_described_alike_by_put_and_head(store):
    stored = store.put(KEY, b"words", "audio/wav")

    assert stored == store.head(KEY)
    assert (stored.bytes, stored.sha256) == (5, hashlib.sha256(b"words").hexdigest())


def test_the_first_attempt_stores_a_file_and_a_later_one_replaces_it(store, tmp_path):
    first = store.replace(KEY, b"one", "audio/wav", None)
    path = tmp_path / "file"
    path.write_bytes(b"two")

    second = store.replace_file(KEY, path, "audio/wav", first)

    assert store.get(KEY) == b"two"
    assert second == store.head(KEY)


@pytest.mark.parametrize("existed", [False, True])
def test_a_zombie_changes_no_file_that_its_successor_stored(store, existed):
    """Both began when the key had the same content; the one that holds the job was faster."""
    seen = store.put(KEY, b"an earlier build", "audio/wav") if existed else None
    accepted = store.replace(KEY, b"accepted", "audio/wav", seen)

    with pytest.raises(StoredMeanwhile, match="stored by another attempt"):
        store.replace(KEY, b"zombie", "audio/wav", seen)

    assert store.get(KEY) == b"accepted"
    assert store.head(KEY) == accepted


def test_the_same_bytes_again_are_no_change(store):
    """A put whose answer was lost is repeated by the client, and meets its own file."""
    stored = store.replace(KEY, b"words", "audio/wav", None)

    assert store.replace(KEY, b"words", "audio/wav", None) == stored


def test_a_put_whose_answer_is_lost_is_found_stored(stack_storage):
    """Against a server: the first answer is reset on the way, and the client's own retry is told that it exists."""
    store, proxy = stack_storage
    proxy.next_faults.append("put_answer_lost")

    stored = store.replace(KEY, b"words", "audio/wav", None)

    assert proxy.met == {"put_answer_lost": 1}
    assert store.head(KEY) == stored


@pytest.fixture
def stack_storage(monkeypatch):
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with contextlib.ExitStack() as ending:
        ending.callback(server.stop)
        proxy = ending.enter_context(FaultyStorage(seed=1, probability=0))
        proxy.upstream = f"http://{host}:{port}"
        client = boto3.client(
            "s3", endpoint_url=proxy.url, region_name="eu-west-2", aws_access_key_id="a", aws_secret_access_key="b",
            config=Config(retries={"max_attempts": 3}, request_checksum_calculation="when_required"),
        )  # fmt: skip
        client.create_bucket(Bucket="media", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        yield MediaStore(client, "media"), proxy
