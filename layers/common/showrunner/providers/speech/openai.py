"""Speech from any server that speaks OpenAI's `audio/speech`: OpenAI, vLLM, LocalAI, Kokoro servers and others."""

from __future__ import annotations

from showrunner.clips import Clip
from showrunner.errors import Transient
from showrunner.providers import paid
from showrunner.providers.http import HttpProvider, HttpReply, post_json
from showrunner.providers.openai_server import openai_server
from showrunner.providers.speech import Spoken
from showrunner.providers.speech.passages import speak_passages
from showrunner.providers.speech.wav import read_wav
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

INPUT_CHARACTERS = 4_096
# Token-priced models take 2,000 tokens, which is fewer characters where each one takes several bytes.
INPUT_BYTES = 5_400


class OpenAISpeech:
    """Speaks through `POST {base}/audio/speech` as WAV, at most 4,096 characters a call.

    The language is not part of this interface: the model reads it off the text.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def speak(self, text: str, voice: str, language: str, timeout: float) -> Spoken:
        """Return the spoken clip. `timeout` in seconds; raises a `StageError`."""
        server = openai_server(self._settings, self._settings.openai_speech_model)
        return speak_passages(
            text, _passage_characters(text), timeout, lambda passage, left: _speak(server, passage, voice, left)
        )


def _passage_characters(text: str) -> int:
    bytes_per_character = len(text.encode()) / max(1, len(text))
    return min(INPUT_CHARACTERS, int(INPUT_BYTES / max(1.0, bytes_per_character)))


def _speak(server: HttpProvider, passage: str, voice: str, timeout: float) -> Spoken:
    request = {"model": server.model, "input": passage, "voice": voice, "response_format": "wav"}
    reply = post_json(server, "/audio/speech", request, timeout)
    # The reply is bare audio: what it cost is for us to count.
    call = ProviderCall("openai", server.model, characters=len(passage), measured=False)
    with paid(call):
        return Spoken(_clip(reply, server.host), call)


def _clip(reply: HttpReply, host: str) -> Clip:
    if not reply.body or reply.headers.get("content-type", "").startswith(("application/json", "text/")):
        raise Transient(f"{host} answered without audio.")
    clip = read_wav(reply.body)
    if not clip.pcm:
        raise Transient(f"{host} answered without audio.")
    return clip
