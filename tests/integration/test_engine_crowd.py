"""A crowd: workers, sweepers and impatient people at once, zombies among them. Then every promise is read in SQL."""

from __future__ import annotations

import random
import threading
import uuid
from collections import Counter

import psycopg
import pytest

from showrunner.database import Database, Statement
from showrunner.engine import Engine
from showrunner.errors import ErrorKind
from showrunner.usage import ProviderCall
from tests.rigs.engine import WRITE_SPEAK_MASTER, Stage

THREADS = 8
STEPS = 180
CALL = ProviderCall("paid", "m", images=1)
REFUSALS = {"55006", "23505"}  # rebuild of what runs; submit of what is open

KINDS = {
    "film": WRITE_SPEAK_MASTER,
    "video": (
        Stage("cut"),
        Stage("sound", after=("cut",)),
        Stage("picture", after=("cut",), max_fails=2),
        Stage("render", after=("sound", "picture"), joins=True),
    ),
    "story": (
        Stage("plot"),
        Stage("tell", after=("plot",), gate=True),
        Stage("print", after=("plot", "tell"), joins=True),
    ),
}

# Each raises, in the transaction that breaks it, when a promise about order is broken.
WITNESSES = """
create table rig.accepted (job_id uuid, build integer, primary key (job_id, build));
grant insert on rig.accepted to showrunner_worker;
create table rig.openings (production_id uuid, stage text, build integer, primary key (production_id, stage, build));

create function rig.progress_never_falls() returns trigger language plpgsql as $$
begin
    assert new.build > old.build or new.progress >= old.progress, 'progress fell';
    return new;
end $$;
create trigger witness before update on public.productions
    for each row execute function rig.progress_never_falls();

create function rig.stages_open_once() returns trigger language plpgsql security definer as $$
begin
    insert into rig.openings values (new.production_id, new.stage, new.opened_build);
    return new;
end $$;
create trigger witness before update of opened_build on public.production_stages
    for each row execute function rig.stages_open_once();

create function rig.predecessors_come_first() returns trigger language plpgsql security definer as $$
begin
    assert not exists (
        select
        from public.productions
        join engine.pipelines on pipelines.kind = productions.kind and pipelines.stage = new.stage
        join public.production_stages as before
            on before.production_id = productions.id and before.stage = any (pipelines.after)
        where productions.id = new.production_id and before.status <> 'done' and productions.status <> 'cancelled'
    ), 'a job ran before its predecessors';
    return new;
end $$;
create trigger witness before update on public.jobs
    for each row when (new.status = 'running' and old.status = 'queued')
    execute function rig.predecessors_come_first();
"""


class Crowd:
    def __init__(self, rig, seed):
        self.rig = rig
        self.seed = seed
        rig.owner.execute(WITNESSES)
        rig.price("paid", "image", 0.5)
        for kind, stages in KINDS.items():
            rig.pipeline(kind, stages)
        self.organizations = [rig.organization(3, 6), rig.organization(5, 1000), rig.organization(2, 20)]
        self.productions: list[uuid.UUID] = []
        self.granted: list[tuple[uuid.UUID, int]] = []
        self.errors: list[str] = []
        self.done: Counter[str] = Counter()
        self.own = threading.local()

    def run(self):
        self.own.owner = self.rig.owner
        for number in range(12):
            self.submit(random.Random(self.seed + number), self.rig.worker)
        threads = [threading.Thread(target=self.work, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def work(self, number):
        rng = random.Random(self.seed * 1000 + number)
        self.own.owner = self.rig.open_owner()
        database = Database(self.rig.login_url, "showrunner_worker", pauses_seconds=())
        connection = self.rig.open_worker()
        engine = Engine(database)
        actions = {
            self.claim: 30, self.complete: 30, self.fail: 10, self.defer: 2, self.beat: 2, self.lose: 4, self.sweep: 4,
            self.cancel: 2, self.rebuild: 6, self.approve: 4, self.submit: 2, self.edit: 2,
        }  # fmt: skip
        for action in rng.choices(list(actions), list(actions.values()), k=STEPS):
            try:
                action(
                    rng,
                    engine if action in (self.claim, self.complete, self.fail, self.defer, self.lose) else connection,
                )
                self.done[action.__name__] += 1
            except psycopg.Error as error:
                if error.sqlstate not in REFUSALS or "rig" in str(error):
                    self.errors.append(f"{action.__name__}: {error.sqlstate} {error}")
            except IndexError:
                continue  # nothing to do it with yet
        database.close()

    # --- what a worker does -----------------------------------------------------------------------------------------

    def claim(self, rng, engine):
        query = "select id from public.jobs where status in ('queued', 'parked') limit 50"
        job = rng.choice(self.own.owner.execute(query).fetchall())["id"]
        claim = engine.claim(job, "crowd", 30)
        if claim.outcome == "granted":
            self.granted.append((job, claim.attempt))

    def take(self, rng):
        """A granted attempt, at times one that is used again: a zombie."""
        index = rng.randrange(len(self.granted)) if self.granted else 0
        return self.granted[index] if rng.random() < 0.2 else self.granted.pop(index)

    def complete(self, rng, engine):
        job, attempt = self.take(rng)
        rows = Statement(
            "insert into rig.accepted select jobs.id, productions.build from public.jobs"
            " join public.productions on productions.id = jobs.production_id where jobs.id = %s",
            (job,),
        )
        engine.complete(job, attempt, {"made": rng.random()}, "0" * 64, [CALL], [rows] if rng.random() < 0.8 else [])

    def fail(self, rng, engine):
        kinds = [
            "transient",
            "rate_limited",
            "bad_output",
            "content_refused",
            "invalid_input",
            "quota",
            "auth",
            "internal",
        ]
        kind = ErrorKind(rng.choices(kinds, [6, 6, 4, 3, 2, 1, 1, 3])[0])
        engine.fail(*self.take(rng), kind, "It broke.", 0.1, [CALL])

    def defer(self, rng, engine):
        engine.defer(*self.take(rng), 0.01, {"ticket": 1}, [CALL])

    def beat(self, rng, connection):
        job, attempt = rng.choice(self.granted)
        connection.execute("select engine.heartbeat(%s, %s, 30, 0.5::real)", [job, attempt])

    def lose(self, rng, engine):
        job, attempt = rng.choice(self.granted)
        self.own.owner.execute(
            "update public.jobs set lease_until = lease_until - interval '1 hour' where (id, attempt) = (%s, %s)",
            [job, attempt],
        )
        for expired, lost in engine.expired(5):
            engine.fail(expired, lost, ErrorKind.LOST, "Its worker stopped answering.")

    def sweep(self, rng, connection):
        connection.execute("select engine.sweep(20)")

    # --- what people do ---------------------------------------------------------------------------------------------

    def submit(self, rng, connection):
        kind = rng.choice(list(KINDS))
        stages = {stage.name: rng.choice([0, 1, 2, 6]) for stage in KINDS[kind]}
        subject = uuid.uuid4()
        for stage, width in stages.items():
            self.own.owner.cursor().executemany(
                "insert into rig.items (subject_id, stage, key, estimate_gbp) values (%s, %s, %s, %s)",
                [(subject, stage, f"k{key}", rng.choice([0, 0.5, 2])) for key in range(width)],
            )
        submitted = self.rig.call(
            "submit", rng.choice(self.organizations), kind, subject, None, None, False, on=connection
        )
        self.productions.append(submitted["production_id"])

    def cancel(self, rng, connection):
        connection.execute("select engine.cancel(%s)", [rng.choice(self.productions)])

    def rebuild(self, rng, connection):
        production = rng.choice(self.productions)
        kind = self.rig.one("select kind from public.productions where id = %s", production, on=self.own.owner)["kind"]
        stage = rng.choice([None, *[stage.name for stage in KINDS[kind]]])
        connection.execute("select engine.rebuild(%s, %s)", [production, stage])

    def approve(self, rng, connection):
        connection.execute("select engine.approve(%s)", [rng.choice(self.productions)])

    def edit(self, rng, connection):
        self.own.owner.execute(
            "update rig.items set text = %s from public.productions"
            " where productions.id = %s and items.subject_id = productions.subject_id and items.key = 'k1'",
            [str(rng.random()), rng.choice(self.productions)],
        )

    # --- afterwards -------------------------------------------------------------------------------------------------

    def drain(self):
        """Let time pass, let people act, and work until nothing is left."""
        rig = self.rig
        for organization in self.organizations:
            rig.limit(organization, budget=10_000)
        for _ in range(300):
            rig.owner.execute("update public.jobs set not_before = null, due_at = queued_at where status = 'queued'")
            for job in rig.owner.execute("select id, attempt from public.jobs where status = 'running'").fetchall():
                rig.complete(job["id"], job["attempt"])
            rig.sweep()
            waiting = rig.owner.execute(
                "select id, waiting_for from public.productions where status = 'waiting'"
            ).fetchall()
            for production in waiting:
                if production["waiting_for"] == "approval":
                    rig.call("approve", production["id"])
                else:
                    rig.rebuild(production["id"])
            queued = rig.owner.execute("select id from public.jobs where status = 'queued'").fetchall()
            for job in queued:
                claim = rig.claim(job["id"])
                if claim["outcome"] == "granted":
                    rig.complete(job["id"], claim["attempt"])
            open_ = (
                "select count(*) as n from public.productions where status not in ('completed', 'failed', 'cancelled')"
            )
            if rig.one(open_)["n"] == 0 and not queued:
                return
        raise AssertionError("it never comes to rest")


@pytest.mark.parametrize("seed", [1, 3])
def test_a_crowd_breaks_no_promise(rig, seed):
    crowd = Crowd(rig, seed)

    crowd.run()
    in_motion = rig.violations()
    crowd.drain()

    assert crowd.errors == []
    assert in_motion == {}
    assert rig.violations(at_rest=True) == {}
    assert crowd.done["complete"] > 50
