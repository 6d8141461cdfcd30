"""The laptop edition as one thing: what `template.yaml` declares, running, with a database behind it.

    with Stack(project, project / ".showrunner") as stack:
        stack.invoke("sweep_jobs", {})

A state folder belongs to one stack at a time. Whatever ended the last one, the next start finds its database, its
objects and nothing else: see `local.processes` for how processes end.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local import migrations
from local.cloud import Cloud
from local.environments import Setting
from local.event_sources import QueuePoller
from local.http_gateway import HttpGateway
from local.lambda_host import LambdaHost
from local.ports import free_port, listen
from local.postgres import Postgres
from local.processes import Processes
from local.recovery import end_leases, jobs_of, wake_queued
from local.schedules import Ticker
from local.sign_in import KEY_SET_PATH, read_sign_in
from local.specs import Names, Template
from local.template import read_template
from local.wake_up import WakeUp

DEFAULT_PORT = 8080
SWEEPER = "sweep_jobs"
SUPERVISE_SECONDS = 1.0
JOIN_SECONDS = 2.0
LOCK_TRIES, LOCK_PAUSE_SECONDS = 10, 0.02
LONGEST_LOG_BYTES = 16 << 20

_log = logging.getLogger(__name__)


class StackError(RuntimeError):
    """The stack cannot start or do what is asked; the message is for a person."""


@dataclass(frozen=True)
class Addresses:
    """Where a running stack is, as its state file says; `database_url` logs in as the owner of the tables."""

    pid: int
    base_url: str
    endpoint_url: str
    region: str
    bucket: str
    database_url: str


@dataclass(frozen=True)
class Options:
    """How a stack differs from what the template says.

    `parameters` are the template's; `environment` wins over every function's variables; `database_url` names a
    database to use, migrated by its owner, in place of the embedded one. `concurrency` caps the invocations of each
    event source (default: the number of processors), `max_environments` the processes that stay warm. A function in
    `schedule_seconds` is invoked that often whatever its schedule says. Ports that are taken are replaced by free ones.
    """

    template: str = "template.yaml"
    parameters: Mapping[str, str] | None = None
    environment: Mapping[str, str] | None = None
    database_url: str | None = None
    port: int = DEFAULT_PORT
    concurrency: int | None = None
    max_environments: int = 12
    schedule_seconds: Mapping[str, float] | None = None


class Stack:
    """The project's template, running with its state in `state`. Start it once."""

    def __init__(self, project: Path, state: Path, options: Options | None = None) -> None:
        self._project = project.resolve()
        self._state = state.resolve()
        self._options = options or Options()
        self._ending = contextlib.ExitStack()
        self._closing = threading.Event()
        self._processes = Processes(str(self._state))
        self._postgres: Postgres | None = None
        self._cloud: Cloud | None = None
        self._host: LambdaHost | None = None
        self._addresses: Addresses | None = None
        self._template: Template | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # --- what it does -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything. Raises StackError when another stack has the state folder, TemplateError and what
        Postgres and the migrations raise; after an error nothing is left running."""
        self._state.mkdir(parents=True, exist_ok=True)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process, whatever it does. May be called again."""
        self._closing.set()
        self._ending.close()

    def invoke(self, function: str, event: Any) -> Any:
        """A function's answer to a JSON value. Raises FunctionError with its kind, message and stack trace."""
        return self.host.invoke(function, event)

    def send_jobs(self, jobs: Iterable[Mapping[str, Any]]) -> int:
        """Wake the stages of jobs `{"id", "stage", "organization_id", "delay"}`, the last in seconds or absent;
        returns how many messages were sent."""
        assert self._cloud is not None and self._template is not None
        urls = {source.function: source.queue.url for source in self._template.event_sources}
        sent = 0
        for job in jobs:
            if job["stage"] not in urls:
                raise StackError(f"the template has no queue for stage {job['stage']}")
            self._cloud.sqs.send_message(
                QueueUrl=urls[job["stage"]],
                MessageBody=json.dumps({"job_id": str(job["id"])}),
                MessageGroupId=str(job["organization_id"]),
                DelaySeconds=int(job.get("delay") or 0),
            )
            sent += 1
        return sent

    # --- what it is -------------------------------------------------------------------------------------------------

    @property
    def addresses(self) -> Addresses:
        if self._addresses is None:
            raise StackError("the stack has not been started")
        return self._addresses

    @property
    def database_url(self) -> str:
        return self.addresses.database_url

    @property
    def base_url(self) -> str:
        return self.addresses.base_url

    @property
    def endpoint_url(self) -> str:
        return self.addresses.endpoint_url

    @property
    def bucket(self) -> str:
        """The template's first bucket."""
        return self.addresses.bucket

    @property
    def host(self) -> LambdaHost:
        if self._host is None:
            raise StackError("the stack has not been started")
        return self._host

    @property
    def cloud(self) -> Cloud:
        """S3 and SQS: `cloud.s3` and `cloud.sqs` are clients of them."""
        if self._cloud is None:
            raise StackError("the stack has not been started")
        return self._cloud

    # --- starting ---------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """What is started is ended by `_ending`, the last first."""
        options, ending = self._options, self._ending
        ending.enter_context(_locked(self._state))
        ending.callback(self._processes.close)
        self._processes.open()
        _set_long_logs_aside(self._state / "logs")
        cloud_port, listener = self._ports()
        names = Names(f"http://127.0.0.1:{cloud_port}", f"http://127.0.0.1:{listener.getsockname()[1]}")
        self._template = template = read_template(self._project / options.template, names, options.parameters)
        self._cloud = cloud = Cloud(self._state, cloud_port, names.region, self._processes)
        ending.callback(cloud.close)
        pollers: list[QueuePoller] = []
        ending.callback(_join, pollers)
        ending.callback(cloud.stop)
        with ThreadPoolExecutor() as both:
            waiting = both.submit(cloud.start, template)
            owner_url, login_url = self._open_database()
            waiting.result()
        # The gateway stands for Supabase Auth too: it serves the key that this laptop's tokens are verified with.
        overrides = {"DATABASE_URL": login_url, "PUBLIC_BASE_URL": names.api_url, "SUPABASE_URL": names.api_url}
        overrides |= options.environment or {}
        setting = Setting(names, self._state / "logs", overrides)
        self._host = LambdaHost(template.functions, setting, self._processes, max_environments=options.max_environments)
        ending.callback(self._host.stop)
        documents = {KEY_SET_PATH: read_sign_in(self._state).key_set()}
        gateway = HttpGateway(listener, template.routes, template.cors, self._host, names, documents)
        gateway.start()
        ending.callback(gateway.stop)
        pollers.extend(self._start_events(template, cloud, names))
        self._start_wake_up(template)
        self._publish(names, template, owner_url)
        supervisor = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        supervisor.start()
        ending.callback(supervisor.join)

    def _on_failure(self, records: Sequence[Mapping[str, Any]]) -> None:
        if self._postgres is not None:
            url, jobs = self._postgres.url(migrations.DATABASE), jobs_of(records)
            end_leases(url, jobs)
            wake_queued(url, jobs)

    def _publish(self, names: Names, template: Template, database_url: str) -> None:
        """Tell other programs where this stack is."""
        self._addresses = Addresses(
            pid=os.getpid(),
            base_url=names.api_url,
            endpoint_url=names.endpoint_url,
            region=names.region,
            bucket=template.buckets[0].name if template.buckets else "",
            database_url=database_url,
        )
        path = self._state / "stack.json"
        _write_private(path, json.dumps(asdict(self._addresses)))
        self._ending.callback(path.unlink, missing_ok=True)

    def _ports(self) -> tuple[int, socket.socket]:
        """The cloud's port and the gateway's socket, those of the last time where they are free: subscribers and open
        pages know them."""
        path = self._state / "ports.json"
        last: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError):
            last = json.loads(path.read_text())
        gateway = listen(self._options.port or last.get("gateway", 0))
        self._ending.callback(gateway.close)
        cloud = free_port(last.get("cloud", 0))
        path.write_text(json.dumps({"cloud": cloud, "gateway": gateway.getsockname()[1]}))
        return cloud, gateway

    def _open_database(self) -> tuple[str, str]:
        """URLs of the owner and of the functions' login."""
        if self._options.database_url is not None:
            return self._options.database_url, self._options.database_url
        self._postgres = Postgres(database_home(self._state))
        self._ending.callback(self._postgres.stop)
        self._postgres.start()
        migrations.prepare(self._postgres, directory=self._project / "supabase")
        end_leases(self._postgres.url(migrations.DATABASE))
        wake_queued(self._postgres.url(migrations.DATABASE))
        return self._postgres.url(migrations.DATABASE), self._postgres.login_url(migrations.DATABASE)

    def _start_events(self, template: Template, cloud: Cloud, names: Names) -> list[QueuePoller]:
        host, options = self.host, self._options
        concurrency = options.concurrency or max(2, os.cpu_count() or 2)
        pollers = [QueuePoller(source, cloud, host, concurrency, self._on_failure) for source in template.event_sources]
        for poller in pollers:
            poller.start()
            self._ending.callback(poller.stop)
        every = options.schedule_seconds or {}
        for schedule in template.schedules:
            ticker = Ticker(schedule, names, host.invoke, every.get(schedule.function))
            ticker.start()
            self._ending.callback(ticker.stop)
        return pollers

    def _start_wake_up(self, template: Template) -> None:
        """Only of the embedded database: another has pg_net, or is left as it is."""
        if self._postgres is None or all(schedule.function != SWEEPER for schedule in template.schedules):
            return
        wake_up = WakeUp(self._postgres.url(migrations.DATABASE), lambda: self.host.invoke(SWEEPER, {}))
        wake_up.start()
        self._ending.callback(wake_up.stop)

    def _supervise(self) -> None:
        """Starts the database or the cloud again when it was killed."""
        while not self._closing.wait(SUPERVISE_SECONDS):
            try:
                if self._postgres is not None and not self._postgres.is_running:
                    _log.warning("Postgres has ended; it is started again")
                    self._postgres.start()
                if self._cloud is not None and self._template is not None and self._cloud.has_ended:
                    _log.warning("S3 and SQS have ended; they are started again")
                    self._cloud.start(self._template)
                    if self._postgres is not None:
                        wake_queued(self._postgres.url(migrations.DATABASE))
            except Exception:
                if not self._closing.is_set():
                    _log.exception("cannot start again; the next attempt is in %s s", SUPERVISE_SECONDS)


def database_home(state: Path) -> Path:
    """The home of a stack's embedded Postgres, for a program that needs the database alone."""
    return state / "postgres"


def running(state: Path) -> Addresses | None:
    """Where the stack of a state folder is, None when none runs."""
    try:
        with (state / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(OSError, ValueError, TypeError):
            return Addresses(**json.loads((state / "stack.json").read_text()))
    except OSError:
        return None
    return None


@contextlib.contextmanager
def _locked(state: Path) -> Iterator[None]:
    """Holds the state folder's lock, which the kernel gives back however this process ends.

    Whoever asks whether a stack is running holds it too, for an instant.
    """
    with (state / "lock").open("a+") as lock:
        for tries_left in reversed(range(LOCK_TRIES)):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not tries_left:
                    lock.seek(0)
                    raise StackError(f"another stack (process {lock.read().strip()}) is using {state}") from None
                time.sleep(LOCK_PAUSE_SECONDS)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _join(pollers: Iterable[QueuePoller]) -> None:
    for poller in pollers:
        poller.join(JOIN_SECONDS)


def _set_long_logs_aside(logs: Path) -> None:
    for log in logs.glob("*.log"):
        if log.stat().st_size > LONGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.old"))


def _write_private(path: Path, text: str) -> None:
    """For this user alone: it has the database's password."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123
        file.write(text)
