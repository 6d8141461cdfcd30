"""The whole laptop edition under test: its stack, an online voice that can be held in mid-sentence, and its rows.

Run as a program it is a host that can be killed: `python -m tests.rigs.laptop <state> <address of the provider>`, and
then any `NAME=value` that its functions are to see.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psycopg

from local.processes import interrupt_on_signals
from local.stack import Options, Stack
from showrunner.speech_text import speakable
from tests.provider_server import Answer, ProviderServer, Request, documented_answer
from tests.rigs.albums import make_channel, make_video
from tests.rigs.shows import Show, make_show
from tests.texts import ARTICLE

PROJECT = Path(__file__).parents[2]
PATIENCE = 120
LEASE_SECONDS = 5
SPEAKERS = [{"name": "Ada", "voice": "openai/alloy"}, {"name": "Ben", "voice": "openai/echo"}]
OFFLINE_SPEAKERS = [{"name": "Ada", "voice": "espeak/ada"}, {"name": "Ben", "voice": "espeak/ben"}]


class HoldingProvider(ProviderServer):
    """Answers as documented, but for one request, which it holds until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.held = threading.Event()
        self._go_on = threading.Event()
        self._hold_at = 0

    def hold(self, number: int) -> None:
        """Forget the requests so far, and hold the one of this number."""
        self.requests.clear()
        self.held.clear()
        self._go_on.clear()
        self._hold_at = number

    def release(self) -> None:
        self._go_on.set()

    def take(self, request: Request) -> Answer:
        super().take(request)
        if len(self.requests) >= self._hold_at > 0:
            self._hold_at = 0
            self.held.set()
            self._go_on.wait(PATIENCE)
        return documented_answer(request)


def options(provider_url: str, variables: Iterable[str] = ()) -> Options:
    """Short leases and frequent sweeps, so that a test waits for seconds where a cloud waits for minutes."""
    environment = {
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "OPENAI_BASE_URL": f"{provider_url}/v1",
        "OPENAI_API_KEY": "sk-test",
        "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1:*",
    }
    environment |= dict(variable.split("=", 1) for variable in variables)
    return Options(environment=environment, port=0, schedule_seconds={"sweep_jobs": 0.5, "deliver_webhooks": 1.0})


class Laptop:
    """What a test does and sees of a running laptop edition, through its database."""

    def __init__(self, database_url: str, provider: HoldingProvider) -> None:
        self.database_url = database_url
        self.provider = provider

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """As the tables' owner; waits while the database starts again."""
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                with psycopg.connect(self.database_url, autocommit=True) as connection:
                    cursor = connection.execute(query.encode(), values)
                    return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.1)

    def show(self, **project: Any) -> Show:
        """A show of a new user and organization; its voices are online unless `speakers` says otherwise."""
        user = self._user()
        with psycopg.connect(self.database_url, autocommit=True) as owner:
            return make_show(owner, user, ARTICLE, 1, **{"speakers": SPEAKERS, **project})

    def _user(self) -> uuid.UUID:
        user = uuid.uuid4()
        self.rows(
            "insert into auth.users (id, email, raw_user_meta_data) values (%s, %s, %s)",
            user, f"{user.hex}@example.com", json.dumps({"display_name": "ada"}),
        )  # fmt: skip
        self.rows("update public.organizations set tier = 'pro' where id = %s", user)
        return user

    def request(self, show: Show) -> uuid.UUID:
        """As the show's user asks for it."""
        return self._requested(show.user, "episode", show.episode)

    def request_video(self, **columns: Any) -> uuid.UUID:
        """A new user's ambience video of one minute and two tracks, made of nothing but this machine."""
        user = self._user()
        with psycopg.connect(self.database_url, autocommit=True) as owner:
            video = make_video(owner, user, make_channel(owner, user), **columns)
        return self._requested(user, "ambience", video)

    def _requested(self, user_id: uuid.UUID, kind: str, subject: uuid.UUID) -> uuid.UUID:
        with psycopg.connect(self.database_url, autocommit=True) as user:
            claims = json.dumps({"sub": str(user_id), "role": "authenticated"})
            user.execute("select set_config('request.jwt.claims', %s, false)", [claims])
            user.execute("set role authenticated")
            row = user.execute("select public.request_production(%s, %s, 'k')", [kind, subject]).fetchone()
        assert row is not None
        return uuid.UUID(str(row[0]))

    def wait(self, condition: Callable[[], object], what: str) -> None:
        give_up = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < give_up, f"not within {PATIENCE} s: {what}; {self.standing()}"
            time.sleep(0.05)

    def wait_until_completed(self, production: uuid.UUID) -> None:
        self.wait(lambda: self.status(production) in ("completed", "failed", "waiting"), f"{production} rests")
        assert self.status(production) == "completed", self.standing()

    def status(self, production: uuid.UUID) -> str:
        return str(self.rows("select status from public.productions where id = %s", production)[0][0])

    def _kind(self, production: uuid.UUID) -> str:
        return str(self.rows("select kind from public.productions where id = %s", production)[0][0])

    def explain(self, production: uuid.UUID) -> str:
        return str(self.rows("select engine.explain_production(%s)", production)[0][0])

    def standing(self) -> list[tuple[Any, ...]]:
        """What a person would look at when a test fails."""
        return self.rows(
            "select stage, status, hold, attempt, fails, error from public.jobs "
            "where status <> 'succeeded' order by started_at desc nulls last limit 8"
        )

    def accepted(self, production: uuid.UUID) -> dict[uuid.UUID, tuple[Any, ...]]:
        """job → attempt, text, asset and version of the asset's row, of each line that is spoken"""
        found = self.rows(
            "select jobs.id, jobs.attempt, jobs.input ->> 'text', assets.id, assets.sha256, assets.xmin::text "
            "from public.jobs join public.assets on assets.id = (jobs.output -> 'asset' ->> 'id')::uuid "
            "where jobs.production_id = %s and jobs.stage = 'speak_line' and jobs.status = 'succeeded'",
            production,
        )
        return {row[0]: row[1:] for row in found}

    def assert_unharmed(self, production: uuid.UUID, before: dict[uuid.UUID, tuple[Any, ...]]) -> None:
        """What was accepted `before` was kept, nothing was counted twice, and the counters equal the rows."""
        after = self.accepted(production)
        assert before
        assert {job: after[job] for job in before} == before
        asked = Counter(request.body["input"] for request in list(self.provider.requests) if "input" in request.body)
        twice = {text: asked[speakable(text)] for _, text, *_ in before.values() if asked[speakable(text)] != 1}
        assert not twice, f"asked for again although accepted: {twice}"
        counted = self.rows(
            "select jobs.id, jobs.input ->> 'text', (jobs.output ->> 'characters')::int, "
            "array(select characters::int from public.usage_events where usage_events.job_id = jobs.id) "
            "from public.jobs where production_id = %s and stage = 'speak_line' and status = 'succeeded'",
            production,
        )
        for job, text, characters, calls in counted:
            most = 1 if job in before else asked[speakable(text)]
            assert calls in [[characters] * times for times in range(1, most + 1)], (job in before, text, calls)
        self.assert_books_balance(production)

    def assert_books_balance(self, production: uuid.UUID) -> None:
        daily = self.rows(
            "select usage.total_cost_gbp, public.reserved_gbp(usage), (select coalesce(sum(cost_gbp), 0) "
            "from public.usage_events where usage_events.organization_id = usage.organization_id) "
            "from public.token_usage_daily as usage "
            "join public.productions on productions.organization_id = usage.organization_id "
            "where productions.id = %s",
            production,
        )
        assert all(spent == counted and reserved == 0 for spent, reserved, counted in daily), daily
        stages = self.rows(
            "select stages.stage, stages.total, stages.remaining, stages.failed, "
            "count(jobs.id) filter (where jobs.status = 'succeeded') from public.production_stages as stages "
            "left join public.jobs on jobs.production_id = stages.production_id and jobs.stage = stages.stage "
            "where stages.production_id = %s group by stages.stage, stages.total, stages.remaining, stages.failed",
            production,
        )
        assert len(stages) == {"episode": 6, "ambience": 5}[self._kind(production)]
        assert all((total, 0, 0) == (done, left, failed) for _, total, left, failed, done in stages), stages


def kill_groups(pids: Iterable[int]) -> int:
    """Kill -9 the process groups; return how many there were."""
    killed = 0
    for pid in pids:
        os.killpg(pid, signal.SIGKILL)
        killed += 1
    return killed


def main() -> None:
    interrupt_on_signals()
    with Stack(PROJECT, Path(sys.argv[1]), options(sys.argv[2], sys.argv[3:])):
        signal.pause()


if __name__ == "__main__":
    main()
