"""Trouble for the whole laptop edition: episodes are asked for while processes are killed and storage misbehaves."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any, Self

import boto3
import psutil

from local.cloud import CREDENTIALS
from local.postgres import Postgres
from local.processes import marked, wait_until
from local.stack import Addresses, database_home, running
from tests.rigs.engine import ALWAYS, AT_REST
from tests.rigs.faulty_storage import FaultyStorage
from tests.rigs.laptop import LEASE_SECONDS, PATIENCE, PROJECT, HoldingProvider, Laptop, kill_groups

START_SECONDS = 180


class StackChaos:
    """A laptop edition in a process of its own, on the state folder `state`, and what is done to it.

    `did` counts what was done. What was ever accepted is remembered, to be compared at the end.
    """

    def __init__(self, state: Path, seed: int, probability: float) -> None:
        self.random = random.Random(seed)
        self.did: Counter[str] = Counter()
        self.productions: list[uuid.UUID] = []
        self.provider = HoldingProvider()
        self.storage = FaultyStorage(seed, probability)
        self._state = state
        self._host: subprocess.Popen[bytes] | None = None
        self._laptop: Laptop | None = None
        self._ending = contextlib.ExitStack()
        self._remembered: dict[uuid.UUID, tuple[Any, ...]] = {}
        self._paused: dict[int, float] = {}

    def __enter__(self) -> Self:
        self._ending.callback(lambda: Postgres(database_home(self._state)).remove())
        self._ending.callback(self._end_host)
        self._ending.enter_context(self.storage)
        self._ending.enter_context(self.provider)
        self._ending.callback(self.provider.release)
        try:
            self.start_host()
        except BaseException:
            self._ending.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    @property
    def laptop(self) -> Laptop:
        assert self._laptop is not None
        return self._laptop

    # --- what people do -----------------------------------------------------------------------------------------------

    def ask(self, most_open: int) -> None:
        """A new listener asks for an episode, unless that many are being made."""
        if len(self._open()) >= most_open:
            return
        self.productions.append(self.laptop.request(self.laptop.show(speakers=self._speakers())))
        self.did["asked"] += 1

    def wait_for_work(self) -> None:
        """Until a job runs that a kill can hit."""
        self.laptop.wait(self._working, "a function works")

    def retry_failed(self) -> int:
        """A person asks again for what ran out of attempts; everything good is kept."""
        failed = [row[0] for row in self.laptop.rows("select id from public.productions where status = 'failed'")]
        for production in failed:
            self.laptop.rows("select engine.rebuild(%s, null, false)", production)
            self.did["retried"] += 1
        return len(failed)

    def remember(self) -> None:
        """Note every accepted line: job → attempt, text, asset and version of the asset's row."""
        for production in self.productions:
            self._remembered.update(self.laptop.accepted(production))

    # --- what happens to it -------------------------------------------------------------------------------------------

    def kill_a_function(self) -> None:
        """Kill -9 one process of a function, with its children: of one that has a running job, if there is any."""
        if victim := self._victim():
            with contextlib.suppress(ProcessLookupError):
                self.did[f"killed {victim[1]}"] += kill_groups([victim[0]])

    def pause_a_function(self) -> None:
        """Stop one process of a function, with its children, until its lease has passed: it wakes as a zombie."""
        victim = self._victim()
        if victim and victim[1].endswith("at work"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(victim[0], signal.SIGSTOP)
                self._paused[victim[0]] = time.monotonic() + 2 * LEASE_SECONDS
                self.did[f"paused {victim[1]}"] += 1

    def wake_paused(self, at_once: bool = False) -> None:
        for pid, moment in list(self._paused.items()):
            if at_once or time.monotonic() > moment:
                del self._paused[pid]
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGCONT)

    def _victim(self) -> tuple[int, str] | None:
        """One that has a running job, if there is any; the second says so."""
        found = [one for process in marked(str(self._state)) if (one := _function_of(process))]
        found = [one for one in found if one[0] not in self._paused]
        working = self._working()
        if not found:
            return None
        pid, function = self.random.choice([one for one in found if one[1] in working] or found)
        return pid, f"{function} {'at work' if function in working else 'idle'}"

    def kill_the_host(self) -> None:
        """Kill -9 the host; its functions, S3 and SQS go with it. Start it again."""
        assert self._host is not None
        self._host.kill()
        self._host.wait()
        survivors = not wait_until(lambda: not list(marked(str(self._state))), PATIENCE)
        assert not survivors, "processes outlived their host"
        self.start_host()
        self.did["killed the host"] += 1

    def start_host(self) -> None:
        log = self._state / "host.log"
        through_proxy = f"AWS_ENDPOINT_URL_S3={self.storage.url}"
        command = [sys.executable, "-m", "tests.rigs.laptop", str(self._state), self.provider.url, through_proxy]
        with log.open("ab") as output:
            self._host = subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=output)
        host = self._host

        def started() -> Addresses | None:
            found = running(self._state)
            return found if found is not None and found.pid == host.pid else None

        assert wait_until(lambda: started() or host.poll() is not None, START_SECONDS), log.read_text()
        addresses = started()
        assert addresses is not None, log.read_text()
        self.storage.upstream = addresses.endpoint_url
        self._laptop = Laptop(addresses.database_url, self.provider)
        self._addresses = addresses

    # --- what must be true afterwards ---------------------------------------------------------------------------------

    def wait_until_all_complete(self) -> None:
        """Retrying what failed, as a person would. Raises AssertionError with what stands still."""

        def all_rest() -> bool:
            self.wake_paused()
            return not self._open() and self.retry_failed() == 0

        self.laptop.wait(all_rest, "every production rests")
        statuses = Counter(row[0] for row in self.laptop.rows("select status from public.productions"))
        assert statuses == {"completed": len(self.productions)}, statuses

    def violations(self) -> dict[str, list[Any]]:
        """What is lost or doubled, by the sentence that it breaks; empty when nothing is."""
        self.wake_paused(at_once=True)
        found: dict[str, list[Any]] = {}
        for sentence, query in {**ALWAYS, **AT_REST, **_OF_EPISODES}.items():
            if "rig." not in query:
                found[sentence] = self.laptop.rows(query)
        now: dict[uuid.UUID, tuple[Any, ...]] = {}
        for production in self.productions:
            now.update(self.laptop.accepted(production))
        found["an accepted line is never made again"] = [
            (job, before, now.get(job)) for job, before in self._remembered.items() if now.get(job) != before
        ]
        found["every file is in storage, whole"] = self._damaged_files()
        return {sentence: rows for sentence, rows in found.items() if rows}

    def _open(self) -> list[Any]:
        return self.laptop.rows(
            "select id from public.productions where status not in ('completed', 'failed', 'cancelled')"
        )

    def _working(self) -> set[str]:
        return {row[0] for row in self.laptop.rows("select stage from public.jobs where status = 'running'")}

    def _damaged_files(self) -> list[str]:
        s3 = boto3.client(
            "s3", endpoint_url=self._addresses.endpoint_url, region_name=self._addresses.region,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )  # fmt: skip
        damaged = []
        try:
            for key, digest in self.laptop.rows("select key, sha256 from public.assets"):
                try:
                    body = s3.get_object(Bucket=self._addresses.bucket, Key=key)["Body"].read()
                except s3.exceptions.NoSuchKey:
                    body = b""
                if hashlib.sha256(body).hexdigest() != digest:
                    damaged.append(key)
        finally:
            s3.close()
        return damaged

    def _speakers(self) -> list[dict[str, str]]:
        voices = ("openai/alloy", "openai/echo") if self.random.random() < 0.5 else ("espeak/ada", "espeak/ben")
        return [{"name": name, "voice": voice} for name, voice in zip(("Ada", "Ben"), voices, strict=True)]

    def _end_host(self) -> None:
        if self._host is not None and self._host.poll() is None:
            self._host.send_signal(signal.SIGTERM)
            self._host.wait(PATIENCE)


_OF_EPISODES = {
    "each production has all its stages, each done": """
        select productions.id, pipelines.stage, stages.status
        from public.productions
        join engine.pipelines using (kind)
        left join public.production_stages as stages
            on stages.production_id = productions.id and stages.stage = pipelines.stage
        where stages.status is distinct from 'done'
    """,
    "each episode is published once, with one recording": """
        select episodes.id, episodes.generation_status, count(assets.id)
        from public.episodes
        left join public.assets on assets.id = episodes.audio_asset_id
        where exists (select from public.productions where productions.subject_id = episodes.id)
        group by episodes.id
        having episodes.generation_status <> 'completed' or count(assets.id) <> 1
    """,
    "each production is measured once": """
        select productions.id, count(metrics.production_id)
        from public.productions
        left join public.generation_metrics as metrics on metrics.production_id = productions.id
        where productions.status = 'completed'
        group by productions.id
        having count(metrics.production_id) <> 1
    """,
    "each spoken line has its text's asset": """
        select jobs.id
        from public.jobs
        left join public.assets on assets.id = (jobs.output -> 'asset' ->> 'id')::uuid
        where jobs.stage = 'speak_line' and jobs.status = 'succeeded' and assets.id is null
    """,
}


def _function_of(process: psutil.Process) -> tuple[int, str] | None:
    """The process group and the folder's name of a function; None for what is not one, or is a child of one."""
    with contextlib.suppress(psutil.Error, ProcessLookupError):
        folder = process.environ().get("LAMBDA_TASK_ROOT")
        if folder and os.getpgid(process.pid) == process.pid:
            return process.pid, Path(folder).name
    return None
