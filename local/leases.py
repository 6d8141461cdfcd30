"""Leases of jobs whose process has ended.

In the cloud nobody knows what became of a worker, so its job waits until the lease has passed. A laptop knows: the
process was its own. Cutting the lease short is safe, since whoever still believed in it is fenced off by the attempt.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

_CONNECT_SECONDS = 10

_log = logging.getLogger(__name__)


def end_leases(database_url: str, jobs: Iterable[str] | None = None) -> int:
    """End the leases of these jobs, of all when None, as the tables' owner; the next sweep takes the jobs up again.

    Returns how many were running. A database that cannot be reached is logged: then the leases pass by themselves.
    """
    ids = None if jobs is None else list(jobs)
    try:
        with psycopg.connect(database_url, connect_timeout=_CONNECT_SECONDS) as connection:
            ended = connection.execute(
                "update public.jobs set lease_until = least(lease_until, clock_timestamp()) "
                "where status = 'running' and (%(ids)s::text[] is null or id::text = any(%(ids)s))",
                {"ids": ids},
            )
            return ended.rowcount
    except psycopg.Error as error:
        _log.warning("leases of ended processes are left to pass: %s", error)
        return 0


def jobs_of(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The job ids in the messages of a batch; a message that is no wake-up has none."""
    found = []
    for record in records:
        try:
            found.append(str(json.loads(record["body"])["job_id"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found
