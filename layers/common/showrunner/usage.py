"""What one provider call used. Prices are rows of `provider_prices`; the database multiplies."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """One call to a provider, as it goes into `usage_events`.

    `seconds` is seconds of media, not of waiting. `measured` is false where the provider did not report
    the figure and we estimated it.
    """

    provider: str
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    characters: int = 0
    seconds: float = 0.0
    images: int = 0
    measured: bool = True

    def __post_init__(self) -> None:
        for name in ("input_tokens", "output_tokens", "characters", "seconds", "images"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name}: {value} is no amount that can be used")

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def estimated_tokens(text: str) -> int:
    """Return a rough token count (four characters each) for servers that report none."""
    return -(-len(text) // 4)
