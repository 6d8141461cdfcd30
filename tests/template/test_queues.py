"""What the template promises of queues, of what feeds from them and of schedules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rigs.sam import Sam, as_list

FOURTEEN_DAYS = 14 * 24 * 3600


@pytest.fixture(scope="module")
def stage_queues(sam: Sam) -> dict[str, dict[str, Any]]:
    """Queues that feed a function, by logical id."""
    names = {event["Queue"].removesuffix(".Arn") for events in sam.events("SQS").values() for event in events}
    return {name: sam.of_type("SQS::Queue")[name] for name in sorted(names)}


@pytest.fixture(scope="module")
def dead_letters(sam: Sam, stage_queues: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: queue for name, queue in sam.of_type("SQS::Queue").items() if name not in stage_queues}


def test_a_message_stays_hidden_six_times_as_long_as_its_function_may_run(sam: Sam) -> None:
    for folder, events in sam.events("SQS").items():
        for event in events:
            queue = sam.of_type("SQS::Queue")[event["Queue"].removesuffix(".Arn")]
            assert queue["VisibilityTimeout"] >= 6 * sam.functions[folder]["Timeout"], folder


def test_every_stage_queue_gives_up_after_five_receipts_into_a_queue_of_its_own(
    stage_queues: dict[str, dict[str, Any]], dead_letters: dict[str, dict[str, Any]]
) -> None:
    targets = [queue["RedrivePolicy"]["deadLetterTargetArn"].removesuffix(".Arn") for queue in stage_queues.values()]

    assert [queue["RedrivePolicy"]["maxReceiveCount"] for queue in stage_queues.values()] == [5] * len(stage_queues)
    assert len(set(targets)) == len(targets)
    assert set(targets) <= set(dead_letters)


def test_dead_letters_are_kept_for_as_long_as_sqs_can(dead_letters: dict[str, dict[str, Any]]) -> None:
    for name, queue in dead_letters.items():
        assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS, name


def test_every_queue_is_encrypted(sam: Sam) -> None:
    for name, queue in sam.of_type("SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True, name


def test_every_queue_refuses_what_is_not_tls(sam: Sam) -> None:
    refused: set[str] = set()
    for policy in sam.of_type("SQS::QueuePolicy").values():
        [statement] = policy["PolicyDocument"]["Statement"]
        assert statement["Effect"] == "Deny"
        assert statement["Principal"] == "*"
        assert statement["Action"] == "sqs:*"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}
        assert as_list(statement["Resource"]) == [f"{queue}.Arn" for queue in policy["Queues"]]
        refused |= set(policy["Queues"])

    assert refused == set(sam.of_type("SQS::Queue"))


def test_a_failed_message_does_not_take_its_batch_with_it(sam: Sam) -> None:
    events = [event for events in sam.events("SQS").values() for event in events]

    assert [event["FunctionResponseTypes"] for event in events] == [["ReportBatchItemFailures"]] * len(events)


def test_no_stage_may_take_all_the_account_has(sam: Sam) -> None:
    for folder, events in sam.events("SQS").items():
        for event in events:
            assert event["ScalingConfig"]["MaximumConcurrency"] >= 2, folder


def test_a_batch_of_one_for_all_but_short_jobs(sam: Sam) -> None:
    sizes = {folder: event["BatchSize"] for folder, events in sam.events("SQS").items() for event in events}

    assert {folder: size for folder, size in sizes.items() if size > 1} == {"speak_line": 5}


def test_waiting_work_alarms_for_every_stage(sam: Sam, stage_queues: dict[str, dict[str, Any]]) -> None:
    for name in stage_queues:
        [alarm] = sam.alarms("ApproximateAgeOfOldestMessage", "QueueName", f"{name}.QueueName")
        assert alarm["AlarmActions"] == ["topic"], name


def test_the_first_dead_letter_alarms(sam: Sam, dead_letters: dict[str, dict[str, Any]]) -> None:
    for name in dead_letters:
        [alarm] = sam.alarms("ApproximateNumberOfMessagesVisible", "QueueName", f"{name}.QueueName")
        assert alarm["AlarmActions"] == ["topic"], name
        assert alarm["Threshold"] == 1, name


def test_the_scheduled_functions_tick_as_often_as_recovery_needs(sam: Sam) -> None:
    rates = {
        folder: [event["ScheduleExpression"] for event in events]
        for folder, events in sam.events("ScheduleV2").items()
        if events
    }

    assert rates == {
        "schedule_episodes": ["rate(1 minute)"],
        "sweep_jobs": ["rate(1 minute)"],
        "deliver_webhooks": ["rate(1 minute)"],
        "maintain": ["rate(1 hour)"],
    }


def test_a_tick_is_retried_and_then_kept(sam: Sam, dead_letters: dict[str, dict[str, Any]]) -> None:
    for folder, events in sam.events("ScheduleV2").items():
        for event in events:
            assert event["RetryPolicy"]["MaximumRetryAttempts"] >= 1, folder
            assert event["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 3600, folder
            assert event["DeadLetterConfig"]["Arn"].removesuffix(".Arn") in dead_letters, folder
