"""What a laptop knows that the cloud cannot: which processes have ended, and that the queues were in memory.

In the cloud a dead worker's job waits until its lease has passed, and a lost message until the sweeper's grace is
over. Here both are over at once, and the next sweep takes the jobs up. Cutting a lease short is safe, since whoever
still believed in it is fenced off by the attempt; so is a message too many.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

_CONNECT_SECONDS = 10

# The engine gives a message up to 30 s to be picked up; a job that is due later than that waits for a reason.
_GRACE_SECONDS = 35

_log = logging.getLogger(__name__)


def end_leases(database_url: str, jobs: Iterable[str] | None = None) -> int:
    """End the leases of these jobs, of all when None, as the tables' owner. Returns how many jobs were running."""
    ids = None if jobs is None else list(jobs)
    return _update(
        database_url,
        "update public.jobs set lease_until = least(lease_until, clock_timestamp()) "
        "where status = 'running' and (%(ids)s::text[] is null or id::text = any(%(ids)s))",
        {"ids": ids},
    )


def wake_queued(database_url: str, jobs: Iterable[str] | None = None) -> int:
    """Make jobs due whose message was sent, since the queues have lost it. Returns how many there are.

    With `jobs`, only those of the same productions: a process that died may have been about to start them.
    """
    ids = None if jobs is None else list(jobs)
    return _update(
        database_url,
        "update public.jobs set due_at = clock_timestamp() where status = 'queued' "
        "and due_at between clock_timestamp() and clock_timestamp() + make_interval(secs => %(grace)s) "
        "and (%(ids)s::text[] is null or production_id in "
        "(select named.production_id from public.jobs as named where named.id::text = any(%(ids)s)))",
        {"grace": _GRACE_SECONDS, "ids": ids},
    )


def jobs_of(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The job ids in the messages of a batch; a message that is no wake-up has none."""
    found = []
    for record in records:
        try:
            found.append(str(json.loads(record["body"])["job_id"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _update(database_url: str, statement: str, parameters: Mapping[str, object]) -> int:
    """A database that cannot be reached is logged and no more: the jobs then wait as they would in the cloud."""
    try:
        with psycopg.connect(database_url, connect_timeout=_CONNECT_SECONDS) as connection:
            return connection.execute(statement, parameters).rowcount
    except psycopg.Error as error:
        _log.warning("jobs are left to wait: %s", error)
        return 0
