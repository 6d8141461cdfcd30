"""Workers, sweepers, people and trouble at once, over the engine's real functions; then every invariant is counted.

A seed fixes what is submitted and what each actor decides at its n-th step, not how Postgres interleaves them.
Time is rows' times moved back: `TICK_SECONDS` pass at each tick of a sweeper.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from local.postgres import Postgres
from showrunner.database import Database, Statement, is_outage
from showrunner.engine import Claim, Engine, Finish
from showrunner.errors import ErrorKind
from showrunner.usage import ProviderCall
from tests.rigs.chaos_people import KINDS, PROVIDERS, PROVIDERS_GROW_OLDER, STARTS_GROW_OLDER, People
from tests.rigs.engine import Rig
from tests.rigs.invariants import DEADLOCKS, UNEXPECTED, WITNESSES, broken
from tests.rigs.simulated_queue import SimulatedQueue

LEASE_SECONDS = 75
TICK_SECONDS = 40
SWEEPERS = 2
STUCK_SECONDS = 300
CALL = ProviderCall("paid", "m", images=1)
REFUSALS = {"55006", "23505"}  # rebuild of what runs; submit of a subject that is open
LOST = "Its worker stopped answering."

# The backend dies at the very commit, for a share of the commits that touch a job.
CUT_AT_COMMIT = """
create table rig.trouble (chance double precision);
insert into rig.trouble values (0);
create function rig.cut() returns trigger language plpgsql security definer as $$
begin
    if random() < (select chance from rig.trouble) then
        perform pg_terminate_backend(pg_backend_pid());
    end if;
    return null;
end $$;
create constraint trigger cut_at_commit after update on public.jobs
    deferrable initially deferred for each row execute function rig.cut();
"""


class Crash(Exception):
    """The worker's process is gone at this point."""


@dataclass(frozen=True)
class Scenario:
    """Chances of trouble per message or step; `restarts` of Postgres while everybody works."""

    name: str
    queue: float = 0.0
    crash: float = 0.0
    zombie: float = 0.0
    cut: float = 0.0
    people: float = 0.0
    restarts: int = 0


SCENARIOS = (
    Scenario("messages", queue=0.2),
    Scenario("crashes", crash=0.08),
    Scenario("zombies", zombie=0.2),
    Scenario("cuts", cut=0.03, restarts=1),
    Scenario("people", people=1.0),
    Scenario("everything", queue=0.1, crash=0.03, zombie=0.1, cut=0.01, people=0.7, restarts=1),
)


@dataclass
class Result:
    scenario: str
    seed: int
    productions: int = 0
    operations: int = 0
    seconds: float = 0.0
    violations: dict[str, int] = field(default_factory=dict)
    crashes: int = 0
    zombies: int = 0
    cuts: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.violations.values())


class Chaos(People):
    def __init__(
        self, postgres: Postgres, database: str, scenario: Scenario, seed: int, *,
        productions: int, workers: int, widest: int = 40,
    ) -> None:  # fmt: skip
        self.postgres = postgres
        self.database = database
        self.scenario = scenario
        self.seed = seed
        self.rng = random.Random(f"{seed}/{scenario.name}")
        self.queue = SimulatedQueue(random.Random(f"{seed}/queue"), scenario.queue)
        self.wanted = productions
        self.workers = workers
        self.widest = widest
        self.calm = False
        self.over = threading.Event()
        self.done: Counter[str] = Counter()
        self.errors: list[str] = []
        self.productions: list[UUID] = []
        self.zombies: list[tuple[UUID, int, bool]] = []
        self.unanswered: list[tuple[UUID, int]] = []
        self.lock = threading.Lock()
        self.own = threading.local()

    def run(self) -> Result:
        began = time.monotonic()
        deadlocks, cuts = self._deadlocks(), self._cuts()
        self._prepare()
        threads = [threading.Thread(target=self._work, args=(number,)) for number in range(self.workers)]
        threads += [threading.Thread(target=self._sweep_until_over, args=(number,)) for number in range(SWEEPERS)]
        people = threading.Thread(target=self._be_people)
        try:
            for thread in (*threads, people):
                thread.start()
            for _ in range(self.scenario.restarts):
                while people.is_alive() and self.done["submit"] < self.wanted // 2:
                    people.join(0.01)
                self.postgres.restart()
            people.join()
            self.calm = True
            self.queue.trouble = 0.0
            self._come_to_rest()
        finally:
            self.over.set()
            for thread in (*threads, people):
                thread.join()
        result = self._judge(self._deadlocks() - deadlocks)
        result.crashes, result.zombies = self.done["crash"], self.done["zombie"]
        result.cuts = self._cuts() - cuts
        result.seconds = time.monotonic() - began
        return result

    # --- collaborators, one set per thread --------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        if not hasattr(self.own, "engine"):
            self.own.engine = Engine(self.worker)
        return self.own.engine

    @property
    def worker(self) -> Database:
        if not hasattr(self.own, "worker"):
            self.own.worker = Database(self.postgres.login_url(self.database), "showrunner_worker")
        return self.own.worker

    @property
    def owner(self) -> Database:
        if not hasattr(self.own, "owner"):
            self.own.owner = Database(self.postgres.url(self.database), "postgres")
        return self.own.owner

    @property
    def ahead(self) -> list[tuple[UUID, Claim | None]]:
        """Messages that this worker has received and not handled, with the claim of each that has one."""
        if not hasattr(self.own, "ahead"):
            self.own.ahead = []
        return self.own.ahead

    def _close(self) -> None:
        for name in ("worker", "owner"):
            if hasattr(self.own, name):
                getattr(self.own, name).close()

    def _guarded(self, name: str, action: object, *arguments: object) -> None:
        """Do it; what the engine promises not to raise is written down."""
        try:
            action(*arguments)  # type: ignore[operator]
            with self.lock:
                self.done[name] += 1
        except psycopg.Error as error:
            if is_outage(error) or (error.sqlstate in REFUSALS and "rig" not in str(error)):
                return
            with self.lock:
                self.errors.append(f"{name}: {error.sqlstate} {str(error).splitlines()[0]}")

    # --- workers ----------------------------------------------------------------------------------------------------

    def _work(self, number: int) -> None:
        rng = random.Random(f"{self.seed}/worker {number}")
        while not self.over.is_set():
            job, claim = self.ahead.pop() if self.ahead else (self.queue.receive(), None)
            if job is None:
                self.over.wait(0.003)
                continue
            try:
                self._guarded("message", self._handle, rng, job, claim)
            except Crash:
                with self.lock:
                    self.done["crash"] += 1
                self._close()
                self.queue.send([job])
                while self.ahead:
                    self.queue.send([self.ahead.pop()[0]])
                    self.queue.delete()
            self.queue.delete()
        self._close()

    def _may_crash(self, rng: random.Random) -> None:
        if not self.calm and rng.random() < self.scenario.crash:
            raise Crash

    def _handle(self, rng: random.Random, job: UUID, claim: Claim | None) -> None:
        claim = claim or self.engine.claim(job, "chaos", LEASE_SECONDS)
        self._may_crash(rng)
        self.queue.send(sent.id for sent in claim.next)
        if claim.outcome != "granted":
            return
        roll = rng.random()
        with_effect = rng.random() < 0.7
        if not self.calm and rng.random() < self.scenario.zombie:
            with self.lock:
                self.zombies.append((job, claim.attempt, with_effect))
            if rng.random() < 0.5:
                return
        self._may_crash(rng)
        finish = self._finish(rng, roll, job, claim.attempt, with_effect)
        self._may_crash(rng)
        self.queue.send(sent.id for sent in finish.next)
        if finish.retry_seconds is not None:
            self.queue.send([job])
        self._may_crash(rng)
        self._rise_again(rng)

    def _finish(self, rng: random.Random, roll: float, job: UUID, attempt: int, with_effect: bool) -> Finish:
        if not self.calm and roll < 0.12:
            kinds = ("transient", "rate_limited", "bad_output", "content_refused", "internal", "invalid_input", "quota",
                     "auth")  # fmt: skip
            kind = ErrorKind(rng.choices(kinds, (8, 8, 6, 5, 4, 2, 1, 1))[0])
            wait = None if kind is ErrorKind.RATE_LIMITED and rng.random() < 0.5 else 0.1
            return self._paying(job, attempt, lambda: self.engine.fail(job, attempt, kind, "It broke.", wait, [CALL]))
        if not self.calm and roll < 0.15:
            return self._paying(job, attempt, lambda: self.engine.defer(job, attempt, 0.01, {"ticket": 1}, [CALL]))
        following = self.queue.receive() if rng.random() < 0.5 else None
        return self._complete(job, attempt, with_effect, following)

    def _complete(self, job: UUID, attempt: int, with_effect: bool, following: UUID | None = None) -> Finish:
        """Complete a job; what follows is claimed in the same round trip, and is this worker's next message."""
        effect = Statement(
            "insert into rig.effects select jobs.id, productions.build, %s, jobs.attempt from public.jobs"
            " join public.productions on productions.id = jobs.production_id where jobs.id = %s",
            (attempt, job),
        )
        output = {"attempt": attempt, "effect": with_effect}
        digest = f"{attempt:064x}"
        statements = [effect] if with_effect else []
        done = (job, attempt, output, digest, [CALL], statements)
        if following is None:
            return self._paying(job, attempt, lambda: self.engine.complete(*done))
        self.ahead.append((following, None))

        def turn() -> Finish:
            finish, claim = self.engine.complete_and_claim(*done, following, "chaos", LEASE_SECONDS)
            self.ahead[-1] = (following, claim)
            with self.lock:
                self.done["turn" if claim else "turn without a claim"] += 1
            return finish

        return self._paying(job, attempt, turn)

    def _paying(self, job: UUID, attempt: int, report: object) -> Finish:
        """A call that reports what was paid; where it is not answered, the report is repeated later."""
        with self.lock:
            self.unanswered.append((job, attempt))
        return report()  # type: ignore[operator,no-any-return]

    def _rise_again(self, rng: random.Random) -> None:
        """A zombie finishes twice, at any time after it went silent."""
        with self.lock:
            if not self.zombies or rng.random() < 0.5:
                return
            zombie = self.zombies.pop(rng.randrange(len(self.zombies)))
            self.done["zombie"] += 1
        job, attempt, _ = zombie
        successor = self._replace(job, attempt) if rng.random() < 0.7 else None
        for _ in range(2):
            self.queue.send(sent.id for sent in self._complete(*zombie).next)
        if successor is not None:
            self.queue.send(sent.id for sent in self._complete(job, successor, rng.random() < 0.5).next)

    def _replace(self, job: UUID, attempt: int) -> int | None:
        """Its lease passes, and another worker has the job by the time it wakes."""
        self.owner.call(
            "update public.jobs set lease_until = lease_until - interval '1 hour'"
            " where (id, attempt, status) = (%s, %s, 'running') returning 1",
            [job, attempt],
        )
        self.engine.fail(job, attempt, ErrorKind.LOST, LOST)
        claim = self.engine.claim(job, "chaos", LEASE_SECONDS)
        return claim.attempt if claim.outcome == "granted" else None

    # --- sweepers, and time -----------------------------------------------------------------------------------------

    def _sweep_until_over(self, number: int) -> None:
        while not self.over.wait(0.15):
            if not self.calm:
                self._guarded("tick", self._tick, TICK_SECONDS)
                self._guarded("sweep", self._sweep)
        self._close()

    def _tick(self, seconds: float) -> None:
        self.owner.call(
            """update public.jobs set
                   due_at = due_at - make_interval(secs => %(seconds)s),
                   not_before = not_before - make_interval(secs => %(seconds)s),
                   lease_until = lease_until - make_interval(secs => %(seconds)s),
                   started_at = started_at - make_interval(secs => %(seconds)s)
               where id in (
                   select id from public.jobs where status in ('queued', 'running') for no key update skip locked
               ) returning 1""",
            {"seconds": seconds},
        )
        # The second statement sees what claims had written that the first one waited for.
        self.owner.run([Statement(PROVIDERS_GROW_OLDER, (seconds,) * 4), Statement(STARTS_GROW_OLDER, (seconds,))])
        self.queue.let_late_ones_arrive()

    def _sweep(self) -> None:
        for job, attempt in self.engine.expired(100):
            finish = self.engine.fail(job, attempt, ErrorKind.LOST, LOST)
            self.queue.send(sent.id for sent in finish.next)
        self.queue.send(sent.id for sent in self.engine.sweep(500))

    # --- before and after -------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        rig = Rig(self.postgres.url(self.database), self.postgres.login_url(self.database))
        rig.clean()
        rig.owner.execute("delete from engine.pipelines where kind = any (%s)", [list(KINDS)])
        rig.owner.execute(WITNESSES)
        rig.owner.execute(CUT_AT_COMMIT)
        rig.price("paid", "image", 0.5)
        for kind, stages in KINDS.items():
            rig.pipeline(kind, stages)
        for provider, limits in PROVIDERS.items():
            rig.protect(provider, **limits)
        self.organizations = [rig.organization(3, 40), rig.organization(6, 1000), rig.organization(12, 5000)]
        rig.close()

    def _come_to_rest(self) -> None:
        """Time passes and people act, until nothing is left or nothing changes any more."""
        self.owner.call("update rig.trouble set chance = 0 returning 1")
        # One at a time: a statement over all of them locks them in no order, and sweepers do in that of their ids.
        for organization in self.organizations:
            self.owner.call(
                "update engine.organization_limits set max_running_jobs = 20, daily_budget_gbp = 1000000"
                " where organization_id = %s returning 1",
                [organization],
            )
        self.owner.call("update engine.provider_limits set max_running = 6 where provider = 'narrow' returning 1")
        rng = random.Random(self.seed)
        while self.zombies:
            self._guarded("zombie", self._rise_again, rng)
        unchanged, before = 0, None
        while unchanged < 8:
            self._guarded("tick", self._tick, 1000)
            self._guarded("sweep", self._sweep)
            for row in self.owner.call("select id, waiting_for from public.productions where status = 'waiting'"):
                act = "approve" if row["waiting_for"] == "approval" else "rebuild"
                self._guarded(act, self.worker.call, f"select engine.{act}(%s)", [row["id"]])
            give_up = time.monotonic() + STUCK_SECONDS
            while not self.queue.is_empty and time.monotonic() < give_up:
                time.sleep(0.005)
            state = self.owner.call(
                "select (select jsonb_object_agg(status, n) from (select status, count(*) as n from public.jobs"
                " group by 1) as jobs) as jobs, (select sum(attempt) from public.jobs) as attempts,"
                " (select jsonb_object_agg(status, n) from (select status, count(*) as n from public.productions"
                " group by 1) as productions) as productions"
            )[0]
            unchanged, before = (unchanged + 1 if state == before else 0), state
            if not set(state["productions"] or {}) & {"queued", "running", "waiting"} and not set(
                state["jobs"] or {}
            ) & {"queued", "running"}:
                return

    def _judge(self, deadlocks: int) -> Result:
        if not self.done["people"]:
            self.errors.append("people: their thread ended early")
        for job, attempt in self.unanswered:
            self.engine.record_usage(job, attempt, [CALL])
        reported = list(dict.fromkeys(self.unanswered))
        self.owner.call(
            "insert into rig.paid select *, 1 from unnest(%s::uuid[], %s::integer[]) returning 1",
            [[job for job, _ in reported], [attempt for _, attempt in reported]],
        )
        result = Result(self.scenario.name, self.seed)
        with psycopg.connect(
            self.postgres.url(self.database), autocommit=True, row_factory=psycopg.rows.dict_row
        ) as owner:
            result.violations = broken(owner)
            row = owner.execute("select count(*) as productions from public.productions").fetchone()
            result.productions = row["productions"] if row else 0
        result.violations |= {UNEXPECTED.id: len(self.errors), DEADLOCKS.id: deadlocks}
        result.remarks = sorted(set(self.errors))[:5]
        result.operations = sum(self.done.values())
        self._close()
        return result

    def _deadlocks(self) -> int:
        """As the server's log has them: its statistics are lost when it crashes."""
        return self._logged("deadlock detected")

    def _cuts(self) -> int:
        return self._logged("terminating connection due to administrator command")

    def _logged(self, words: str) -> int:
        return self.postgres.log.read_text(errors="replace").count(words)
