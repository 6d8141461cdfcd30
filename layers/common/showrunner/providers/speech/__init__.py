"""Speech: text in, one clip of mono PCM out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from showrunner.clips import Clip
from showrunner.errors import InvalidInput
from showrunner.providers import split_reference
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

PROVIDERS = ("espeak", "polly", "openai")


@dataclass(frozen=True, slots=True)
class Spoken:
    clip: Clip
    call: ProviderCall


class Speech(Protocol):
    """Speaks plain text (no markup) with a named voice of this provider."""

    def speak(self, text: str, voice: str, language: str, timeout: float) -> Spoken:
        """Return the spoken clip. `language` is BCP 47, `timeout` in seconds; raises a `StageError`."""
        ...


def open_speech(voice: str, settings: Settings) -> tuple[Speech, str]:
    """Return the adapter for a voice reference such as `polly/Amy`, and the voice's name there."""
    provider, name = split_reference("voice", voice)
    if provider == "espeak":
        from showrunner.providers.speech.espeak import EspeakSpeech

        return EspeakSpeech(), name
    if provider == "polly":
        from showrunner.providers.speech.polly import PollySpeech

        return PollySpeech(settings), name
    if provider == "openai":
        from showrunner.providers.speech.openai import OpenAISpeech

        return OpenAISpeech(settings), name
    raise InvalidInput(f"voice: provider {provider!r} is unknown; allowed: {', '.join(PROVIDERS)}.")
