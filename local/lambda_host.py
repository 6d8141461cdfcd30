"""Runs functions as Lambda does: environments start when needed, stay warm, and are ended when they misbehave."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from local.environments import ExecutionEnvironment, Setting
from local.processes import Processes
from local.runtime_api import FunctionError
from local.specs import FunctionSpec

IDLE_SECONDS = 300.0
WATCH_SECONDS = 0.2


class LambdaHost:
    """The functions of a stack, by name.

    A function runs at most its reserved concurrency at once. At most `max_environments` processes stay warm: beyond
    that, the one that has been idle longest makes room.
    """

    def __init__(
        self,
        functions: Mapping[str, FunctionSpec],
        setting: Setting,
        processes: Processes,
        *,
        max_environments: int = 16,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._functions = functions
        self._setting = setting
        self._processes = processes
        self._max_environments = max_environments
        self._idle_seconds = idle_seconds
        self._idle: list[ExecutionEnvironment] = []
        self._busy: list[ExecutionEnvironment] = []
        self._starting: list[str] = []
        self._changed = threading.Condition()
        self._open = True
        setting.logs.mkdir(parents=True, exist_ok=True)
        threading.Thread(target=self._watch, name="environments", daemon=True).start()

    def invoke(self, function: str, event: Any) -> Any:
        """The function's answer to a JSON value, waiting while it runs at its full concurrency.

        Raises FunctionError when the function fails, LookupError when there is none of that name.
        """
        answer = self.invoke_raw(function, json.dumps(event).encode())
        try:
            return json.loads(answer or b"null")
        except ValueError as error:
            raise FunctionError(function, "Runtime.InvalidResponse", "the answer is not JSON") from error

    def invoke_raw(self, function: str, event: bytes) -> bytes:
        if function not in self._functions:
            raise LookupError(f"there is no function {function}; there are {', '.join(sorted(self._functions))}")
        environment = self._take(self._functions[function])
        try:
            return environment.run(event)
        finally:
            self._give_back(environment)

    def pids(self, function: str) -> set[int]:
        """Of the processes that the function has now."""
        with self._changed:
            return {item.pid for item in (*self._idle, *self._busy) if item.spec.name == function and item.is_alive}

    def stop(self) -> None:
        """End all environments; whatever runs in them fails."""
        with self._changed:
            self._open = False
            environments = [*self._idle, *self._busy]
            self._changed.notify_all()
        for environment in environments:
            environment.kill("Host.Stopped", "the laptop edition was stopped")

    # --- environments -----------------------------------------------------------------------------------------------

    def _take(self, spec: FunctionSpec) -> ExecutionEnvironment:
        """A warm environment of the function, or a new one."""
        with self._changed:
            while self._open and self._running(spec) >= (spec.reserved_concurrency or self._max_environments):
                self._changed.wait()
            if not self._open:
                raise FunctionError(spec.name, "Host.Stopped", "the laptop edition was stopped")
            warm = next((item for item in reversed(self._idle) if item.spec is spec and item.is_alive), None)
            if warm is not None:
                self._idle.remove(warm)
                self._busy.append(warm)
                return warm
            self._starting.append(spec.name)
            surplus = self._surplus()
        for environment in surplus:
            environment.kill("Host.Evicted", "made room for another function")
        try:
            environment = ExecutionEnvironment(spec, self._setting, self._processes)
        except OSError as error:
            with self._changed:
                self._starting.remove(spec.name)
                self._changed.notify_all()
            raise FunctionError(spec.name, "Runtime.StartError", f"the process cannot start: {error}") from error
        with self._changed:
            self._starting.remove(spec.name)
            self._busy.append(environment)
            stopped = not self._open
        if stopped:
            environment.kill("Host.Stopped", "the laptop edition was stopped")
        return environment

    def _running(self, spec: FunctionSpec) -> int:
        return sum(item.spec is spec for item in self._busy) + self._starting.count(spec.name)

    def _surplus(self) -> list[ExecutionEnvironment]:
        """Takes the longest idle environments out, as many as are beyond the limit."""
        excess = len(self._idle) + len(self._busy) + len(self._starting) - self._max_environments
        surplus = sorted(self._idle, key=lambda item: item.idle_since)[: max(0, excess)]
        for environment in surplus:
            self._idle.remove(environment)
        return surplus

    def _give_back(self, environment: ExecutionEnvironment) -> None:
        with self._changed:
            self._busy.remove(environment)
            if environment.is_alive and self._open:
                self._idle.append(environment)
            self._changed.notify_all()

    def _watch(self) -> None:
        """Checks the memory of what runs, and ends what has been idle for long."""
        while self._open:
            time.sleep(WATCH_SECONDS)
            with self._changed:
                busy = list(self._busy)
                now = time.monotonic()
                old = [item for item in self._idle if now - item.idle_since > self._idle_seconds or not item.is_alive]
                for environment in old:
                    self._idle.remove(environment)
            for environment in old:
                environment.kill("Host.Evicted", "was idle for long")
            for environment in busy:
                with contextlib.suppress(OSError):
                    environment.check_memory()
