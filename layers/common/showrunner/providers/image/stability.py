"""Images from Stability's models on Amazon Bedrock."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from showrunner.errors import ContentRefused, InvalidInput, Transient
from showrunner.providers import aws, paid
from showrunner.providers.image import MOST_BYTES, AtOnce, ImageResult, Remaining, Wish, number_of
from showrunner.providers.image.replies import Part, read_reply, write_base64
from showrunner.settings import Settings
from showrunner.usage import ProviderCall

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

PROMPT_CHARACTERS = 10_000
MOST_SEED = 4_294_967_294


class _Generated(Part):
    images: tuple[str, ...] = ()
    finish_reasons: tuple[str | None, ...] = ()
    seeds: tuple[int, ...] = ()


class StabilityImages(AtOnce):
    """Paints through InvokeModel with `stability.<name>`, in 16:9 and in the region that `STABILITY_REGION` names."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._model = f"stability.{name}"
        self._name = name
        self._settings = settings

    def start(self, wish: Wish, out: Path, remaining: Remaining) -> ImageResult:
        request = {
            "prompt": wish.in_words(PROMPT_CHARACTERS),
            "aspect_ratio": "16:9",
            "output_format": "png",
            "seed": number_of(wish.seed, MOST_SEED),
        }
        generated = read_reply(self._invoke(request, remaining()), _Generated, "Bedrock")
        call = ProviderCall("stability", self._name, images=1)
        for reason in filter(None, generated.finish_reasons):
            # A filtered picture is not billed.
            if reason.lower().startswith("inference"):
                raise Transient(f"Bedrock could not finish the picture ({reason}).")
            raise ContentRefused(f"Bedrock's safety filter declined the picture ({reason}).")
        if not generated.images:
            raise Transient("Bedrock answered without a picture.")
        with paid(call):
            write_base64(generated.images[0], out, "Bedrock")
        return ImageResult(image_id=None, call=call)

    def _invoke(self, request: object, timeout: float) -> bytes:
        settings = self._settings
        try:
            with aws.stage_errors("Bedrock", "bedrock:InvokeModel", f"model {self._model!r}"):
                client: BedrockRuntimeClient = aws.client(
                    "bedrock-runtime", settings.bedrock_base_url, timeout, settings.stability_region
                )
                response = client.invoke_model(modelId=self._model, body=json.dumps(request))
                with closing(response["body"]) as stream:
                    return stream.read(MOST_BYTES * 2)
        except InvalidInput as error:
            if re.search(r"content (filter|policy)|moderation|responsible ai", error.message, re.IGNORECASE):
                raise ContentRefused(f"Bedrock's safety filter declined the prompt for {self._model!r}.") from error
            raise
