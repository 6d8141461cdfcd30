"""Text: a writing task in, a validated reply out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from showrunner.errors import InvalidInput
from showrunner.providers import split_reference
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

PROVIDERS = ("offline", "bedrock", "openai")

Reply = TypeVar("Reply", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class WritingTask:
    """What is to be written.

    `name` says which kind of text (`outline`, `script_section`); `prompt` is the rendered text that a language
    model gets; `material` is the same facts as a value, which is what the offline writer works from.
    """

    name: str
    prompt: str
    material: BaseModel


@dataclass(frozen=True, slots=True)
class Written(Generic[Reply]):
    reply: Reply
    call: ProviderCall


class Text(Protocol):
    """Writes replies that fit a Pydantic model; a reply that does not is `BadOutput`."""

    def write(self, task: WritingTask, reply: type[Reply], timeout: float) -> Written[Reply]:
        """Return the validated reply. `timeout` in seconds; raises a `StageError`."""
        ...


def open_text(writer: str, settings: Settings) -> Text:
    """Return the adapter for a writer reference such as `bedrock/anthropic.claude-sonnet-5`."""
    provider, model = split_reference("writer", writer)
    if provider == "offline":
        from showrunner.providers.text.offline import OfflineText

        return OfflineText(model)
    if provider == "bedrock":
        from showrunner.providers.text.bedrock import BedrockText

        return BedrockText(model, settings)
    if provider == "openai":
        from showrunner.providers.text.openai import OpenAIText

        return OpenAIText(model, settings)
    raise InvalidInput(f"writer: provider {provider!r} is unknown; allowed: {', '.join(PROVIDERS)}.")
