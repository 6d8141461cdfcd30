"""invoke, token, migrate, psql: for those who look inside."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Annotated
from uuid import UUID

import psycopg
import typer

from local import migrations
from local.cli.session import PROJECT, STATE, any_database, console, fail, own_stack, readable_errors
from local.postgres import Postgres
from local.runtime_api import FunctionError
from local.sign_in import read_sign_in
from local.stack import database_home, running
from local.studio import Studio


def register(app: typer.Typer) -> None:
    app.command()(invoke)
    app.command()(token)
    app.command()(migrate)
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(psql)


def invoke(
    function: Annotated[str, typer.Argument(help="The function's folder name, such as sweep_jobs.")],
    event: Annotated[
        Path | None, typer.Option(help="A JSON file; by default the function's first sample event.")
    ] = None,
) -> None:
    """Run one function as Lambda would, with an event, and print its answer."""
    with readable_errors():
        path = event or next(iter(sorted((PROJECT / "events" / function).glob("*.json"))), None)
        if path is None:
            raise LookupError(f"function: {function!r} has no sample event; name one with --event.")
        try:
            value = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise LookupError(f"event: {path} is not a readable JSON file: {error}.") from None
        if running(STATE) is not None:
            fail("A stack is running in another terminal; stop it first (Ctrl-C there).", 1)
        with own_stack() as session:
            assert session.stack is not None
            try:
                console.print_json(data=session.stack.invoke(function, value))
            except FunctionError as error:
                fail(str(error), 1)


def token(
    user: Annotated[str, typer.Option(help="An id of auth.users; by default the laptop's own user.")] = "",
    minutes: Annotated[int, typer.Option(help="How long it is valid.", min=1, max=1440)] = 60,
) -> None:
    """Print an access token for the HTTP API of the stack that runs, as Supabase Auth would give to a user."""
    with readable_errors():
        addresses = running(STATE)
        if addresses is None:
            fail("No stack is running; start one with `showrunner up`.", 1)
        with Studio(addresses.database_url) as studio:
            person = user_id(user) if user else studio.user_id
        issuer = f"{addresses.base_url}/auth/v1"
        typer.echo(read_sign_in(STATE).token(person, issuer, seconds=minutes * 60))


def migrate(
    status: Annotated[bool, typer.Option("--status", help="Only list what is applied and what is not.")] = False,
    rollback: Annotated[str, typer.Option(help="Undo every migration after this version (0 for all).")] = "",
    seed: Annotated[bool, typer.Option("--seed", help="Load the development data of supabase/seed.sql too.")] = False,
) -> None:
    """Bring the laptop's database up to date; data is kept."""
    with readable_errors(), any_database() as url:
        if rollback:
            for version in migrations.rollback(url, None if rollback == "0" else rollback):
                console.print(f"undone   {version}", highlight=False)
            return
        if not status:
            migrations.migrate(url)
            if seed:
                migrations.seed(url)
        with psycopg.connect(url, autocommit=True) as connection:
            done = set(migrations.applied(connection))
        for migration in migrations.migrations():
            mark = "applied " if migration.version in done else "pending "
            console.print(f"{mark} {migration.version} {migration.name}", highlight=False)


def psql(context: typer.Context) -> None:
    """Open psql on the laptop's database; what follows is passed on: showrunner psql -c 'select now()'."""
    with readable_errors(), any_database() as url:
        program = Postgres(database_home(STATE)).program("psql")
        done = subprocess.run(
            [program, url, *context.args], env={**os.environ, "PGAPPNAME": "showrunner psql"}, check=False
        )
    raise typer.Exit(done.returncode)


def user_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise LookupError(f"user: {text!r} is not an id of auth.users.") from None
