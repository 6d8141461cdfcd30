"""Sample events: what a developer gives `showrunner invoke`, so they must be what AWS sends."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from showrunner.messages import WakeUp
from tests.rigs.sam import ROOT, Sam, stages

EVENTS = ROOT / "events"
CASES = sorted(EVENTS.glob("*/*.json"))


def read(path: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(path.read_text())
    return event


def test_every_function_has_a_sample_and_every_sample_a_function(sam: Sam) -> None:
    assert {path.parent.name for path in CASES} == set(sam.functions)


@pytest.mark.parametrize("stage", sorted(stages()))
def test_a_stage_is_woken_by_a_job_id(stage: str) -> None:
    [record] = read(EVENTS / stage / "job.json")["Records"]

    assert record["eventSource"] == "aws:sqs"
    assert record["messageId"]
    assert WakeUp.model_validate_json(record["body"]).job_id.version == 4


def test_a_malformed_message_is_dropped_without_asking_the_database() -> None:
    handler = importlib.import_module("speak_line").lambda_handler
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000, log_stream_name="stream")

    reply = handler(read(EVENTS / "speak_line" / "malformed.json"), context)

    assert reply == {"batchItemFailures": []}


@pytest.mark.parametrize("folder", ["deliver_webhooks", "maintain", "schedule_episodes", "sweep_jobs"])
def test_a_schedule_sends_a_tick(folder: str) -> None:
    tick = read(EVENTS / folder / "tick.json")

    assert tick["source"] == "aws.scheduler"
    assert tick["detail-type"] == "Scheduled Event"


@pytest.mark.parametrize("path", sorted((EVENTS / "api").glob("*.json")), ids=lambda path: path.stem)
def test_the_http_api_sends_payload_version_2(path: Path) -> None:
    event = read(path)

    assert event["version"] == "2.0"
    assert event["rawPath"] == event["requestContext"]["http"]["path"]
    assert event["requestContext"]["http"]["method"] in ("GET", "HEAD", "POST")
