"""What is wrong with a message harms nobody: it is dropped, said so in the log, and the queue goes on."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.rigs.laptop import OFFLINE_SPEAKERS

HUGE = 250_000


@pytest.fixture(scope="module")
def finished(running_stack):
    """A completed production, and nothing left to do."""
    laptop = running_stack.laptop
    production = laptop.request(laptop.show(speakers=OFFLINE_SPEAKERS))
    laptop.wait_until_completed(production)
    open_jobs = "select id from public.jobs where status in ('queued', 'running')"
    laptop.wait(lambda: not laptop.rows(open_jobs), "the episodes are reviewed")
    return production


def queue_url(stack, stage):
    urls = stack.cloud.sqs.list_queues()["QueueUrls"]
    [url] = [url for url in urls if urlsplit(url).path.endswith(f"-{stage}") or url.endswith(f"/{stage}")]
    return url


def waiting(stack, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = stack.cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(counts[name]) for name in names)


def snapshot(laptop):
    return laptop.rows("select id, status, attempt, fails, output_hash, xmin::text from public.jobs order by id")


def job_of(laptop, production, stage):
    return laptop.rows("select id from public.jobs where production_id = %s and stage = %s limit 1", production, stage)[
        0
    ][0]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("speak, please", id="not JSON"),
        pytest.param("[1, 2]", id="a list"),
        pytest.param('{"job_id": 5}', id="a number for an id"),
        pytest.param('{"job_id": "all"}', id="a word for an id"),
        pytest.param('{"id": "00000000-0000-4000-8000-000000000000"}', id="another field"),
        pytest.param(json.dumps({"job_id": str(uuid.UUID(int=1)), "text": "say this"}), id="a field too many"),
        pytest.param("é\u2028" * (HUGE // 5), id="huge"),
    ],
)
def test_a_message_that_is_no_wake_up_is_dropped_and_logged(running_stack, stack, laptop, finished, body):
    url, log = queue_url(stack, "speak-line"), Path(running_stack.state / "logs" / "speak_line.log")
    before, size = snapshot(laptop), log.stat().st_size
    earlier = waiting(stack, url)  # a function that another test killed has not given its message back yet

    stack.cloud.sqs.send_message(QueueUrl=url, MessageBody=body)

    laptop.wait(lambda: b"Dropped a message" in log.read_bytes()[size:], "the message is logged")
    laptop.wait(lambda: waiting(stack, url) <= earlier, "the message is gone")
    said = log.read_bytes()[size:].decode()
    assert snapshot(laptop) == before
    assert "Traceback" not in said
    assert body[:40] not in said


def test_a_message_for_a_job_that_does_not_exist_changes_nothing(running_stack, stack, laptop, finished):
    url, log = queue_url(stack, "speak-line"), Path(running_stack.state / "logs" / "speak_line.log")
    before, size = snapshot(laptop), log.stat().st_size

    earlier = waiting(stack, url)
    stack.cloud.sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"job_id": str(uuid.uuid4())}))

    laptop.wait(lambda: b'"outcome":"missing"' in log.read_bytes()[size:], "the message is logged")
    laptop.wait(lambda: waiting(stack, url) <= earlier, "the message is gone")
    assert snapshot(laptop) == before


def test_a_finished_job_is_not_done_again_by_a_late_message_on_any_queue(running_stack, stack, laptop, finished):
    done = job_of(laptop, finished, "master_episode")
    before = snapshot(laptop)
    logs = {stage: running_stack.state / "logs" / f"{stage}.log" for stage in ("speak_line", "master_episode")}
    sizes = {stage: log.stat().st_size for stage, log in logs.items()}

    for stage in logs:
        url = queue_url(stack, stage.replace("_", "-"))
        stack.cloud.sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"job_id": str(done)}))

    for stage, log in logs.items():
        laptop.wait(lambda log=log, stage=stage: b'"outcome":"terminal"' in log.read_bytes()[sizes[stage] :], stage)
    assert snapshot(laptop) == before


def test_a_wake_up_on_the_wrong_queue_reaches_the_right_function(stack, laptop):
    show = laptop.show(speakers=OFFLINE_SPEAKERS)
    production = laptop.request(show)
    first = job_of(laptop, production, "ingest_sources")

    stack.cloud.sqs.send_message(
        QueueUrl=queue_url(stack, "publish-episode"), MessageBody=json.dumps({"job_id": str(first)})
    )

    laptop.wait_until_completed(production)
    laptop.assert_books_balance(production)
