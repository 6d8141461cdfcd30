"""What lies between the viewer and the scene: haze, rays, rain, snow, sparks, and the darker edges of a lens."""

from __future__ import annotations

import numpy as np
from PIL import ImageDraw

from showrunner.media.album.format import HEIGHT, WIDTH
from showrunner.providers.image.painter.canvas import (
    ASPECT,
    SMALL_HEIGHT,
    SMALL_WIDTH,
    Canvas,
    Colour,
    Plane,
    across,
    down,
    drawn,
    enlarged,
    halo,
    smoothstep,
)
from showrunner.providers.image.painter.noise import cloud


def paint_mist(canvas: Canvas, colour: Colour, rng: np.random.Generator, y: float, depth: float, amount: float) -> None:
    """A bank of mist around a height, torn by noise."""
    torn = cloud(rng, 3, 5, 4)
    off = (down(SMALL_HEIGHT) - np.float32(y)) * np.float32(1 / depth)
    bank = np.exp(-off * off) * (np.float32(0.35) + np.float32(0.75) * torn)
    canvas.lay(enlarged(np.clip(bank * np.float32(amount), 0, 1)), colour)


def paint_rays(canvas: Canvas, colour: Colour, rng: np.random.Generator, x: float, y: float, amount: float) -> None:
    """Shafts of light that fan out from a point."""
    aside = (across(SMALL_WIDTH) - np.float32(x)) * np.float32(ASPECT)
    below = down(SMALL_HEIGHT) - np.float32(y)
    angle = np.arctan2(aside, below)
    shafts = np.zeros_like(angle)
    for _ in range(5):
        shafts += np.sin(angle * np.float32(rng.uniform(9, 34)) + np.float32(rng.uniform(0, 6.28)))
    # Where they meet they are narrower than the points they are computed at.
    away = np.sqrt(aside * aside + below * below).astype(np.float32)
    soft = smoothstep(0.4, 3.2, shafts) * halo(x, y, 0.55, 0.9) * smoothstep(0.04, 0.22, away)
    canvas.light(enlarged(soft * np.float32(amount)), colour)


def paint_glow(canvas: Canvas, colour: Colour, x: float, y: float, radius: float, amount: float) -> None:
    canvas.light(enlarged(halo(x, y, radius) * np.float32(amount)), colour)


def paint_sparks(canvas: Canvas, colour: Colour, places: Plane, sizes: Plane, amount: float) -> None:
    """Soft points of light: fireflies, embers, candles. `places` are rows of x and y, `sizes` radii in pixels."""
    glow = np.zeros((HEIGHT, WIDTH), np.float32)
    height, width = HEIGHT, WIDTH
    for (x, y), size in zip(places, sizes, strict=True):
        reach = int(size * 3) + 2
        column, row = int(x * width), int(y * height)
        top, left = max(0, row - reach), max(0, column - reach)
        rows = np.arange(top, min(height, row + reach + 1), dtype=np.float32)[:, None] - np.float32(y * height)
        columns = np.arange(left, min(width, column + reach + 1), dtype=np.float32)[None, :] - np.float32(x * width)
        if rows.size and columns.size:
            spot = np.exp(-(rows * rows + columns * columns) / np.float32(size * size))
            part = glow[top : top + rows.shape[0], left : left + columns.shape[1]]
            np.maximum(part, spot, out=part)
    canvas.light(glow * np.float32(amount), colour)


def paint_discs(canvas: Canvas, rng: np.random.Generator, colours: list[Colour], count: int, top: float) -> None:
    """Lights far out of focus: see-through discs with a slightly brighter rim."""
    for colour in colours:
        for alpha in (0.22, 0.4):
            spots = [(rng.uniform(0, 1), rng.uniform(top, 0.95), rng.uniform(0.012, 0.05)) for _ in range(count)]

            def draw(
                pen: ImageDraw.ImageDraw, width: float, height: float, spots: list[tuple[float, float, float]] = spots
            ) -> None:
                for x, y, size in spots:
                    radius = size * height
                    box = (x * width - radius, y * height - radius, x * width + radius, y * height + radius)
                    pen.ellipse(box, fill=205, outline=255, width=5)

            canvas.light(drawn(draw) * np.float32(alpha), colour)


def paint_snow(canvas: Canvas, rng: np.random.Generator, count: int = 420) -> None:
    """Falling snow: many small flakes, few large ones near the lens."""
    places = rng.random((count, 2)).astype(np.float32)
    sizes = (1.1 + rng.pareto(2.5, count) * 1.2).clip(1.1, 7).astype(np.float32)
    paint_sparks(canvas, (1.0, 1.0, 1.0), places, sizes, 0.7)


def paint_rain(canvas: Canvas, rng: np.random.Generator, colour: Colour, count: int = 520) -> None:
    slant = rng.uniform(-0.12, 0.12)
    drops = rng.random((count, 3))

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for x, y, near in drops:
            length = (0.02 + 0.05 * near) * height
            start = (x * width, y * height)
            pen.line([start, (start[0] + slant * length, start[1] + length)], fill=round(60 + 80 * near), width=2)

    canvas.light(drawn(draw) * np.float32(0.5), colour)


def paint_vignette(canvas: Canvas, amount: float = 0.38) -> None:
    aside, above = across(SMALL_WIDTH) - np.float32(0.5), down(SMALL_HEIGHT) - np.float32(0.5)
    edge = smoothstep(
        0.16, 0.62, (aside * aside * np.float32(1.35) + above * above * np.float32(1.1)).astype(np.float32)
    )
    canvas.shade(enlarged(1 - edge * np.float32(amount)))


def fireflies(rng: np.random.Generator, count: int, top: float, bottom: float) -> tuple[Plane, Plane]:
    """Places and sizes of `count` lights between two heights."""
    places = np.stack([rng.random(count), rng.uniform(top, bottom, count)], axis=1).astype(np.float32)
    return places, rng.uniform(1.5, 5.5, count).astype(np.float32) * np.float32(HEIGHT / 1080)
