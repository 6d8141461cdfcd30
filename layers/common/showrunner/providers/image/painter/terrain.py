"""Land and water: ridges that fade into haze, hills, dunes, trees, and water that mirrors what stands above it."""

from __future__ import annotations

from functools import partial

import numpy as np
from PIL import ImageDraw

from showrunner.media.album.format import HEIGHT, WIDTH
from showrunner.providers.image.painter.canvas import (
    SMALL_HEIGHT,
    SMALL_WIDTH,
    Canvas,
    Colour,
    Plane,
    across,
    down,
    drawn,
    enlarged,
    mixed,
    scaled,
    smoothstep,
)
from showrunner.providers.image.painter.noise import cloud, line, peaks
from showrunner.providers.image.painter.palette import Palette


def paint_ridges(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, *, top: float, bottom: float, count: int
) -> None:
    """Mountains one behind the other, the farther the paler, each standing in its own mist."""
    for index in range(count):
        near = index / max(1, count - 1)
        base = top + (bottom - top) * near**1.15
        rock = peaks(rng, 1.6 + 1.5 * near, 7, 0.5) * np.float32(0.3 - 0.1 * near)
        roll = line(rng, 1.2, 3) * np.float32(0.06)
        crest = np.float32(base + 0.13) - rock + roll
        tone = mixed(mixed(palette.far, palette.horizon, 0.42 * (1 - near)), palette.near, near**1.3 * 0.92)
        foot = mixed(tone, mixed(palette.horizon, palette.far, 0.4), 0.62 * (1 - near))
        canvas.land(crest, tone, foot, 0.26)


def paint_hills(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, *, top: float, bottom: float, count: int, tint: Colour
) -> None:
    """Rounded hills; `tint` is the colour of what grows on them."""
    for index in range(count):
        near = index / max(1, count - 1)
        base = top + (bottom - top) * near
        crest = np.float32(base) + line(rng, 1.3 + near, 3, 0.4) * np.float32(0.05 + 0.03 * near)
        tone = mixed(mixed(palette.far, tint, 0.25 + 0.4 * near), palette.near, 0.12 + 0.5 * near)
        foot = mixed(tone, palette.far, 0.5 * (1 - near)) if near < 1 else scaled(tone, 0.45)
        canvas.land(crest, mixed(tone, palette.light, 0.16 * (1 - near * 0.6)), foot, 0.16 + 0.2 * near)


def paint_dunes(canvas: Canvas, palette: Palette, rng: np.random.Generator, *, top: float, sun_x: float) -> None:
    """Dunes with a lit and a shaded side: sand is bright where it leans towards the sun."""
    sand = mixed(palette.horizon, palette.accent, 0.35)
    for index in range(6):
        near = index / 5
        swell = (0.5 - peaks(rng, 1.0 + 0.9 * near, 2, 0.22)) * np.float32(0.16 + 0.08 * near)
        crest = np.float32(top + 0.02 + 0.4 * near**1.4) + swell
        tone = mixed(mixed(palette.far, sand, 0.4 + 0.6 * near), palette.near, 0.45 * near**2)
        lit = mixed(tone, palette.light, 0.38)
        shadow = mixed(scaled(tone, 0.62), palette.near, 0.3)
        canvas.land(crest, lit, tone, 0.16)
        side = 1.0 if sun_x < 0.5 else -1.0
        lean = np.convolve(np.gradient(crest), np.ones(61) / 61, "same").astype(np.float32) * np.float32(side * WIDTH)
        shaded = smoothstep(-0.02, 0.4, -lean)
        _shade_below(canvas, crest, shaded, shadow, 0.2)


def _shade_below(canvas: Canvas, crest: Plane, strength: Plane, colour: Colour, depth: float) -> None:
    first = max(0, int(float(crest.min()) * HEIGHT))
    below = down()[first:] - crest[None, :]
    mask = np.clip(below * np.float32(HEIGHT), 0, 1) * np.clip(1 - below * np.float32(1 / depth), 0, 1)
    canvas.lay(mask * strength[None, :] * np.float32(0.85), colour, first)


def paint_conifers(
    canvas: Canvas, colour: Colour, foot: Colour, rng: np.random.Generator, *, base: float, height: float, count: int
) -> None:
    """A wood seen from afar: a line of pointed trees of different heights on uneven ground."""
    ground = np.float32(base) + line(rng, 1.4, 3) * np.float32(0.035)
    crest = ground.copy()
    columns = across()[0]
    for x, size in zip(rng.uniform(-0.02, 1.02, count), rng.beta(1.3, 1.6, count) * 0.7 + 0.3, strict=True):
        tall, half = height * size, height * size * rng.uniform(0.1, 0.14)
        left, right = int(max(0, (x - half) * WIDTH)), int(min(WIDTH, (x + half) * WIDTH) + 1)
        if right - left < 3:
            continue
        aside = np.abs(columns[left:right] - np.float32(x)) / np.float32(half)
        # Each bough ends in a tip that hangs a little lower than where the next one begins.
        bough = (aside * np.float32(9)) % 1
        tree = ground[left:right] - np.float32(tall) * np.clip(1 - aside - np.float32(0.05) * (1 - bough), 0, 1)
        crest[left:right] = np.minimum(crest[left:right], tree)
    canvas.land(crest, colour, foot, height * 0.6, ground - np.float32(height * 0.45))


def paint_trunks(canvas: Canvas, colour: Colour, rng: np.random.Generator, *, count: int, size: float) -> None:
    """Trees so near that only their trunks and lower branches are in the picture."""
    trees = [(x, rng.uniform(0.6, 1.3) * size, rng.uniform(-0.05, 0.05)) for x in rng.uniform(0, 1, count)]
    twigs = [[(rng.uniform(0.02, 0.7), rng.choice([-1, 1]), rng.uniform(0.05, 0.16)) for _ in range(7)] for _ in trees]

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for (x, thick, lean), branches in zip(trees, twigs, strict=True):
            foot, head, wide = x * width, (x + lean) * width, thick * width
            pen.polygon(
                [
                    (head - wide * 0.36, 0),
                    (head + wide * 0.36, 0),
                    (foot + wide * 0.5, height * 0.86),
                    (foot + wide * 0.95, height),
                    (foot - wide * 0.95, height),
                    (foot - wide * 0.5, height * 0.86),
                ],
                fill=255,
            )
            for up, side, length in branches:
                start = (head + (foot - head) * up, up * height)
                end = (start[0] + side * length * width, start[1] - length * height * 0.75)
                bend = (start[0] + side * length * width * 0.5, start[1] - length * height * 0.2)
                pen.line([start, bend, end], fill=255, width=max(2, round(wide * 0.13)), joint="curve")

    canvas.lay(drawn(draw), colour)


def paint_leafy_trees(canvas: Canvas, colour: Colour, light: Colour, rng: np.random.Generator, spots: Plane) -> None:
    """Round-headed trees. `spots` are rows of x, y of the foot, and height."""
    heads = [
        [
            (0.34 * away * float(np.cos(turn)), 0.66 + 0.3 * away * float(np.sin(turn)), size)
            for away, turn, size in zip(
                np.sqrt(rng.random(90)), rng.uniform(0, 2 * np.pi, 90), rng.uniform(0.045, 0.12, 90), strict=True
            )
        ]
        for _ in spots
    ]

    def crowns(shift: float, shrink: float, pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for (x, y, tall), blobs in zip(spots, heads, strict=True):
            for aside, up, radius in blobs:
                centre = (x * width + (aside + shift) * tall * height, (y - (up + abs(shift)) * tall) * height)
                reach = radius * shrink * tall * height
                box = (centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach)
                pen.ellipse(box, fill=255)

    def body(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for x, y, tall in spots:
            wide = tall * height * 0.035
            pen.polygon(
                [
                    (x * width - wide, y * height + 8),
                    (x * width + wide, y * height + 8),
                    (x * width + wide * 0.6, (y - tall * 0.6) * height),
                    (x * width - wide * 0.6, (y - tall * 0.6) * height),
                ],
                fill=255,
            )
        crowns(0.0, 1.0, pen, width, height)

    canvas.lay(drawn(body), colour)
    for shift, shrink in ((0.02, 0.62), (0.05, 0.34)):
        canvas.lay(drawn(partial(crowns, shift, shrink)) * np.float32(0.22), light)


def paint_water(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, *, top: float, light_x: float | None, calm: float
) -> None:
    """Water below `top` that mirrors what is above it; `calm` 0 to 1. Under a sun or moon it glitters."""
    canvas.mirror(top, 0.86 if palette.is_dark else 0.9)
    first = round(top * HEIGHT)
    rows = down()[first:]
    depth = (rows - np.float32(top)) / np.float32(1 - top)
    canvas.lay(
        depth * np.float32(0.6) * np.ones((1, WIDTH), np.float32), mixed(palette.zenith, palette.near, 0.45), first
    )
    waves = _waves(rng, top)[first:]
    rough = (1 - calm) * 0.5 + 0.16
    canvas.lay(
        smoothstep(0.55, 0.85, waves) * (np.float32(0.25) + depth * np.float32(0.5)) * np.float32(rough),
        mixed(palette.zenith, palette.near, 0.5),
        first,
    )
    canvas.light(smoothstep(0.5, 0.2, waves) * np.float32(0.2 * rough), palette.horizon, first)
    canvas.light(
        np.exp(-depth * np.float32(26)) * np.float32(0.22) * np.ones((1, WIDTH), np.float32), palette.light, first
    )
    if light_x is not None:
        spread = np.float32(0.012) + depth * np.float32(0.085)
        path = np.exp(-(((across() - np.float32(light_x)) / spread) ** 2))
        glitter = smoothstep(0.42, 0.72, _waves(rng, top)[first:])
        canvas.light(path * (np.float32(0.22) + np.float32(0.75) * glitter), palette.light, first)


def _waves(rng: np.random.Generator, top: float) -> Plane:
    """Noise as perspective shows it on water: flat and fine far off, larger near the viewer."""
    flat = cloud(rng, 22, 60, 2, 0.6)
    near = np.clip((down(SMALL_HEIGHT) - np.float32(top)) / np.float32(1 - top), 0.004, 1)
    rows = ((np.log(near) - np.log(0.004)) / -np.log(0.004) * (SMALL_HEIGHT - 1)).astype(np.float32)[:, 0]
    low = rows.astype(np.int32)
    share = (rows - low)[:, None]
    stretched = flat[low] * (1 - share) + flat[np.minimum(low + 1, SMALL_HEIGHT - 1)] * share
    return enlarged(stretched.astype(np.float32)[:, :SMALL_WIDTH])


def paint_grass(canvas: Canvas, colour: Colour, rng: np.random.Generator, *, top: float, count: int = 420) -> None:
    """Blades along the lower edge, bending one way."""
    wind = rng.uniform(-0.5, 0.5)
    blades = rng.random((count, 3))

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for x, tall, bend in blades:
            length = (1 - top) * height * (0.35 + 0.65 * tall)
            foot, lean = x * width, (wind + (bend - 0.5) * 0.7) * length * 0.5
            tip = (foot + lean, height - length)
            half = 3.0 + 4.0 * tall
            middle = (foot + lean * 0.3, height - length * 0.55)
            pen.polygon(
                [
                    (foot - half, height),
                    (middle[0] - half * 0.6, middle[1]),
                    tip,
                    (middle[0] + half * 0.6, middle[1]),
                    (foot + half, height),
                ],
                fill=255,
            )

    canvas.lay(drawn(draw), colour)
