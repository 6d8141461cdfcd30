"""S3 and SQS for a laptop, as one process with what the template declares in it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from local.processes import Processes, wait_until
from local.specs import Template

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

START_SECONDS = 60
LONGEST_POLL_SECONDS = 20
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "laptop", "AWS_SECRET_ACCESS_KEY": "laptop"}


class Cloud:
    """The process behind `endpoint_url`; objects live in `state`/s3, messages only as long as the process."""

    def __init__(self, state: Path, port: int, region: str, processes: Processes) -> None:
        self.endpoint_url = f"http://127.0.0.1:{port}"
        self.region = region
        self._state = state
        self._port = port
        self._processes = processes
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, template: Template) -> None:
        """Start the process; once it answers, it has the buckets and queues of `template`."""
        log = self._state / "logs" / "cloud.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, **CREDENTIALS, "PYTHONPATH": str(Path(__file__).parent.parent)}
        server = [sys.executable, "-m", "local.cloud_server"]
        command = [*server, str(self._port), str(self._state / "s3"), self.region, _declared(template)]
        with log.open("ab") as output:
            self._process = self._processes.start(command, cwd=self._state, environment=environment, output=output)
        if not wait_until(lambda: self.has_ended or self.answers, START_SECONDS) or self.has_ended:
            raise RuntimeError(f"S3 and SQS did not start: see {log}")

    def stop(self) -> None:
        if self._process is not None:
            self._processes.kill(self._process)
            self._process = None

    @property
    def has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def close(self) -> None:
        """Close the connections of the clients below; call it after `stop`."""
        for name in ("s3", "sqs", "sqs_receiver"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()

    @cached_property
    def s3(self) -> S3Client:
        return self._session.client("s3", endpoint_url=self.endpoint_url)

    @cached_property
    def sqs(self) -> SQSClient:
        return self._session.client("sqs", endpoint_url=self.endpoint_url, config=_config(attempts=3))

    @cached_property
    def sqs_receiver(self) -> SQSClient:
        """A client for long polls: its calls fail at once when the process ends."""
        return self._session.client("sqs", endpoint_url=self.endpoint_url, config=_config(attempts=1))

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=self.region,
        )

    @property
    def answers(self) -> bool:
        """Whether something listens on the port."""
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        return True


def _declared(template: Template) -> str:
    """The buckets and queues of a template, as the server takes them: dead-letter queues first, others name them."""
    queues = []
    for queue in sorted(template.queues.values(), key=lambda queue: queue.dead_letter_queue is not None):
        attributes = {"VisibilityTimeout": str(queue.visibility_seconds), "DelaySeconds": str(queue.delay_seconds)}
        if queue.dead_letter_queue is not None:
            target = template.queues[queue.dead_letter_queue].arn
            policy = {"deadLetterTargetArn": target, "maxReceiveCount": queue.max_receive_count}
            attributes["RedrivePolicy"] = json.dumps(policy)
        queues.append([queue.name, attributes])
    return json.dumps({"buckets": [bucket.name for bucket in template.buckets], "queues": queues})


def _config(attempts: int) -> Config:
    return Config(
        read_timeout=LONGEST_POLL_SECONDS + 10,
        connect_timeout=5,
        retries={"total_max_attempts": attempts},
        max_pool_connections=32,
    )
