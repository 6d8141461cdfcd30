"""What people built out of doors: skylines with lit windows, castles, cottages, lighthouses and boats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

from showrunner.media.album.format import HEIGHT, WIDTH
from showrunner.providers.image.painter.canvas import Box, Canvas, Colour, blurred, drawn, mixed, scaled
from showrunner.providers.image.painter.palette import Palette


@dataclass(frozen=True, slots=True)
class Tower:
    """A round tower: its middle, half its width, its top and foot, and how tall its roof is (0 for battlements)."""

    x: float
    half: float
    top: float
    foot: float
    roof: float


def paint_skyline(canvas: Canvas, palette: Palette, rng: np.random.Generator, *, base: float) -> None:
    """Three rows of towers; the nearer, the darker, the taller and the more windows are lit."""
    for near in (0.0, 0.5, 1.0):
        crest = np.full(WIDTH, base, np.float32)
        boxes: list[Box] = []
        x = -0.02
        middle = rng.uniform(0.3, 0.7)
        while x < 1.0:
            wide = rng.uniform(0.022, 0.05) * (0.8 + 0.6 * near)
            rise = np.exp(-(((x - middle) / 0.34) ** 2))
            tall = (0.08 + 0.34 * rise * rng.uniform(0.35, 1.0)) * (1.12 - 0.25 * near) + 0.06 * rng.random()
            boxes.append((x, base - tall, x + wide, base))
            x += wide * rng.uniform(0.85, 1.2)
        for left, top, right, _ in boxes:
            columns = slice(max(0, round(left * WIDTH)), max(0, round(right * WIDTH)))
            crest[columns] = np.minimum(crest[columns], top)
            if rng.random() < 0.22:
                pole = round((left + right) / 2 * WIDTH)
                crest[max(0, pole - 1) : max(0, pole + 2)] = top - 0.05 * rng.random()
        tone = mixed(mixed(palette.far, palette.horizon, 0.3 * (1 - near)), palette.near, 0.2 + 0.68 * near)
        canvas.land(crest, tone, mixed(tone, palette.horizon, 0.3 * (1 - near) + 0.06), 0.4)
        _light_windows(canvas, palette, rng, boxes, near)


def _light_windows(canvas: Canvas, palette: Palette, rng: np.random.Generator, boxes: list[Box], near: float) -> None:
    warm = mixed(palette.accent, (1.0, 0.85, 0.6), 0.5)
    share = (0.34 if palette.is_dark else 0.14) * (0.55 + 0.6 * near)
    pitch_x, pitch_y = 9 + round(4 * near), 12 + round(5 * near)
    glow = np.zeros((HEIGHT, WIDTH), np.float32)
    for left, top, right, base in boxes:
        lit_share = share * rng.uniform(0.3, 1.6)
        for y in range(round(top * HEIGHT) + 8, round(base * HEIGHT) - 6, pitch_y):
            for x in range(round(left * WIDTH) + 5, round(right * WIDTH) - 7, pitch_x):
                if x > 0 and rng.random() < lit_share:
                    glow[y : y + 5 + round(2 * near), x : x + 4 + round(2 * near)] = rng.uniform(0.35, 1.0)
    canvas.light(glow * np.float32(0.5 + 0.4 * near), warm)


def paint_castle(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, *, x: float, foot: float, size: float
) -> None:
    """A castle on its rock: a keep, towers with pointed roofs and walls with battlements, some windows lit."""
    towers = [Tower(x, 0.026 * size, foot - 0.36 * size, foot, 0.13 * size)]
    for index in range(int(rng.integers(4, 7))):
        side = -1 if index % 2 else 1
        away = (0.04 + 0.032 * (index // 2) + rng.uniform(0, 0.012)) * size
        tall = (0.29 - 0.045 * (index // 2) + rng.uniform(-0.04, 0.05)) * size
        roof = 0.0 if rng.random() < 0.3 else rng.uniform(0.07, 0.12) * size
        towers.append(Tower(x + side * away, rng.uniform(0.012, 0.019) * size, foot - tall, foot, roof))

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for wall, tall in ((0.075, 0.17), (0.13, 0.09)):
            _battlements(
                pen,
                (x - wall * size) * width,
                (x + wall * size) * width,
                (foot - tall * size) * height,
                foot * height,
                0.012 * size * height,
            )
        for tower in towers:
            left, right = (tower.x - tower.half) * width, (tower.x + tower.half) * width
            pen.rectangle((left, tower.top * height, right, tower.foot * height), fill=255)
            brim = (right - left) * 0.14
            pen.rectangle(
                (left - brim, tower.top * height, right + brim, (tower.top + 0.016 * size) * height), fill=255
            )
            if tower.roof:
                tip = (tower.x * width, (tower.top - tower.roof) * height)
                pen.polygon([(left - brim, tower.top * height), tip, (right + brim, tower.top * height)], fill=255)
                pen.line([tip, (tip[0], tip[1] - 0.02 * size * height)], fill=255, width=3)
            else:
                _battlements(
                    pen,
                    left - brim,
                    right + brim,
                    (tower.top - 0.004) * height,
                    (tower.top + 0.01) * height,
                    0.011 * size * height,
                )
        rock = [
            (x - 0.34 * size, foot + 0.12 * size),
            (x - 0.2 * size, foot + 0.02),
            (x - 0.14 * size, foot - 0.02 * size),
            (x + 0.13 * size, foot - 0.025 * size),
            (x + 0.22 * size, foot + 0.03),
            (x + 0.36 * size, foot + 0.12 * size),
        ]
        pen.polygon([(px * width, py * height) for px, py in rock], fill=255)

    tone = mixed(palette.near, palette.far, 0.26)
    mask = drawn(draw)
    canvas.lay(mask, tone)
    shine = np.linspace(0.32, 0.0, WIDTH, dtype=np.float32)[None, :] * mask
    canvas.light(shine * np.float32(0.35), palette.light)
    windows: list[Box] = []
    for tower in towers:
        for y in np.arange(tower.top + 0.03 * size, tower.foot - 0.03 * size, 0.05 * size):
            if rng.random() < 0.62:
                windows.append((tower.x - 0.0022, y, tower.x + 0.0022, y + 0.013 * size))
    paint_windows(canvas, palette.accent, windows)


def _battlements(pen: ImageDraw.ImageDraw, left: float, right: float, top: float, foot: float, tooth: float) -> None:
    pen.rectangle((left, top, right, foot), fill=255)
    at = left
    while at < right:
        pen.rectangle((at, top - tooth, min(right, at + tooth * 0.9), top), fill=255)
        at += tooth * 1.8


def paint_windows(canvas: Canvas, colour: Colour, boxes: list[Box]) -> None:
    """Lit windows with a rounded top, bright in the middle and glowing a little around."""

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for left, top, right, foot in boxes:
            box = (left * width, top * height, right * width, foot * height)
            pen.rounded_rectangle(box, radius=(box[2] - box[0]) / 2, fill=255)

    mask = drawn(draw)
    canvas.lay(mask, mixed(colour, (1.0, 0.93, 0.75), 0.45))
    canvas.light(blurred(mask, 9) * np.float32(1.4), colour)


def paint_cottages(canvas: Canvas, palette: Palette, rng: np.random.Generator, *, base: float, count: int) -> None:
    """Small houses with steep roofs, a chimney each and light in their windows."""
    houses = [
        (x + rng.uniform(-0.02, 0.02), base + rng.uniform(-0.012, 0.025), rng.uniform(0.035, 0.06))
        for x in np.linspace(0.12, 0.88, count)
        if rng.random() < 0.85
    ]

    def walls(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for x, y, size in houses:
            half = size * 0.62
            pen.rectangle(((x - half) * width, (y - size) * height, (x + half) * width, (y + 0.03) * height), fill=255)

    def roofs(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for x, y, size in houses:
            half = size * 0.74
            chimney = (
                (x + half * 0.4) * width,
                (y - size * 2.15) * height,
                (x + half * 0.56) * width,
                (y - size) * height,
            )
            pen.rectangle(chimney, fill=255)
            pen.polygon(
                [
                    ((x - half) * width, (y - size * 0.95) * height),
                    (x * width, (y - size * 2.2) * height),
                    ((x + half) * width, (y - size * 0.95) * height),
                ],
                fill=255,
            )

    canvas.lay(drawn(walls), mixed(palette.near, palette.accent, 0.2))
    canvas.lay(drawn(roofs), scaled(mixed(palette.near, palette.accent, 0.07), 0.9))
    windows = [
        (
            x + aside * size - 0.006 * size / 0.05,
            y - size * 0.7,
            x + aside * size + 0.006 * size / 0.05,
            y - size * 0.25,
        )
        for x, y, size in houses
        for aside in (-0.3, 0.28)
    ]
    paint_windows(canvas, palette.accent, windows)


def paint_lighthouse(canvas: Canvas, palette: Palette, *, x: float, foot: float, size: float) -> None:
    """A lighthouse on a spit of rock, its lamp lit."""

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        half, top = 0.018 * size, foot - 0.3 * size
        pen.polygon(
            [
                ((x - half) * width, foot * height),
                ((x - half * 0.62) * width, top * height),
                ((x + half * 0.62) * width, top * height),
                ((x + half) * width, foot * height),
            ],
            fill=255,
        )
        pen.rectangle(
            ((x - half * 0.85) * width, top * height, (x + half * 0.85) * width, (top + 0.008) * height), fill=255
        )
        pen.rectangle(
            ((x - half * 0.4) * width, (top - 0.045 * size) * height, (x + half * 0.4) * width, top * height), fill=255
        )
        pen.pieslice(
            (
                (x - half * 0.55) * width,
                (top - 0.075 * size) * height,
                (x + half * 0.55) * width,
                (top - 0.02 * size) * height,
            ),
            180,
            360,
            fill=255,
        )
        pen.polygon(
            [
                ((x - 0.16 * size) * width, (foot + 0.035) * height),
                ((x - 0.05 * size) * width, (foot - 0.012) * height),
                ((x + 0.06 * size) * width, (foot - 0.01) * height),
                ((x + 0.2 * size) * width, (foot + 0.035) * height),
            ],
            fill=255,
        )

    canvas.lay(drawn(draw), mixed(palette.near, palette.far, 0.18))
    lamp = foot - 0.322 * size
    paint_windows(canvas, palette.accent, [(x - 0.005 * size, lamp - 0.012, x + 0.005 * size, lamp + 0.012)])


def paint_boats(canvas: Canvas, palette: Palette, rng: np.random.Generator, *, top: float, count: int) -> None:
    """Sailing boats on the water, the nearer the larger."""
    boats = [(rng.uniform(0.1, 0.9), top + rng.uniform(0.01, 0.14)) for _ in range(count)]

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for x, y in boats:
            size = (0.018 + (y - top) * 0.42) * height
            px, py = x * width, y * height
            pen.polygon(
                [
                    (px - size * 0.6, py - size * 0.1),
                    (px + size * 0.62, py - size * 0.1),
                    (px + size * 0.42, py + size * 0.1),
                    (px - size * 0.42, py + size * 0.1),
                ],
                fill=255,
            )
            pen.polygon(
                [
                    (px - size * 0.04, py - size * 1.5),
                    (px - size * 0.04, py - size * 0.2),
                    (px - size * 0.5, py - size * 0.2),
                ],
                fill=255,
            )
            pen.polygon(
                [
                    (px + size * 0.04, py - size * 1.35),
                    (px + size * 0.04, py - size * 0.2),
                    (px + size * 0.45, py - size * 0.25),
                ],
                fill=255,
            )

    canvas.lay(drawn(draw) * np.float32(0.92), mixed(palette.near, palette.far, 0.12))
