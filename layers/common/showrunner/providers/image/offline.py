"""The embedded painter as an image provider: no network, no account, a fraction of a second."""

from __future__ import annotations

from pathlib import Path

from showrunner.errors import InvalidInput
from showrunner.providers.image import AtOnce, ImageResult, Remaining, Wish
from showrunner.usage import ProviderCall

PAINTERS = ("painter",)


class PainterImages(AtOnce):
    def __init__(self, name: str) -> None:
        if name not in PAINTERS:
            raise InvalidInput(f"provider: dummy has no {name!r}; allowed: {', '.join(PAINTERS)}.")
        self._name = name

    def start(self, wish: Wish, out: Path, remaining: Remaining) -> ImageResult:
        from showrunner.providers.image.painter import paint

        remaining()
        painting = paint(wish.prompt, wish.mood, wish.seed)
        # A file that is read once on the same disk need not be small.
        painting.image.save(out, "PNG", compress_level=0)
        return ImageResult(image_id=None, call=ProviderCall("dummy", self._name, images=1))
