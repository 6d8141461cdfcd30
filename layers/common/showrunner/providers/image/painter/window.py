"""A window on which rain runs down."""

from __future__ import annotations

import numpy as np
from PIL import ImageDraw

from showrunner.media.album.format import HEIGHT, WIDTH
from showrunner.providers.image.painter.canvas import (
    SMALL_HEIGHT,
    SMALL_WIDTH,
    Canvas,
    across,
    down,
    drawn,
    enlarged,
    fill,
    mixed,
    scaled,
    smoothstep,
)
from showrunner.providers.image.painter.palette import Palette


def paint_rainy_window(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Drops on a pane, the lights of a town out of focus behind it, and a sill with a cup."""
    drops = rng.random((430, 3))
    sizes = (3.0 + rng.pareto(1.9, len(drops)) * 4.5).clip(3, 22)
    behind = canvas.rgb.copy()
    bright = np.zeros((HEIGHT, WIDTH), np.float32)
    for (x, y, _), size in zip(drops, sizes, strict=True):
        column, row, reach = int(x * WIDTH), int(y * 0.86 * HEIGHT), int(size)
        top, low, left, right = row - reach, row + round(reach * 1.25), column - reach, column + reach
        if top < 0 or left < 0 or right >= WIDTH or low >= HEIGHT:
            continue
        # A drop is a lens: it shows what is behind it upside down and bright below.
        source = behind[:, max(0, top - 60) : low + 60, max(0, left - 40) : right + 40]
        small = source.mean(axis=(1, 2))
        rows = np.linspace(-1, 1, low - top, dtype=np.float32)[:, None]
        columns = np.linspace(-1, 1, right - left, dtype=np.float32)[None, :]
        disc = smoothstep(0.0, 0.35, 1 - rows * rows - columns * columns)
        tone = np.float32(0.45) + np.float32(1.1) * (rows + 1) / 2
        for plane, value in zip(canvas.rgb, small, strict=True):
            part = plane[top:low, left:right]
            part += (np.clip(np.float32(value) * tone, 0, 1) - part) * disc * np.float32(0.8)
        if size > 5:
            bright[top + reach // 2 : top + reach // 2 + 2, column - reach // 3 : column - reach // 3 + 2] = 0.8
    canvas.light(bright, (1.0, 1.0, 1.0))
    frame = scaled(palette.near, 1.15)
    bar = rng.choice([0.34, 0.5, 0.66])
    fill(canvas, [(bar - 0.011, 0), (bar + 0.011, 0), (bar + 0.011, 0.88), (bar - 0.011, 0.88)], frame)
    fill(canvas, [(0, 0.4), (1, 0.4), (1, 0.418), (0, 0.418)], frame)
    fill(canvas, [(0, 0), (0.035, 0), (0.035, 1), (0, 1)], frame)
    fill(canvas, [(0.965, 0), (1, 0), (1, 1), (0.965, 1)], frame)
    fill(canvas, [(0, 0.87), (1, 0.87), (1, 0.895), (0, 0.895)], mixed(frame, palette.far, 0.3))
    fill(canvas, [(0, 0.895), (1, 0.895), (1, 1), (0, 1)], scaled(frame, 0.8))
    _cup(canvas, palette, rng, float(rng.choice([0.2, 0.8])))


def _cup(canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float) -> None:
    """A cup on the sill, with steam."""
    china = mixed(palette.accent, palette.near, 0.35)

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        pen.rounded_rectangle(((x - 0.03) * width, 0.79 * height, (x + 0.03) * width, 0.882 * height), 30, fill=255)
        pen.rectangle(((x - 0.03) * width, 0.79 * height, (x + 0.03) * width, 0.83 * height), fill=255)
        pen.arc(((x + 0.02) * width, 0.805 * height, (x + 0.048) * width, 0.862 * height), -90, 90, fill=255, width=16)

    canvas.lay(drawn(draw), china)
    rows, columns = down(SMALL_HEIGHT), across(SMALL_WIDTH)
    sway = np.float32(x) + np.float32(0.012) * np.sin(rows * np.float32(24) + np.float32(rng.uniform(0, 6)))
    steam = (
        np.exp(-(((columns - sway) / np.float32(0.014)) ** 2))
        * smoothstep(0.55, 0.76, rows)
        * (1 - smoothstep(0.76, 0.8, rows))
    )
    canvas.light(enlarged((steam * np.float32(0.28)).astype(np.float32)), (1.0, 0.97, 0.93))
