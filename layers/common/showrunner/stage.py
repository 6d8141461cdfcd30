"""What every stage function is: claim, heartbeat, run, finish, dispatch.

A stage module gives an input model, an output model and a `run`; `stage_handler` makes the Lambda handler of it:

    lambda_handler = stage_handler("speak_line", SpeakLineInput, run)

No transaction is open while `run` works. A message is only a wake-up: whatever is wrong with it is logged and
dropped, since the job's row is the truth and the sweeper sends it again. The handler fails a message only when
Postgres cannot be reached, so that the dead-letter queue means exactly that.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

import psycopg
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, ValidationError

from showrunner.database import Statement, is_outage
from showrunner.engine import Claim, Engine, Finish
from showrunner.errors import ErrorKind, InvalidInput, StageError
from showrunner.heartbeat import Heartbeat
from showrunner.messages import JobToSend, WakeUp
from showrunner.metrics import count_job
from showrunner.services import Services
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

logger = Logger()

# What finishing takes at most: a job whose time is up to here is not started.
FINISH_SECONDS = 5.0


class JobInput(BaseModel):
    """A job's whole input, as the stage's desired-jobs view builds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class JobOutput(BaseModel):
    """What later stages read. No times and no random ids: equal work must give an equal hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Input = TypeVar("Input", bound=JobInput)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A job's result, and the domain rows that are written with it in one transaction."""

    output: JobOutput
    statements: Sequence[Statement] = ()


@dataclass(frozen=True, slots=True)
class Deferral:
    """The work goes on elsewhere: look again in `seconds` with `state`. Holds no slot and counts no failure."""

    seconds: float
    state: dict[str, Any]


@dataclass
class Job(Generic[Input]):
    """One granted attempt. `input_hash` is hexadecimal SHA-256; `state` is what a deferral or a refusal left."""

    id: UUID
    production_id: UUID
    organization_id: UUID
    subject_id: UUID
    stage: str
    key: str
    attempt: int
    input: Input
    input_hash: str
    state: dict[str, Any]
    deadline: float
    pulse: Heartbeat
    engine: Engine
    calls: list[ProviderCall] = field(default_factory=list)

    def remaining_seconds(self) -> float:
        """Return how long the work may still take, with the time to finish already taken off."""
        return self.deadline - FINISH_SECONDS - time.monotonic()

    def progress(self, fraction: float) -> None:
        """Note progress, 0 to 1; it travels with the next heartbeat."""
        self.pulse.progress = min(max(fraction, 0.0), 1.0)

    def raise_if_cancelled(self) -> None:
        """Raise `StopWork` once the attempt is no longer wanted."""
        if self.pulse.stopped:
            raise StopWork

    def write(self, statements: Sequence[Statement]) -> None:
        """Write domain rows before the job is done, as what people watch; raise `StopWork` when it is not wanted."""
        if not self.engine.write(self.id, self.attempt, statements):
            raise StopWork

    def record(self, call: ProviderCall, *, immediately: bool = False) -> None:
        """Count a provider call, whether the job succeeds or not. `immediately` writes it down before going on."""
        self.calls.append(call)
        if immediately:
            self.engine.record_usage(self.id, self.attempt, self.calls)


class StopWork(Exception):
    """The lease was lost or the production was cancelled: whatever this attempt made is not wanted any more."""


Run = Callable[[Job[Input], Services], Outcome | Deferral]
Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def stage_handler(stage: str, input_model: type[Input], run: Run[Input], services: Services | None = None) -> Handler:
    """Return the Lambda handler of a stage. `services` is given by tests; a function makes its own when first used."""
    made: list[Services] = [] if services is None else [services]

    def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        if not made:
            made.append(Services(Settings.from_environment()))
        worker = _Worker(stage, input_model, run, made[0], context)
        failures = []
        records = event.get("Records", ())
        for record, following in zip_longest(records, records[1:]):
            try:
                worker.handle(record, following)
            except psycopg.Error as error:
                logger.error("Postgres cannot be reached; the message will come again", error=type(error).__name__)
                failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    return lambda_handler


class _Worker(Generic[Input]):
    """Works off the messages of one invocation. What it has claimed ahead is in `_claimed`, by the job's id."""

    def __init__(
        self, stage: str, input_model: type[Input], run: Run[Input], services: Services, context: LambdaContext
    ) -> None:
        self._stage = stage
        self._input_model = input_model
        self._run = run
        self._services = services
        self._context = context
        self._claimed: dict[UUID, Claim] = {}

    def handle(self, record: dict[str, Any], following: dict[str, Any] | None) -> None:
        """Do one message's job. The job of the `following` one is claimed with the completion of this one's."""
        try:
            wake_up = WakeUp.model_validate_json(record.get("body") or "")
        except ValidationError as error:
            logger.error('Dropped a message: body: expected {"job_id": "<uuid>"}', problem=error.errors()[0]["msg"])
            return
        deadline = time.monotonic() + self._context.get_remaining_time_in_millis() / 1000
        lease_seconds, beats = self._lease(deadline)
        claim = self._claimed.pop(wake_up.job_id, None)
        if claim is None:
            if _is_late(deadline):
                logger.warning("No time is left for this job; the sweeper sends it again", job_id=wake_up.job_id)
                return
            claim = self._services.engine.claim(wake_up.job_id, _owner(self._context), lease_seconds)
        self._dispatch(claim.next)
        if claim.outcome != "granted":
            logger.info("Nothing to do", job_id=wake_up.job_id, outcome=claim.outcome)
            self._send_again(claim, wake_up)
            return
        if claim.stage != self._stage:
            # A wake-up on the wrong queue: give the job back and wake the right function.
            finish = self._services.engine.defer(wake_up.job_id, claim.attempt, 0.0, claim.state, ())
            self._dispatch(finish.next)
            return
        with logger.append_context_keys(
            job_id=str(wake_up.job_id),
            production_id=str(claim.production_id),
            organization_id=str(claim.organization_id),
            attempt=claim.attempt,
        ):
            self._work(wake_up.job_id, claim, deadline, lease_seconds if beats else None, _job_of(following))

    def _lease(self, deadline: float) -> tuple[float, bool]:
        """Return the lease in seconds and whether it is renewed by heartbeats."""
        whole = deadline - time.monotonic() + FINISH_SECONDS
        longest = self._services.settings.lease_seconds
        return (whole, False) if whole <= longest else (longest, True)

    def _work(
        self,
        job_id: UUID,
        claim: Claim,
        deadline: float,
        lease_seconds: float | None,
        next_job_id: UUID | None,
    ) -> None:
        started = time.monotonic()
        engine = self._services.engine
        calls: list[ProviderCall] = []
        pulse = Heartbeat(engine, job_id, claim.attempt, lease_seconds)
        try:
            with pulse:
                job = self._job(job_id, claim, deadline, pulse, calls)
                result = self._run(job, self._services)
            if isinstance(result, Deferral):
                finish = engine.defer(job_id, claim.attempt, result.seconds, result.state, calls)
            else:
                finish = self._complete(job_id, claim, result, calls, deadline, next_job_id)
            kind = "succeeded" if finish.accepted else "not_accepted"
        except StopWork:
            kind = ErrorKind.CANCELLED.value
            finish = engine.fail(job_id, claim.attempt, ErrorKind.CANCELLED, "Stopped.", None, calls)
        except StageError as error:
            kind = error.kind.value
            paid = [*calls, *error.calls]
            finish = engine.fail(job_id, claim.attempt, error.kind, error.message, error.retry_after, paid)
            logger.warning("Job failed", kind=kind, reason=error.message, status=finish.status)
        except Exception as error:
            if is_outage(error):
                raise
            kind = ErrorKind.INTERNAL.value
            logger.exception("A bug in this stage")
            message = (
                f"An internal error ({type(error).__name__}) stopped this step; the function's log has the details."
            )
            finish = engine.fail(job_id, claim.attempt, ErrorKind.INTERNAL, message, None, calls)
        seconds = time.monotonic() - started
        logger.info("Job finished", kind=kind, accepted=finish.accepted, seconds=round(seconds, 3))
        count_job(self._stage, kind, seconds)
        self._dispatch(_retry_of(job_id, claim, finish) + list(finish.next))

    def _complete(
        self,
        job_id: UUID,
        claim: Claim,
        result: Outcome,
        calls: list[ProviderCall],
        deadline: float,
        next_job_id: UUID | None,
    ) -> Finish:
        """Complete the job, and claim the next in the same round trip where there is one and time for it."""
        engine = self._services.engine
        output = result.output.model_dump(mode="json")
        done = (job_id, claim.attempt, output, hash_of(output), calls, result.statements)
        if next_job_id is None or _is_late(deadline):
            return engine.complete(*done)
        lease_seconds, _ = self._lease(deadline)
        finish, ahead = engine.complete_and_claim(*done, next_job_id, _owner(self._context), lease_seconds)
        if ahead is not None:
            self._claimed[next_job_id] = ahead
        return finish

    def _job(
        self, job_id: UUID, claim: Claim, deadline: float, pulse: Heartbeat, calls: list[ProviderCall]
    ) -> Job[Input]:
        try:
            value = self._input_model.model_validate(claim.input)
        except ValidationError as error:
            raise _invalid(error) from error
        return Job(
            id=job_id,
            production_id=claim.production_id,
            organization_id=claim.organization_id,
            subject_id=claim.subject_id,
            stage=claim.stage,
            key=claim.key,
            attempt=claim.attempt,
            input=value,
            input_hash=claim.input_hash,
            state=claim.state,
            deadline=deadline,
            pulse=pulse,
            engine=self._services.engine,
            calls=calls,
        )

    def _send_again(self, claim: Claim, wake_up: WakeUp) -> None:
        """A message that came before its time is sent once more for when the job is due."""
        if claim.outcome == "not_due":
            again = JobToSend(
                id=wake_up.job_id,
                stage=claim.stage,
                organization_id=claim.organization_id,
                delay=max(claim.wait_seconds, 0.0),
            )
            self._dispatch([again])

    def _dispatch(self, jobs: Sequence[JobToSend]) -> None:
        """Wake the next functions. A failure here costs time and nothing else: the sweeper sends what is due."""
        if not jobs:
            return
        try:
            self._services.dispatcher.send(jobs)
        except Exception:
            logger.warning("Dispatch failed; the sweeper will send these jobs", jobs=len(jobs), exc_info=True)


def hash_of(output: dict[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON (sorted keys, no spaces), hexadecimal."""
    canonical = json.dumps(output, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _is_late(deadline: float) -> bool:
    return deadline - time.monotonic() <= FINISH_SECONDS


def _job_of(record: dict[str, Any] | None) -> UUID | None:
    """Return the job that a message wakes; what is wrong with the message is said when its turn comes."""
    try:
        return None if record is None else WakeUp.model_validate_json(record.get("body") or "").job_id
    except ValidationError:
        return None


def _retry_of(job_id: UUID, claim: Claim, finish: Finish) -> list[JobToSend]:
    if finish.retry_seconds is None:
        return []
    return [
        JobToSend(
            id=job_id, stage=claim.stage, organization_id=claim.organization_id, delay=max(finish.retry_seconds, 0.0)
        )
    ]


def _invalid(error: ValidationError) -> StageError:
    first = error.errors()[0]
    return InvalidInput(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}.")


def _owner(context: LambdaContext) -> str:
    """Return who holds the lease: the log stream names the execution environment."""
    return f"{context.log_stream_name or os.getpid()}/{getattr(context, 'aws_request_id', uuid4())}"
