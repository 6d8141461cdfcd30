"""What people do in the chaos run: submit, cancel, rebuild, approve, edit, change limits."""

from __future__ import annotations

import random
import threading
import time
import uuid
from typing import Any
from uuid import UUID

from showrunner.database import Database
from tests.rigs.engine import Stage
from tests.rigs.simulated_queue import SimulatedQueue

KINDS = {
    "film": (
        Stage("write", sticky=True),
        Stage("speak", after=("write",), max_fails=4),
        Stage("adapt", after=("speak",), joins=True, sticky=True),
        Stage("master", after=("speak", "adapt"), joins=True),
    ),
    "video": (
        Stage("cut", fans_out=False),
        Stage("sound", after=("cut",)),
        Stage("picture", after=("cut",), max_fails=2),
        Stage("render", after=("sound", "picture"), joins=True),
    ),
    "story": (
        Stage("plot", fans_out=False),
        Stage("tell", after=("plot",), gate=True),
        Stage("print", after=("plot", "tell"), joins=True),
    ),
}
# Half of the items go to a provider: one with places and a breaker, or one with starts per minute.
PROVIDERS = {
    "narrow": {"max_running": 4, "trip_failures": 3, "trip_seconds": 600, "cool_down_seconds": 60, "probes": 2},
    "slow": {"per_minute": 30, "trip_failures": 5, "trip_kinds": "{transient,bad_output,lost}"},
}
# Two threads that let time pass, or one and a sweep, would lock the providers in different orders; so it is by name.
PROVIDERS_GROW_OLDER = """
select pg_advisory_xact_lock(1);
select from engine.provider_limits order by provider for no key update;
update engine.provider_limits set
    not_before = not_before - make_interval(secs => %s),
    open_until = open_until - make_interval(secs => %s),
    next_try_at = next_try_at - make_interval(secs => %s),
    starts_at = starts_at - make_interval(secs => %s)
"""
STARTS_GROW_OLDER = "update rig.starts set started_at = started_at - make_interval(secs => %s) returning 1"
FAN_OUTS = {"film": "speak", "video": "sound", "story": "tell"}


class People:
    """The part of `Chaos` that asks for work; one thread runs it."""

    seed: int
    over: threading.Event
    scenario: Any
    wanted: int
    widest: int
    queue: SimulatedQueue
    productions: list[UUID]
    organizations: list[UUID]
    worker: Database
    owner: Database

    def _be_people(self) -> None:
        rng = random.Random(f"{self.seed}/people")
        actions = (self._cancel, self._rebuild, self._approve, self._edit, self._limit)
        widths = [self.widest] if self.widest > 40 else []
        for number in range(self.wanted):
            if self.over.is_set():
                return
            self._guarded("submit", self._submit, rng, number, widths)
            if self.scenario.cut and number == 1:
                self._guarded("trouble", self._set_trouble, self.scenario.cut)
            for action in rng.choices(actions, (2, 4, 3, 3, 1), k=3):
                if self.productions and (action == self._approve or rng.random() < self.scenario.people):
                    self._guarded(action.__name__.strip("_"), action, rng)
            self._look_on(25)
        self._guarded("trouble", self._set_trouble, 0)
        self._close()
        self.done["people"] += 1

    def _look_on(self, most: int) -> None:
        """Let the workers go on, while there is trouble still."""
        while most and not self.queue.is_empty:
            time.sleep(0.01)
            most -= 1

    def _set_trouble(self, chance: float) -> None:
        self.owner.call("update rig.trouble set chance = %s returning 1", [chance])

    def _submit(self, rng: random.Random, number: int, widths: list[int]) -> None:
        kind = rng.choice(sorted(KINDS))
        subject = uuid.UUID(int=rng.getrandbits(128), version=4)
        rows = []
        for stage in KINDS[kind]:
            width = rng.choice([0, 1, 1, 2])
            if stage.name == FAN_OUTS[kind]:
                width = widths.pop() if widths else rng.choice([0, 1, 1, 3, 5, 8, 40 if number % 4 == 0 else 2])
            rows += [
                (stage.name, f"k{key}", rng.choice(["0", "0", "0.5", "2"]), rng.choice([None, None, *PROVIDERS]))
                for key in range(width)
            ]
        if rows:
            names, keys, estimates, providers = (list(column) for column in zip(*rows, strict=True))
            self.owner.call(
                "insert into rig.items (subject_id, stage, key, estimate_gbp, provider)"
                " select %s, * from unnest(%s::text[], %s::text[], %s::numeric[], %s::text[])"
                " on conflict do nothing returning 1",
                [subject, names, keys, estimates, providers],
            )
        row = self.worker.call(
            "select * from engine.submit(%s, %s, %s, %s, null, %s)",
            [rng.choice(self.organizations), kind, subject, str(number), number % 2 == 0],
        )[0]
        self.productions.append(row["production_id"])
        if number % 2 == 0:
            self.queue.send(UUID(job["id"]) for job in row["jobs"])

    def _cancel(self, rng: random.Random) -> None:
        """Any but the first, which is the widest."""
        if len(self.productions) > 1:
            self.worker.call("select engine.cancel(%s)", [rng.choice(self.productions[1:][-30:])])

    def _rebuild(self, rng: random.Random) -> None:
        production = rng.choice(self.productions[-60:])
        kind = self.owner.call("select kind from public.productions where id = %s", [production])[0]["kind"]
        stage = rng.choice([None, *[stage.name for stage in KINDS[kind]]])
        self.worker.call("select engine.rebuild(%s, %s)", [production, stage])

    def _approve(self, rng: random.Random) -> None:
        self.worker.call("select engine.approve(%s)", [rng.choice(self.productions[-30:])])

    def _edit(self, rng: random.Random) -> None:
        self.owner.call(
            "update rig.items set text = %s from public.productions"
            " where productions.id = %s and items.subject_id = productions.subject_id and items.key = 'k1' returning 1",
            [str(rng.random()), rng.choice(self.productions[-60:])],
        )

    def _limit(self, rng: random.Random) -> None:
        self.owner.call(
            "update engine.provider_limits set max_running = %s where provider = 'narrow' returning 1",
            [rng.randrange(0, 7)],
        )
        self.owner.call(
            "update engine.organization_limits set max_running_jobs = %s, daily_budget_gbp = %s"
            " where organization_id = %s returning 1",
            [rng.randrange(0, 9), rng.choice([5, 50, 5000]), rng.choice(self.organizations)],
        )
