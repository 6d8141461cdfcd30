"""Speech from Amazon Polly."""

from __future__ import annotations

from contextlib import closing
from time import monotonic
from typing import TYPE_CHECKING, Any

from showrunner.clips import Clip
from showrunner.errors import Transient
from showrunner.providers import aws, paid
from showrunner.providers.speech import Spoken
from showrunner.providers.speech.passages import speak_passages
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

if TYPE_CHECKING:
    from mypy_boto3_polly import PollyClient
    from mypy_boto3_polly.type_defs import SynthesizeSpeechOutputTypeDef

# The most that the service model allows for PCM, whatever the engine; higher rates come only compressed.
SAMPLE_RATE = 16_000
BILLED_CHARACTERS = 3_000
# Voices that speak two languages fluently, by the developer guide; the others have one and are given none.
BILINGUAL = {
    "Aditi": ("en-IN", "hi-IN"),
    "Kajal": ("en-IN", "hi-IN"),
    "Hala": ("ar-AE", "en-US"),
    "Zayd": ("ar-AE", "en-US"),
}


class PollySpeech:
    """Speaks through SynthesizeSpeech with the engine that `POLLY_ENGINE` names, a call for each 3,000 characters."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def speak(self, text: str, voice: str, language: str, timeout: float) -> Spoken:
        """Return the spoken clip. `language` is BCP 47, `timeout` in seconds; raises a `StageError`."""
        return speak_passages(
            text, BILLED_CHARACTERS, timeout, lambda passage, left: self._synthesize(passage, voice, language, left)
        )

    def _synthesize(self, passage: str, voice: str, language: str, timeout: float) -> Spoken:
        deadline = monotonic() + timeout
        subject = f"voice {voice!r} with engine {self._settings.polly_engine!r}"
        with aws.stage_errors("Polly", "polly:SynthesizeSpeech", subject):
            client: PollyClient = aws.client("polly", self._settings.polly_base_url, timeout)
            response = client.synthesize_speech(**self._request(passage, voice, language))
            call = self._call(response, passage)
        with paid(call), aws.stage_errors("Polly", "polly:SynthesizeSpeech", subject):
            return Spoken(Clip(_read(response, deadline), SAMPLE_RATE), call)

    def _call(self, response: SynthesizeSpeechOutputTypeDef, passage: str) -> ProviderCall:
        billed = int(response.get("RequestCharacters") or 0)
        engine = self._settings.polly_engine
        return ProviderCall("polly", engine, characters=billed or len(passage), measured=billed > 0)

    def _request(self, passage: str, voice: str, language: str) -> Any:
        request = {
            "Text": passage,
            "TextType": "text",
            "VoiceId": voice,
            "Engine": self._settings.polly_engine,
            "OutputFormat": "pcm",
            "SampleRate": str(SAMPLE_RATE),
        }
        spoken = _language_of(voice, language)
        return request | ({"LanguageCode": spoken} if spoken else {})


def _language_of(voice: str, language: str) -> str | None:
    """Return the voice's language that is nearest to the wanted one; None lets Polly take the voice's own."""
    wanted = language.partition("-")[0].lower()
    for code in BILINGUAL.get(voice, ()):
        if code.lower() == language.lower() or code.partition("-")[0] == wanted:
            return code
    return None


def _read(response: SynthesizeSpeechOutputTypeDef, deadline: float) -> bytes:
    pcm = bytearray()
    with closing(response["AudioStream"]) as stream:
        # Small parts, since the deadline is looked at only between them.
        for part in stream.iter_chunks(1024):
            pcm += part
            if monotonic() > deadline:
                raise Transient("Polly did not finish its audio in time.")
    if not pcm:
        raise Transient("Polly answered without audio.")
    return bytes(pcm)
