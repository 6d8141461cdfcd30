"""One picture at a provider, however many invocations it takes: asked for once, looked at until it is there.

What was asked for is kept as a draft, so that a retry finds what was paid for; what turned out to be of no use is
marked as spent, so that a retry asks anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import BaseModel, ConfigDict

from showrunner.drafts import Drafts
from showrunner.errors import BadOutput, ContentRefused, InvalidInput, Transient
from showrunner.media.picture import read_picture
from showrunner.providers.image import ImageResult, Images, Pending, Wish
from showrunner.usage import ProviderCall

MOST_WAIT_SECONDS = 900.0
LONGEST_PAUSE_SECONDS = 60.0
PAUSE_GROWTH = 1.25
MOST_ID_CHARACTERS = 255


class Order(BaseModel):
    """What was asked of the provider: its `state` to poll with, how often and how long it was waited for, and the
    finished picture's name there. A spent one is of no use any more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: dict[str, Any] | None = None
    polls: int = 0
    waited_seconds: float = 0.0
    image_id: str | None = None
    is_spent: bool = False


@dataclass(frozen=True, slots=True)
class Painted:
    picture: Image.Image
    image_id: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Look again in `seconds`."""

    seconds: float
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Painting:
    """`download` is where the provider's file goes; `fit` makes the picture of its bytes or raises `BadOutput`."""

    images: Images
    wish: Wish
    drafts: Drafts
    draft: str
    fit: Callable[[bytes], Image.Image]
    record: Callable[[ProviderCall], None]
    remaining: Callable[[], float]
    download: Path

    def image_id(self) -> str | None:
        """The provider's name for the picture that an earlier attempt finished."""
        order = self.drafts.read(self.draft, Order)
        return order.image_id if order else None

    def go_on(self) -> Painted | Waiting:
        """Ask for the picture, or see how far it is. Raises what the provider's adapter raises."""
        order = self.drafts.read(self.draft, Order)
        if order is None or order.is_spent or order.state is None:
            return self._received(Order(), self.images.start(self.wish, self.download, self.remaining))
        try:
            return self._received(order, self.images.poll(order.state, self.download, self.remaining))
        except (BadOutput, ContentRefused, InvalidInput):
            self.drafts.keep(self.draft, order.model_copy(update={"is_spent": True}))
            raise

    def _received(self, order: Order, result: ImageResult | Pending) -> Painted | Waiting:
        if result.call is not None:
            self.record(result.call)
        if isinstance(result, Pending):
            return self._wait(order, result)
        picture = self.fit(read_picture(self.download))
        name = result.image_id[:MOST_ID_CHARACTERS] if result.image_id else None
        if name is not None:
            self.drafts.keep(self.draft, order.model_copy(update={"image_id": name}))
        return Painted(picture, name)

    def _wait(self, order: Order, pending: Pending) -> Waiting:
        pause = min(pending.poll_seconds * PAUSE_GROWTH**order.polls, LONGEST_PAUSE_SECONDS)
        waited = order.waited_seconds + pause
        waiting = Order(state=pending.state, polls=order.polls + 1, waited_seconds=waited)
        if waited > MOST_WAIT_SECONDS:
            self.drafts.keep(self.draft, waiting.model_copy(update={"is_spent": True}))
            raise Transient(f"The provider did not finish the picture in {MOST_WAIT_SECONDS / 60:.0f} minutes.")
        self.drafts.keep(self.draft, waiting)
        return Waiting(pause, pending.state)
