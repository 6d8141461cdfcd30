"""Applies `supabase/migrations`, undoes them with `supabase/rollbacks` and loads `supabase/seed.sql`.

Versions are recorded where the Supabase CLI records them, `supabase_migrations.schema_migrations`, so either tool may
continue what the other began. Each migration is one transaction under an advisory lock: two programs that migrate at
once do it once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from local.postgres import LOGIN, Postgres

SUPABASE = Path(__file__).resolve().parent.parent / "supabase"
SHIM = Path(__file__).resolve().parent / "supabase_shim.sql"
DATABASE = "showrunner"
LOCK = 8_317_402_611

FILE_NAME = re.compile(r"(?P<version>\d{14})_(?P<name>[a-z0-9_]+)\.sql")

# One piece of SQL text in which a semicolon does not end a statement, or the semicolon that does.
PIECE = re.compile(
    r"""
      --[^\n]*
    | /\*.*?\*/
    | \b[eE]'(?:\\.|''|[^'\\])*'
    | '(?:''|[^'])*'
    | "(?:""|[^"])*"
    | (?P<quote>\$(?:[A-Za-z_]\w*)?\$).*?(?P=quote)
    | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL,
)
BLANK_OR_COMMENT = re.compile(r"(?:\s|--[^\n]*|/\*.*?\*/)*", re.DOTALL)


class MigrationError(RuntimeError):
    """A statement failed; the message names the file, the line and what Postgres said."""


@dataclass(frozen=True)
class Migration:
    """One file of `supabase/migrations`: `version` is its 14 digits, `name` the words after them."""

    version: str
    name: str
    path: Path

    @property
    def rollback_path(self) -> Path:
        return self.path.parent.parent / "rollbacks" / self.path.name


@dataclass(frozen=True)
class Statement:
    text: str
    line: int


def migrations(directory: Path = SUPABASE) -> list[Migration]:
    """All migrations, oldest first.

    Raises MigrationError for a file name that Supabase would not accept or a version that two files claim.
    """
    found: dict[str, Migration] = {}
    for path in sorted((directory / "migrations").glob("*.sql")):
        name = FILE_NAME.fullmatch(path.name)
        if name is None:
            raise MigrationError(f"{path.name}: a migration is named YYYYMMDDHHmmss_what_it_tells.sql")
        if name["version"] in found:
            raise MigrationError(f"{path.name}: its version is taken by {found[name['version']].path.name}")
        found[name["version"]] = Migration(name["version"], name["name"], path)
    return list(found.values())


def statements(script: str) -> Iterator[Statement]:
    """The statements of a script, each with the line it starts on. Bodies in `begin atomic` are not understood."""
    start = 0
    for piece in PIECE.finditer(script):
        if piece["end"]:
            yield from _statement(script, start, piece.start())
            start = piece.end()
    yield from _statement(script, start, len(script))


def _statement(script: str, start: int, end: int) -> Iterator[Statement]:
    blank = BLANK_OR_COMMENT.match(script, start, end)
    begin = blank.end() if blank else start
    text = script[begin:end].strip()
    if text:
        yield Statement(text, script.count("\n", 0, begin) + 1)


def applied(connection: psycopg.Connection[Any]) -> list[str]:
    """The recorded versions, oldest first."""
    _ensure_records(connection)
    rows = connection.execute("select version from supabase_migrations.schema_migrations order by version").fetchall()
    return [version for (version,) in rows]


def migrate(url: str, directory: Path = SUPABASE, to_version: str | None = None) -> list[str]:
    """Apply every migration that is not recorded, up to `to_version`; returns the versions this call applied."""
    with psycopg.connect(url, autocommit=True) as connection:
        _ensure_records(connection)
        wanted = [one for one in migrations(directory) if to_version is None or one.version <= to_version]
        return [migration.version for migration in wanted if _apply(connection, migration)]


def rollback(url: str, to_version: str | None = None, directory: Path = SUPABASE) -> list[str]:
    """Undo every recorded migration after `to_version` (all, when None), newest first; returns their versions."""
    with psycopg.connect(url, autocommit=True) as connection:
        recorded = [version for version in applied(connection) if to_version is None or version > to_version]
        files = {migration.version: migration for migration in migrations(directory)}
        for version in reversed(recorded):
            if version not in files or not files[version].rollback_path.exists():
                raise MigrationError(f"{version} is applied, but there is no rollback file for it")
            with connection.transaction():
                _lock(connection)
                run_script(connection, files[version].rollback_path)
                connection.execute("delete from supabase_migrations.schema_migrations where version = %s", [version])
        return list(reversed(recorded))


def seed(url: str, directory: Path = SUPABASE) -> None:
    """Load the development data of `seed.sql`, in one transaction."""
    with psycopg.connect(url) as connection:
        run_script(connection, directory / "seed.sql")


def prepare(postgres: Postgres, database: str = DATABASE, directory: Path = SUPABASE) -> list[str]:
    """Make `database` what a Supabase project would be: shim, migrations, the functions' login role.

    May run again at each start; returns the versions that this call applied.
    """
    if not postgres.has_database(database):
        postgres.create_database(database)
    install_shim(postgres, database)
    newly_applied = migrate(postgres.url(database), directory)
    ensure_login(postgres)
    return newly_applied


def install_shim(postgres: Postgres, database: str) -> None:
    """Give a plain database the roles and the schema `auth` that Supabase has."""
    # Roles belong to the whole server, advisory locks to one database: all take this lock in the same one.
    with (
        psycopg.connect(postgres.superuser_url()) as server,
        psycopg.connect(postgres.superuser_url(database)) as connection,
    ):
        _lock(server)
        run_script(connection, SHIM)
        connection.commit()


def ensure_login(postgres: Postgres) -> None:
    """Create the role that functions log in as. It inherits nothing: each transaction takes the role it needs."""
    login = sql.Identifier(LOGIN)
    with psycopg.connect(postgres.superuser_url()) as connection:
        _lock(connection)
        if not connection.execute("select 1 from pg_roles where rolname = %s", [LOGIN]).fetchone():
            connection.execute(sql.SQL("create role {}").format(login))
        connection.execute(
            sql.SQL("alter role {} login noinherit password {}").format(login, sql.Literal(postgres.password))
        )
        connection.execute(sql.SQL("grant anon, authenticated, showrunner_worker to {}").format(login))


def run_script(connection: psycopg.Connection[Any], path: Path) -> list[str]:
    """Run a file statement by statement in the current transaction; returns the statements.

    Raises MigrationError that names the file and the line of the statement that failed.
    """
    script = path.read_text()
    done = []
    for statement in statements(script):
        try:
            connection.execute(statement.text.encode())
        except psycopg.Error as error:
            raise MigrationError(f"{path.name}:{_line(statement, error)}: {_sentence(error)}") from error
        done.append(statement.text)
    return done


def _apply(connection: psycopg.Connection[Any], migration: Migration) -> bool:
    with connection.transaction():
        _lock(connection)
        if migration.version in applied(connection):
            return False
        done = run_script(connection, migration.path)
        connection.execute(
            "insert into supabase_migrations.schema_migrations (version, name, statements) values (%s, %s, %s)",
            [migration.version, migration.name, done],
        )
        return True


def _ensure_records(connection: psycopg.Connection[Any]) -> None:
    if connection.execute("select to_regclass('supabase_migrations.schema_migrations')").fetchone() != (None,):
        return
    with connection.transaction():
        _lock(connection)
        connection.execute("create schema if not exists supabase_migrations")
        connection.execute("""
            create table if not exists supabase_migrations.schema_migrations (
                version text not null primary key,
                statements text[],
                name text
            )
        """)


def _lock(connection: psycopg.Connection[Any]) -> None:
    connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])


def _line(statement: Statement, error: psycopg.Error) -> int:
    position = error.diag.statement_position
    return statement.line + (statement.text.count("\n", 0, int(position) - 1) if position else 0)


def _sentence(error: psycopg.Error) -> str:
    parts = [error.diag.message_primary or str(error), error.diag.message_detail, error.diag.message_hint]
    return "\n    ".join(part for part in parts if part)
