"""The stage function `sing` over a real database, with a list for a queue."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from showrunner.services import Services
from showrunner.settings import Settings
from showrunner.stage import Deferral, Job, JobInput, JobOutput, Outcome, Run, stage_handler
from tests.rigs.engine import Rig, Row, Stage
from tests.rigs.line import Context, ListDispatcher


class SingInput(JobInput):
    text: str
    upstream: list[str] | None


class SingOutput(JobOutput):
    sung: str


def sing(job: Job[SingInput], services: Services) -> Outcome:
    return Outcome(SingOutput(sung=job.input.text))


class Singer:
    """The function `sing` over a real database, with a list for a queue."""

    def __init__(self, rig: Rig, **settings: Any) -> None:
        self.rig = rig
        self.services = Services(Settings(database_url=rig.login_url, **settings))
        self.services.dispatcher = self.queue = ListDispatcher()
        self.production = rig.start(rig.pipeline("song", [Stage("sing"), Stage("mix", after=("sing",))]), sing=1, mix=1)
        self.job_id = rig.jobs(self.production)[0]["id"]
        self.runs = 0

    @property
    def job(self) -> Row:
        return self.rig.job(self.job_id)

    @property
    def sent(self) -> list[tuple[str, UUID]]:
        return [(job.stage, job.id) for job in self.queue.ready]

    def receive(
        self, run: Run[SingInput] = sing, *bodies: str, stage: str = "sing", context: Any = None
    ) -> list[dict[str, str]]:
        """What the function answers to a batch of these messages, or to the one that wakes its job: which failed."""

        def counted(job: Job[SingInput], services: Services) -> Outcome | Deferral:
            self.runs += 1
            return run(job, services)

        bodies = bodies or (json.dumps({"job_id": str(self.job_id)}),)
        records = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
        handler = stage_handler(stage, SingInput, counted, self.services)
        failures: list[dict[str, str]] = handler({"Records": records}, context or Context())["batchItemFailures"]
        return failures
