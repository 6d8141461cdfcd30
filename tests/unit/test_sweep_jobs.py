"""The sweep goes on past a job that cannot be taken back, and stops when Postgres is away."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

import psycopg
import pytest

from showrunner.engine import Finish
from showrunner.messages import JobToSend
from tests.rigs.line import ListDispatcher, function

LOST = [(uuid.UUID(int=number), 1) for number in range(3)]
DUE = JobToSend(id=uuid.UUID(int=9), stage="speak_line", organization_id=uuid.UUID(int=1))


class Engine:
    """Has three lost jobs and a due one; `error` is raised for the first."""

    def __init__(self, error):
        self.error = error
        self.failed = []

    def expired(self, limit):
        return LOST

    def fail(self, job_id, attempt, kind, message):
        if job_id == LOST[0][0]:
            raise self.error
        self.failed.append(job_id)
        return Finish(accepted=True, status="queued", retry_seconds=0.0, next=())

    def sweep(self, limit):
        return [DUE]


def test_a_lost_job_that_postgres_refuses_to_end_does_not_keep_the_others_waiting():
    services = SimpleNamespace(engine=Engine(psycopg.errors.UndefinedColumn()), dispatcher=ListDispatcher())

    counts = function("sweep_jobs").sweep(services)

    assert services.engine.failed == [job for job, _ in LOST[1:]]
    assert counts == {"lost": 2, "ready": 1, "sent": 1}


def test_an_outage_ends_the_sweep():
    services = SimpleNamespace(engine=Engine(psycopg.errors.AdminShutdown()), dispatcher=ListDispatcher())

    with pytest.raises(psycopg.errors.AdminShutdown):
        function("sweep_jobs").sweep(services)

    assert services.engine.failed == []
