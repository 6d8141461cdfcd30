"""The planted faults: each is an edit of one function's text, or a backstop taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg


@dataclass(frozen=True)
class Fault:
    """`text` of `function` becomes `instead`; `statement` runs as well."""

    name: str
    function: str = ""
    text: str = ""
    instead: str = ""
    statement: str = ""

    def plant(self, owner: psycopg.Connection[Any]) -> None:
        """Raises ValueError where the text is not there exactly once: the fault has to be planted anew."""
        if self.function:
            rows = owner.execute(
                "select pg_get_functiondef(oid) from pg_proc"
                " where pronamespace = 'engine'::regnamespace and proname = %s",
                [self.function],
            ).fetchall()
            found = [next(iter(row.values())) if isinstance(row, dict) else row[0] for row in rows]
            if len(found) != 1 or found[0].count(self.text) != 1:
                raise ValueError(f"{self.name}: engine.{self.function} does not have the text once: {self.text!r}")
            owner.execute(found[0].replace(self.text, self.instead).encode())
        if self.statement:
            owner.execute(self.statement.encode())


FENCE = "job.status is distinct from 'running' or job.attempt <> p_attempt"
LIMITS_LOCK = "perform engine.lock_limits(job.organization_id);"
PROVIDER_LOCK = "where provider_limits.provider = job.provider\n        for no key update;"
PRODUCTION_LOCK = "perform from public.productions where productions.id = p_production for no key update;"
OUT_OF_BUDGET = "taken.spent_gbp + taken.reserved_gbp + job.estimate_gbp > taken.daily_budget_gbp"

FAULTS = (
    Fault("attempt fence of complete removed", "complete_and_claim", "      and jobs.attempt = p_attempt\n", ""),
    Fault("status guard of complete removed", "complete_and_claim", "\n      and jobs.status = 'running'", ""),
    Fault("attempt fence of fail removed", "fail", "or job.attempt <> p_attempt\n", "\n"),
    Fault("attempt fence of heartbeat removed", "heartbeat", "and jobs.attempt = p_attempt\n", "\n"),
    Fault("fence before domain rows removed", "fence", f"elsif {FENCE} then", "elsif false then"),
    Fault(
        "usage idempotency removed", "count_calls", "on conflict (job_id, attempt, call_number) do nothing", "",
        "alter table public.usage_events drop constraint usage_events_pkey",
    ),
    Fault("organization lock removed", "claim", LIMITS_LOCK, "null;"),
    Fault(
        "limits change under a claim",
        statement="drop trigger limits_change_between_claims on engine.organization_limits",
    ),
    Fault("slot unique index dropped", statement="drop index public.jobs_running"),
    Fault("re-dispatch removed", "sweep_organizations", "and due.due_at <= moment", "and false"),
    Fault("production lock before advance removed", "count_down", PRODUCTION_LOCK, ""),
    Fault(
        "hand-off of places removed", "complete_and_claim",
        "next := next || engine.readmit_one(job.organization_id);", "",
    ),
    Fault("what runs reserves nothing", "claim", "taken.spent_gbp + taken.reserved_gbp", "taken.spent_gbp"),
    Fault(
        "cancel check of complete removed", "complete_and_claim",
        "select productions.status = 'cancelled' from", "select false from",
    ),
    Fault(
        "protection of sticky stages removed", "reconcile",
        "excluded.input_hash and not protected", "excluded.input_hash",
    ),
    Fault("comparison of hashes removed", "reconcile", "or job.status <> 'succeeded'", "or true"),
    Fault("living lease may be lost", "fail", "or (p_kind = 'lost' and job.lease_until > moment)", ""),
    Fault("gate ignored", "advance", "if pipeline.gate and exists (", "if false and exists ("),
    Fault("predecessors ignored", "advance", "and before.status <> 'done'", "and before.status = 'failed'"),
    Fault("time of a retry ignored", "claim", "coalesce(jobs.not_before <= clock_timestamp(), true)", "true"),
    Fault("budget ignored", "claim", OUT_OF_BUDGET, "false"),
    Fault(
        "limits locked in any order", "lock_limits",
        "|| least(p_organization, p_other), 0));\n    if p_organization <> p_other then",
        "|| p_organization, 0));\n    if p_organization > p_other then\n"
        "        perform pg_advisory_xact_lock(hashtextextended('limits of ' || p_other, 0));\n"
        "    elsif p_organization < p_other then",
    ),
    Fault("claim of a turn waits", "complete_and_claim", "p_lease_seconds, false)", "p_lease_seconds, true)"),
    Fault(
        "rebuild leaves old attempts running", "rebuild", "freed := engine.close_all(p_production);", "freed := '[]';",
    ),
    Fault(
        "limit lowered below what runs ignored", "claim",
        "if taken.jobs >= taken.max_running_jobs then", "if taken.free_slot > taken.max_running_jobs then",
    ),
    Fault(
        "provider lock removed", "claim", PROVIDER_LOCK, PROVIDER_LOCK.replace("\n        for no key update", ""),
    ),
    Fault("provider's failure counted as the job's", "fail", "when blamed then 0", "when false then 0"),
    Fault(
        "half-open breaker lets everybody through", "provider_room",
        "case when p_limits.trips > 0 then p_limits.probes - probing end", "null::integer",
    ),
    Fault("starts of the minute ignored", "provider_room", "p_limits.per_minute is not null", "false"),
    Fault(
        "hand-off of providers' places removed", "leave_provider",
        "return engine.readmit_at_provider(protection);", "return '[]';",
    ),
    Fault(
        "place of a job without budget left empty", "claim",
        "next := engine.readmit_one(job.organization_id);\n        if protection", "if protection",
    ),
)  # fmt: skip
