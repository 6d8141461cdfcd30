"""Music without a provider: the composer of this project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from showrunner.errors import BadOutput, InvalidInput
from showrunner.providers.music import MusicResult, Remaining, Wish, check_length
from showrunner.usage import ProviderCall

NAMES = ("ambient",)
SHORTEST, LONGEST = 4.0, 1_500.0


class AmbientMusic:
    """`dummy/ambient`: composes from the words of the prompt, at once."""

    def __init__(self, name: str) -> None:
        if name not in NAMES:
            raise InvalidInput(f"provider: 'dummy/{name}' is unknown; allowed: dummy/{', dummy/'.join(NAMES)}.")

    def start(self, wish: Wish, out: Path, remaining: Remaining) -> MusicResult:
        """Write the piece to `out` as WAV, of exactly the asked length."""
        from showrunner.providers.music.ambient.composer import compose

        check_length("dummy/ambient", wish.seconds, SHORTEST, LONGEST)
        compose(wish.prompt, wish.mood, wish.seconds, wish.seed, out, lambda share: _go_on(remaining))
        return MusicResult(call=ProviderCall("dummy", "ambient", seconds=wish.seconds))

    def poll(self, state: dict[str, Any], out: Path, remaining: Remaining) -> MusicResult:
        """Nothing is ever pending here."""
        raise BadOutput("dummy/ambient has nothing under way; the track is made anew.")


def _go_on(remaining: Remaining) -> None:
    remaining()
