"""Random walks over the engine's SQL functions; after each step the rows are compared with the model's.

Hypothesis chooses the steps, so a walk that fails is one that can be replayed, and is made as short as possible.
"""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.rigs.engine import Rig, Stage
from tests.rigs.model import Job, Model, Organization, Production

PRICE = Decimal("0.5")
CALL = {"provider": "paid", "model": "m", "input_tokens": 0, "output_tokens": 0, "characters": 0, "seconds": 0,
        "images": 1, "measured": True}  # fmt: skip
SECONDS = 600  # a retry or deferral that comes only when time passes

KINDS = {
    "film": (
        Stage("write", sticky=True, max_fails=2),
        Stage("speak", after=("write",), joins=True, max_fails=2),
        Stage("adapt", after=("speak",), joins=True, sticky=True),
        Stage("master", after=("speak", "adapt"), joins=True, max_fails=1),
    ),
    "video": (
        Stage("cut", fans_out=False),
        Stage("sound", after=("cut",), joins=True),
        Stage("picture", after=("cut",), max_fails=2),
        Stage("render", after=("sound", "picture"), joins=True, gate=True),
    ),
}

PICK = st.integers(0, 9999)
CALLS = st.integers(0, 2)
ESTIMATES = st.sampled_from([Decimal(0), Decimal(1), Decimal(2)])
FAILURES = st.sampled_from(
    ["rate_limited", "transient", "bad_output", "invalid_input", "content_refused", "quota", "auth", "sunset",
     "internal", "lost", "cancelled"]
)  # fmt: skip


class Walk(RuleBasedStateMachine):
    """One organization's productions, worked on by one hand at a time."""

    rig: Rig

    def __init__(self) -> None:
        super().__init__()
        self.attempts: list[tuple[Job, int]] = []
        self.progress: dict[tuple[uuid.UUID, int], int] = {}

    @initialize(limit=st.integers(1, 3), budget=st.integers(4, 30), kind=st.sampled_from(sorted(KINDS)))
    def begin(self, limit: int, budget: int, kind: str) -> None:
        organization = self.rig.organization(limit, budget)
        self.organization = Organization(organization, limit, Decimal(budget))
        self.model = Model(PRICE, self._id_of)
        self._submit(kind, [1, 2, 1, 1], Decimal(1))

    def _id_of(self, production: Production, stage: str, key: str) -> uuid.UUID:
        row = self.rig.one(
            "select id from public.jobs where (production_id, stage, key) = (%s, %s, %s)", production.id, stage, key
        )
        return row["id"]

    @property
    def jobs(self) -> list[Job]:
        return sorted(self.organization.jobs, key=lambda job: (str(self.order(job)), job.stage.name, job.key))

    def order(self, job: Job) -> int:
        return self.organization.productions.index(job.production)

    def some(self, choices: list[Any], pick: int) -> Any:
        return choices[pick % len(choices)]

    def take(self, pick: int) -> tuple[Job, int]:
        """An attempt that was granted: mostly one that runs, at times one of the past."""
        running = [(job, number) for job, number in self.attempts if job.status == "running"]
        current = [(job, number) for job, number in running if job.attempt == number]
        zombies = [(job, number) for job, number in running if job.attempt != number]
        if current and pick % 4:
            return self.some(current, pick // 4)
        return self.some(zombies if zombies and pick % 3 else self.attempts, pick // 12)

    def follow(self, answer: list[dict[str, Any]], opened: set[uuid.UUID], places: int = 1) -> None:
        """What is sent is what was opened, and one of those that wait for each place that is free."""
        sent = {uuid.UUID(entry["id"]) for entry in answer}
        assert len(sent) == len(answer)
        assert opened <= sent
        handed = sent - opened
        for _ in range(places):
            candidates = self.model.candidates(self.organization)
            if not candidates:
                break
            oldest = min(job.queued_at for job in candidates)
            chosen = [job for job in candidates if job.id in handed]
            assert chosen, "a free place was handed to nobody"
            assert min(job.queued_at for job in chosen) == oldest, "the oldest was not first"
            first = min(chosen, key=lambda job: job.queued_at)
            handed.remove(first.id)
            self.model.readmit(first)
        assert not handed, "a job was sent that had no place"

    # --- people -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.organization.productions) < 4)
    @rule(kind=st.sampled_from(sorted(KINDS)), widths=st.lists(st.integers(0, 2), min_size=4, max_size=4),
          estimate=ESTIMATES)  # fmt: skip
    def submit(self, kind: str, widths: list[int], estimate: Decimal) -> None:
        self._submit(kind, widths, estimate)

    def _submit(self, kind: str, widths: list[int], estimate: Decimal) -> None:
        stages = KINDS[kind]
        keys = {stage.name: [f"k{n}" for n in range(width)] for stage, width in zip(stages, widths, strict=True)}
        subject = self.rig.subject(float(estimate), **keys)
        items = {(stage, key): (f"text of {key}", estimate) for stage in keys for key in keys[stage]}
        answer = self.rig.submit(self.organization.id, kind, subject, f"key of {subject}", dispatched=False)
        again = self.rig.submit(self.organization.id, kind, subject, f"key of {subject}", dispatched=False)
        production = Production(answer["production_id"], self.organization, kind, subject, stages, items)
        expected = self.model.submit(production)
        assert answer["is_new"] and not again["is_new"]
        assert again["production_id"] == production.id and again["jobs"] == []
        self.follow(answer["jobs"], expected, places=0)

    @precondition(lambda self: len(self.attempts) > 2)
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        production = self.some(self.organization.productions, pick)
        assert self.rig.cancel(production.id) == self.model.cancel(production)

    @precondition(lambda self: any(one.waiting_for for one in self.organization.productions))
    @rule(pick=PICK)
    def approve(self, pick: int) -> None:
        production = self.some(self.organization.productions, pick)
        answer = self.rig.call("approve", production.id)["approve"]
        expected = self.model.approve(production)
        if expected is None:
            assert answer is None
        else:
            self.follow(answer, expected, places=0)

    @precondition(lambda self: any(one.status != "running" for one in self.organization.productions))
    @rule(pick=PICK, stage=st.integers(-2, 3))
    def rebuild(self, pick: int, stage: int) -> None:
        production = self.some(self.organization.productions, pick)
        from_stage = production.stages[stage].name if stage >= 0 else None
        if production.status in ("queued", "running"):
            with pytest.raises(psycopg.errors.ObjectInUse):
                self.rig.call("rebuild", production.id, from_stage, False)
        else:
            self._rebuild(production, from_stage)

    def _rebuild(self, production: Production, from_stage: str | None) -> None:
        answer = self.rig.call("rebuild", production.id, from_stage, False)
        expected = self.model.rebuild(production, from_stage)
        assert answer["build"] == production.build
        self.follow(answer["jobs"], expected, places=0)

    @precondition(lambda self: any(production.items for production in self.organization.productions))
    @rule(pick=PICK, text=st.sampled_from(["one", "two"]))
    def edit(self, pick: int, text: str) -> None:
        production = self.some([one for one in self.organization.productions if one.items], pick)
        stage, key = self.some(sorted(production.items), pick // 7)
        self._edit(production, stage, key, text)

    def _edit(self, production: Production, stage: str, key: str, text: str) -> None:
        self.rig.edit(production.subject, stage, key, text)
        production.items[stage, key] = (text, production.items[stage, key][1])

    @precondition(lambda self: self.organization.productions)
    @rule(pick=PICK, key=st.sampled_from(["k0", "k1", "k2"]))
    def add_or_remove(self, pick: int, key: str) -> None:
        production = self.some(self.organization.productions, pick)
        stage = self.some(list(production.stages), pick // 7).name
        if (stage, key) in production.items:
            self.rig.remove(production.subject, stage, key)
            del production.items[stage, key]
        else:
            self.rig.add(production.subject, stage, [key], 1)
            production.items[stage, key] = (f"text of {key}", Decimal(1))

    @rule(limit=st.integers(0, 4), budget=st.integers(0, 30))
    def change_limits(self, limit: int, budget: int) -> None:
        self.rig.limit(self.organization.id, running=limit, budget=budget)
        self.organization.limit, self.organization.budget = limit, Decimal(budget)

    # --- workers ----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.organization.jobs)
    @rule(pick=PICK)
    def claim(self, pick: int) -> None:
        jobs = self.jobs
        queued = [job for job in jobs if job.status == "queued"]
        self._claim(self.some(queued if queued and pick % 5 else jobs, pick // 5))

    def _claim_for(self, pick: int) -> None:
        """Mostly, see to it that something runs."""
        queued = [job for job in self.jobs if job.status == "queued" and not job.waits]
        if queued and not self.organization.running and pick % 5:
            self._claim(queued[0])

    def _claim(self, job: Job) -> str:
        answer = self.rig.claim(job.id, 3600)
        assert answer["outcome"] == self.model.claim(job), (job.row, answer)
        if answer["outcome"] == "granted":
            assert answer["attempt"] == job.attempt
            assert bool((answer["state"] or {}).get("rewrite")) == job.rewrite
            self.attempts.append((job, job.attempt))
        return str(answer["outcome"])

    @precondition(lambda self: any(job.status == "queued" for job in self.organization.jobs))
    @rule(count=st.integers(1, 6))
    def claim_several(self, count: int) -> None:
        for job in [job for job in self.jobs if job.status == "queued"][:count]:
            self._claim(job)

    @precondition(lambda self: self.attempts)
    @rule(pick=PICK, output=st.integers(0, 1), calls=CALLS)
    def complete(self, pick: int, output: int, calls: int) -> None:
        self._complete(*self.take(pick), output, calls)

    def _complete(self, job: Job, attempt: int, output: int, calls: int) -> None:
        freed = job.status == "running" and job.attempt == attempt
        answer = self.rig.complete(job.id, attempt, {"made": output}, [CALL] * calls)
        accepted, opened = self.model.complete(job, attempt, output, calls)
        assert answer["accepted"] == accepted
        self.follow(answer["next"], opened, places=int(freed))

    @precondition(lambda self: any(job.status == "queued" for job in self.organization.jobs))
    @rule(count=st.integers(1, 6), output=st.integers(0, 1))
    def work(self, count: int, output: int) -> None:
        """Claim and complete what is queued, as long as places last."""
        for job in [job for job in self.jobs if job.status == "queued"][:count]:
            if self._claim(job) == "granted":
                self._complete(job, job.attempt, output, 0)

    @precondition(lambda self: any(one.status in ("queued", "running") for one in self.organization.productions))
    @rule(output=st.integers(0, 1))
    def work_until_nothing_is_ready(self, output: int) -> None:
        for _ in range(12):
            for job in [job for job in self.jobs if job.status == "queued" and not job.waits]:
                if self._claim(job) == "granted":
                    self._complete(job, job.attempt, output, 0)

    @precondition(lambda self: any(one.status == "completed" and one.items for one in self.organization.productions))
    @rule(pick=PICK, stage=st.integers(-3, 3))
    def edit_and_rebuild_what_is_complete(self, pick: int, stage: int) -> None:
        productions = self.organization.productions
        done = [one for one in productions if one.status == "completed" and one.items]
        production = self.some(done, pick)
        name, key = self.some(sorted(production.items), pick // 7)
        self._edit(production, name, key, f"{pick % 3}")
        self._rebuild(production, production.stages[stage].name if stage >= 0 else None)

    @precondition(lambda self: self.attempts)
    @rule(pick=PICK, kind=FAILURES, calls=CALLS)
    def fail(self, pick: int, kind: str, calls: int) -> None:
        self._claim_for(pick)
        job, attempt = self.take(pick)
        freed = job.status == "running" and job.attempt == attempt and (kind != "lost" or job.lapsed)
        answer = self.rig.fail(job.id, attempt, kind, "It broke.", SECONDS, [CALL] * calls)
        accepted, status, opened = self.model.fail(job, attempt, kind, calls)
        assert (answer["accepted"], answer["status"]) == (accepted, status)
        self.follow(answer["next"], opened, places=int(freed))
        if freed and kind == "bad_output" and job.status == "queued":
            # It waits for one second only, which no walk may depend on.
            self.rig.age(job.id, not_before=10)
            job.waits = False

    @precondition(lambda self: self.attempts)
    @rule(pick=PICK, calls=CALLS)
    def defer(self, pick: int, calls: int) -> None:
        self._claim_for(pick)
        job, attempt = self.take(pick)
        freed = job.status == "running" and job.attempt == attempt
        answer = self.rig.defer(job.id, attempt, SECONDS, {"ticket": 1}, [CALL] * calls)
        accepted, itself = self.model.defer(job, attempt, calls)
        assert answer["accepted"] == accepted
        self.follow(answer["next"], itself, places=int(freed))

    @precondition(lambda self: self.attempts)
    @rule(pick=PICK)
    def heartbeat(self, pick: int) -> None:
        job, attempt = self.take(pick)
        answer = self.rig.heartbeat(job.id, attempt, 3600, 0.5)
        assert (answer["alive"], answer["cancel"]) == self.model.heartbeat(job, attempt)

    # --- time -------------------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([2, 25]))
    def pass_time(self, hours: int) -> None:
        self.rig.owner.execute(
            """update public.jobs set
                   queued_at = queued_at - make_interval(hours => %(hours)s),
                   due_at = due_at - make_interval(hours => %(hours)s),
                   not_before = not_before - make_interval(hours => %(hours)s),
                   lease_until = lease_until - make_interval(hours => %(hours)s)
               where organization_id = %(organization)s""",
            {"hours": hours, "organization": self.organization.id},
        )
        self.model.pass_time(hours)
        self.model.grow_older(self.organization.jobs)

    @rule()
    def take_back(self) -> None:
        expired = self.rig.worker.execute("select * from engine.expired(1000)").fetchall()
        lapsed = {job.id: job for job in self.organization.running if job.lapsed}
        assert {row["job_id"] for row in expired} == set(lapsed)
        for row in expired:
            job = lapsed[row["job_id"]]
            assert row["attempt"] == job.attempt
            answer = self.rig.fail(job.id, job.attempt, "lost", "It was lost.")
            _, status, opened = self.model.fail(job, job.attempt, "lost", 0)
            assert answer["status"] == status
            self.follow(answer["next"], opened)

    @rule()
    def sweep(self) -> None:
        due = {job.id for job in self.organization.jobs if job.status == "queued" and job.due}
        places = max(0, self.organization.limit - len(self.organization.running))
        answer = self.rig.sweep(1000)
        self.follow(answer, due, places)
        for job in self.organization.jobs:
            job.due = job.due and job.id not in due

    # --- always -----------------------------------------------------------------------------------------------------

    @invariant()
    def rows_are_the_models(self) -> None:
        if not hasattr(self, "organization"):
            return
        for production in self.organization.productions:
            row = self.rig.production(production.id)
            found = (row["status"], row["waiting_for"], row["build"], row["rebuild_from"], row["renew_from"])
            assert found == production.row
            highest = self.progress.get((production.id, row["build"]), 0)
            assert row["progress"] >= highest, "progress fell"
            assert (row["progress"] == 100) == (row["status"] == "completed")
            self.progress[production.id, row["build"]] = row["progress"]
        self._compare(
            "select production_id, stage, key, status, hold, attempt, fails, slot from public.jobs"
            " where organization_id = %s",
            {(job.production.id, *job.row) for job in self.organization.jobs},
        )
        self._compare(
            "select production_id, stage, status, total, remaining, failed, approved_at is not null as approved"
            " from public.production_stages where organization_id = %s",
            {(one.id, name, *barrier.row) for one in self.organization.productions
             for name, barrier in one.barriers.items()},
        )  # fmt: skip
        usage = self.rig.one(
            "select coalesce(sum(total_cost_gbp), 0) as spent, coalesce(sum(reserved_gbp), 0) as reserved"
            " from public.token_usage_daily where organization_id = %s",
            self.organization.id,
        )
        assert (usage["spent"], usage["reserved"]) == (
            self.model.spent(self.organization), self.organization.reserved,
        )  # fmt: skip

    def _compare(self, query: str, expected: set[tuple[Any, ...]]) -> None:
        rows = self.rig.owner.execute(query.encode(), [self.organization.id]).fetchall()
        assert {tuple(row.values()) for row in rows} == expected

    def teardown(self) -> None:
        if hasattr(self, "organization"):
            self.rig.owner.execute("delete from public.organizations where id = %s", [self.organization.id])


def walk(rig: Rig, chosen: settings) -> None:
    """Walk over the rig's database as these settings say; raises at the first step that differs from the model."""
    rig.clean()
    rig.price("paid", "image", float(PRICE))
    for kind, stages in KINDS.items():
        rig.pipeline(kind, stages)
    machine = type("WalkOverRig", (Walk,), {"rig": rig})
    run_state_machine_as_test(machine, settings=chosen)
