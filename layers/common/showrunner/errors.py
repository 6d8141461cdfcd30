"""The ways in which a stage can fail, each with what the engine does about it.

    StageError
    ├── RateLimited      retry after the stated delay; no failure counted
    ├── Transient        retry with jittered backoff
    ├── BadOutput        retry, then fail the item
    ├── InvalidInput     fail, no retry
    ├── ContentRefused   one rewrite of that item, else fail it
    ├── Quota            park until a person acts; never burn attempts
    ├── Auth             fail, name the key
    └── Sunset           fail with the successor's name

A message is one sentence for a person: what happened and what to do. It never carries a secret or a payload.
Anything else that a stage raises is a bug: it is logged with its traceback and retried like `Transient`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from showrunner.usage import ProviderCall


class ErrorKind(StrEnum):
    """The same words as the enum `public.error_kind`."""

    RATE_LIMITED = "rate_limited"
    TRANSIENT = "transient"
    BAD_OUTPUT = "bad_output"
    INVALID_INPUT = "invalid_input"
    CONTENT_REFUSED = "content_refused"
    QUOTA = "quota"
    AUTH = "auth"
    SUNSET = "sunset"
    INTERNAL = "internal"
    LOST = "lost"
    CANCELLED = "cancelled"


class StageError(Exception):
    """A failure whose treatment is known. `retry_after` is in seconds.

    `calls` are the provider calls that were made, and are paid for, before it failed.
    """

    kind: ErrorKind

    def __init__(self, message: str, *, retry_after: float | None = None, calls: Sequence[ProviderCall] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        self.calls = tuple(calls)


class RateLimited(StageError):
    """The provider asked us to slow down (429, throttling, busy)."""

    kind = ErrorKind.RATE_LIMITED


class Transient(StageError):
    """It may work in a moment (5xx, a timeout, a reply without content)."""

    kind = ErrorKind.TRANSIENT


class BadOutput(StageError):
    """The provider answered with something unusable (empty, silent, wrong length, invalid JSON)."""

    kind = ErrorKind.BAD_OUTPUT


class InvalidInput(StageError):
    """What was asked for can never work; the message names the field and what is allowed."""

    kind = ErrorKind.INVALID_INPUT


class ContentRefused(StageError):
    """The provider's safety filter declined the content."""

    kind = ErrorKind.CONTENT_REFUSED


class Quota(StageError):
    """The provider account is exhausted; a person has to act."""

    kind = ErrorKind.QUOTA


class Auth(StageError):
    """The provider refused our credentials; the message names the setting that holds them."""

    kind = ErrorKind.AUTH


class Sunset(StageError):
    """The model is gone; the message names its successor where one is known."""

    kind = ErrorKind.SUNSET
