"""The offline painter: landscapes, towns and rooms from a prompt's words, by arithmetic alone.

The words choose a scene and a palette; chance, which the seed fixes, does the rest. The same seed gives the same
picture, another seed another one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from showrunner.providers.image.painter.canvas import Canvas
from showrunner.providers.image.painter.light import paint_vignette
from showrunner.providers.image.painter.palette import choose_palette
from showrunner.providers.image.painter.reading import DARK_SCENES, LIGHT_OF_SCENES, choose_scene, words_of
from showrunner.providers.image.painter.scenes import SCENES, Brief


@dataclass(frozen=True, slots=True)
class Painting:
    image: Image.Image
    scene: str
    palette: str


def paint(prompt: str, mood: str, seed: str) -> Painting:
    """Paint a picture of 1920 x 1080 pixels. `mood` holds the words of mood and niche, where the prompt names none."""
    digest = hashlib.sha256(f"{seed}\n{prompt}\n{mood}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:16]))
    told, felt = words_of(prompt), words_of(mood)
    scene = choose_scene(told, felt, rng)
    name, palette = choose_palette([*told, *felt], LIGHT_OF_SCENES[scene], rng, dark=scene in DARK_SCENES)
    canvas = Canvas()
    SCENES[scene](canvas, Brief(palette, frozenset([*told, *felt]), rng))
    paint_vignette(canvas)
    return Painting(canvas.image(), scene, name)
