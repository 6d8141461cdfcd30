"""S3 and SQS of the laptop edition: what a restart keeps, ranges, signed URLs, and who is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.cloud import Cloud
from local.object_files import ObjectFiles
from local.ports import free_port
from local.processes import Processes
from local.specs import BucketSpec, Names, Template

BUCKET = "media"
LISTED = "listed"  # a bucket whose whole content a test knows
TEMPLATE = Template({}, {}, (BucketSpec(BUCKET), BucketSpec(LISTED)), (), (), ())
REGION = Names("").region


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    state = tmp_path_factory.mktemp("cloud")
    processes = Processes(str(state))
    processes.open()
    cloud = Cloud(state, free_port(), REGION, processes)
    try:
        cloud.start(TEMPLATE)
        yield cloud
    finally:
        cloud.stop()
        cloud.close()
        processes.close()


def body_of(cloud: Cloud, key: str, bucket: str = BUCKET) -> bytes:
    return cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def test_objects_survive_a_restart_with_their_type_and_metadata(cloud: Cloud, tmp_path: Path) -> None:
    long = tmp_path / "long.wav"
    long.write_bytes(b"0123456789abcdef" * 600_000)
    keys = ["plain.json", "a/b", "a", "a//b", "ä b+c.txt", "%41", "x/../y"]
    for key in keys:
        cloud.s3.put_object(
            Bucket=LISTED, Key=key, Body=key.encode(), ContentType="text/x-test", Metadata={"sha256": "12"}
        )
    cloud.s3.put_object(Bucket=LISTED, Key="gone", Body=b"gone")
    cloud.s3.put_object(Bucket=LISTED, Key="a", Body=b"the second")
    cloud.s3.upload_file(str(long), LISTED, "long.wav")
    cloud.s3.copy_object(Bucket=LISTED, Key="copy", CopySource={"Bucket": LISTED, "Key": "a/b"})
    cloud.s3.delete_objects(Bucket=LISTED, Delete={"Objects": [{"Key": "gone"}, {"Key": "%41"}]})
    cloud.s3.delete_object(Bucket=LISTED, Key="a//b")

    cloud.stop()
    cloud.start(TEMPLATE)

    listed = {item["Key"] for item in cloud.s3.list_objects_v2(Bucket=LISTED)["Contents"]}
    assert listed == {"plain.json", "a/b", "a", "ä b+c.txt", "x/../y", "long.wav", "copy"}
    assert body_of(cloud, "a", LISTED) == b"the second"
    assert body_of(cloud, "copy", LISTED) == b"a/b"
    assert body_of(cloud, "ä b+c.txt", LISTED).decode() == "ä b+c.txt"
    assert body_of(cloud, "long.wav", LISTED) == long.read_bytes()
    head = cloud.s3.head_object(Bucket=LISTED, Key="plain.json")
    assert (head["ContentType"], head["Metadata"]) == ("text/x-test", {"sha256": "12"})


def test_a_range_of_an_object_is_served(cloud: Cloud) -> None:
    cloud.s3.put_object(Bucket=BUCKET, Key="ranged", Body=b"0123456789")

    part = cloud.s3.get_object(Bucket=BUCKET, Key="ranged", Range="bytes=2-4")
    tail = cloud.s3.get_object(Bucket=BUCKET, Key="ranged", Range="bytes=-3")

    assert (part["Body"].read(), part["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert tail["Body"].read() == b"789"
    with pytest.raises(ClientError, match="InvalidRange"):
        cloud.s3.get_object(Bucket=BUCKET, Key="ranged", Range="bytes=50-")


def test_a_missing_object_is_not_found(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        cloud.s3.get_object(Bucket=BUCKET, Key="never")


def test_a_signed_url_serves_and_takes_an_object_and_an_unsigned_one_is_refused(cloud: Cloud) -> None:
    take = cloud.s3.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": "upload"}, 60)
    serve = cloud.s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "upload"}, 60)
    over = cloud.s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "upload"}, -60)

    with urlopen(Request(take, data=b"sent by a browser", method="PUT")) as answer:
        status = answer.status
    with urlopen(serve) as answer:
        served = answer.read()

    assert (status, served) == (200, b"sent by a browser")
    for refused in (over, serve.split("?")[0]):
        with pytest.raises(HTTPError) as caught:
            urlopen(refused)
        with caught.value as response:
            assert response.code == 403


def test_a_service_that_is_not_there_is_refused_rather_than_imitated(cloud: Cloud) -> None:
    polly = boto3.client(
        "polly",
        endpoint_url=cloud.endpoint_url,
        region_name=REGION,
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )

    with pytest.raises(ClientError, match="no polly"):
        polly.describe_voices()

    polly.close()


def test_a_body_without_an_entry_is_removed_at_the_next_start(tmp_path: Path) -> None:
    ObjectFiles(tmp_path).put("kept.mp3", "etag", {}, lambda file: file.write(b"kept"))
    (tmp_path / "bodies" / "half.mp3").write_bytes(b"ha")

    reopened = ObjectFiles(tmp_path)

    assert [entry.key for entry in reopened] == ["kept.mp3"]
    (body,) = (tmp_path / "bodies").iterdir()
    assert (body.suffix, body.read_bytes()) == (".mp3", b"kept")
