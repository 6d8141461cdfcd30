"""Adapters that write, speak, compose, paint, transcribe or translate.

A provider is chosen by a reference `<provider>/<name>`: a voice such as `espeak/ada` or `polly/Amy`,
a writer such as `offline/extractive` or `bedrock/anthropic.claude-sonnet-5`.
"""

from __future__ import annotations

from showrunner.errors import InvalidInput


def split_reference(field: str, reference: str) -> tuple[str, str]:
    """Split `<provider>/<name>`; raise `InvalidInput` naming `field` when it is not of that form."""
    provider, slash, name = reference.partition("/")
    if not (provider and slash and name):
        raise InvalidInput(f"{field}: {reference!r} is not of the form <provider>/<name>.")
    return provider, name
