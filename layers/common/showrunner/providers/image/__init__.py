"""Images: a wish in words in, one picture file out, at once or after a while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from showrunner.errors import InvalidInput
from showrunner.providers import split_reference
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

PROVIDERS = ("dummy", "leonardo", "gemini", "openai", "stability")
MOST_BYTES = 40 * 1024 * 1024  # more than a 4K picture as PNG
POLL_SECONDS = 5.0

Remaining = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be painted: the prompt, and the words of mood and niche. Equal seeds give equal pictures where a
    provider paints by itself."""

    prompt: str
    mood: str
    seed: str

    def in_words(self, most: int) -> str:
        """The prompt for a model, with the mood where the prompt does not state it, in at most so many characters."""
        mood = self.mood.strip()
        text = self.prompt if mood.casefold() in self.prompt.casefold() else f"{self.prompt}\nMood: {mood}."
        return text[:most].strip()


@dataclass(frozen=True, slots=True)
class ImageResult:
    """The picture lies where it was asked for. `image_id` is its name at the provider."""

    image_id: str | None = None
    call: ProviderCall | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The provider goes on painting: poll with `state` in so many seconds. `call` is what asking for it cost."""

    state: dict[str, Any]
    poll_seconds: float = POLL_SECONDS
    call: ProviderCall | None = None


class Images(Protocol):
    """`out` is the file to be written, as PNG, JPEG or WebP of any size; `remaining` gives the seconds left.

    Both raise a `StageError`, and whatever `remaining` raises to stop the work.
    """

    def start(self, wish: Wish, out: Path, remaining: Remaining) -> ImageResult | Pending:
        """Paint, or ask for it."""
        ...

    def poll(self, state: dict[str, Any], out: Path, remaining: Remaining) -> ImageResult | Pending:
        """See how far it is. Raises `BadOutput` when it failed there or is not known any more."""
        ...


def open_images(reference: str, settings: Settings) -> tuple[Images, str]:
    """Return the adapter for a reference such as `gemini/gemini-2.5-flash-image`, and its provider's name."""
    provider, name = split_reference("provider", reference)
    if provider == "dummy":
        from showrunner.providers.image.offline import PainterImages

        return PainterImages(name), provider
    if provider == "leonardo":
        from showrunner.providers.image.leonardo import LeonardoImages

        return LeonardoImages(name, settings), provider
    if provider == "gemini":
        from showrunner.providers.image.gemini import GeminiImages

        return GeminiImages(name, settings), provider
    if provider == "openai":
        from showrunner.providers.image.openai import OpenAIImages

        return OpenAIImages(name, settings), provider
    if provider == "stability":
        from showrunner.providers.image.stability import StabilityImages

        return StabilityImages(name, settings), provider
    raise InvalidInput(f"provider: {provider!r} is unknown; allowed: {', '.join(PROVIDERS)}.")


class AtOnce:
    """What adapters share whose provider answers with the picture: there is never anything to poll."""

    def poll(self, state: dict[str, Any], out: Path, remaining: Remaining) -> ImageResult | Pending:
        raise InvalidInput("state: this provider paints at once and has nothing to wait for.")


def number_of(seed: str, most: int) -> int:
    """A whole number from 0 to `most` for providers that take their seed as one."""
    import hashlib

    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) % (most + 1)
