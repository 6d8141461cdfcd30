"""Text: a writing task in; a validated reply out, or plain text piece by piece."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from showrunner.errors import InvalidInput
from showrunner.providers import split_reference
from showrunner.settings import Settings
from showrunner.usage import ProviderCall, estimated_tokens

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


class TextStream(ABC):
    """A text while it is written: iterate over it once, for its pieces. Iterating raises a `StageError`.

    `call` is what was used so far, whether the text became whole or not: None before the provider began, and estimated
    until it reports the figures.
    """

    def __init__(self, provider: str, model: str, prompt: str) -> None:
        self._provider = provider
        self._model = model
        self._prompt = prompt
        self._written = ""
        self._begun = False
        self._measured: ProviderCall | None = None

    def __iter__(self) -> Iterator[str]:
        for piece in self._pieces():
            self._begun = True
            self._written += piece
            yield piece

    @property
    def call(self) -> ProviderCall | None:
        if self._measured is not None or not self._begun:
            return self._measured
        tokens = estimated_tokens(self._prompt), estimated_tokens(self._written)
        return ProviderCall(self._provider, self._model, *tokens, measured=False)

    @abstractmethod
    def _pieces(self) -> Iterator[str]:
        """Give the pieces; set `_begun` once the provider has accepted the request, `_measured` when it reports."""


class Text(Protocol):
    """Writes replies that fit a Pydantic model; a reply that does not is `BadOutput`."""

    def write(self, task: WritingTask, reply: type[Reply], timeout: float) -> Written[Reply]:
        """Return the validated reply. `timeout` in seconds; raises a `StageError`."""
        ...

    def stream(self, task: WritingTask, timeout: float) -> TextStream:
        """Return the text to iterate over; nothing is asked before that. `timeout` in seconds, for the whole text."""
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
