"""The OpenAI-compatible server that the settings name."""

from __future__ import annotations

from showrunner.providers.http import HttpProvider
from showrunner.secrets import openai_api_key
from showrunner.settings import Settings


def openai_server(settings: Settings, model: str) -> HttpProvider:
    """Return where to ask and with which key; raise a `StageError` when a named secret cannot be read."""
    return HttpProvider(
        base_url=settings.openai_base_url,
        base_url_setting="OPENAI_BASE_URL",
        key_setting="OPENAI_API_KEY",
        key=openai_api_key(settings),
        model=model,
    )
