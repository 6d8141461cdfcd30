"""The laptop edition on a template of two small functions, without a database."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

from local import stack
from local.processes import marked, wait_until
from local.runtime_api import FunctionError
from local.stack import Options, Stack, StackError, running

PROJECT = Path(__file__).parent.parent / "fixtures" / "laptop"
ROOT = Path(__file__).parent.parent.parent
PATIENCE = 30


class Laptop:
    """A started stack and what its worker recorded."""

    def __init__(self, state: Path, **options: Any) -> None:
        self.records_file = state / "records.jsonl"
        environment = {"RECORDS": str(self.records_file)}
        self.stack = Stack(PROJECT, state, Options(environment=environment, database_url="none", port=0, **options))

    def records(self, kind: str) -> list[dict[str, Any]]:
        lines = self.records_file.read_text().splitlines() if self.records_file.exists() else []
        # The last line may be half written.
        parsed = [json.loads(line) for line in lines if line.endswith("}")]
        return [record for record in parsed if record["kind"] == kind]

    def send(self, **body: Any) -> None:
        self.stack.cloud.sqs.send_message(QueueUrl=self.queue("worker"), MessageBody=json.dumps(body))

    def queue(self, name: str) -> str:
        return f"{self.stack.endpoint_url}/123456789012/showrunner-{name}"

    def waiting(self, name: str) -> int:
        """Messages of a queue, visible or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.stack.cloud.sqs.get_queue_attributes(QueueUrl=self.queue(name), AttributeNames=names)  # type: ignore[arg-type]
        return sum(int(value) for value in answer["Attributes"].values())


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    laptop = Laptop(tmp_path_factory.mktemp("laptop"), concurrency=2)
    with laptop.stack:
        yield laptop


def ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


# --- functions --------------------------------------------------------------------------------------------------------


def test_a_function_runs_as_on_lambda(laptop: Laptop) -> None:
    answer = laptop.stack.invoke("probe", {"question": "é"})

    environment = answer["environment"]
    assert answer["event"] == {"question": "é"}
    assert answer["cwd"] == str(PROJECT / "functions" / "probe") == environment["LAMBDA_TASK_ROOT"]
    assert 0 < answer["remaining"] <= 6000
    assert answer["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:showrunner-Probe"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "200"
    assert environment["AWS_ENDPOINT_URL"] == laptop.stack.endpoint_url
    assert environment["QUEUE_URL_PREFIX"] == f"{laptop.stack.endpoint_url}/123456789012/showrunner-"
    assert environment["API"] == laptop.stack.base_url


def test_a_warm_process_is_used_again(laptop: Laptop) -> None:
    first = laptop.stack.invoke("probe", {})["pid"]

    assert laptop.stack.invoke("probe", {})["pid"] == first


def test_what_a_function_raises_reaches_the_caller_and_leaves_it_warm(laptop: Laptop) -> None:
    pid = laptop.stack.invoke("probe", {})["pid"]

    with pytest.raises(FunctionError, match="probe: ValueError: seven is odd") as caught:
        laptop.stack.invoke("probe", {"action": "raise", "message": "seven is odd"})

    assert "probe.py" in caught.value.trace[-1]
    assert laptop.stack.invoke("probe", {})["pid"] == pid


def test_a_crash_is_an_error_and_the_next_event_gets_a_new_process(laptop: Laptop) -> None:
    pid = laptop.stack.invoke("probe", {})["pid"]

    with pytest.raises(FunctionError, match="exit status 3"):
        laptop.stack.invoke("probe", {"action": "crash"})

    assert laptop.stack.invoke("probe", {})["pid"] != pid


def test_a_function_that_overruns_is_killed_with_its_children(laptop: Laptop, tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    with pytest.raises(FunctionError, match="timed out after 6 seconds"):
        laptop.stack.invoke("probe", {"action": "sleep", "seconds": 600, "pids": str(pids)})

    assert all(wait_until(lambda pid=pid: ended(pid), PATIENCE) for pid in json.loads(pids.read_text()))


def test_a_function_that_takes_too_much_memory_is_killed(laptop: Laptop) -> None:
    with pytest.raises(FunctionError, match="200 MB are allowed"):
        laptop.stack.invoke("probe", {"action": "allocate", "megabytes": 400})

    assert laptop.stack.invoke("probe", {})["event"] == {}


def test_an_unknown_function_is_named_with_those_there_are(laptop: Laptop) -> None:
    with pytest.raises(LookupError, match="no function sing; there are probe, worker"):
        laptop.stack.invoke("sing", {})


def test_what_a_function_prints_is_in_its_log(laptop: Laptop, tmp_path: Path) -> None:
    laptop.stack.invoke("probe", {"action": "whistle"})

    log = laptop.records_file.with_name("logs") / "probe.log"
    assert "probe was asked to whistle" in log.read_text()


# --- queues -----------------------------------------------------------------------------------------------------------


def test_a_message_arrives_as_lambda_would_send_it_and_is_deleted(laptop: Laptop) -> None:
    laptop.send(name="hello")

    assert wait_until(lambda: "hello" in {item["name"] for item in laptop.records("end")}, PATIENCE)
    record = next(item["record"] for item in laptop.records("end") if item["name"] == "hello")
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:showrunner-worker"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert wait_until(lambda: laptop.waiting("worker") == 0, PATIENCE)


def test_send_jobs_wakes_the_stage_with_the_organization_as_group(laptop: Laptop) -> None:
    job = {"id": "4a", "stage": "worker", "organization_id": "o1", "delay": 0}

    sent = laptop.stack.send_jobs([job])

    assert sent == 1

    def arrived() -> bool:
        records = [item["record"] for item in laptop.records("end")]
        return any(json.loads(record["body"]) == {"job_id": "4a"} for record in records)

    assert wait_until(arrived, PATIENCE)
    record = next(item["record"] for item in laptop.records("end") if "4a" in item["record"]["body"])
    assert record["attributes"]["MessageGroupId"] == "o1"


def test_only_the_failed_items_of_a_batch_are_delivered_again(laptop: Laptop) -> None:
    entries = [
        {"Id": name, "MessageBody": json.dumps({"name": name, "fail_until": int(name == "b2")})}
        for name in ("b1", "b2", "b3")
    ]

    laptop.stack.cloud.sqs.send_message_batch(QueueUrl=laptop.queue("worker"), Entries=entries)  # type: ignore[arg-type]

    def deliveries(name: str) -> list[int]:
        return [item["received"] for item in laptop.records("begin") if item["name"] == name]

    assert wait_until(lambda: deliveries("b2") == [1, 2], PATIENCE)
    assert wait_until(lambda: laptop.waiting("worker") == 0, PATIENCE)
    assert (deliveries("b1"), deliveries("b3")) == ([1], [1])


def test_a_message_whose_function_crashes_is_delivered_again(laptop: Laptop) -> None:
    laptop.send(name="fragile", crash_until=1)

    assert wait_until(lambda: "fragile" in {item["name"] for item in laptop.records("end")}, PATIENCE)
    assert [item["received"] for item in laptop.records("begin") if item["name"] == "fragile"] == [1, 2]


def test_a_message_that_always_fails_ends_in_the_dead_letters(laptop: Laptop) -> None:
    laptop.send(name="poison", fail_until=99)

    assert wait_until(lambda: laptop.waiting("worker-dead-letters") == 1, PATIENCE)
    assert [item["received"] for item in laptop.records("begin") if item["name"] == "poison"] == [1, 2, 3]


def test_no_more_run_at_once_than_the_stack_allows(laptop: Laptop) -> None:
    for number in range(12):
        laptop.send(name=f"slow {number}", seconds=0.1)

    assert wait_until(lambda: sum(str(i["name"]).startswith("slow") for i in laptop.records("end")) == 12, PATIENCE)
    events = [(item["at"], 1) for item in laptop.records("begin") if str(item["name"]).startswith("slow")]
    events += [(item["at"], -1) for item in laptop.records("end") if str(item["name"]).startswith("slow")]
    running_now, most = 0, 0
    for _, change in sorted(events):
        running_now += change
        most = max(most, running_now)
    assert most <= 2


# --- HTTP and objects -------------------------------------------------------------------------------------------------


def test_a_request_reaches_the_function_behind_the_route(laptop: Laptop) -> None:
    request = Request(f"{laptop.stack.base_url}/feeds/a%20b.xml?x=1&x=2", data=b"\x00\xff", method="POST")
    request.add_header("Content-Type", "application/octet-stream")

    with urlopen(request) as response:
        event = json.loads(response.read())["event"]

    assert event["version"] == "2.0"
    assert event["rawPath"] == "/feeds/a%20b.xml"
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["requestContext"]["http"]["method"] == "POST"
    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)


def test_a_function_that_fails_is_an_internal_error_to_the_client(laptop: Laptop) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(f"{laptop.stack.base_url}/?action=raise")

    with caught.value as response:
        assert (response.code, json.loads(response.read())) == (500, {"message": "Internal Server Error"})


def test_a_body_that_lambda_could_not_take_is_refused(laptop: Laptop) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(Request(f"{laptop.stack.base_url}/", data=b"x" * (7 << 20), method="POST"))

    with caught.value as response:
        assert response.code == 413


def test_a_page_of_an_allowed_origin_may_call(laptop: Laptop) -> None:
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}

    with urlopen(Request(f"{laptop.stack.base_url}/x", method="OPTIONS", headers=headers)) as response:
        allowed = dict(response.headers)

    assert allowed["access-control-allow-origin"] == "https://app.example"
    assert allowed["access-control-allow-methods"] == "GET,POST"


# --- life and death ---------------------------------------------------------------------------------------------------


def test_a_second_stack_does_not_share_the_state_folder(laptop: Laptop) -> None:
    second = Laptop(laptop.records_file.parent)

    with pytest.raises(StackError, match=f"another stack \\(process {os.getpid()}\\)"):
        second.stack.start()

    addresses = running(laptop.records_file.parent)
    assert addresses is not None
    assert addresses.base_url == laptop.stack.base_url


def test_a_start_waits_for_whoever_only_asks_whether_a_stack_is_running(tmp_path: Path, monkeypatch) -> None:
    asking = (tmp_path / "lock").open("a")
    fcntl.flock(asking, fcntl.LOCK_SH)
    monkeypatch.setattr(stack, "time", SimpleNamespace(sleep=lambda seconds: asking.close()))

    with stack._locked(tmp_path):
        assert asking.closed
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_a_schedule_invokes_its_function_again_and_again(tmp_path: Path) -> None:
    laptop = Laptop(tmp_path, schedule_seconds={"worker": 0.05})

    with laptop.stack:
        ticked = wait_until(lambda: len(laptop.records("tick")) >= 3, PATIENCE)

    assert ticked
    assert laptop.records("tick")[0]["event"]["source"] == "aws.scheduler"


def test_a_killed_cloud_is_started_again_with_its_objects(laptop: Laptop) -> None:
    cloud = laptop.stack.cloud
    cloud.s3.put_object(Bucket=laptop.stack.bucket, Key="before", Body=b"kept")
    (server,) = (item for item in marked(str(laptop.records_file.parent)) if "local.cloud_server" in item.cmdline())

    server.kill()
    server.wait()

    assert wait_until(lambda: cloud.answers, PATIENCE)
    assert cloud.s3.get_object(Bucket=laptop.stack.bucket, Key="before")["Body"].read() == b"kept"
    laptop.send(name="after the restart")
    assert wait_until(lambda: "after the restart" in {item["name"] for item in laptop.records("end")}, PATIENCE)


HOST = """
import sys
from pathlib import Path
from local.processes import interrupt_on_signals
from tests.integration.test_laptop_stack import Laptop
interrupt_on_signals()
laptop = Laptop(Path(sys.argv[1]))
with laptop.stack:
  laptop.stack.cloud.s3.put_object(Bucket=laptop.stack.bucket, Key="kept/a.txt", Body=b"kept", ContentType="text/plain")
  laptop.stack.invoke("probe", {"action": "sleep", "seconds": 600, "pids": str(Path(sys.argv[1]) / "pids")})
"""


def test_a_host_that_is_asked_to_end_leaves_no_process_and_frees_the_folder(tmp_path: Path) -> None:
    host = subprocess.Popen([sys.executable, "-c", HOST, str(tmp_path)], cwd=ROOT, stderr=subprocess.PIPE)
    assert wait_until((tmp_path / "pids").exists, PATIENCE)
    children = psutil.Process(host.pid).children(recursive=True)

    host.send_signal(signal.SIGTERM)
    _, complaint = host.communicate(timeout=PATIENCE)

    assert complaint.decode().splitlines()[-1] == "KeyboardInterrupt"
    assert all(ended(child.pid) for child in children)
    assert running(tmp_path) is None


def killed_host(state: Path, *, reaper_too: bool) -> list[psutil.Process]:
    """What a host had started when it was killed in the middle of an invocation."""
    host = subprocess.Popen([sys.executable, "-c", HOST, str(state)], cwd=ROOT, stdout=subprocess.PIPE)
    pids = state / "pids"
    assert wait_until(pids.exists, PATIENCE)
    children = psutil.Process(host.pid).children(recursive=True)
    if reaper_too:
        for child in children:
            if "reaper.py" in " ".join(child.cmdline()):
                child.kill()
    host.kill()
    host.communicate()
    return children


def test_a_host_killed_by_force_leaves_no_process(tmp_path: Path) -> None:
    children = killed_host(tmp_path, reaper_too=False)

    assert len(children) >= 4
    assert wait_until(lambda: all(ended(child.pid) for child in children), PATIENCE)


def test_the_next_start_ends_what_was_left_and_finds_the_objects(tmp_path: Path) -> None:
    children = killed_host(tmp_path, reaper_too=True)
    left = [child for child in children if not ended(child.pid)]

    with Laptop(tmp_path).stack as stack:
        found = stack.cloud.s3.get_object(Bucket=stack.bucket, Key="kept/a.txt")
        kept = (found["Body"].read(), found["ContentType"])

    assert left
    assert all(ended(child.pid) for child in left)
    assert kept == (b"kept", "text/plain")


def test_a_stopped_stack_leaves_no_process(tmp_path: Path) -> None:
    laptop = Laptop(tmp_path)
    laptop.stack.start()
    laptop.stack.invoke("probe", {})
    started = list(marked(str(tmp_path)))

    laptop.stack.stop()

    assert len(started) >= 2
    assert all(ended(process.pid) for process in started)
    assert running(tmp_path) is None
