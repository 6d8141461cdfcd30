"""Images from any server that speaks OpenAI's `images/generations`."""

from __future__ import annotations

from pathlib import Path

from showrunner.errors import Transient
from showrunner.providers import paid
from showrunner.providers.download import download
from showrunner.providers.http import post_json
from showrunner.providers.image import MOST_BYTES, AtOnce, ImageResult, Remaining, Wish
from showrunner.providers.image.replies import Part, read_reply, write_base64
from showrunner.providers.openai_server import openai_server
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

PROMPT_CHARACTERS = 4_000  # what compatible servers take; OpenAI's own models take 32,000


class _Image(Part):
    b64_json: str | None = None
    url: str | None = None


class _Generated(Part):
    data: tuple[_Image, ...] = ()


class OpenAIImages(AtOnce):
    """Paints through `POST {base}/images/generations` in the size that `OPENAI_IMAGE_SIZE` states."""

    def __init__(self, model: str, settings: Settings) -> None:
        self._model = model
        self._settings = settings

    def start(self, wish: Wish, out: Path, remaining: Remaining) -> ImageResult:
        server = openai_server(self._settings, self._model)
        size = self._settings.openai_image_size
        request = {"model": self._model, "prompt": wish.in_words(PROMPT_CHARACTERS), "n": 1, "size": size}
        reply = post_json(server, "/images/generations", request, remaining())
        generated = read_reply(reply.body, _Generated, server.host)
        # A picture is paid as a picture: its tokens would be paid a second time.
        call = ProviderCall("openai", self._model, images=1)
        with paid(call):
            if not generated.data:
                raise Transient(f"{server.host} answered without a picture.")
            image = generated.data[0]
            if image.url and not image.b64_json:
                download(image.url, out, base_url=server.base_url, most_bytes=MOST_BYTES, timeout=remaining())
            else:
                write_base64(image.b64_json or "", out, server.host)
        return ImageResult(call=call)
