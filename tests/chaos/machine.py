"""Random walks over the engine's SQL functions; after each step the rows are compared with the model's.

Hypothesis chooses the steps, so a walk that fails is one that can be replayed, and is made as short as possible.
"""

from __future__ import annotations

from decimal import Decimal

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from tests.chaos.steps import Steps
from tests.rigs.engine import Rig, Stage
from tests.rigs.model import Job, Model, Organization, Production
from tests.rigs.provider_model import Provider

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


class Walk(Steps):
    """One organization's productions, worked on by one hand at a time."""

    @initialize(limit=st.integers(1, 3), budget=st.integers(4, 30), kind=st.sampled_from(sorted(KINDS)),
                places=st.integers(1, 3), per_minute=st.integers(2, 8), trips_after=st.integers(1, 3),
                probes=st.integers(1, 2), outage=st.lists(st.booleans(), max_size=3))  # fmt: skip
    def begin(
        self, limit: int, budget: int, kind: str, places: int, per_minute: int, trips_after: int, probes: int,
        outage: list[bool],
    ) -> None:  # fmt: skip
        self.rig.owner.execute("delete from engine.provider_limits where provider = 'narrow'")
        self.rig.protect("narrow", max_running=places, per_minute=per_minute, trip_failures=trips_after, probes=probes,
                         trip_seconds=3600, trip_kinds="{transient,lost}", longest_cool_down_seconds=6000,
                         cool_down_seconds=600)  # fmt: skip
        self.provider = Provider("narrow", self._running_at_provider, places, per_minute, trips_after, probes,
                                 ("transient", "lost"))  # fmt: skip
        organization = self.rig.organization(limit, budget)
        self.organization = Organization(organization, limit, Decimal(budget))
        self.model = Model(PRICE, self._id_of)
        self._submit(kind, [1, 2, 1, 1], Decimal(1), self.provider)
        if outage:
            self._submit("film", [3, 1, 1, 1], Decimal(0), self.provider)
            self._fail_at_provider(trips_after + 1, "transient")
            self._try_provider_again(outage, 0)

    def _running_at_provider(self) -> list[Job]:
        return [job for job in self.organization.running if job.provider is not None]

    # --- people -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.organization.productions) < 4)
    @rule(kind=st.sampled_from(sorted(KINDS)), widths=st.lists(st.integers(0, 2), min_size=4, max_size=4),
          estimate=ESTIMATES, at_provider=st.booleans())  # fmt: skip
    def submit(self, kind: str, widths: list[int], estimate: Decimal, at_provider: bool) -> None:
        self._submit(kind, widths, estimate, self.provider if at_provider else None)

    def _submit(self, kind: str, widths: list[int], estimate: Decimal, provider: Provider | None) -> None:
        stages = KINDS[kind]
        keys = {stage.name: [f"k{n}" for n in range(width)] for stage, width in zip(stages, widths, strict=True)}
        subject = self.rig.subject(float(estimate), provider.name if provider else None, **keys)
        items = {(stage, key): (f"text of {key}", estimate) for stage in keys for key in keys[stage]}
        answer = self.rig.submit(self.organization.id, kind, subject, f"key of {subject}", dispatched=False)
        again = self.rig.submit(self.organization.id, kind, subject, f"key of {subject}", dispatched=False)
        production = Production(answer["production_id"], self.organization, kind, subject, stages, items, provider)
        expected = self.model.submit(production)
        assert answer["is_new"] and not again["is_new"]
        assert again["production_id"] == production.id and again["jobs"] == []
        self.follow(answer["jobs"], expected)

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
            self.follow(answer, expected)

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
        freed = [job for job in production.jobs.values() if job.status == "running"]
        # Providers in order, none last: as `release_all` hands on.
        room = [step for job in sorted(freed, key=lambda job: job.provider is None) for step in self.room_of(job)]
        answer = self.rig.call("rebuild", production.id, from_stage, False)
        expected = self.model.rebuild(production, from_stage)
        assert answer["build"] == production.build
        self.follow(answer["jobs"], expected, room, dispatched=False)

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
            self.rig.add(production.subject, stage, [key], 1, production.provider and production.provider.name)
            production.items[stage, key] = (f"text of {key}", Decimal(1))

    @rule(limit=st.integers(0, 4), budget=st.integers(0, 30))
    def change_limits(self, limit: int, budget: int) -> None:
        self.rig.limit(self.organization.id, running=limit, budget=budget)
        self.organization.limit, self.organization.budget = limit, Decimal(budget)

    @rule(places=st.integers(0, 4), probes=st.integers(1, 2))
    def change_provider_limits(self, places: int, probes: int) -> None:
        self.rig.protect("narrow", max_running=places, probes=probes)
        self.provider.max_running, self.provider.probes = places, probes

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
        outcome, room = self.model.claim(job)
        assert answer["outcome"] == outcome, (job.row, answer)
        self.follow(answer["next"], set(), room)
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
        self.follow(answer["next"], opened, self.room_of(job) if freed else ())

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
        self._fail(*self.take(pick), kind, calls)

    @precondition(lambda self: any(job.status == "queued" and job.provider for job in self.organization.jobs))
    @rule(count=st.integers(1, 3), kind=st.sampled_from(["transient", "transient", "rate_limited"]))
    def fail_at_provider(self, count: int, kind: str) -> None:
        self._fail_at_provider(count, kind)

    def _fail_at_provider(self, count: int, kind: str) -> None:
        for job in [job for job in self.jobs if job.status == "queued" and job.provider][:count]:
            if self._claim(job) == "granted":
                self._fail(job, job.attempt, kind, 0)

    @precondition(lambda self: self.provider.trips)
    @rule(works=st.lists(st.booleans(), min_size=1, max_size=4), output=st.integers(0, 1))
    def try_provider_again(self, works: list[bool], output: int) -> None:
        self._try_provider_again(works, output)

    def _try_provider_again(self, works: list[bool], output: int) -> None:
        """Its cool-down ends; those that may try find that it works, or that it does not."""
        for it_works in works:
            self._pass_time(2)
            for job in [job for job in self.jobs if job.status == "queued" and job.provider]:
                if self._claim(job) != "granted":
                    continue
                if it_works:
                    self._complete(job, job.attempt, output, 0)
                else:
                    self._fail(job, job.attempt, "transient", 0)

    def _fail(self, job: Job, attempt: int, kind: str, calls: int) -> None:
        freed = job.status == "running" and job.attempt == attempt and (kind != "lost" or job.lapsed)
        answer = self.rig.fail(job.id, attempt, kind, "It broke.", SECONDS, [CALL] * calls)
        accepted, status, opened = self.model.fail(job, attempt, kind, calls)
        assert (answer["accepted"], answer["status"]) == (accepted, status)
        self.follow(answer["next"], opened, self.room_of(job) if freed else ())
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
        self.follow(answer["next"], itself, self.room_of(job) if freed else ())

    @precondition(lambda self: self.attempts)
    @rule(pick=PICK)
    def heartbeat(self, pick: int) -> None:
        job, attempt = self.take(pick)
        answer = self.rig.heartbeat(job.id, attempt, 3600, 0.5)
        assert (answer["alive"], answer["cancel"]) == self.model.heartbeat(job, attempt)

    # --- time -------------------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([2, 25]))
    def pass_time(self, hours: int) -> None:
        self._pass_time(hours)

    def _pass_time(self, hours: int) -> None:
        self.rig.owner.execute(
            """update public.jobs set
                   queued_at = queued_at - make_interval(hours => %(hours)s),
                   due_at = due_at - make_interval(hours => %(hours)s),
                   not_before = not_before - make_interval(hours => %(hours)s),
                   lease_until = lease_until - make_interval(hours => %(hours)s),
                   started_at = started_at - make_interval(hours => %(hours)s)
               where organization_id = %(organization)s""",
            {"hours": hours, "organization": self.organization.id},
        )
        self.rig.owner.execute(
            """update engine.provider_limits set
                   not_before = not_before - make_interval(hours => %(hours)s),
                   open_until = open_until - make_interval(hours => %(hours)s),
                   next_try_at = next_try_at - make_interval(hours => %(hours)s),
                   starts = '{}', failed_at = '{}'
               where provider = 'narrow'""",
            {"hours": hours},
        )
        self.provider.pass_time()
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
            self.follow(answer["next"], opened, self.room_of(job))

    @rule()
    def sweep(self) -> None:
        due = {job.id for job in self.organization.jobs if job.status == "queued" and job.due}
        places = max(0, self.organization.limit - len(self.organization.running))
        at_provider = max(1, self.provider.room()[0])
        answer = self.rig.sweep(1000)
        self.follow(answer, due, [*[None] * places, *[self.provider] * at_provider])
        for job in self.organization.jobs:
            job.due = job.due and job.id not in due

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
