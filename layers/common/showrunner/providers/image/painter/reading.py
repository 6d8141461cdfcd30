"""Which scene a prompt asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

_WORDS: Mapping[str, str] = {
    "mountains": "mountain mountains peak peaks alps alpine valley cliff cliffs summit fjord highland highlands ridge"
    " canyon",
    "forest": "forest forests wood woods woodland jungle grove trees tree pine pines druid elven enchanted moss glade"
    " bamboo waterfall",
    "sea": "sea ocean beach shore coast island waves harbour harbor lighthouse boat boats ship ships sailing lagoon"
    " tropical pier",
    "desert": "desert dune dunes sand sahara oasis arabian caravan pyramid pyramids savanna",
    "city": "city skyline downtown street streets urban metropolis tokyo york rooftop rooftops cyberpunk neon"
    " skyscraper skyscrapers lofi",
    "castle": "castle fortress keep citadel kingdom medieval tower towers battlements knight knights dragon ruins"
    " stronghold gothic",
    "hall": "ballroom hall palace throne court chandelier chandeliers cathedral temple church royal king queen opulent"
    " waltz columns marble corridor gallery banquet feast baroque monastery abbey opera",
    "hearth": "fireplace hearth tavern inn cottage cabin fire living lounge armchair candle candles interior room"
    " kitchen cosy cozy",
    "library": "library libraries books book bookshelf bookshelves shelves study scholar wizard archive scroll"
    " scrolls desk reading manuscript academia",
    "window": "window windows rain rainy raindrops cafe café coffee drizzle train bus apartment bedroom",
    "winter": "winter snow snowy snowfall frost frozen christmas ice icy blizzard ski",
    "stars": "star stars starry aurora northern galaxy cosmos cosmic space universe nebula planet planets astral"
    " constellation milky",
    "garden": "garden gardens park flower flowers blossom blossoms cherry sakura rose roses courtyard fountain pond"
    " orchard japanese hedge",
    "campfire": "campfire camp camping tent bonfire embers",
    "meadow": "meadow meadows field fields hill hills countryside prairie village farm grass pasture rolling vineyard"
    " wheat shire plain",
    "waves": "abstract gradient flow geometric pattern texture minimal ambient",
}
# Snow changes whatever place it lies on.
_WEIGHT: Mapping[str, float] = {"winter": 1.6}
# What fits a mood that names no place.
_WANDERING = ("mountains", "sea", "meadow", "forest", "stars", "garden", "mountains", "waves")
LIGHT_OF_SCENES: Mapping[str, Sequence[str]] = {
    "mountains": ("dawn", "mist", "golden", "dusk", "blue"),
    "forest": ("green", "mist", "golden", "autumn"),
    "sea": ("golden", "dusk", "dawn", "night", "blue"),
    "desert": ("golden", "dusk", "dawn"),
    "city": ("night", "dusk", "mystic", "golden"),
    "castle": ("dusk", "golden", "mist", "night"),
    "hall": ("royal", "cosy", "golden"),
    "hearth": ("cosy", "royal"),
    "library": ("cosy", "royal", "autumn"),
    "window": ("blue", "dusk", "night"),
    "winter": ("winter", "dusk", "night", "blue"),
    "stars": ("night", "mystic", "blue"),
    "garden": ("spring", "golden", "green", "day"),
    "campfire": ("night", "dusk", "blue"),
    "meadow": ("golden", "day", "dawn", "spring", "autumn"),
    "waves": ("mystic", "blue", "dusk", "golden", "green"),
}

# Stars and lamplight show in the dark alone.
DARK_SCENES = frozenset({"stars", "campfire", "hearth", "library"})


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, in their order."""
    return re.findall(r"[^\W\d_]+", text.casefold())


def choose_scene(prompt: Sequence[str], mood: Sequence[str], rng: np.random.Generator) -> str:
    """The scene that the prompt's words speak of most; its mood and niche decide where the prompt names no place."""
    for words in (prompt, mood):
        scores = {
            name: _WEIGHT.get(name, 1.0)
            * sum(1 / (1 + place / 12) for place, word in enumerate(words) if word in set(listed.split()))
            for name, listed in _WORDS.items()
        }
        best = max(scores.values())
        if best > 0:
            close = sorted(name for name, score in scores.items() if score >= 0.9 * best)
            return close[int(rng.integers(len(close)))]
    return _WANDERING[int(rng.integers(len(_WANDERING)))]
