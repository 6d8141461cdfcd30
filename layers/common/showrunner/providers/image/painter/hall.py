"""A hall seen along its length: columns, tall windows, chandeliers, and a floor that shines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from showrunner.media.album.format import HEIGHT, WIDTH
from showrunner.providers.image.painter.canvas import (
    Box,
    Canvas,
    Colour,
    Points,
    across,
    arch,
    down,
    drawn,
    fill,
    mixed,
    scaled,
    smoothstep,
)
from showrunner.providers.image.painter.light import paint_glow, paint_sparks
from showrunner.providers.image.painter.palette import Palette

WALLS: Sequence[Colour] = (
    (0.12, 0.30, 0.24),  # malachite
    (0.42, 0.10, 0.12),  # damask
    (0.13, 0.20, 0.40),  # lapis
    (0.78, 0.70, 0.58),  # ivory
    (0.30, 0.16, 0.34),  # amethyst
)


def paint_hall(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """By day light falls in through the windows; in the evening they are dark, and the chandeliers light the hall."""
    evening = bool(rng.random() < 0.45)
    wall = mixed(
        mixed(palette.middle, palette.accent, 0.12), WALLS[int(rng.integers(len(WALLS)))], rng.uniform(0.1, 0.5)
    )
    wall = scaled(wall, 0.72 if evening else 1.05)
    dark = mixed(palette.near, palette.middle, 0.25)
    vanish_x, floor = rng.uniform(0.34, 0.66), rng.uniform(0.6, 0.76)
    canvas.gradient(
        [(0.0, scaled(dark, 0.7)), (0.35, mixed(dark, wall, 0.7)), (floor, mixed(wall, palette.horizon, 0.25))]
    )
    half = rng.uniform(0.1, 0.22)
    back = (vanish_x - half, rng.uniform(0.16, 0.3), vanish_x + half, floor)
    fill(
        canvas,
        [(back[0], back[1]), (back[2], back[1]), (back[2], back[3]), (back[0], back[3])],
        mixed(wall, palette.horizon, 0.15 if evening else 0.4),
    )
    fill(canvas, [(0, 0), (1, 0), (back[2], back[1]), (back[0], back[1])], scaled(dark, 0.55))
    _coffers(canvas, palette, vanish_x, back)
    sky = mixed((0.10, 0.14, 0.30), palette.zenith, 0.4) if evening else mixed(palette.horizon, palette.light, 0.5)
    _back_windows(canvas, palette, rng, back, sky)
    count = int(rng.integers(3, 6))
    shares = [(index + float(rng.uniform(0.3, 0.7))) / count for index in range(count)]
    for side in (-1, 1):
        _colonnade(canvas, palette, vanish_x, side, back, wall, shares, niches=True)
    if rng.random() < 0.6:
        _banners(canvas, palette, rng, back)
    _mirror_floor(canvas, palette, floor, back, vanish_x)
    if rng.random() < 0.5:
        _carpet(canvas, palette, rng, back, vanish_x)
    for side in (-1, 1):
        _colonnade(canvas, palette, vanish_x, side, back, wall, shares, niches=False)
    rows = [(0.86, 0.5, 0.12), (0.7, 0.2), (0.0,), (0.9, 0.7, 0.5, 0.3)][int(rng.integers(4))]
    for depth in rows:
        _chandelier(canvas, palette, rng, vanish_x + (0.5 - vanish_x) * (1 - depth) * 0.6, depth)
    paint_glow(canvas, palette.light, vanish_x, 0.36, 0.5, 0.2 if evening else 0.34)


def _banners(canvas: Canvas, palette: Palette, rng: np.random.Generator, back: Box) -> None:
    """Cloth that hangs on both sides of the back wall, the longer the nearer."""
    cloth = mixed(palette.accent, WALLS[int(rng.integers(len(WALLS)))], 0.6)
    for side in (-1, 1):
        for share in (0.18, 0.42, 0.75):
            x = (back[0] if side < 0 else back[2]) + side * share * 0.3
            wide, top = 0.012 + 0.022 * share, back[1] * (1 - share * 0.6) + 0.03
            foot = top + 0.2 + 0.2 * share
            fill(
                canvas, [(x - wide, top), (x + wide, top), (x + wide, foot), (x, foot + 0.05), (x - wide, foot)], cloth
            )
            fill(
                canvas,
                [
                    (x - wide * 0.3, top),
                    (x + wide * 0.3, top),
                    (x + wide * 0.3, foot + 0.03),
                    (x - wide * 0.3, foot + 0.03),
                ],
                mixed(palette.accent, cloth, 0.35),
            )


def _carpet(canvas: Canvas, palette: Palette, rng: np.random.Generator, back: Box, vanish_x: float) -> None:
    """A runner from the back wall to the viewer, with a border."""
    cloth = mixed(WALLS[int(rng.integers(3))], palette.accent, 0.2)
    for far, near, colour in ((0.2, 0.24, mixed(palette.accent, palette.near, 0.3)), (0.17, 0.2, cloth)):
        wide = (back[2] - back[0]) * far
        points = [
            (vanish_x - wide, back[3]),
            (vanish_x + wide, back[3]),
            (vanish_x + near, 1.0),
            (vanish_x - near, 1.0),
        ]
        fill(canvas, points, scaled(colour, 0.62), 0.8)


def _coffers(canvas: Canvas, palette: Palette, vanish_x: float, back: Box) -> None:
    """Ribs of the ceiling: lines to the vanishing point and across."""

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for share in np.linspace(0, 1, 8):
            near, far = share * 1.5 - 0.25, back[0] + share * (back[2] - back[0])
            pen.line([(near * width, 0), (far * width, back[1] * height)], fill=255, width=6)
        for step in range(7):
            y = back[1] * (1 - 0.72**step)
            left = back[0] * (1 - (back[1] - y) / back[1]) if step else 0.0
            right = 1 - (1 - back[2]) * (1 - (back[1] - y) / back[1]) if step else 1.0
            pen.line([(left * width, y * height), (right * width, y * height)], fill=255, width=5)

    canvas.light(drawn(draw) * np.float32(0.3), palette.accent)


def _back_windows(canvas: Canvas, palette: Palette, rng: np.random.Generator, back: Box, sky: Colour) -> None:
    count = int(rng.choice([1, 3, 3, 5]))
    wide = (back[2] - back[0]) / (count + 0.6)
    for index in range(count):
        middle = (back[0] + back[2]) / 2 + (index - (count - 1) / 2) * wide
        high = back[1] + 0.05 + abs(index - (count - 1) / 2) * 0.02
        points = arch(middle - wide * 0.36, middle + wide * 0.36, high, back[3] - 0.06)
        fill(canvas, points, sky)
        for bar in (-0.12, 0.12):
            line = middle + bar * wide
            fill(
                canvas,
                [
                    (line - 0.001, high),
                    (line + 0.001, high),
                    (line + 0.001, back[3] - 0.06),
                    (line - 0.001, back[3] - 0.06),
                ],
                palette.near,
                0.6,
            )


def _colonnade(
    canvas: Canvas,
    palette: Palette,
    vanish_x: float,
    side: int,
    back: Box,
    wall: Colour,
    shares: Sequence[float],
    *,
    niches: bool,
) -> None:
    """Columns from the back to the front, round by their shading, with tall niches of light between them."""
    edge = back[0] if side < 0 else back[2]
    reach = edge + 0.08 if side < 0 else 1 - edge + 0.08
    for index, share in enumerate(shares):
        x = edge + side * reach * share
        grow = 1 + share * 2.6
        half = 0.0085 * grow
        head, foot = back[1] * (1 - share) - 0.06 * share, back[3] + (1 - back[3]) * share * 0.95
        if index and niches:
            before = edge + side * reach * shares[index - 1]
            middle, span = (x + before) / 2, abs(x - before) * 0.27
            low = back[3] + (1 - back[3]) * (share + shares[index - 1]) / 2 * 0.8
            points = arch(middle - span, middle + span, back[1] * (1 - share) + 0.1 * share + 0.06, low)
            fill(canvas, points, mixed(palette.horizon, palette.accent, 0.2), 0.5 - 0.09 * index)
        columns = (across() - np.float32(x)) / np.float32(half)
        round_ = np.clip(1 - columns * columns, 0, 1)
        inside = smoothstep(0.0, 0.12, round_)
        rows = down()
        span_rows = np.clip((rows - head) * np.float32(HEIGHT), 0, 1) * np.clip(
            (foot - rows) * np.float32(HEIGHT), 0, 1
        )
        mask = (inside * span_rows).astype(np.float32)
        canvas.lay(mask, mixed(scaled(wall, 0.55), palette.near, 0.45))
        lit = np.exp(-((columns + np.float32(side * 0.35)) ** 2) * np.float32(3.5)) * mask
        canvas.light(lit * np.float32(0.42), mixed(palette.light, palette.accent, 0.35))
        for y, tall in ((head, 0.02), (foot - 0.012 * grow, 0.012)):
            size = half * 1.5
            fill(
                canvas,
                [(x - size, y), (x + size, y), (x + size, y + tall * grow), (x - size, y + tall * grow)],
                mixed(palette.accent, palette.near, 0.55),
            )


def _mirror_floor(canvas: Canvas, palette: Palette, floor: float, back: Box, vanish_x: float) -> None:
    first = round(floor * HEIGHT)
    before = canvas.rgb[:, first:].copy()
    canvas.mirror(floor, 0.55)
    for plane in canvas.rgb:
        soft = Image.fromarray(np.ascontiguousarray(plane[first::4, ::4]))
        soft = soft.resize((WIDTH // 16, max(2, (HEIGHT - first) // 8)), Image.Resampling.BOX)
        plane[first:] = np.asarray(soft.resize((WIDTH, HEIGHT - first), Image.Resampling.BICUBIC))
    canvas.rgb[:, first:] = canvas.rgb[:, first:] * np.float32(0.8) + before * np.float32(0.2)

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for share in np.linspace(-2.2, 3.2, 19):
            far = back[0] + share * (back[2] - back[0])
            pen.line(
                [(far * width, floor * height), ((vanish_x + (far - vanish_x) * 3.2) * width, height)],
                fill=255,
                width=4,
            )
        for step in range(1, 8):
            y = floor + (1 - floor) * (step / 7) ** 2
            pen.line([(0, y * height), (width, y * height)], fill=255, width=4)

    canvas.light(drawn(draw) * np.float32(0.1), palette.light)


def _chandelier(canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, depth: float) -> None:
    """Rings of candles on a chain; `depth` 0 is near, 1 far."""
    scale = 1.0 - 0.72 * depth
    middle = 0.25 - 0.02 * scale + 0.03 * (1 - depth)
    rings = [(0.15 * scale, 0.0, 14), (0.1 * scale, -0.055 * scale, 10), (0.05 * scale, -0.1 * scale, 6)]
    candles: Points = []

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        pen.line(
            [(x * width, 0), (x * width, (middle + 0.03 * scale) * height)], fill=255, width=max(2, round(7 * scale))
        )
        for radius, rise, _ in rings:
            box = (
                (x - radius) * width,
                (middle + rise - radius * 0.22) * height,
                (x + radius) * width,
                (middle + rise + radius * 0.22) * height,
            )
            pen.arc(box, 0, 360, fill=255, width=max(3, round(9 * scale)))
            for side in (-1, 1):
                pen.line(
                    [
                        ((x + side * radius) * width, (middle + rise) * height),
                        (x * width, (middle - 0.16 * scale) * height),
                    ],
                    fill=200,
                    width=max(2, round(3 * scale)),
                )

    for radius, rise, count in rings:
        for turn in np.linspace(0, 2 * np.pi, count, endpoint=False):
            candles.append(
                (x + radius * float(np.cos(turn)), middle + rise - 0.02 * scale + radius * 0.22 * float(np.sin(turn)))
            )
    canvas.lay(drawn(draw), mixed(palette.accent, palette.near, 0.4))
    sizes = np.full(len(candles), 7.5 * scale + 1.2, np.float32)
    paint_sparks(canvas, mixed(palette.light, (1.0, 0.95, 0.8), 0.5), np.array(candles, np.float32), sizes, 1.0)
    paint_glow(canvas, palette.light, x, middle - 0.03, 0.17 * scale + 0.03, 0.62)
