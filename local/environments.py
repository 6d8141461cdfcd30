"""Execution environments: the processes that functions run in, under AWS's own runtime client."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from local.cloud import CREDENTIALS
from local.processes import Processes
from local.runtime_api import FunctionError, Invocation, RuntimeApi
from local.specs import FunctionSpec, Names

INIT_SECONDS = 60
MEGABYTE = 1 << 20

# What a process needs of this machine; all else a function knows comes from the template.
_PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True)
class Setting:
    """What all functions of a stack share: names, folder for logs, and variables that win over the template's."""

    names: Names
    logs: Path
    overrides: Mapping[str, str] = field(default_factory=dict)

    def log(self, function: str) -> Path:
        return self.logs / f"{function}.log"


class ExecutionEnvironment:
    """One process of a function. It runs one invocation at a time and stays warm in between."""

    def __init__(self, spec: FunctionSpec, setting: Setting, processes: Processes) -> None:
        self.spec = spec
        self.idle_since = time.monotonic()
        self.peak_bytes = 0
        self._setting = setting
        self._processes = processes
        self._api = RuntimeApi(spec.name)
        self._invocation: Invocation | None = None
        self._killed_because: FunctionError | None = None
        with setting.log(spec.name).open("ab") as output:
            self._process = processes.start(
                [sys.executable, "-m", "awslambdaric", spec.handler],
                cwd=spec.folder,
                environment=environment_of(spec, setting, self._api.address),
                output=output,
            )
        threading.Thread(target=self._watch, name=f"{spec.name} {self._process.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._killed_because is None and self._process.poll() is None

    def run(self, event: bytes) -> bytes:
        """The function's answer to `event`. Raises FunctionError; after one the process may be gone (`is_alive`)."""
        invocation = Invocation(event, self.spec.arn, self.spec.timeout_seconds)
        self._invocation = invocation
        self._api.give(invocation)
        begun = time.monotonic()
        try:
            if not self.is_alive:
                invocation.fail(self._ending())
            elif not self._await_start(invocation):
                self.kill("Sandbox.Timedout", f"did not start within {INIT_SECONDS} s")
            begun = time.monotonic()
            return self._await_result(invocation)
        finally:
            self.idle_since = time.monotonic()
            self._report(invocation, self.idle_since - begun)
            self._invocation = None

    def kill(self, kind: str, message: str) -> None:
        """End the process; the invocation that runs in it, if any, fails with this error."""
        error = FunctionError(self.spec.name, kind, message)
        self._killed_because = self._killed_because or error
        if self._invocation is not None:
            self._invocation.fail(error)
        self._processes.kill(self._process)

    def check_memory(self) -> None:
        """Kill the process when it and its children have more memory than the function is allowed."""
        used = resident_bytes(self._process.pid)
        self.peak_bytes = max(self.peak_bytes, used)
        if used > self.spec.memory_mb * MEGABYTE:
            sentence = f"used {used // MEGABYTE} MB of memory, {self.spec.memory_mb} MB are allowed"
            self.kill("Runtime.OutOfMemory", sentence)

    def _await_start(self, invocation: Invocation) -> bool:
        deadline = time.monotonic() + INIT_SECONDS
        while time.monotonic() < deadline:
            if invocation.started.wait(0.25) or invocation.result.done():
                return True
        return False

    def _await_result(self, invocation: Invocation) -> bytes:
        try:
            return invocation.result.result(self.spec.timeout_seconds)
        except TimeoutError:
            self.kill("Sandbox.Timedout", f"timed out after {self.spec.timeout_seconds} seconds")
            return invocation.result.result()

    def _watch(self) -> None:
        """A process that ends takes its invocation, its children and its runtime API with it."""
        self._process.wait()
        invocation = self._invocation
        if invocation is not None:
            invocation.fail(self._ending())
        self._processes.kill(self._process)
        self._api.close()

    def _ending(self) -> FunctionError:
        known = self._killed_because or self._api.init_error
        if known is not None:
            return known
        code = self._process.poll()
        how = f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"
        sentence = f"the process ended with {how}; its log is {self._setting.log(self.spec.name)}"
        return FunctionError(self.spec.name, "Runtime.ExitError", sentence)

    def _report(self, invocation: Invocation, seconds: float) -> None:
        """The line that Lambda writes after each invocation, in the same words."""
        line = (
            f"REPORT RequestId: {invocation.request_id}\tDuration: {seconds * 1000:.2f} ms\t"
            f"Memory Size: {self.spec.memory_mb} MB\tMax Memory Used: {self.peak_bytes // MEGABYTE} MB\n"
        )
        with self._setting.log(self.spec.name).open("a") as log:
            log.write(line)


def environment_of(spec: FunctionSpec, setting: Setting, runtime_api: str) -> dict[str, str]:
    """The variables of a function's process: the machine's, the template's, Lambda's own, then the stack's."""
    module_path = [str(spec.folder), *(str(layer) for layer in spec.layers)]
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        **CREDENTIALS,
        **spec.environment,
        "PYTHONPATH": os.pathsep.join(module_path),
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": spec.function_name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.function_name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "laptop",
        "LAMBDA_TASK_ROOT": str(spec.folder),
        "_HANDLER": spec.handler,
        "AWS_REGION": setting.names.region,
        "AWS_DEFAULT_REGION": setting.names.region,
        "AWS_ENDPOINT_URL": setting.names.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        **setting.overrides,
    }


def resident_bytes(pid: int) -> int:
    """Memory of a process and all its descendants, 0 when it is gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for member in family:
        try:
            total += member.memory_info().rss
        except psutil.Error:
            continue
    return total
