"""Colours that belong together, chosen by the words of a mood, a season or an hour."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from showrunner.providers.image.painter.canvas import Colour


def colour(text: str) -> Colour:
    """Six hexadecimal digits as a colour."""
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


@dataclass(frozen=True, slots=True)
class Palette:
    """`zenith`, `middle` and `horizon` are the sky's; `light` is the sun, moon or lamp; `far` is haze and what lies
    in it, `near` what stands before the viewer; `accent` is for what should catch the eye."""

    zenith: Colour
    middle: Colour
    horizon: Colour
    light: Colour
    far: Colour
    near: Colour
    accent: Colour

    @property
    def is_dark(self) -> bool:
        return brightness(self.middle) < 0.32


def _palette(*colours: str) -> Palette:
    return Palette(*map(colour, colours))


PALETTES: Mapping[str, Palette] = {
    "dawn": _palette("56679c", "d59aa8", "ffd9ae", "fff0cf", "cfa6b2", "2c2745", "ff9f80"),
    "day": _palette("3d7fc0", "86bbe3", "e2f0f4", "fff8e0", "a5c4d6", "1d463d", "f2b84b"),
    "golden": _palette("5d73a5", "eaad74", "ffe09a", "fff3c8", "dca06e", "3d242b", "e8703a"),
    "dusk": _palette("1f2450", "7c4b88", "f48e6d", "ffcb9f", "8a5b88", "151229", "ff7a59"),
    "night": _palette("050917", "0e1b3b", "2b4668", "dfe9ff", "22365a", "03060d", "ffc46b"),
    "autumn": _palette("7f93a8", "e3b783", "f9dfac", "fff0cc", "cb8d57", "44200f", "dd5a2a"),
    "royal": _palette("1c0e2c", "5a2a3a", "cf963f", "ffe3a0", "7d4a3c", "170a13", "f4c552"),
    "winter": _palette("7d9cbf", "b7cee1", "f0f5f8", "ffffff", "b6c9da", "2b4057", "d9773f"),
    "mist": _palette("8b9ba3", "b5c1c2", "e0e4de", "fdfbf0", "b3bebd", "283837", "c98a4a"),
    "green": _palette("3a6d62", "86b594", "e7f2c6", "fbffdf", "8fb59b", "0d271f", "e9c46a"),
    "storm": _palette("18202b", "3b4956", "7f8c92", "dce7ea", "54636d", "0d1318", "d8b26a"),
    "mystic": _palette("120a33", "48297e", "cb74c0", "f3d9ff", "6b479c", "0d0722", "6fe3d4"),
    "blue": _palette("13233c", "3b5d85", "a3bccd", "eaf4ff", "56789a", "0b1624", "e7b26d"),
    "cosy": _palette("170d0a", "4b2716", "cf7c33", "ffd68f", "6b3a20", "120907", "ff9a3d"),
    "spring": _palette("7db2d9", "d5dcef", "ffe6ea", "fffaf0", "b4c9c4", "2c4a3a", "f28fb1"),
    "tropical": _palette("0d6a98", "4cbcc8", "fdebb8", "fff8da", "58a9b0", "0a3038", "ff8a5c"),
}

_WORDS: Mapping[str, str] = {
    "dawn": "dawn sunrise morning daybreak awakening hopeful tender",
    "day": "day daylight noon sunny bright clear cheerful joyful happy summer uplifting airy",
    "golden": "golden sunset sundown evening warm honey amber romantic afternoon harvest nostalgic",
    "dusk": "dusk twilight gloaming lavender dreamy neon synthwave wistful",
    "night": "night midnight moon moonlit moonlight nocturnal starry stars star dark sleep sleepy space cosmic galaxy",
    "autumn": "autumn fall autumnal october leaves rustic orange russet",
    "royal": "royal king queen court palace throne regal majestic elegant baroque gold gilded opulent noble ballroom"
    " waltz imperial grand candlelit luxurious",
    "winter": "winter snow snowy frost frozen ice icy cold christmas arctic",
    "mist": "mist misty fog foggy haze calm quiet serene zen minimal tranquil peaceful meditative soft gentle",
    "green": "green forest jungle moss emerald lush nature woodland elven druid natural fresh healing",
    "storm": "storm stormy thunder rain rainy gloomy brooding grey gray tense gothic somber dramatic",
    "mystic": "mystic mystical magic magical enchanted fantasy purple violet ethereal fairy wizard arcane surreal"
    " aurora",
    "blue": "blue melancholy melancholic sad lonely reflective deep ocean contemplative focus study",
    "cosy": "cosy cozy hearth fireplace fire tavern inn cabin intimate candle candles lamplight medieval jazz coffee",
    "spring": "spring blossom blossoms cherry sakura flower flowers bloom pastel romance innocent garden",
    "tropical": "tropical beach island palm paradise turquoise lagoon",
}  # fmt: skip
# An hour says more about the light than a mood does.
_STRONG = frozenset(
    {
        "dawn",
        "night",
        "dusk",
        "winter",
        "autumn",
        "sunset",
        "sunrise",
        "midnight",
        "moonlit",
        "golden",
        "twilight",
        "evening",
    }
)


def choose_palette(
    words: Sequence[str], fallback: Sequence[str], rng: np.random.Generator, *, dark: bool = False
) -> tuple[str, Palette]:
    """The palette that the words speak of most, or one of `fallback`, and a shade of its own for each picture.

    `words` are in lower case, the prompt's first: what is said earlier counts more. `dark` leaves out bright ones.
    """
    scores: dict[str, float] = {}
    for name, listed in _WORDS.items():
        if dark and not PALETTES[name].is_dark:
            continue
        known = set(listed.split())
        hits = [
            (3.0 if word in _STRONG else 1.0) / (1 + place / 40) for place, word in enumerate(words) if word in known
        ]
        if hits:
            scores[name] = sum(hits)
    if scores:
        best = max(scores.values())
        close = sorted(name for name, score in scores.items() if score >= 0.8 * best)
    else:
        close = list(fallback)
    name = close[int(rng.integers(len(close)))]
    return name, _varied(PALETTES[name], rng)


def _varied(palette: Palette, rng: np.random.Generator) -> Palette:
    turn, richness, lift = rng.uniform(-0.022, 0.022), rng.uniform(0.88, 1.12), rng.uniform(0.93, 1.06)

    def vary(value: Colour) -> Colour:
        hue, saturation, bright = colorsys.rgb_to_hsv(*value)
        return colorsys.hsv_to_rgb((hue + turn) % 1, min(1, saturation * richness), min(1, bright * lift))

    return replace(palette, **{field.name: vary(getattr(palette, field.name)) for field in fields(palette)})


def brightness(value: Colour) -> float:
    """Luma by Rec. 709."""
    return 0.2126 * value[0] + 0.7152 * value[1] + 0.0722 * value[2]
