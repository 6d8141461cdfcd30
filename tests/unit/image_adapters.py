"""What the tests of pictures share: pictures, the replies that carry them, and the adapters on the local server."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import SecretStr

from showrunner.providers.image import ImageResult, Pending, Wish, open_images
from showrunner.settings import Settings
from tests.provider_server import Answer

KEY = "sk-proj-0123456789abcdef"
WISH = Wish("A harbour at dawn", "calm, Seaside", "1")
REFERENCES = {
    "leonardo": "leonardo/6b645e3a-d64f-4341-a6d8-7a3690fbf042",
    "gemini": "gemini/gemini-2.5-flash-image",
    "openai": "openai/gpt-image-2",
    "stability": "stability/stable-image-core-v1:1",
}


def picture(width: int = 1472, height: int = 832, kind: str = "PNG", **options: Any) -> bytes:
    """A file with a gradient on it: dark at the left, light at the right, redder further down."""
    across = np.linspace(0, 255, width)[None, :] * np.ones((height, 1))
    rgb = np.stack([np.linspace(0, 255, height)[:, None] * np.ones((1, width)), across, across], axis=2)
    buffer = io.BytesIO()
    Image.fromarray(rgb.astype(np.uint8)).save(buffer, kind, **options)
    return buffer.getvalue()


def base64_of(body: bytes) -> str:
    return base64.b64encode(body).decode()


def settings_for(url: str, key: str | None = KEY) -> Settings:
    secret = SecretStr(key) if key else None
    return Settings(
        bedrock_base_url=url,
        gemini_base_url=f"{url}/v1",
        gemini_api_key=secret,
        leonardo_base_url=f"{url}/rest",
        leonardo_api_key=secret,
        openai_base_url=f"{url}/v1",
        openai_api_key=secret,
        openai_image_size="1920x1088",
    )


def gemini_reply(body: bytes, **fields: Any) -> dict[str, Any]:
    piece = {"inlineData": {"mimeType": "image/png", "data": base64_of(body)}}
    return {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Here."}, piece]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 1290, "totalTokenCount": 1302},
        "modelVersion": "gemini-2.5-flash-image",
        "responseId": "mZ1waKXqDrSAnvgP",
    } | fields


def openai_reply(body: bytes, **fields: Any) -> dict[str, Any]:
    usage = {"input_tokens": 13, "output_tokens": 1568, "total_tokens": 1581}
    return {"created": 1741569952, "data": [{"b64_json": base64_of(body)}], "usage": usage} | fields


def stability_reply(body: bytes, reason: str | None = None) -> dict[str, Any]:
    return {"seeds": [2130065602], "finish_reasons": [reason], "images": [base64_of(body)]}


def leonardo_started(identifier: str = "gen-1") -> dict[str, Any]:
    return {"sdGenerationJob": {"generationId": identifier, "apiCreditCost": 7}}


def leonardo_found(status: str = "COMPLETE", url: str = "", **fields: Any) -> dict[str, Any]:
    images = [{"id": "image-1", "url": url, "nsfw": False} | fields] if url else []
    return {"generations_by_pk": {"id": "gen-1", "status": status, "generated_images": images}}


def file_answer(body: bytes, **headers: str) -> Answer:
    return Answer(body=body, headers={"content-type": "image/png"} | headers)


def good_answer(adapter: str) -> Answer:
    """What the provider answers to the first request when all is well."""
    replies = {
        "leonardo": leonardo_started(),
        "gemini": gemini_reply(picture()),
        "openai": openai_reply(picture()),
        "stability": stability_reply(picture()),
    }
    return Answer(body=replies[adapter])


def start(adapter: str, settings: Settings, out: Path, timeout: float = 10.0) -> ImageResult | Pending:
    images, _ = open_images(REFERENCES[adapter], settings)
    return images.start(WISH, out, lambda: timeout)


def poll(settings: Settings, out: Path, timeout: float = 10.0) -> ImageResult | Pending:
    images, _ = open_images(REFERENCES["leonardo"], settings)
    return images.poll({"generation": "gen-1"}, out, lambda: timeout)
