"""Music: a wish in words and seconds in, one audio file out, at once or after a while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from showrunner.errors import InvalidInput
from showrunner.providers import split_reference
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

PROVIDERS = ("dummy", "mubert", "beatoven", "elevenlabs")
MOST_BYTES = 200 * 1024 * 1024  # a quarter of an hour as WAV
POLL_SECONDS = 10.0

Remaining = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be composed. Equal seeds give equal music where a provider composes by itself."""

    prompt: str
    mood: str
    seconds: float
    seed: str


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence document as the provider gave it: its address, which may expire, and the copy in `path`."""

    url: str
    path: Path
    content_type: str


@dataclass(frozen=True, slots=True)
class MusicResult:
    """The track lies where it was asked for. `track_id` is its name at the provider."""

    track_id: str | None = None
    licence: Licence | None = None
    call: ProviderCall | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The provider goes on composing: poll with `state` in so many seconds. `call` is what asking for it cost."""

    state: dict[str, Any]
    poll_seconds: float = POLL_SECONDS
    call: ProviderCall | None = None


class Music(Protocol):
    """`out` is the file to be written, in any form that ffmpeg reads; `remaining` gives the seconds left.

    Both raise a `StageError`, and whatever `remaining` raises to stop the work.
    """

    def start(self, wish: Wish, out: Path, remaining: Remaining) -> MusicResult | Pending:
        """Compose, or ask for it."""
        ...

    def poll(self, state: dict[str, Any], out: Path, remaining: Remaining) -> MusicResult | Pending:
        """See how far it is. Raises `BadOutput` when it failed there or is not known any more."""
        ...


def open_music(reference: str, settings: Settings) -> tuple[Music, str]:
    """Return the adapter for a reference such as `mubert/low` or `elevenlabs/music_v2`, and its provider's name."""
    provider, name = split_reference("provider", reference)
    if provider == "dummy":
        from showrunner.providers.music.offline import AmbientMusic

        return AmbientMusic(name), provider
    if provider == "mubert":
        from showrunner.providers.music.mubert import MubertMusic

        return MubertMusic(name, settings), provider
    if provider == "beatoven":
        from showrunner.providers.music.beatoven import BeatovenMusic

        return BeatovenMusic(name, settings), provider
    if provider == "elevenlabs":
        from showrunner.providers.music.elevenlabs import ElevenLabsMusic

        return ElevenLabsMusic(name, settings), provider
    raise InvalidInput(f"provider: {provider!r} is unknown; allowed: {', '.join(PROVIDERS)}.")


def check_length(provider: str, seconds: float, least: float, most: float) -> None:
    """Raise `InvalidInput` for a length that the provider does not make."""
    if not least <= seconds <= most:
        raise InvalidInput(f"seconds: {provider} makes between {least:.0f} and {most:.0f} s, not {seconds:.1f}.")
