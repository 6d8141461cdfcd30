"""Speech from any server that speaks OpenAI's `audio/speech`: OpenAI, vLLM, LocalAI, Kokoro servers and others."""

from __future__ import annotations

from showrunner.errors import Transient
from showrunner.providers import paid
from showrunner.providers.http import HttpProvider, HttpReply, post_json
from showrunner.providers.speech import Clip, Spoken
from showrunner.providers.speech.passages import speak_passages
from showrunner.providers.speech.wav import read_wav
from showrunner.secrets import openai_api_key
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

INPUT_CHARACTERS = 4_096


class OpenAISpeech:
    """Speaks through `POST {base}/audio/speech` as WAV, a call for each 4,096 characters.

    The language is not part of this interface: the model reads it off the text.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def speak(self, text: str, voice: str, language: str, timeout: float) -> Spoken:
        """Return the spoken clip. `timeout` in seconds; raises a `StageError`."""
        server = HttpProvider(
            base_url=self._settings.openai_base_url,
            base_url_setting="OPENAI_BASE_URL",
            key_setting="OPENAI_API_KEY",
            key=openai_api_key(self._settings),
            model=self._settings.openai_speech_model,
        )
        return speak_passages(
            text, INPUT_CHARACTERS, timeout, lambda passage, left: _speak(server, passage, voice, left)
        )


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
