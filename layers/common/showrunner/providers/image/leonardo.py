"""Images from Leonardo: a generation is asked for, and looked at until it is complete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from showrunner.errors import BadOutput, ContentRefused, Transient
from showrunner.providers.download import download
from showrunner.providers.http import HttpProvider, get, post_json
from showrunner.providers.image import MOST_BYTES, ImageResult, Pending, Remaining, Wish, number_of
from showrunner.providers.image.replies import Part, read_reply
from showrunner.secrets import provider_key
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

# The nearest to 16:9 of what every model takes: multiples of 32, at most 1,536 wide.
WIDTH, HEIGHT = 1472, 832
PROMPT_CHARACTERS = 1_500
MOST_SEED = 2**31 - 1


class _Job(Part):
    generationId: str


class _Started(Part):
    sdGenerationJob: _Job | None = None


class _Image(Part):
    id: str | None = None
    url: str = ""
    nsfw: bool = False


class _Generation(Part):
    status: str
    generated_images: tuple[_Image, ...] = ()


class _Found(Part):
    generations_by_pk: _Generation | None = None


class LeonardoImages:
    """Paints through `POST {base}/generations` with the model whose id the reference names."""

    def __init__(self, model: str, settings: Settings) -> None:
        self._model = model
        self._settings = settings

    def start(self, wish: Wish, out: Path, remaining: Remaining) -> Pending:
        server = self._server()
        request = {
            "prompt": wish.in_words(PROMPT_CHARACTERS),
            "modelId": self._model,
            "width": WIDTH,
            "height": HEIGHT,
            "num_images": 1,
            "seed": number_of(wish.seed, MOST_SEED),
            "public": False,
        }
        reply = post_json(server, "/generations", request, remaining())
        started = read_reply(reply.body, _Started, server.host)
        if started.sdGenerationJob is None:
            raise Transient(f"{server.host} started nothing.")
        call = ProviderCall("leonardo", self._model, images=1)
        return Pending({"generation": started.sdGenerationJob.generationId}, call=call)

    def poll(self, state: dict[str, Any], out: Path, remaining: Remaining) -> ImageResult | Pending:
        server = self._server()
        forgotten = f"{server.host} does not know generation {state['generation']} any more."
        reply = get(server, f"/generations/{state['generation']}", remaining(), missing=forgotten)
        found = read_reply(reply.body, _Found, server.host).generations_by_pk
        if found is None:
            raise BadOutput(forgotten)
        if found.status == "PENDING":
            return Pending(state)
        if found.status != "COMPLETE":
            raise BadOutput(f"{server.host} could not paint this picture ({found.status.lower()}).")
        if not found.generated_images or not found.generated_images[0].url:
            raise BadOutput(f"{server.host} finished without a picture.")
        image = found.generated_images[0]
        if image.nsfw:
            raise ContentRefused(f"The safety filter at {server.host} marked the picture.")
        download(image.url, out, base_url=server.base_url, most_bytes=MOST_BYTES, timeout=remaining())
        return ImageResult(image_id=image.id or str(state["generation"]))

    def _server(self) -> HttpProvider:
        return HttpProvider(
            base_url=self._settings.leonardo_base_url,
            base_url_setting="LEONARDO_BASE_URL",
            key_setting="LEONARDO_API_KEY",
            key=provider_key(self._settings, "leonardo_api_key"),
            model=self._model,
        )
