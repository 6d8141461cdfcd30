"""Skies: their gradient, the sun or the moon, clouds, stars and northern lights."""

from __future__ import annotations

import numpy as np

from showrunner.media.album.format import HEIGHT, WIDTH
from showrunner.providers.image.painter.canvas import (
    SMALL_HEIGHT,
    SMALL_WIDTH,
    Canvas,
    across,
    down,
    enlarged,
    halo,
    mixed,
    scaled,
    smoothstep,
)
from showrunner.providers.image.painter.noise import cloud
from showrunner.providers.image.painter.palette import Palette


def paint_sky(canvas: Canvas, palette: Palette, horizon: float = 0.75) -> None:
    canvas.gradient(
        [
            (0.0, palette.zenith),
            (horizon * 0.55, palette.middle),
            (horizon, palette.horizon),
            (1.0, mixed(palette.horizon, palette.far, 0.5)),
        ]
    )


def paint_sun(canvas: Canvas, palette: Palette, x: float, y: float, size: float = 0.035) -> None:
    """A disc with its glow; `size` is the radius as a share of the height."""
    strength = 0.5 if palette.is_dark else 0.75
    glow = np.float32(strength) * halo(x, y, size * 5, 1.1) + np.float32(0.35) * halo(x, y, size * 14, 1.2)
    canvas.light(enlarged(glow), palette.light)
    reach = int((size * 1.1) * HEIGHT) + 3
    middle_x, middle_y = x * WIDTH, y * HEIGHT
    top, left = max(0, int(middle_y) - reach), max(0, int(middle_x) - reach)
    rows = np.arange(top, min(HEIGHT, int(middle_y) + reach), dtype=np.float32)[:, None]
    columns = np.arange(left, min(WIDTH, int(middle_x) + reach), dtype=np.float32)[None, :]
    if not (rows.size and columns.size):
        return
    away = np.sqrt((rows - middle_y) ** 2 + (columns - middle_x) ** 2)
    mask = np.clip(size * HEIGHT - away + 0.5, 0, 1).astype(np.float32)
    disc = mixed(palette.light, (1.0, 1.0, 1.0), 0.6)
    for plane, value in zip(canvas.rgb, disc, strict=True):
        part = plane[top : top + mask.shape[0], left : left + mask.shape[1]]
        part += np.clip(np.float32(value) - part, 0, 1) * mask


def paint_clouds(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, amount: float, horizon: float = 0.75
) -> None:
    """Long clouds that lie flatter towards the horizon, lit from below; `amount` 0 to 1."""
    fine = cloud(rng, 3, 7, 5, 0.52)
    cover = smoothstep(0.62 - 0.28 * amount, 0.9 - 0.1 * amount, fine)
    rows = down(SMALL_HEIGHT)
    fading = smoothstep(0.0, 0.12, rows) * (1 - smoothstep(horizon * 0.8, horizon * 1.05, rows))
    mask = cover * fading * np.float32(0.75)
    lit = mixed(palette.horizon, palette.light, 0.45)
    body = mixed(palette.middle, palette.horizon, 0.55) if palette.is_dark else lit
    canvas.lay(enlarged(mask * np.float32(0.55 if palette.is_dark else 0.8)), body)
    edge = smoothstep(0.5, 0.75, fine) * (1 - smoothstep(0.75, 0.95, fine)) * fading
    canvas.light(enlarged(edge * np.float32(0.25 * amount)), lit)


def paint_stars(canvas: Canvas, palette: Palette, rng: np.random.Generator, count: int, horizon: float = 0.75) -> None:
    """Many faint stars, a few bright ones with a soft glow, thinning out towards the horizon."""
    glow = np.zeros((round(horizon * HEIGHT), WIDTH), np.float32)
    heights = rng.beta(1.0, 1.7, count) * (glow.shape[0] - 4) + 1
    places = rng.uniform(2, WIDTH - 3, count)
    strengths = rng.pareto(2.2, count).clip(0.12, 3.0) * 0.32
    for y, x, strength in zip(heights.astype(int), places.astype(int), strengths, strict=True):
        glow[y, x] = max(glow[y, x], min(1.0, strength))
        if strength > 0.32:
            around = min(0.5, strength * 0.4)
            for at_y, at_x in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                glow[at_y, at_x] = max(glow[at_y, at_x], around)
    canvas.light(glow, mixed(palette.light, (0.9, 0.95, 1.0), 0.5))


def paint_milky_way(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A slanting band of light with dark lanes in it."""
    tilt, place = rng.uniform(-0.7, 0.7), rng.uniform(0.35, 0.65)
    lumps = cloud(rng, 6, 5, 5, 0.55)
    off = across(SMALL_WIDTH) - np.float32(place) - np.float32(tilt) * (down(SMALL_HEIGHT) - np.float32(0.4))
    off += (lumps - np.float32(0.5)) * np.float32(0.12)
    band = np.exp(-(off * off) * np.float32(55))
    lanes = smoothstep(0.25, 0.7, cloud(rng, 8, 8, 4, 0.6))
    canvas.light(
        enlarged(band * (np.float32(0.12) + lanes * np.float32(0.36))), mixed(palette.horizon, palette.light, 0.5)
    )
    canvas.light(enlarged(band * band * lanes * np.float32(0.16)), palette.accent)


def paint_aurora(canvas: Canvas, rng: np.random.Generator, horizon: float = 0.75) -> None:
    """Curtains of green and violet light: rays that rise from a winding line."""
    columns, rows = across(SMALL_WIDTH), down(SMALL_HEIGHT)
    for green, strength in ((True, 0.75), (False, 0.4)):
        phase, swing = rng.uniform(0, 6.28, 3), rng.uniform(0.03, 0.09)
        foot = horizon * rng.uniform(0.6, 0.78) + swing * (
            np.sin(columns * np.float32(5.1) + phase[0]) + 0.6 * np.sin(columns * np.float32(11.7) + phase[1])
        )
        rays = cloud(rng, 46, 1, 2)[SMALL_HEIGHT // 2][None, :]
        rays = np.float32(0.35) + np.float32(0.65) * smoothstep(0.25, 0.85, rays)
        sweep = np.float32(0.45) + np.float32(0.55) * np.sin(columns * np.float32(3.3) + phase[2]) ** 2
        above = np.maximum(foot - rows, 0)
        reach = np.float32(0.34 if green else 0.46)
        curtain = np.exp(-above / (reach * (np.float32(0.35) + rays))) * smoothstep(-0.012, 0.03, foot - rows)
        colour = (0.25, 0.95, 0.62) if green else (0.58, 0.32, 0.9)
        canvas.light(enlarged((curtain * rays * sweep * np.float32(strength)).astype(np.float32)), colour)


def paint_birds(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A small flock far away, each bird two short strokes."""
    from PIL import ImageDraw

    from showrunner.providers.image.painter.canvas import drawn

    middle_x, middle_y = rng.uniform(0.2, 0.8), rng.uniform(0.15, 0.35)
    birds = [(middle_x + rng.normal(0, 0.05), middle_y + rng.normal(0, 0.03), rng.uniform(4, 10)) for _ in range(9)]

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for x, y, size in birds:
            px, py, wing = x * width, y * height, size * 2
            points = [(px - wing, py - wing * 0.45), (px - wing * 0.4, py - wing * 0.5), (px, py)]
            points += [(px + wing * 0.4, py - wing * 0.5), (px + wing, py - wing * 0.45)]
            pen.line(points, fill=190, width=3)

    canvas.lay(drawn(draw), scaled(palette.near, 1.1))


def sun_place(rng: np.random.Generator, low: float, high: float) -> tuple[float, float]:
    """Somewhere near one of the thirds, between two heights."""
    third = 0.32 if rng.random() < 0.5 else 0.68
    return third + rng.uniform(-0.09, 0.09), rng.uniform(low, high)
