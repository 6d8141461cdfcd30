"""What the walks share: whose turn it is, what must be in an answer, and the comparison of rows after every step."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from tests.rigs.engine import Rig
from tests.rigs.model import Job, Model, Organization, Production
from tests.rigs.provider_model import Provider


class Steps(RuleBasedStateMachine):
    rig: Rig
    organization: Organization
    model: Model
    provider: Provider

    def __init__(self) -> None:
        super().__init__()
        self.attempts: list[tuple[Job, int]] = []
        self.progress: dict[tuple[uuid.UUID, int], int] = {}

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

    @staticmethod
    def room_of(job: Job) -> list[Provider | None]:
        """What the end of an attempt hands on: a place of its organization, and one of its provider."""
        return [None] if job.provider is None else [None, job.provider]

    def follow(
        self, answer: list[dict[str, Any]], opened: set[uuid.UUID], room: Sequence[Provider | None] = (),
        *, dispatched: bool = True,
    ) -> None:  # fmt: skip
        """What is sent is what was opened, and for each room that is free one of those that wait for it.

        `room` is what may be handed on, in order: a place of the organization (None) or of a provider.
        """
        sent = {uuid.UUID(entry["id"]): entry["delay"] for entry in answer}
        assert len(sent) == len(answer)
        assert opened <= set(sent)
        handed = {job: delay for job, delay in sent.items() if job not in opened}
        for provider in room:
            if provider is None:
                candidates, now = self.model.candidates(self.organization), True
            else:
                candidates = [job for job in self.organization.jobs if job.hold == "provider"]
                going = provider.hand_on() if candidates else None
                candidates, now = ([], True) if going is None else (candidates, going)
            if not candidates:
                continue
            oldest = min(job.queued_at for job in candidates)
            chosen = [job for job in candidates if job.id in handed]
            assert chosen, "free room was handed to nobody"
            assert min(job.queued_at for job in chosen) == oldest, "the oldest was not first"
            first = min(chosen, key=lambda job: job.queued_at)
            assert (handed.pop(first.id) == 0) == now
            self.model.readmit(first, now=now, dispatched=dispatched)
        assert not handed, "a job was sent that had no room"

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
            "select coalesce(sum(total_cost_gbp), 0) as spent from public.token_usage_daily where organization_id = %s",
            self.organization.id,
        )
        assert usage["spent"] == self.model.spent(self.organization)
        reserved = self.rig.one(
            "select coalesce(sum(estimate_gbp), 0) as gbp from public.jobs"
            " where organization_id = %s and reserved_on is not null",
            self.organization.id,
        )
        assert reserved["gbp"] == self.organization.reserved
        self._compare_provider()

    def _compare_provider(self) -> None:
        row = self.rig.one(
            """select
                   (select sum(n) from unnest(engine.recent_starts(limits, clock_timestamp())) as n) as starts,
                   cardinality(failed_at) as failures,
                   trips,
                   coalesce(open_until > now(), false) as is_open,
                   coalesce(not_before > now(), false) as asked,
                   coalesce(next_try_at > now(), false) as told
               from engine.provider_limits as limits
               where provider = %s""",
            self.provider.name,
        )
        assert tuple(row.values()) == self.provider.row
        # No second passes at the provider but in `pass_time`.
        self.rig.owner.execute("update engine.provider_limits set starts_at = clock_timestamp()")

    def _compare(self, query: str, expected: set[tuple[Any, ...]]) -> None:
        rows = self.rig.owner.execute(query.encode(), [self.organization.id]).fetchall()
        assert {tuple(row.values()) for row in rows} == expected
