"""One connection to Postgres, used one round trip at a time.

Works through a transaction pooler (Supavisor, port 6543): no session state, no server-side prepared statements.
Several statements travel in one simple-protocol message, which Postgres runs as one implicit transaction: all or
nothing, with `set local role` giving the privileges. A login that is only allowed to connect is enough.

A transaction that failed is run again when nothing can have come of it: Postgres said so (a deadlock, a serialization
failure, a shutdown), or the connection was never made. A connection that is lost after the message was sent says
neither yes nor no. What is safe to repeat is then repeated; with `once`, the caller is told.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

Row = dict[str, Any]

# Deadlock, serialization failure, lock not available, too many connections, read only in the middle of a failover;
# and by class: connection exceptions, and the operator's interventions but for a cancelled query.
_TRY_AGAIN = {"40P01", "40001", "55P03", "53300", "25006", "57P01", "57P02", "57P03", "57P05"}
_TRY_AGAIN_CLASS = "08"
# Supavisor's own refusals have the state of an internal error and begin with a code: (ECHECKOUTTIMEOUT) and its like.
_POOLER = re.compile(r"\(E[A-Z]{4,}\)|[Mm]ax client|check ?out")
# Nothing is wrong with the statement: a query that was cancelled or timed out, insufficient resources, system errors.
_OUTAGE_CLASSES = {"53", "57", "58"}
_PAUSES_SECONDS = (0.05, 0.2, 0.8, 2.0)
# What a caller asks is answered soon or not at all: nobody waits longer, and the connection is needed.
_CALLER_MILLISECONDS = 10_000


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with its parameters (`%s` or `%(name)s`; a percent sign itself is written `%%`)."""

    sql: str
    params: Sequence[Any] | Mapping[str, Any] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in user, by the verified claims of their token: under row-level security like any client of Supabase."""

    claims: Mapping[str, Any]


class Database:
    """Runs statements as the given role. Threads may share it: their calls queue up."""

    def __init__(self, url: str, role: str, *, pauses_seconds: Sequence[float] = _PAUSES_SECONDS) -> None:
        self._url = url
        self._role = role
        self._pauses_seconds = pauses_seconds
        self._connection: psycopg.Connection[Row] | None = None
        self._lock = threading.Lock()
        self.round_trips = 0

    def call(
        self, statement: str, params: Sequence[Any] | Mapping[str, Any] = (), *, caller: Caller | None = None
    ) -> list[Row]:
        """Run one statement in a transaction of its own, in one round trip; return its rows."""
        return self.run([Statement(statement, params)], caller=caller)

    def run(self, statements: Sequence[Statement], *, caller: Caller | None = None, once: bool = False) -> list[Row]:
        """Run the statements in one transaction, in one round trip; return the rows of the last.

        With a `caller` they run as that user. A lost connection, a deadlock or a restarting server is tried again, so
        what is run must be safe to repeat (every function of the engine is); with `once` it is tried again only when
        nothing can have come of it. Raises `psycopg.Error`.
        """
        return self.results(statements, caller=caller, once=once)[-1]

    def results(
        self, statements: Sequence[Statement], *, caller: Caller | None = None, once: bool = False
    ) -> list[list[Row]]:
        """Do what `run` does, and return the rows of each statement."""
        with self._lock:
            for pause in self._pauses_seconds:
                sent = self.round_trips
                try:
                    return self._run_once(statements, caller)
                except psycopg.Error as error:
                    if not _worth_trying_again(error) or (once and self.round_trips > sent and _is_unknown(error)):
                        raise
                    self.close()
                    time.sleep(pause)
            return self._run_once(statements, caller)

    def back_to_worker(self) -> Statement:
        """Return the statement after which a caller's transaction goes on with the rights of the function."""
        return Statement(sql.SQL("set local role {}").format(sql.Identifier(self._role)).as_string(None))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run_once(self, statements: Sequence[Statement], caller: Caller | None) -> list[list[Row]]:
        connection = self._connect()
        cursor = psycopg.ClientCursor(connection, row_factory=dict_row)
        first = [self.back_to_worker()] if caller is None else _as(caller)
        message = ";\n".join(cursor.mogrify(statement.sql, statement.params) for statement in [*first, *statements])
        self.round_trips += 1
        # The message is complete SQL by now: without parameters psycopg sends it as one simple query.
        cursor.execute(message.encode())
        found: list[list[Row]] = []
        for _ in first[1:]:
            cursor.nextset()
        for _ in statements:
            cursor.nextset()
            found.append(cursor.fetchall() if cursor.description else [])
        return found

    def _connect(self) -> psycopg.Connection[Row]:
        if self._connection is None or self._connection.closed:
            # A connection that died while its environment was frozen is noticed in seconds, not at TCP's leisure.
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                prepare_threshold=None,
                row_factory=dict_row,
                connect_timeout=5,
                tcp_user_timeout=20_000,
                keepalives_idle=20,
                keepalives_interval=5,
            )
        return self._connection


def _as(caller: Caller) -> list[Statement]:
    return [
        Statement("set local role authenticated"),
        Statement(f"set local statement_timeout = {_CALLER_MILLISECONDS}"),
        Statement("select set_config('request.jwt.claims', %s, true)", (json.dumps(dict(caller.claims)),)),
    ]


def is_outage(error: BaseException) -> bool:
    """Return whether Postgres could not do it now, as opposed to refusing the statement for what it says."""
    if not isinstance(error, psycopg.Error):
        return False
    return _worth_trying_again(error) or (error.sqlstate or "")[:2] in _OUTAGE_CLASSES


def _worth_trying_again(error: psycopg.Error) -> bool:
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    if error.sqlstate == "XX000":
        return _POOLER.search(error.diag.message_primary or "") is not None
    return error.sqlstate in _TRY_AGAIN or error.sqlstate.startswith(_TRY_AGAIN_CLASS)


def _is_unknown(error: psycopg.Error) -> bool:
    """Return whether the transaction may have been committed: nobody said that it was not."""
    return error.sqlstate is None or error.sqlstate.startswith(_TRY_AGAIN_CLASS)
