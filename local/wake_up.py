"""The laptop's `pg_net`: what was asked for by RPC is sent when the request is committed, not at the next sweep.

The database gets what the trigger `private.wake_api` looks for. In place of an HTTP call to the API there is a NOTIFY,
which Postgres delivers after the commit and never for what is rolled back; whoever listens invokes the sweeper.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg

from local.runtime_api import FunctionError

_SETUP = Path(__file__).with_name("wake_up.sql")
_CONNECT_SECONDS = 10
_RECONNECT_SECONDS = 1.0
_LOOK_SECONDS = 0.5

_log = logging.getLogger(__name__)


class WakeUp:
    """Invokes `wake` after each commit that made jobs due, once for all that were committed meanwhile."""

    def __init__(self, database_url: str, wake: Callable[[], object]) -> None:
        self._database_url = database_url
        self._wake = wake
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wake-up", daemon=True)

    def start(self) -> None:
        """Prepare the database, as the tables' owner. Raises what psycopg raises."""
        with psycopg.connect(self._database_url, connect_timeout=_CONNECT_SECONDS) as connection:
            connection.execute(_SETUP.read_bytes())
        self._thread.start()

    def stop(self) -> None:
        self._closing.set()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._listen()
            except psycopg.OperationalError:
                # The supervisor starts a database that has ended.
                self._closing.wait(_RECONNECT_SECONDS)
            except Exception:
                if not self._closing.is_set():
                    _log.exception("requests wait for the next sweep; the next attempt is in %s s", _RECONNECT_SECONDS)
                self._closing.wait(_RECONNECT_SECONDS)

    def _listen(self) -> None:
        with psycopg.connect(self._database_url, connect_timeout=_CONNECT_SECONDS, autocommit=True) as connection:
            connection.execute("listen showrunner_wake_up")
            # Nobody listened to what was committed before.
            due = True
            while not self._closing.is_set():
                if due:
                    self._invoke()
                due = bool(list(connection.notifies(timeout=_LOOK_SECONDS, stop_after=1)))

    def _invoke(self) -> None:
        try:
            self._wake()
        except FunctionError as error:
            if not self._closing.is_set():
                _log.warning("what was asked for waits for the next sweep: %s", error)
