"""What a new host knows of an old one: its functions have ended and its queues are empty.

In the cloud neither can be known, and the sweeper finds out by time. Here it need not wait.
"""

from __future__ import annotations

import psycopg

FORGET_OLD_HOST = """
with ended as (
    update public.jobs
    set lease_until = clock_timestamp()
    where status = 'running'
    returning 1
),
unsent as (
    update public.jobs
    set due_at = clock_timestamp(), dispatches = 0
    where status = 'queued' and not_before is null
    returning 1
)
select (select count(*) from ended), (select count(*) from unsent)
"""


def forget_old_host(owner_url: str) -> tuple[int, int]:
    """End the leases that the last host's functions held and make queued jobs due; return how many of each.

    Call it before any function runs.
    """
    with psycopg.connect(owner_url, autocommit=True) as connection:
        row = connection.execute(FORGET_OLD_HOST).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
