"""Wake-ups as they go to SQS."""

from __future__ import annotations

import json
import uuid

from showrunner.messages import Dispatcher, JobToSend


class Queues:
    """Takes batches as SQS does; `refused` ids are answered as failed."""

    def __init__(self, refused=()):
        self.batches = []
        self.refused = set(refused)

    def send_message_batch(self, QueueUrl, Entries):
        self.batches.append((QueueUrl, Entries))
        taken = [entry for entry in Entries if entry["Id"] not in self.refused]
        return {"Successful": [{"Id": entry["Id"]} for entry in taken]}


def jobs(count, stage="speak_line", delay=0.0):
    organization = uuid.uuid4()
    return [JobToSend(id=uuid.uuid4(), stage=stage, organization_id=organization, delay=delay) for _ in range(count)]


def test_a_message_is_the_job_id_and_nothing_else():
    queues, (job,) = Queues(), jobs(1)

    Dispatcher(queues, "https://queues/showrunner-").send([job])

    ((url, (entry,)),) = queues.batches
    assert url == "https://queues/showrunner-speak-line"
    assert json.loads(entry["MessageBody"]) == {"job_id": str(job.id)}
    assert entry["MessageGroupId"] == str(job.organization_id)


def test_messages_travel_ten_at_a_time():
    queues = Queues()

    sent = Dispatcher(queues, "q-").send(jobs(25))

    assert sent == 25
    assert [len(entries) for _, entries in queues.batches] == [10, 10, 5]


def test_each_stage_has_its_own_queue():
    queues = Queues()

    Dispatcher(queues, "q-").send([*jobs(1, "speak_line"), *jobs(1, "write_script"), *jobs(1, "speak_line")])

    assert sorted((url, len(entries)) for url, entries in queues.batches) == [
        ("q-speak-line", 2),
        ("q-write-script", 1),
    ]


def test_a_delayed_message_comes_not_before_its_job_is_due():
    queues = Queues()

    Dispatcher(queues, "q-").send(jobs(1, delay=0.2) + jobs(1, delay=30.4))

    assert [entry["DelaySeconds"] for _, entries in queues.batches for entry in entries] == [1, 31]


def test_a_delay_that_sqs_cannot_hold_is_left_to_the_sweeper():
    queues = Queues()

    sent = Dispatcher(queues, "q-").send(jobs(1, delay=901) + jobs(1, delay=900))

    assert sent == 1
    assert [entry["DelaySeconds"] for _, entries in queues.batches for entry in entries] == [900]


def test_a_refused_message_is_not_counted_and_not_an_error():
    ready = jobs(3)

    assert Dispatcher(Queues(refused=[str(ready[1].id)]), "q-").send(ready) == 2


def test_jobs_may_come_as_the_engine_returns_them():
    queues, (job,) = Queues(), jobs(1)

    sent = Dispatcher(queues, "q-").send([job.model_dump(mode="json")])

    assert sent == 1
