"""Supabase's API and its clients under test: the server in front of a migrated database, and programs that call it.

Node and npm are those of the wheel, so that every machine runs the same; `make tests/clients/node_modules/stamp`
installs the packages.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self
from urllib.request import Request, urlopen

import psycopg

CLIENTS = Path(__file__).parents[1] / "clients"
PACKAGES = CLIENTS / "node_modules"
NODE = Path(sys.executable).with_name("node")
STOP_SECONDS = 20
PROGRAM_SECONDS = 240

Language = Literal["js", "py"]


def install_auth_tables(owner_url: str) -> None:
    """Make the tables that the server keeps users and sessions in, before the shim does: `auth.users` is then the one
    that the triggers of the migrations hang on, as on Supabase."""
    program = 'import { getAuthSchemaSql } from "@supabase/lite"; console.log(getAuthSchemaSql());'
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute(node("--input-type=module", "--eval", program).encode())


def node(*arguments: str, cwd: Path = CLIENTS, environment: Mapping[str, str] | None = None) -> str:
    """What a Node program prints; raises AssertionError with its errors when it fails."""
    return run([str(NODE), *arguments], cwd, environment)


def run(command: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command[-1]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Conversation:
    """A program that answers lines with lines, and ends when its input does, however this process ends."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = command
        self._log = log
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=CLIENTS,
                env=os.environ | dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

    def ask(self, question: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(question, default=str)}\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"{self._command[-1]} has ended\n{self._log.read_text()}"
        return json.loads(line)


@dataclass(frozen=True)
class User:
    """A person with an account; `id` is that of their personal organization too."""

    id: uuid.UUID
    email: str
    password: str
    token: str


class SupabaseApi:
    """The server as a process of its own, and one of each client."""

    def __init__(self, database_url: str, logs: Path) -> None:
        self.publishable_key = f"sb_publishable_{secrets.token_urlsafe(16)}"
        self.secret_key = f"sb_secret_{secrets.token_urlsafe(16)}"
        self.jwt_secret = secrets.token_urlsafe(48)
        self.url = ""
        self._database_url = database_url
        self._logs = logs
        self._ending = ExitStack()
        self._clients: dict[Language, Conversation] = {}

    def __enter__(self) -> Self:
        assert PACKAGES.exists(), "the packages are missing: make tests/clients/node_modules/stamp"
        settings = {
            "DATABASE_URL": self._database_url,
            "JWT_SECRET": self.jwt_secret,
            "PUBLISHABLE_KEY": self.publishable_key,
            "SECRET_KEY": self.secret_key,
        }
        with ExitStack() as starting:
            server = starting.enter_context(
                Conversation([str(NODE), "js/server.mjs"], settings, self._logs / "supabase.log")
            )
            self.url = server.answer()["url"]
            self._ending = starting.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.close()

    @property
    def environment(self) -> dict[str, str]:
        """Where a client finds it."""
        return {"SUPABASE_URL": self.url, "SUPABASE_PUBLISHABLE_KEY": self.publishable_key}

    def sign_up(self, name: str) -> User:
        """A new user, as any HTTP client makes one."""
        email, password = f"{name}-{uuid.uuid4().hex[:8]}@example.com", "correct horse battery"
        request = Request(
            f"{self.url}/auth/v1/signup",
            headers={"apikey": self.publishable_key, "content-type": "application/json"},
            data=json.dumps({"email": email, "password": password}).encode(),
        )
        with urlopen(request, timeout=30) as reply:
            made = json.load(reply)
        return User(uuid.UUID(made["user"]["id"]), email, password, made["access_token"])

    def call(self, language: Language, user: User | None, calls: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What the client of a language gets for each call: `data`, and `error` with code, message and hint."""
        if language not in self._clients:
            command = {"js": [str(NODE), "js/call.mjs"], "py": [sys.executable, "call.py"]}[language]
            client = Conversation(command, self.environment, self._logs / f"client-{language}.log")
            self._clients[language] = self._ending.enter_context(client)
        answers: list[dict[str, Any]] = self._clients[language].ask({"token": user and user.token, "calls": calls})
        return answers
