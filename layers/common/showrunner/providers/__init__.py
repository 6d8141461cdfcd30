"""Adapters that write, speak, compose, paint, transcribe or translate.

A provider is chosen by a reference `<provider>/<name>`: a voice such as `espeak/ada` or `polly/Amy`,
a writer such as `offline/extractive` or `bedrock/anthropic.claude-sonnet-5`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from showrunner.errors import InvalidInput, StageError
from showrunner.usage import ProviderCall


def split_reference(field: str, reference: str) -> tuple[str, str]:
    """Split `<provider>/<name>`; raise `InvalidInput` naming `field` when it is not of that form."""
    provider, slash, name = reference.partition("/")
    if not (provider and slash and name):
        raise InvalidInput(f"{field}: {reference!r} is not of the form <provider>/<name>.")
    return provider, name


@contextmanager
def paid(call: ProviderCall) -> Iterator[None]:
    """Let a failure in this block carry `call`: an answer of no use is paid for all the same."""
    try:
        yield
    except StageError as error:
        error.calls = (call, *error.calls)
        raise
