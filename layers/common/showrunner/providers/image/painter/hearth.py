"""A room with a fire in its hearth."""

from __future__ import annotations

import numpy as np
from PIL import ImageDraw

from showrunner.media.album.format import HEIGHT, WIDTH
from showrunner.providers.image.painter.canvas import (
    Box,
    Canvas,
    Colour,
    across,
    arch,
    down,
    drawn,
    enlarged,
    fill,
    mixed,
    scaled,
    smoothstep,
)
from showrunner.providers.image.painter.light import paint_glow, paint_sparks
from showrunner.providers.image.painter.noise import cloud
from showrunner.providers.image.painter.palette import Palette


def paint_hearth(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A fire in a stone hearth, candles on the mantel, and the room lit by them."""
    x = rng.uniform(0.36, 0.64)
    wall = mixed(scaled(palette.middle, 0.75), palette.near, 0.3)
    canvas.gradient(
        [(0.0, scaled(wall, 0.5)), (0.78, wall), (0.781, scaled(palette.near, 1.6)), (1.0, scaled(palette.near, 0.9))]
    )
    _stones(canvas, rng, (0.0, 0.0, 1.0, 0.78), scaled(wall, 0.72), 0.5)
    side = 1 if x < 0.5 else -1
    _night_window(canvas, palette, rng, x + side * 0.34)
    stone = mixed(wall, palette.far, 0.35)
    fill(canvas, [(x - 0.22, 0.36), (x + 0.22, 0.36), (x + 0.22, 0.8), (x - 0.22, 0.8)], stone)
    _stones(canvas, rng, (x - 0.22, 0.36, x + 0.22, 0.8), scaled(stone, 0.6), 0.8)
    fill(canvas, arch(x - 0.125, x + 0.125, 0.44, 0.8), (0.035, 0.018, 0.012))
    fill(
        canvas, [(x - 0.25, 0.325), (x + 0.25, 0.325), (x + 0.235, 0.37), (x - 0.235, 0.37)], scaled(palette.near, 2.2)
    )
    fill(
        canvas,
        [(x - 0.25, 0.325), (x + 0.25, 0.325), (x + 0.25, 0.331), (x - 0.25, 0.331)],
        mixed(palette.accent, wall, 0.4),
    )
    paint_fire(canvas, rng, x, 0.765, 0.085, 0.25)
    _logs(canvas, x, 0.765)
    spots = x + np.array([-0.2, -0.17, -0.13, 0.12, 0.16, 0.205]) + rng.uniform(-0.008, 0.008, 6)
    talls = rng.uniform(0.03, 0.075, 6)
    for spot, tall in zip(spots, talls, strict=True):
        fill(
            canvas,
            [
                (spot - 0.0045, 0.325 - tall),
                (spot + 0.0045, 0.325 - tall),
                (spot + 0.0045, 0.326),
                (spot - 0.0045, 0.326),
            ],
            mixed(palette.light, palette.accent, 0.35),
            0.85,
        )
    flames = np.stack([spots, 0.325 - talls - 0.013], axis=1).astype(np.float32)
    paint_sparks(canvas, (1.0, 0.86, 0.55), flames, np.full(6, 7.0, np.float32), 1.0)
    fire = (1.0, 0.56, 0.2)
    paint_glow(canvas, fire, x, 0.66, 0.4, 0.62)
    paint_glow(canvas, fire, x, 0.93, 0.5, 0.44)
    paint_glow(canvas, mixed(palette.light, fire, 0.4), x, 0.3, 0.24, 0.2)
    _armchair(canvas, palette, x - side * rng.uniform(0.27, 0.31), side)
    rug = across() - np.float32(x)
    pool = np.exp(-((rug / np.float32(0.24)) ** 2) - ((down() - np.float32(0.9)) / np.float32(0.06)) ** 2)
    canvas.lay((pool * np.float32(0.4)).astype(np.float32), mixed(palette.accent, palette.near, 0.4))


def _stones(canvas: Canvas, rng: np.random.Generator, box: Box, joint: Colour, amount: float) -> None:
    """Courses of stone: the joints between them, dark."""
    left, top, right, foot = box

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for row, y in enumerate(np.arange(top, foot, 0.055)):
            pen.line([(left * width, y * height), (right * width, y * height)], fill=200, width=4)
            at = left - (0.03 if row % 2 else 0.0)
            while at < right:
                at += rng.uniform(0.045, 0.085)
                if left < at < right:
                    pen.line([(at * width, y * height), (at * width, min(foot, y + 0.055) * height)], fill=200, width=4)

    canvas.lay(drawn(draw) * np.float32(amount * 0.6), joint)


def paint_fire(canvas: Canvas, rng: np.random.Generator, x: float, foot: float, half: float, tall: float) -> None:
    """Flames: tongues of light, white at the heart, yellow, then red at their tips."""
    left, right = max(0, round((x - half * 1.6) * WIDTH)), min(WIDTH, round((x + half * 1.6) * WIDTH))
    top, low = max(0, round((foot - tall * 1.15) * HEIGHT)), min(HEIGHT, round((foot + 0.02) * HEIGHT))
    columns = (across()[:, left:right] - np.float32(x)) / np.float32(half)
    rows = (np.float32(foot) - down()[top:low]) / np.float32(tall)
    flow = enlarged(cloud(rng, 40, 12, 4, 0.55))[top:low, left:right]
    bent = columns + (flow - np.float32(0.5)) * np.float32(1.5) * np.clip(rows, 0, 1)
    heat = np.zeros((low - top, right - left), np.float32)
    for _ in range(9):
        middle, reach, wide = rng.normal(0, 0.4), rng.uniform(0.4, 1.0), rng.uniform(0.16, 0.34)
        reach *= 1 - 0.45 * abs(middle)
        up = np.clip(rows / np.float32(reach), 0, None)
        body = np.float32(wide) * np.clip(1 - up, 0, 1) ** np.float32(0.75) + np.float32(1e-3)
        tongue = np.exp(-(((bent - np.float32(middle)) / body) ** 2)) * np.clip(1.15 - up, 0, 1)
        heat = np.maximum(heat, tongue * smoothstep(-0.06, 0.05, rows))
    heat *= np.float32(0.7) + np.float32(0.5) * flow
    for colour, low_heat, high_heat, strength in (
        ((0.95, 0.25, 0.04), 0.05, 0.5, 0.95),
        ((1.0, 0.62, 0.12), 0.28, 0.75, 1.0),
        ((1.0, 0.92, 0.6), 0.55, 1.0, 1.0),
    ):
        share = smoothstep(low_heat, high_heat, heat) * np.float32(strength)
        for plane, value in zip(canvas.rgb, colour, strict=True):
            part = plane[top:low, left:right]
            part += (1 - part) * share * np.float32(value) * np.float32(0.9)
    embers = 26
    places = np.stack([x + rng.normal(0, half * 0.9, embers), foot - tall * rng.uniform(0.2, 1.7, embers)], axis=1)
    paint_sparks(
        canvas, (1.0, 0.6, 0.25), places.astype(np.float32), rng.uniform(1.0, 2.4, embers).astype(np.float32), 0.8
    )


def _logs(canvas: Canvas, x: float, foot: float) -> None:
    for lean in (-0.012, 0.012):
        fill(
            canvas,
            [
                (x - 0.075, foot - lean),
                (x + 0.075, foot + lean),
                (x + 0.075, foot + lean + 0.026),
                (x - 0.075, foot - lean + 0.026),
            ],
            (0.09, 0.035, 0.02),
            0.9,
        )


def _night_window(canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float) -> None:
    """A window on a blue evening, with its bars and snow or stars outside."""
    left, right, top, foot = x - 0.075, x + 0.075, 0.16, 0.58
    fill(canvas, arch(left - 0.012, right + 0.012, top - 0.02, foot + 0.02), scaled(palette.near, 1.8))
    pane = arch(left, right, top, foot)
    fill(canvas, pane, (0.1, 0.17, 0.33))
    fill(
        canvas,
        [(left, 0.47), (x - 0.02, 0.42), (x + 0.03, 0.45), (right, 0.41), (right, foot), (left, foot)],
        (0.06, 0.1, 0.2),
    )
    places = np.stack([rng.uniform(left, right, 46), rng.uniform(top + 0.06, foot, 46)], axis=1).astype(np.float32)
    paint_sparks(canvas, (0.85, 0.92, 1.0), places, rng.uniform(1.0, 2.6, 46).astype(np.float32), 0.75)
    for bar in (x - 0.002, x - 0.038, x + 0.036):
        fill(
            canvas,
            [(bar - 0.0015, top), (bar + 0.0025, top), (bar + 0.0025, foot), (bar - 0.0015, foot)],
            scaled(palette.near, 1.4),
        )
    for y in (0.3, 0.44):
        fill(canvas, [(left, y), (right, y), (right, y + 0.006), (left, y + 0.006)], scaled(palette.near, 1.4))


def _armchair(canvas: Canvas, palette: Palette, x: float, side: int) -> None:
    """An armchair seen from the side, dark against the fire, with a rim of its light."""

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        def box(left: float, top: float, right: float, foot: float, radius: float) -> None:
            edges = sorted((x + side * left, x + side * right))
            pen.rounded_rectangle(
                (edges[0] * width, top * height, edges[1] * width, foot * height), radius * height, fill=255
            )

        box(-0.085, 0.52, -0.02, 0.93, 0.04)
        box(-0.06, 0.74, 0.085, 0.92, 0.03)
        box(-0.05, 0.68, 0.07, 0.76, 0.03)
        for leg in (-0.07, 0.06):
            box(leg, 0.9, leg + 0.012, 0.965, 0.002)

    mask = drawn(draw)
    canvas.lay(mask, mixed(palette.near, palette.accent, 0.13))
    moved = np.roll(mask, -side * 7, axis=1)
    canvas.light(np.clip(mask - moved, 0, 1) * np.float32(0.7), (1.0, 0.6, 0.25))
