"""Fixtures that every test may use: an embedded Postgres, and a freshly migrated database of its own for each test.

The server is started by the first test that asks, is shared by all processes of one run, and goes with the run.
Databases are clones of a template to which the migrations were applied once.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from xdist.scheduler import LoadScopeScheduling

from local import migrations
from local.postgres import Postgres, Version
from tests.rigs import rows

TEMPLATE = "showrunner_template"
PREFIX = "showrunner-tests-"
MEMORY = Path("/dev/shm")
DEFAULT_VERSION = os.environ.get("SHOWRUNNER_POSTGRES", "16")
VERSIONS: tuple[Version, ...] = (16, 18)

HOME = pytest.StashKey[Path]()

# Folders whose tests share one thing that is slow to make.
TOGETHER = ("clients", "plans")

# A function's own modules are top-level modules at run time, so they are in the tests too.
for folder in sorted((Path(__file__).parents[1] / "functions").glob("*/")):
    sys.path.append(str(folder))


class Together(LoadScopeScheduling):
    """Tests of one file, or of a folder that shares what is slow to make, run in one process, so that it is made once.

    Not by `xdist_group`: pytest-xdist 3.8 writes the group into an attribute that pytest 9.2 no longer reads.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        folder = path.split("/")[1]
        return folder if folder in TOGETHER else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    return Together(config, log)


Connect = Callable[..., psycopg.Connection[Any]]


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        config.stash[HOME] = Path(config.workerinput["postgres_home"])
        return
    _remove_what_a_killed_run_left()
    home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_fastest_directory())).resolve()
    home.chmod(0o711)
    (home / "run.pid").write_text(str(os.getpid()))
    config.stash[HOME] = home


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["postgres_home"] = str(node.config.stash[HOME])


def pytest_unconfigure(config: pytest.Config) -> None:
    if HOME in config.stash and not hasattr(config, "workerinput"):
        _remove(config.stash[HOME])


def _fastest_directory() -> Path:
    """Memory, where there is plenty: cloning a database creates hundreds of files, which there takes milliseconds."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4 * 1024**3:
        return MEMORY
    return Path(tempfile.gettempdir())


def _remove(home: Path) -> None:
    for version in VERSIONS:
        if (home / str(version)).exists():
            Postgres(home / str(version), version, fast=True).remove()
    shutil.rmtree(home, ignore_errors=True)


def _remove_what_a_killed_run_left() -> None:
    for home in (*Path(tempfile.gettempdir()).glob(f"{PREFIX}*"), *MEMORY.glob(f"{PREFIX}*")):
        with contextlib.suppress(OSError, ValueError):
            if home.stat().st_uid == os.geteuid() and not psutil.pid_exists(int((home / "run.pid").read_text())):
                _remove(home)


@dataclass(frozen=True)
class DatabaseForOneTest:
    postgres: Postgres
    name: str

    @property
    def owner_url(self) -> str:
        """As the role that ran the migrations: it bypasses row-level security."""
        return self.postgres.url(self.name)

    @property
    def login_url(self) -> str:
        """As functions log in: without privileges until `set role`."""
        return self.postgres.login_url(self.name)


@pytest.fixture
def postgres_version() -> Version:
    """Parametrize it to run a test on several versions."""
    return 18 if DEFAULT_VERSION == "18" else 16


@pytest.fixture
def postgres(postgres_version: Version, pytestconfig: pytest.Config) -> Postgres:
    server = Postgres(pytestconfig.stash[HOME] / str(postgres_version), postgres_version, fast=True)
    server.start()
    return server


@pytest.fixture
def postgres_home(pytestconfig: pytest.Config) -> Iterator[Path]:
    """An empty directory for a server of the test's own, which is removed with it."""
    home = pytestconfig.stash[HOME] / f"own-{uuid.uuid4().hex}"
    yield home
    Postgres(home, fast=True).remove()


@pytest.fixture
def template(postgres: Postgres) -> str:
    """The name of a database with all migrations applied, made once per server."""
    with (postgres.home / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (postgres.home / "template").exists():
            postgres.drop_database(TEMPLATE)
            migrations.prepare(postgres, TEMPLATE)
            (postgres.home / "template").touch()
    return TEMPLATE


@pytest.fixture
def empty_database(postgres: Postgres, template: str) -> Iterator[DatabaseForOneTest]:
    """A database as a new Supabase project has it: the shim, no migration.

    The template comes first: it keeps the server-wide role of the migrations alive while tests roll them back.
    """
    database = DatabaseForOneTest(postgres, f"test_{uuid.uuid4().hex}")
    postgres.create_database(database.name)
    migrations.install_shim(postgres, database.name)
    yield database
    postgres.drop_database(database.name)


@pytest.fixture
def database(postgres: Postgres, template: str) -> Iterator[DatabaseForOneTest]:
    """A database with all migrations, no data."""
    database = DatabaseForOneTest(postgres, f"test_{uuid.uuid4().hex}")
    postgres.create_database(database.name, template)
    yield database
    postgres.drop_database(database.name)


@pytest.fixture
def database_url(database: DatabaseForOneTest) -> str:
    """What functions find in DATABASE_URL."""
    return database.login_url


@pytest.fixture
def connect(database: DatabaseForOneTest) -> Iterator[Connect]:
    """connect(url, role, claims): an autocommit connection, closed after the test, by default the owner's."""
    with contextlib.ExitStack() as stack:

        def open_connection(
            url: str = database.owner_url, role: str | None = None, claims: dict[str, Any] | None = None
        ) -> psycopg.Connection[Any]:
            connection = stack.enter_context(psycopg.connect(url, autocommit=True))
            rows.act_as(connection, role, claims)
            return connection

        yield open_connection


@pytest.fixture
def owner(connect: Connect) -> psycopg.Connection[Any]:
    """The role that ran the migrations: it bypasses row-level security."""
    return connect()


@pytest.fixture
def as_user(connect: Connect) -> Callable[[uuid.UUID], psycopg.Connection[Any]]:
    """as_user(id): a connection as the Data API makes it for a signed-in user."""

    def open_connection(user_id: uuid.UUID) -> psycopg.Connection[Any]:
        connection = connect()
        rows.act_as_user(connection, user_id)
        return connection

    return open_connection


@pytest.fixture
def as_anon(connect: Connect) -> psycopg.Connection[Any]:
    return connect(role="anon", claims={"role": "anon"})


@pytest.fixture
def as_service(connect: Connect) -> psycopg.Connection[Any]:
    return connect(role="service_role", claims={"role": "service_role"})


@pytest.fixture
def as_worker(connect: Connect, database: DatabaseForOneTest) -> psycopg.Connection[Any]:
    return connect(database.login_url, role="showrunner_worker")


@pytest.fixture
def sign_up(owner: psycopg.Connection[Any]) -> Callable[..., uuid.UUID]:
    """sign_up(name, tier): a new user's id, which is that of their personal organization too."""

    return functools.partial(rows.sign_up, owner)


@pytest.fixture
def add_member(owner: psycopg.Connection[Any]) -> Callable[[uuid.UUID, uuid.UUID, str], None]:
    """add_member(organization, user, role)"""

    def add(organization_id: uuid.UUID, user_id: uuid.UUID, role: str) -> None:
        owner.execute(
            "insert into public.organization_members (organization_id, user_id, role) values (%s, %s, %s)",
            [organization_id, user_id, role],
        )

    return add


@pytest.fixture
def make_show(owner: psycopg.Connection[Any]) -> Callable[..., uuid.UUID]:
    """make_show(organization, **columns): a new show's id."""

    def create(organization_id: uuid.UUID, **columns: Any) -> uuid.UUID:
        return rows.insert(owner, "projects", {"organization_id": organization_id, "name": "The Show"} | columns)

    return create


@pytest.fixture
def make_episode(owner: psycopg.Connection[Any]) -> Callable[..., uuid.UUID]:
    """make_episode(organization, show, **columns): a new episode's id."""

    def create(organization_id: uuid.UUID, project_id: uuid.UUID, **columns: Any) -> uuid.UUID:
        return rows.insert(owner, "episodes", {"organization_id": organization_id, "project_id": project_id} | columns)

    return create
