"""The collaborators of a function, made once per execution environment."""

from __future__ import annotations

import os
import signal
import sys
import threading
from functools import cached_property
from types import FrameType
from typing import TYPE_CHECKING

from showrunner.database import Database
from showrunner.engine import Engine
from showrunner.messages import Dispatcher
from showrunner.secrets import database_url
from showrunner.settings import Settings

if TYPE_CHECKING:
    from showrunner.media_store import MediaStore


class Services:
    """Each collaborator is made when first used, so that a function pays only for what it touches."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def database(self) -> Database:
        database = Database(database_url(self.settings), self.settings.database_role)
        if "AWS_LAMBDA_RUNTIME_API" in os.environ and threading.current_thread() is threading.main_thread():
            _close_on_sigterm(database)
        return database

    @cached_property
    def engine(self) -> Engine:
        return Engine(self.database)

    @cached_property
    def media_store(self) -> MediaStore:
        import boto3
        from botocore.config import Config

        from showrunner.media_store import MediaStore

        # Checksums are ours (SHA-256, checked by S3); retries are few because the engine retries the job.
        config = Config(
            retries={"max_attempts": 3, "mode": "standard"},
            connect_timeout=3,
            read_timeout=30,
            max_pool_connections=16,
            # Without it boto3 signs addresses the old way in old regions, which encrypted buckets refuse.
            signature_version="s3v4",
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return MediaStore(boto3.client("s3", config=config), self.settings.bucket)

    @cached_property
    def dispatcher(self) -> Dispatcher:
        import boto3
        from botocore.config import Config

        config = Config(retries={"max_attempts": 2, "mode": "standard"}, connect_timeout=2, read_timeout=5)
        return Dispatcher(boto3.client("sqs", config=config), self.settings.queue_url_prefix)


def _close_on_sigterm(database: Database) -> None:
    """Hang up when the execution environment ends, where the function is told so.

    Lambda tells it when an extension is registered, and kills it otherwise. Both leave nothing open, since each
    message is a transaction of its own; but the pooler's place is free at once.
    """

    def end(number: int, frame: FrameType | None) -> None:
        database.close()
        sys.stdout.flush()
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
