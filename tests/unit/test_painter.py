"""The painter's pictures: the same for the same seed, each its own within an album, in the colours of their words."""

from __future__ import annotations

import colorsys
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from showrunner.media.album.loop_unit import encode_loop
from showrunner.providers.image.painter import Painting, paint
from showrunner.providers.image.painter.palette import PALETTES
from showrunner.providers.image.painter.reading import DARK_SCENES, LIGHT_OF_SCENES, choose_scene, words_of
from showrunner.providers.image.painter.scenes import SCENES

PROMPTS = {
    "mountains": "16:9 background of misty mountains at dawn",
    "forest": "An enchanted forest glade with old trees",
    "sea": "The ocean by moonlight, a lighthouse",
    "desert": "Desert dunes at sunset",
    "city": "Skyline of a city at night",
    "castle": "A medieval castle at dusk",
    "hall": "A grand ballroom with chandeliers, golden accents, warm lighting",
    "hearth": "A tavern with a fireplace",
    "library": "A library full of old books",
    "window": "Rain on the window of a café",
    "winter": "A village under snow",
    "stars": "Aurora and the galaxy above",
    "garden": "A garden of cherry blossoms with a pond",
    "campfire": "A campfire beside a tent",
    "meadow": "Rolling hills and fields in autumn",
    "waves": "An abstract gradient",
}


@cache
def painted(prompt: str, seed: str = "1", mood: str = "") -> Painting:
    return paint(prompt, mood, seed)


def small(image: Image.Image, size: tuple[int, int] = (160, 90)) -> np.ndarray:
    return np.asarray(image.resize(size, Image.Resampling.BOX), dtype=float) / 255


def fingerprint(image: Image.Image) -> np.ndarray:
    """A difference hash (Krawetz, 2013) of 16 x 16 bits: whether each part is lighter than the one to its left."""
    grey = np.asarray(image.convert("L").resize((17, 16), Image.Resampling.BOX), dtype=int)
    return (grey[:, 1:] > grey[:, :-1]).ravel()


def brightness(image: Image.Image) -> float:
    return float(small(image).mean())


def share_of_hue(image: Image.Image, low: float, high: float) -> float:
    """How much of the picture's colour, weighed by its strength, lies between two hues (in degrees)."""
    pixels = small(image, (64, 36)).reshape(-1, 3)
    hues = [(colorsys.rgb_to_hsv(*pixel)[0] * 360, max(pixel) - min(pixel)) for pixel in pixels]
    return sum(weight for hue, weight in hues if low <= hue <= high) / max(1e-9, sum(weight for _, weight in hues))


def test_every_scene_has_words_and_light_of_its_own() -> None:
    assert set(PROMPTS) == set(SCENES) == set(LIGHT_OF_SCENES)
    assert all(name in PALETTES for names in LIGHT_OF_SCENES.values() for name in names)
    assert all(any(PALETTES[name].is_dark for name in LIGHT_OF_SCENES[scene]) for scene in DARK_SCENES)


@pytest.mark.parametrize("scene", PROMPTS)
def test_a_prompt_gets_the_scene_that_it_names(scene: str) -> None:
    assert painted(PROMPTS[scene]).scene == scene


def test_a_prompt_without_a_place_is_painted_as_its_niche_says() -> None:
    rng = np.random.default_rng(1)

    assert choose_scene(words_of("Slow and warm"), words_of("calm, Castle Ambience"), rng) == "castle"


@pytest.mark.parametrize("prompt", ["", "!!!", "海辺の夕暮れ", "a" * 5_000, "\0\n\t", "Zur schönen Aussicht"])
def test_any_prompt_gets_a_picture(prompt: str) -> None:
    assert painted(prompt).image.size == (1920, 1080)


@pytest.mark.parametrize("scene", PROMPTS)
def test_a_picture_is_1080p_in_colour_and_neither_flat_nor_blown_out(scene: str) -> None:
    image = painted(PROMPTS[scene]).image
    grey = np.asarray(image.convert("L"))
    shares = np.bincount(grey.ravel(), minlength=256) / grey.size
    entropy = -sum(share * np.log2(share) for share in shares if share)

    assert (image.size, image.mode) == ((1920, 1080), "RGB")
    assert entropy > 5.0
    assert grey.std() > 12
    assert shares[:3].sum() < 0.25 and shares[253:].sum() < 0.1


@pytest.mark.parametrize("scene", ["mountains", "hall", "city"])
def test_the_same_seed_gives_the_same_picture(scene: str) -> None:
    again = paint(PROMPTS[scene], "", "1").image

    assert again.tobytes() == painted(PROMPTS[scene]).image.tobytes()


@pytest.mark.parametrize("scene", ["mountains", "hall", "library"])
def test_twenty_pictures_of_one_prompt_differ_from_each_other(scene: str) -> None:
    images = [paint(PROMPTS[scene], "calm", str(order)).image for order in range(1, 21)]
    prints = [fingerprint(image) for image in images]
    thumbs = [small(image) for image in images]

    apart = [
        (int((prints[one] != prints[other]).sum()), float(np.abs(thumbs[one] - thumbs[other]).mean()))
        for one, other in combinations(range(20), 2)
    ]

    assert all(bits >= 12 or tone >= 0.06 for bits, tone in apart)
    assert np.median([bits for bits, _ in apart]) > 30


@pytest.mark.parametrize(
    ("prompt", "low", "high", "least"),
    [
        ("A castle in royal golden splendour", 5, 65, 0.6),
        ("Autumn meadow in October", 0, 60, 0.8),
        ("Mountains in winter", 180, 260, 0.7),
        ("Emerald forest, lush and green", 80, 180, 0.7),
        ("The sea, melancholy and blue", 190, 250, 0.7),
        ("A mystic, magical mountain", 230, 340, 0.6),
    ],
)
def test_colours_follow_the_words(prompt: str, low: float, high: float, least: float) -> None:
    assert share_of_hue(painted(prompt).image, low, high) > least


@pytest.mark.parametrize("place", ["mountains", "sea", "castle", "city", "meadow"])
def test_night_is_darker_than_day(place: str) -> None:
    night = brightness(painted(f"{place} at night").image)
    day = brightness(painted(f"{place} on a bright day").image)

    assert night < 0.3 < day
    assert day - night > 0.25


def test_the_mood_decides_where_the_prompt_says_nothing_of_light() -> None:
    assert painted("mountains", mood="winter, frozen").palette == "winter"
    assert painted("mountains", mood="midnight, sleep").palette == "night"


@pytest.mark.parametrize("scene", ["city", "library", "forest", "garden"])
def test_a_loop_of_it_stays_small(scene: str, tmp_path: Path) -> None:
    painted(PROMPTS[scene]).image.save(tmp_path / "picture.png", compress_level=1)

    unit = encode_loop(tmp_path / "picture.png", tmp_path / "loop.h264", seconds=2, timeout=120)

    assert unit.bytes < 900_000


def test_a_smooth_sky_shows_no_bands() -> None:
    """Where a gradient takes ten or more rows for one step, dithering mixes both neighbours within each row."""
    sky = np.asarray(painted("The ocean on a clear day").image)[:300, :, 2].astype(int)
    jumps = np.abs(np.diff(sky.mean(axis=1)))

    assert jumps.max() < 1.0
