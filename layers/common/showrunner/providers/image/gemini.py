"""Images from Gemini's `generateContent`, whose answer carries the picture."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from pydantic import Field

from showrunner.errors import Auth, ContentRefused, InvalidInput, Transient
from showrunner.providers import paid
from showrunner.providers.http import HttpProvider, HttpReply, post_json
from showrunner.providers.image import AtOnce, ImageResult, Remaining, Wish
from showrunner.providers.image.replies import Part, read_reply, write_base64
from showrunner.secrets import provider_key
from showrunner.settings import Settings
from showrunner.usage import ProviderCall, estimated_tokens

PROMPT_CHARACTERS = 8_000
_REFUSED = {"SAFETY", "IMAGE_SAFETY", "PROHIBITED_CONTENT", "IMAGE_PROHIBITED_CONTENT", "BLOCKLIST", "SPII"}
_REFUSED |= {"RECITATION", "IMAGE_RECITATION"}


class _Data(Part):
    data: str = ""


class _Piece(Part):
    inlineData: _Data | None = None


class _Content(Part):
    parts: tuple[_Piece, ...] = ()


class _Candidate(Part):
    content: _Content = Field(default_factory=_Content)
    finishReason: str = ""


class _Feedback(Part):
    blockReason: str = ""


class _Usage(Part):
    promptTokenCount: int = Field(default=0, ge=0)
    candidatesTokenCount: int = Field(default=0, ge=0)
    thoughtsTokenCount: int = Field(default=0, ge=0)


class _Generated(Part):
    candidates: tuple[_Candidate, ...] = ()
    promptFeedback: _Feedback = Field(default_factory=_Feedback)
    usageMetadata: _Usage | None = None
    responseId: str | None = None


class GeminiImages(AtOnce):
    """Paints through `POST {base}/models/{model}:generateContent` in 16:9."""

    def __init__(self, model: str, settings: Settings) -> None:
        self._model = model
        self._settings = settings

    def start(self, wish: Wish, out: Path, remaining: Remaining) -> ImageResult:
        server = self._server()
        prompt = wish.in_words(PROMPT_CHARACTERS)
        request = {
            "contents": [{"role": "user", "parts": [{"text": prompt}]}],
            "generationConfig": {"responseModalities": ["IMAGE"], "imageConfig": {"aspectRatio": "16:9"}},
        }
        reply = self._ask(server, request, remaining())
        generated = read_reply(reply.body, _Generated, server.host)
        call = self._call(prompt, generated.usageMetadata)
        with paid(call):
            write_base64(_picture(generated, server.host), out, server.host)
        return ImageResult(generated.responseId, call)

    def _ask(self, server: HttpProvider, request: object, timeout: float) -> HttpReply:
        try:
            return post_json(server, f"/models/{quote(self._model, safe='')}:generateContent", request, timeout)
        except InvalidInput as error:
            # Gemini answers a wrong key with 400.
            if "API key" in error.message:
                raise Auth(f"{server.host} refused the key; check GEMINI_API_KEY.") from error
            raise

    def _call(self, prompt: str, usage: _Usage | None) -> ProviderCall:
        if usage is None:
            return ProviderCall("gemini", self._model, estimated_tokens(prompt), images=1, measured=False)
        made = usage.candidatesTokenCount + usage.thoughtsTokenCount
        return ProviderCall("gemini", self._model, usage.promptTokenCount, made, images=1)

    def _server(self) -> HttpProvider:
        return HttpProvider(
            base_url=self._settings.gemini_base_url,
            base_url_setting="GEMINI_BASE_URL",
            key_setting="GEMINI_API_KEY",
            key=provider_key(self._settings, "gemini_api_key"),
            model=self._model,
            key_header="x-goog-api-key",
            key_scheme="",
        )


def _picture(generated: _Generated, host: str) -> str:
    if generated.promptFeedback.blockReason:
        raise ContentRefused(
            f"The safety filter at {host} declined the prompt ({generated.promptFeedback.blockReason})."
        )
    for candidate in generated.candidates:
        for piece in candidate.content.parts:
            if piece.inlineData is not None and piece.inlineData.data:
                return piece.inlineData.data
    reasons = {candidate.finishReason for candidate in generated.candidates}
    if refused := sorted(reasons & _REFUSED):
        raise ContentRefused(f"The safety filter at {host} declined the picture ({refused[0]}).")
    # Seen with finish reason OTHER or with words only; the same request may work a moment later.
    raise Transient(f"{host} answered without a picture ({', '.join(sorted(reasons)) or 'no candidate'}).")
