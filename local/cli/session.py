"""What every command stands on: a running stack, its user, and errors that are one sentence."""

from __future__ import annotations

import logging
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psycopg
import typer
from rich.console import Console

from local import migrations
from local.intrinsics import TemplateError
from local.migrations import MigrationError
from local.postgres import Postgres, PostgresError
from local.processes import interrupt_on_signals
from local.stack import DEFAULT_PORT, Addresses, Options, Stack, StackError, database_home, running
from local.studio import Studio
from showrunner.errors import StageError
from showrunner.media_store import MediaStore

PROJECT = Path(__file__).resolve().parents[2]
# Database, files and logs; another folder is another, independent laptop edition.
STATE = Path(os.environ.get("SHOWRUNNER_STATE") or PROJECT / ".showrunner")
# A laptop looks after its jobs more often than a cloud would.
SCHEDULES = {"sweep_jobs": 1.0, "schedule_episodes": 30.0, "deliver_webhooks": 2.0}
LEASE_SECONDS = 10
# Webhooks reach a program that is being written beside it.
THIS_MACHINE = "localhost:*,127.0.0.1:*,[::1]:*"
# What functions get from the shell that starts them: how to reach the cloud providers that a show names.
PASSED_ON = (
    "OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_SPEECH_MODEL", "BEDROCK_BASE_URL", "POLLY_BASE_URL", "POLLY_ENGINE",
    "OPENAI_IMAGE_SIZE", "GEMINI_BASE_URL", "GEMINI_API_KEY", "LEONARDO_BASE_URL", "LEONARDO_API_KEY",
    "STABILITY_REGION",
    "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "INGEST_ALLOWED_HOSTS",
    "WEBHOOK_ALLOWED_HOSTS",
)  # fmt: skip

console = Console()
errors = Console(stderr=True)


@dataclass(frozen=True)
class Session:
    """Where the stack is. `stack` is set when this process runs it."""

    addresses: Addresses
    stack: Stack | None

    def studio(self) -> Studio:
        return Studio(self.addresses.database_url)

    def media_store(self) -> MediaStore:
        import boto3

        s3 = boto3.client(
            "s3",
            endpoint_url=self.addresses.endpoint_url,
            region_name=self.addresses.region,
            aws_access_key_id="laptop",
            aws_secret_access_key="laptop",
        )
        return MediaStore(s3, self.addresses.bucket)

    def sweep(self) -> None:
        """Start what was just asked for at once; without this the next tick does."""
        if self.stack is not None:
            self.stack.invoke("sweep_jobs", {})


@contextmanager
def own_stack(port: int = DEFAULT_PORT) -> Iterator[Session]:
    """Run the stack in this process for as long as the block takes."""
    interrupt_on_signals()
    (STATE / "logs").mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=STATE / "logs" / "stack.log", level=logging.INFO, format="%(asctime)s %(message)s")
    environment = {"LEASE_SECONDS": str(LEASE_SECONDS), "WEBHOOK_ALLOWED_HOSTS": THIS_MACHINE}
    environment |= {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}
    options = Options(schedule_seconds=SCHEDULES, environment=environment, port=port)
    stack = Stack(PROJECT, STATE, options)
    try:
        with errors.status("Starting Postgres, S3, SQS and the functions …"):
            stack.start()
        yield Session(stack.addresses, stack)
    finally:
        # A second Ctrl-C must not cut short what the first one began.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stack.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def any_stack() -> Iterator[Session]:
    """Use the stack that runs, or run one for as long as the block takes."""
    addresses = running(STATE)
    if addresses is not None:
        yield Session(addresses, None)
        return
    with own_stack() as session:
        yield session


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn what a user can mend into a sentence: exit 2 for wrong input, 1 for what went wrong."""
    try:
        yield
    except (StageError, LookupError) as error:
        fail(str(error), 2)
    except psycopg.Error as error:
        message = error.diag.message_primary or str(error)
        fail(f"{message}. {error.diag.message_hint or ''}".strip(), 2 if error.sqlstate else 1)
    except (StackError, PostgresError, MigrationError, TemplateError) as error:
        fail(str(error), 1)
    except KeyboardInterrupt:
        fail("Stopped; what is finished is kept, and the next start goes on.", 130)


@contextmanager
def any_studio() -> Iterator[Studio]:
    """The user's view where the database alone is enough: that of the stack that runs, else started for the block."""
    with any_database() as url, Studio(url) as studio:
        yield studio


@contextmanager
def any_database() -> Iterator[str]:
    """The owner's address of the database that runs, else of one that runs as long as the block takes."""
    addresses = running(STATE)
    if addresses is not None:
        yield addresses.database_url
        return
    interrupt_on_signals()
    STATE.mkdir(parents=True, exist_ok=True)
    with Postgres(database_home(STATE)) as postgres:
        migrations.prepare(postgres)
        yield postgres.url(migrations.DATABASE)


def fail(sentence: str, code: int) -> NoReturn:
    errors.print(f"[red]{sentence}[/red]", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def production_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise LookupError(f"id: {text!r} is not an id such as 7b0c0c3e-2f4b-4a53-9d53-0a3a4b1f9a11.") from None
