"""The Python face of schema `engine`: one method, one SQL function, one transition, one round trip; safe to repeat."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from showrunner.database import Database, Statement
from showrunner.errors import ErrorKind
from showrunner.messages import JobToSend
from showrunner.usage import ProviderCall

# Raised by engine.fence, see supabase/migrations/*_engine_jobs.sql.
_NOT_MINE = "SR001"
_ALREADY_ACCEPTED = "SR002"


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to a claim. From `attempt` to `state` all is set only when `outcome` is `granted`.

    `next` are jobs to send: room that this one was offered and could not use, or that its provider has besides.
    """

    outcome: str
    wait_seconds: float
    attempt: int
    production_id: UUID
    organization_id: UUID
    subject_id: UUID
    stage: str
    key: str
    input: dict[str, Any]
    input_hash: str
    state: dict[str, Any]
    next: tuple[JobToSend, ...] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """What the engine made of an outcome. `accepted` is false for a zombie; `retry_seconds` is set for a retry."""

    accepted: bool
    status: str | None
    retry_seconds: float | None
    next: tuple[JobToSend, ...]


@dataclass(frozen=True, slots=True)
class Pulse:
    """The answer to a heartbeat: whether the attempt is still the job's, and whether its result is still wanted."""

    alive: bool
    cancel: bool


class Engine:
    """Every method raises `psycopg.Error` when Postgres cannot be reached; calling again is safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, job_id: UUID, owner: str, lease_seconds: float) -> Claim:
        """Try to run a job for `lease_seconds`; the claim's outcome says why not."""
        return _claim(self._database.call("select * from engine.claim(%s, %s, %s)", (job_id, owner, lease_seconds))[0])

    def heartbeat(self, job_id: UUID, attempt: int, lease_seconds: float, progress: float | None) -> Pulse:
        """Renew the lease from now on; `progress` is 0 to 1, or None to leave it as it was."""
        row = self._database.call(
            "select * from engine.heartbeat(%s, %s, %s, %s)", (job_id, attempt, lease_seconds, progress)
        )[0]
        return Pulse(**row)

    def record_usage(self, job_id: UUID, attempt: int, calls: Sequence[ProviderCall]) -> None:
        """Count all calls of the attempt so far. A call that was counted before is not counted again."""
        self._database.call("select engine.record_usage(%s, %s, %s)", (job_id, attempt, _usage(calls)))

    def write(self, job_id: UUID, attempt: int, statements: Sequence[Statement]) -> bool:
        """Write domain rows while the work goes on; False, and nothing written, when the attempt may not finish."""
        return self._behind_fence(job_id, attempt, statements) is not None

    def complete(
        self,
        job_id: UUID,
        attempt: int,
        output: dict[str, Any],
        output_hash: str,
        calls: Sequence[ProviderCall],
        statements: Sequence[Statement] = (),
    ) -> Finish:
        """Write the domain rows and complete the job in one transaction, or neither.

        The fence comes first: it locks the job, its stage and its production in the engine's order, and raises when
        the attempt is no longer the job's. A zombie's usage is recorded all the same.
        """
        complete = Statement(
            "select accepted, null as status, null as retry_seconds, next from engine.complete(%s, %s, %s, %s, %s)",
            (job_id, attempt, Jsonb(output), output_hash, _usage(calls)),
        )
        rows = self._behind_fence(job_id, attempt, [*statements, complete]) if statements else None
        return _finish((rows or self._database.run([complete]))[0])

    def complete_and_claim(
        self,
        job_id: UUID,
        attempt: int,
        output: dict[str, Any],
        output_hash: str,
        calls: Sequence[ProviderCall],
        statements: Sequence[Statement],
        next_job_id: UUID,
        owner: str,
        lease_seconds: float,
    ) -> tuple[Finish, Claim | None]:
        """Do what `complete` does and claim the next job in the same transaction and round trip.

        No claim comes back where the next job has to be claimed by itself: somebody else is at it or at its provider,
        or the attempt was not the job's any more. The jobs to send of both are the finish's.
        """
        both = Statement(
            "select * from engine.complete_and_claim(%s, %s, %s, %s, %s, %s, %s, %s)",
            (job_id, attempt, Jsonb(output), output_hash, _usage(calls), next_job_id, owner, lease_seconds),
        )
        rows = self._behind_fence(job_id, attempt, [*statements, both]) if statements else self._database.run([both])
        if rows is None:
            return self.complete(job_id, attempt, output, output_hash, calls), None
        (row,) = rows
        finish = Finish(row.pop("accepted"), None, None, tuple(_jobs(row.pop("next"))))
        return finish, None if row["outcome"] == "contended" else _claim({**row, "next": ()})

    def _behind_fence(self, job_id: UUID, attempt: int, statements: Sequence[Statement]) -> list[dict[str, Any]] | None:
        """Return the rows of the last statement; None, and nothing done, when the attempt may not finish any more."""
        fence = Statement("select engine.fence(%s, %s)", (job_id, attempt))
        try:
            return self._database.run([fence, *statements])
        except psycopg.Error as error:
            if error.sqlstate in (_NOT_MINE, _ALREADY_ACCEPTED):
                return None
            raise

    def fail(
        self,
        job_id: UUID,
        attempt: int,
        kind: ErrorKind,
        message: str,
        retry_after: float | None = None,
        calls: Sequence[ProviderCall] = (),
    ) -> Finish:
        """End an attempt that failed. `retry_after` is in seconds; `message` is one sentence for a person."""
        row = self._database.call(
            "select accepted, status::text, retry_seconds, next from engine.fail(%s, %s, %s, %s, %s, %s)",
            (job_id, attempt, kind.value, _storable(message), retry_after, _usage(calls)),
        )[0]
        return _finish(row)

    def defer(
        self, job_id: UUID, attempt: int, seconds: float, state: dict[str, Any], calls: Sequence[ProviderCall]
    ) -> Finish:
        """Give the job back for so many seconds; its next attempt finds `state`. Counts no failure."""
        row = self._database.call(
            "select accepted, null as status, null as retry_seconds, next from engine.defer(%s, %s, %s, %s, %s)",
            (job_id, attempt, seconds, Jsonb(state), _usage(calls)),
        )[0]
        return _finish(row)

    def expired(self, limit: int) -> list[tuple[UUID, int]]:
        """Return job and attempt of leases that have passed, at most `limit`."""
        rows = self._database.call("select job_id, attempt from engine.expired(%s)", (limit,))
        return [(row["job_id"], row["attempt"]) for row in rows]

    def sweep(self, limit: int) -> list[JobToSend]:
        """Return what is to be sent again, at most `limit`, having moved it on to its next due time."""
        rows = self._database.call("select engine.sweep(%s) as next", (limit,))
        return _jobs(rows[0]["next"])


def _claim(row: dict[str, Any]) -> Claim:
    return Claim(**{**row, "state": row["state"] or {}, "next": tuple(_jobs(row["next"]))})


def _finish(row: dict[str, Any]) -> Finish:
    retry = row["retry_seconds"]
    return Finish(row["accepted"], row["status"], None if retry is None else float(retry), tuple(_jobs(row["next"])))


def _jobs(value: Any) -> list[JobToSend]:
    return [JobToSend.model_validate(job) for job in value or ()]


def _storable(text: str) -> str:
    """Providers' messages may hold what Postgres does not: NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _usage(calls: Sequence[ProviderCall]) -> str:
    return json.dumps([call.as_json() for call in calls])
