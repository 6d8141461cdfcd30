"""Keeps a lease alive while a stage works."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self
from uuid import UUID

import psycopg
from aws_lambda_powertools import Logger

from showrunner.engine import Engine

logger = Logger(child=True)


class Heartbeat:
    """Renews the lease three times per lease from a thread of its own; without a lease it only carries progress.

    `stopped` turns true when the attempt is no longer the job's, or the production was cancelled.
    """

    def __init__(self, engine: Engine, job_id: UUID, attempt: int, lease_seconds: float | None) -> None:
        self._engine = engine
        self._job_id = job_id
        self._attempt = attempt
        self._lease_seconds = lease_seconds
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self.progress: float | None = None
        self.stopped = False

    def __enter__(self) -> Self:
        if self._lease_seconds is not None:
            self._thread = threading.Thread(target=self._beat, args=(self._lease_seconds,), daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _beat(self, lease_seconds: float) -> None:
        while not self._over.wait(lease_seconds / 3):
            try:
                pulse = self._engine.heartbeat(self._job_id, self._attempt, lease_seconds, self.progress)
            except psycopg.Error as error:
                # The fence decides in the end; a missed beat only brings the lease's end closer.
                logger.warning("Heartbeat failed", error=type(error).__name__)
                continue
            if pulse.cancel or not pulse.alive:
                self.stopped = True
                return
