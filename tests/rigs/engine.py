"""Small pipelines over a small table, to drive the engine's SQL functions one transition at a time.

A pipeline is rows of `engine.pipelines` whose views read `rig.items`: one job per item of the production's subject.
The input of a job is its item's text and, where the stage joins, the output hashes of the stages before it.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.rigs.provider_rows import ProviderRows

Row = dict[str, Any]
Connection = psycopg.Connection[Row]

TABLES = """
create schema rig;
create table rig.items (
    subject_id uuid not null,
    stage text not null,
    key text not null,
    text text not null default '',
    estimate_gbp numeric not null default 0,
    provider text,
    primary key (subject_id, stage, key)
);
create table rig.results (job_id uuid not null, attempt integer not null);
grant usage on schema rig to showrunner_worker;
grant select, insert on rig.results to showrunner_worker;
"""

VIEW = """
create view rig.{kind}_{stage} as
select
    productions.id as production_id,
    items.key,
    jsonb_build_object('text', items.text, 'upstream', (
        select jsonb_agg(jobs.output_hash order by jobs.stage, jobs.key)
        from public.jobs
        where jobs.production_id = productions.id
          and jobs.stage = any ('{{{upstream}}}')
          and jobs.status = 'succeeded'
    )) || case
        when items.provider is null then '{{}}'
        else jsonb_build_object('voice', items.provider || '/any')
    end as input,
    items.estimate_gbp
from public.productions
join rig.items on items.subject_id = productions.subject_id and items.stage = '{stage}'
"""

# What is true of every row at any moment; each query returns the rows for which it is not.
ALWAYS = {
    "counters equal the rows": """
        select stages.production_id, stages.stage, stages.remaining, stages.failed, counted.*
        from public.production_stages as stages
        cross join lateral (
            select
                count(*) filter (where jobs.status in ('queued', 'running', 'parked')) as open,
                count(*) filter (where jobs.status = 'failed') as failures
            from public.jobs
            where jobs.production_id = stages.production_id and jobs.stage = stages.stage
        ) as counted
        where stages.status not in ('pending', 'waiting')
          and (stages.remaining, stages.failed) is distinct from (counted.open, counted.failures)
    """,
    "no slot is above the limit": """
        select jobs.id, jobs.slot
        from public.jobs
        join engine.organization_limits as limits using (organization_id)
        where jobs.status = 'running' and jobs.slot > limits.max_running_jobs
    """,
    "spent is the sum of usage": """
        select organizations.id, events.cost, usage.cost
        from public.organizations
        cross join lateral (
            select coalesce(sum(cost_gbp), 0) as cost, count(*) as calls
            from public.usage_events where organization_id = organizations.id
        ) as events
        cross join lateral (
            select coalesce(sum(total_cost_gbp), 0) as cost, coalesce(sum(calls), 0) as calls
            from public.token_usage_daily where organization_id = organizations.id
        ) as usage
        where (events.cost, events.calls) is distinct from (usage.cost, usage.calls)
    """,
}

AT_REST = {
    "every production is terminal": """
        select id, status, error from public.productions where status not in ('completed', 'failed', 'cancelled')
    """,
    "a finished production has no open job": """
        select jobs.id, jobs.stage, jobs.status, jobs.hold, productions.status as production, productions.error_code
        from public.jobs
        join public.productions on productions.id = jobs.production_id
        where jobs.status in ('queued', 'running', 'parked')
          and not (jobs.hold is not distinct from 'attention' and productions.error_code in ('auth', 'sunset'))
    """,
    "a completed production has only done stages": """
        select stages.production_id, stages.stage, stages.status
        from public.production_stages as stages
        join public.productions on productions.id = stages.production_id
        where productions.status = 'completed' and stages.status <> 'done'
    """,
    "nothing is reserved": "select id, estimate_gbp, reserved_on from public.jobs where reserved_on is not null",
    "one accepted outcome per job": "select job_id, attempt from rig.results group by 1, 2 having count(*) > 1",
}


@dataclass(frozen=True)
class Stage:
    """One row of `engine.pipelines`. Without `fans_out` it has no view, so one job with key ''."""

    name: str
    after: tuple[str, ...] = ()
    fans_out: bool = True
    joins: bool = False
    gate: bool = False
    sticky: bool = False
    weight: int = 1
    max_fails: int = 3


WRITE_SPEAK_MASTER = (
    Stage("write", sticky=True),
    Stage("speak", after=("write",)),
    Stage("master", after=("speak",), joins=True),
)


def _open(url: str, role: str | None = None) -> Connection:
    connection = psycopg.connect(url, autocommit=True, row_factory=dict_row)
    if role is not None:
        connection.execute(f"set role {role}".encode())
    return connection


class Rig(ProviderRows):
    """The engine as a worker calls it, and its rows as the owner sees them."""

    def __init__(self, owner_url: str, login_url: str) -> None:
        self.owner_url = owner_url
        self.login_url = login_url
        self.owner = _open(owner_url)
        self.worker = _open(login_url, "showrunner_worker")
        self._lent: list[Connection] = []
        self._kinds: list[str] = []
        self.owner.execute("set client_min_messages = warning")

    def open_worker(self) -> Connection:
        """Another worker's connection, until the end of the test."""
        self._lent.append(_open(self.login_url, "showrunner_worker"))
        return self._lent[-1]

    def open_owner(self) -> Connection:
        """Another of the owner's connections, until the end of the test."""
        self._lent.append(_open(self.owner_url))
        return self._lent[-1]

    def cut_connections(self) -> None:
        """Kill the backends of all workers but the rig's own."""
        with _open(self.login_url) as same_role:
            same_role.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = session_user"
                " and datname = current_database() and pid <> all (%s)",
                [[self.worker.info.backend_pid, same_role.info.backend_pid]],
            )

    def clean(self) -> None:
        """Leave nothing of the test before."""
        self.owner.execute("delete from public.organizations")
        self.owner.execute("delete from public.provider_prices where source = 'test'")
        self.owner.execute("delete from engine.provider_limits where provider not in ('polly', 'openai', 'bedrock')")
        self.owner.execute("delete from engine.pipelines where kind = any (%s)", [self._kinds])
        self.owner.execute("drop schema if exists rig cascade")
        self.owner.execute(TABLES)

    def close_lent(self) -> None:
        while self._lent:
            self._lent.pop().close()

    def close(self) -> None:
        self.owner.close()
        self.worker.close()

    # --- what there is to make ----------------------------------------------------------------------------------

    def pipeline(self, kind: str, stages: Iterable[Stage]) -> str:
        self._kinds.append(kind)
        for position, stage in enumerate(stages, start=1):
            view = f"rig.{kind}_{stage.name}" if stage.fans_out else None
            if view is not None:
                upstream = ",".join(stage.after) if stage.joins else ""
                self.owner.execute(VIEW.format(kind=kind, stage=stage.name, upstream=upstream).encode())
            self.owner.execute(
                """insert into engine.pipelines
                   (kind, stage, position, after, weight, gate, sticky, max_fails, desired_jobs, provider_field)
                   values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
                [kind, stage.name, position, list(stage.after), stage.weight, stage.gate, stage.sticky,
                 stage.max_fails, view, "voice" if stage.fans_out else None],
            )  # fmt: skip
        return kind

    def organization(self, running: int = 20, budget: float = 50) -> uuid.UUID:
        organization = uuid.uuid4()
        self.owner.execute("insert into public.organizations (id, name) values (%s, 'Rig')", [organization])
        self.limit(organization, running=running, budget=budget)
        return organization

    def hold_limits(self, connection: Connection, organization: uuid.UUID) -> None:
        """Lock an organization's limits until the connection's transaction ends, as claims and completions do."""
        connection.execute("select engine.lock_limits(%s)", [organization])

    def limit(self, organization: uuid.UUID, **limits: float) -> None:
        for column, name in (("max_running_jobs", "running"), ("daily_budget_gbp", "budget")):
            if name in limits:
                self.owner.execute(
                    f"update engine.organization_limits set {column} = %s where organization_id = %s".encode(),
                    [limits[name], organization],
                )

    def subject(self, estimate: float = 0, provider: str | None = None, **items: Sequence[str] | int) -> uuid.UUID:
        """A subject whose stages have the named items: `speak=["a", "b"]`, or `speak=40` for forty."""
        subject = uuid.uuid4()
        for stage, keys in items.items():
            named = [f"k{n:03}" for n in range(keys)] if isinstance(keys, int) else keys
            self.add(subject, stage, named, estimate, provider)
        return subject

    def add(
        self, subject: uuid.UUID, stage: str, keys: Sequence[str], estimate: float = 0, provider: str | None = None
    ) -> None:
        self.owner.cursor().executemany(
            "insert into rig.items (subject_id, stage, key, text, estimate_gbp, provider)"
            " values (%s, %s, %s, %s, %s, %s)",
            [(subject, stage, key, f"text of {key}", estimate, provider) for key in keys],
        )

    def edit(self, subject: uuid.UUID, stage: str, key: str, text: str) -> None:
        self.owner.execute(
            "update rig.items set text = %s where (subject_id, stage, key) = (%s, %s, %s)", [text, subject, stage, key]
        )

    def remove(self, subject: uuid.UUID, stage: str, key: str) -> None:
        self.owner.execute("delete from rig.items where (subject_id, stage, key) = (%s, %s, %s)", [subject, stage, key])

    def price(self, provider: str, unit: str, gbp: float) -> None:
        self.owner.execute(
            "insert into public.provider_prices (provider, model, unit, gbp, checked_on, source)"
            " values (%s, '*', %s, %s, current_date, 'test')",
            [provider, unit, gbp],
        )

    # --- the engine ---------------------------------------------------------------------------------------------

    def call(self, name: str, *arguments: Any, on: Connection | None = None) -> Row:
        marks = ", ".join(["%s"] * len(arguments))
        row = (on or self.worker).execute(f"select * from engine.{name}({marks})".encode(), arguments).fetchone()
        assert row is not None
        return row

    def submit(
        self, organization: uuid.UUID, kind: str, subject: uuid.UUID, key: str | None = None, dispatched: bool = True
    ) -> Row:
        return self.call("submit", organization, kind, subject, key, None, dispatched)

    def start(self, kind: str, organization: uuid.UUID | None = None, **items: Any) -> uuid.UUID:
        """Submit a new subject with these items; return the production."""
        submitted = self.submit(organization or self.organization(), kind, self.subject(**items))
        return submitted["production_id"]

    def claim(self, job: uuid.UUID, lease: float = 60, on: Connection | None = None) -> Row:
        return self.call("claim", job, "rig", lease, on=on)

    def complete(
        self, job: uuid.UUID, attempt: int, output: Any = None, usage: Sequence[Row] = (), on: Connection | None = None
    ) -> Row:
        output = {"by": str(job)} if output is None else output
        digest = hashlib.sha256(json.dumps(output, sort_keys=True).encode()).hexdigest()
        return self.call("complete", job, attempt, Jsonb(output), digest, Jsonb(list(usage)), on=on)

    def turn(
        self, job: uuid.UUID, attempt: int, following: uuid.UUID, usage: Sequence[Row] = (),
        on: Connection | None = None,
    ) -> Row:  # fmt: skip
        """Complete a job and claim the following one."""
        output = Jsonb({"by": str(job)})
        return self.call(
            "complete_and_claim", job, attempt, output, "0" * 64, Jsonb(list(usage)), following, "rig", 60, on=on
        )

    def fail(
        self, job: uuid.UUID, attempt: int, kind: str, message: str = "It broke.", retry_after: float | None = None,
        usage: Sequence[Row] = (), on: Connection | None = None,
    ) -> Row:  # fmt: skip
        return self.call("fail", job, attempt, kind, message, retry_after, Jsonb(list(usage)), on=on)

    def defer(self, job: uuid.UUID, attempt: int, seconds: float, state: Any, usage: Sequence[Row] = ()) -> Row:
        return self.call("defer", job, attempt, seconds, Jsonb(state), Jsonb(list(usage)))

    def heartbeat(self, job: uuid.UUID, attempt: int, lease: float, progress: float | None) -> Row:
        row = self.worker.execute(
            "select * from engine.heartbeat(%s, %s, %s, %s::real)", [job, attempt, lease, progress]
        ).fetchone()
        assert row is not None
        return row

    def cancel(self, production: uuid.UUID) -> bool:
        return bool(self.call("cancel", production)["cancel"])

    def rebuild(self, production: uuid.UUID, from_stage: str | None = None) -> list[Row]:
        return list(self.call("rebuild", production, from_stage, True)["jobs"])

    def preview(self, production: uuid.UUID, from_stage: str | None = None) -> list[tuple[str, str, str]]:
        rows = self.worker.execute("select * from engine.preview_rebuild(%s, %s)", [production, from_stage])
        return [(row["stage"], row["key"], row["reason"]) for row in rows]

    def sweep(self, most: int = 100) -> list[Row]:
        return list(self.call("sweep", most)["sweep"])

    def explain(self, job: uuid.UUID) -> str:
        return str(self.call("explain", job)["explain"])

    def explain_production(self, production: uuid.UUID) -> str:
        return str(self.call("explain_production", production)["explain_production"])

    # --- several at once ----------------------------------------------------------------------------------------

    def granted(self, production: uuid.UUID, stage: str, key: str | None = None) -> tuple[uuid.UUID, int]:
        """Claim the stage's first queued job, or the one of `key`; return (job, attempt)."""
        for job in self.jobs(production, stage):
            if job["status"] == "queued" and key in (None, job["key"]):
                claim = self.claim(job["id"])
                assert claim["outcome"] == "granted", claim
                return job["id"], claim["attempt"]
        raise AssertionError(f"no queued job {stage}/{key}")

    def finish(self, production: uuid.UUID, *stages: str) -> list[tuple[str, str]]:
        """Claim and complete what is queued, in these stages or all, until nothing is; return what ran."""
        ran = []
        while ready := [
            job for job in self.jobs(production) if job["status"] == "queued" and (not stages or job["stage"] in stages)
        ]:
            for job in ready:
                claim = self.claim(job["id"])
                assert claim["outcome"] == "granted", claim
                assert self.complete(job["id"], claim["attempt"], {"of": claim["input"]})["accepted"]
                ran.append((job["stage"], job["key"]))
        return ran

    # --- the rows -----------------------------------------------------------------------------------------------

    def one(self, query: str, *arguments: Any, on: Connection | None = None) -> Row:
        row = (on or self.owner).execute(query.encode(), arguments).fetchone()
        assert row is not None
        return row

    def jobs(self, production: uuid.UUID, stage: str | None = None) -> list[Row]:
        return self.owner.execute(
            "select jobs.* from public.jobs join public.production_stages using (production_id, stage)"
            " where production_id = %s and (%s::text is null or stage = %s) order by position, key",
            [production, stage, stage],
        ).fetchall()

    def job(self, job: uuid.UUID) -> Row:
        return self.one("select * from public.jobs where id = %s", job)

    def production(self, production: uuid.UUID) -> Row:
        return self.one("select * from public.productions where id = %s", production)

    def stage(self, production: uuid.UUID, stage: str) -> Row:
        return self.one(
            "select * from public.production_stages where (production_id, stage) = (%s, %s)", production, stage
        )

    def day(self, organization: uuid.UUID) -> Row:
        return self.one("select * from public.token_usage_daily where organization_id = %s", organization)

    def reserved(self, organization: uuid.UUID) -> float:
        """GBP that its jobs have reserved today (UTC)."""
        row = self.one("select engine.reserved(%s, (now() at time zone 'utc')::date) as gbp", organization)
        return float(row["gbp"])

    def age(self, job: uuid.UUID, **columns: float) -> None:
        """Move times of a job this many seconds into the past: `due_at=30`."""
        for column, seconds in columns.items():
            self.owner.execute(
                f"update public.jobs set {column} = {column} - make_interval(secs => %s) where id = %s".encode(),
                [seconds, job],
            )

    def violations(self, *, at_rest: bool = False) -> dict[str, list[Row]]:
        """Each broken invariant with the rows that break it."""
        queries = ALWAYS | AT_REST if at_rest else ALWAYS
        found = {promise: self.owner.execute(query.encode()).fetchall() for promise, query in queries.items()}
        return {promise: rows for promise, rows in found.items() if rows}
