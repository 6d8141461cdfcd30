"""Transient failures are tried again, but what may have happened is not done twice; ends leave no session."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from showrunner.database import Caller, Database, Statement, is_outage

INSERT = Statement("insert into rig.results (job_id, attempt) values (gen_random_uuid(), 1)")


class Line:
    """A line to Postgres: it can refuse connections, and lose the answer to a message that arrived."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.server = (parts.hostname, parts.port)
        self.socket = socket.create_server(("127.0.0.1", 0))
        own = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[0] + "@" + own))
        self.refuse, self.lose, self.connections = 0, 0, 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            if self.refuse:
                self.refuse -= 1
                client.close()
                continue
            server = socket.create_connection(self.server)
            threading.Thread(target=self.pass_on, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(server, client, True), daemon=True).start()

    def pass_on(self, source, target, is_answer):
        try:
            while data := source.recv(1 << 16):
                if is_answer and self.lose and b"INSERT" in data:
                    self.lose -= 1
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self):
        self.socket.close()


@pytest.fixture
def line(rig):
    line = Line(rig.login_url)
    yield line
    line.close()


@pytest.fixture
def workers(line):
    database = Database(line.url, "showrunner_worker", pauses_seconds=(0, 0))
    yield database
    database.close()


def inserted(rig):
    return rig.one("select count(*) as n from rig.results")["n"]


def test_a_commit_whose_answer_is_lost_is_done_again_where_that_is_safe(rig, line, workers):
    line.lose = 1

    workers.run([INSERT])

    assert (inserted(rig), workers.round_trips) == (2, 2)


def test_a_commit_whose_answer_is_lost_is_not_done_again_where_that_is_not_safe(rig, line, workers):
    line.lose = 1

    with pytest.raises(psycopg.OperationalError) as caught:
        workers.run([INSERT], once=True)

    assert is_outage(caught.value)
    assert (inserted(rig), workers.round_trips) == (1, 1)


@pytest.mark.parametrize("once", [False, True])
def test_a_connection_that_is_not_made_is_tried_again(rig, line, workers, once):
    line.refuse = 2

    workers.run([INSERT], once=once)

    assert (inserted(rig), line.connections) == (1, 3)


@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("40001", "could not serialize access"),
        ("40P01", "deadlock detected"),
        ("57P01", "terminating connection due to administrator command"),
        ("53300", "too many clients already"),
        ("XX000", "(ECHECKOUTTIMEOUT) unable to check out connection from the pool after 5000ms"),
        ("XX000", "Max client connections reached"),
    ],
)
def test_what_postgres_or_the_pooler_says_failed_is_tried_again(rig, workers, state, message, once):
    rig.owner.execute("create sequence rig.tries; grant usage on sequence rig.tries to showrunner_worker")
    fails_twice = f"""do $do$ begin
        if nextval('rig.tries') < 3 then raise exception '{message}' using errcode = '{state}'; end if;
    end $do$"""

    workers.run([INSERT, Statement(fails_twice)], once=once)
    rig.owner.execute("drop sequence rig.tries")

    assert (inserted(rig), workers.round_trips) == (1, 3)


@pytest.mark.parametrize(
    ("state", "message"), [("XX000", "cache lookup failed"), ("23505", "twice"), ("57014", "slow")]
)
def test_what_would_fail_again_is_not_tried_again(workers, state, message):
    fails = f"do $do$ begin raise exception '{message}' using errcode = '{state}'; end $do$"

    with pytest.raises(psycopg.Error):
        workers.run([Statement(fails)])

    assert workers.round_trips == 1


def test_a_callers_transaction_is_tried_again_as_that_caller(line, workers):
    line.refuse = 1
    caller = Caller({"sub": "7b0c0c3e-2f4b-4a53-9d53-0a3a4b1f9a11", "role": "authenticated"})

    [row] = workers.call("select current_user::text as role, auth.uid()::text as sub", caller=caller)

    assert row == {"role": "authenticated", "sub": "7b0c0c3e-2f4b-4a53-9d53-0a3a4b1f9a11"}


def test_a_callers_claims_cannot_inject(workers):
    nasty = "'; set role postgres; --\\ %s %% \u2028"

    [row] = workers.call(
        "select auth.jwt() ->> 'name' as name, current_user::text as role", caller=Caller({"name": nasty})
    )

    assert row == {"name": nasty, "role": "authenticated"}


def test_results_are_those_of_each_statement(workers):
    found = workers.results([Statement("select 1 as a"), INSERT, Statement("select 2 as b union select 3 order by 1")])

    assert found == [[{"a": 1}], [], [{"b": 2}, {"b": 3}]]


def test_after_a_caller_the_transaction_may_go_on_as_the_worker(workers):
    role = Statement("select current_user::text as role")

    found = workers.results([role, workers.back_to_worker(), role], caller=Caller({}))

    assert [rows for rows in found if rows] == [[{"role": "authenticated"}], [{"role": "showrunner_worker"}]]


PROGRAM = """
import signal, sys
from showrunner.services import Services
from showrunner.settings import Settings
database = Services(Settings.from_environment()).database
hang_up = database.close
database.close = lambda: (hang_up(), print("hung up", flush=True))
print(database.call("select pg_backend_pid() as pid")[0]["pid"], flush=True)
signal.pause()
"""


@pytest.mark.parametrize(("number", "said", "code"), [("TERM", "hung up", 0), ("KILL", "", -9)])
def test_a_function_that_ends_leaves_no_session(rig, number, said, code):
    environment = os.environ | {"DATABASE_URL": rig.login_url, "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"}
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    session = int(process.stdout.readline())

    subprocess.run(["kill", f"-{number}", str(process.pid)], check=True)

    rest, _ = process.communicate(timeout=60)
    assert (rest.strip(), process.returncode) == (said, code)
    give_up = time.monotonic() + 60
    while rig.one("select count(*) as n from pg_stat_activity where pid = %s", session)["n"]:
        assert time.monotonic() < give_up


def test_statistics_are_readable_by_the_worker_and_no_client(rig, workers):
    [row] = workers.call("select engine.statistics() as found")

    assert {"database_bytes", "tables", "connections", "jobs", "oldest_transaction_seconds"} <= row["found"].keys()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        workers.call("select engine.statistics()", caller=Caller({}))
