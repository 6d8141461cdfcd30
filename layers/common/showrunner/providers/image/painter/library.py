"""Shelves of books to the ceiling, with a lamp or a window."""

from __future__ import annotations

import numpy as np

from showrunner.providers.image.painter.canvas import (
    Box,
    Canvas,
    arch,
    boxes_of,
    drawn,
    enlarged,
    fill,
    halo,
    mixed,
    scaled,
)
from showrunner.providers.image.painter.light import paint_glow
from showrunner.providers.image.painter.palette import Palette


def paint_library(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Shelves of books to the ceiling, around a window or a lamp, with light falling over their backs."""
    wood = mixed(palette.near, palette.accent, 0.16)
    canvas.gradient([(0.0, scaled(wood, 0.5)), (1.0, scaled(wood, 0.7))])
    bays = int(rng.integers(4, 7))
    window = int(rng.integers(0, bays)) if rng.random() < 0.75 else -1
    bindings = [
        mixed(tint, palette.near, rng.uniform(0.15, 0.6))
        for tint in (
            palette.accent,
            palette.far,
            palette.middle,
            palette.zenith,
            (0.5, 0.17, 0.12),
            (0.22, 0.32, 0.24),
            (0.62, 0.48, 0.28),
            (0.3, 0.2, 0.3),
        )
    ]
    books: dict[int, list[Box]] = {index: [] for index in range(len(bindings))}
    shelves = 6
    for bay in range(bays):
        if bay == window:
            continue
        left, right = (bay + 0.06) / bays, (bay + 0.94) / bays
        for shelf in range(shelves):
            foot, room = 0.03 + (shelf + 1) * 0.89 / shelves, 0.85 / shelves - 0.012
            at = left
            while at < right - 0.006:
                wide = rng.uniform(0.0055, 0.014)
                if rng.random() < 0.05:
                    at = min(at + rng.uniform(0.01, 0.035), right - 0.004)
                tall = room * rng.uniform(0.66, 0.97)
                books[int(rng.integers(len(bindings)))].append(
                    (at, foot - tall, min(right, at + wide - 0.0008), foot - 0.004)
                )
                at += wide
    for index, boxes in books.items():
        canvas.lay(drawn(boxes_of(boxes)), bindings[index])
    bands = [
        (left + 0.001, top + 0.02, right - 0.001, top + 0.026)
        for boxes in books.values()
        for left, top, right, _ in boxes[::2]
    ]
    canvas.lay(drawn(boxes_of(bands)) * np.float32(0.7), mixed(palette.accent, palette.light, 0.3))
    planks = [
        (0.0, 0.03 + shelf * 0.89 / shelves - 0.006, 1.0, 0.03 + shelf * 0.89 / shelves + 0.005)
        for shelf in range(shelves + 1)
    ]
    posts = [((bay - 0.035) / bays, 0.0, (bay + 0.035) / bays, 0.95) for bay in range(bays + 1)]
    canvas.lay(drawn(boxes_of([*planks, *posts])), mixed(wood, palette.far, 0.12))
    if window >= 0:
        x = (window + 0.5) / bays
        fill(
            canvas,
            [(window / bays, 0), ((window + 1) / bays, 0), ((window + 1) / bays, 1), (window / bays, 1)],
            scaled(wood, 0.8),
        )
        pane = arch(x - 0.4 / bays, x + 0.4 / bays, 0.09, 0.78)
        fill(canvas, pane, mixed(palette.horizon, palette.light, 0.35))
        for bar in (-0.2, 0.0, 0.2):
            fill(
                canvas,
                [
                    (x + (bar - 0.012) / bays, 0.06),
                    (x + (bar + 0.012) / bays, 0.06),
                    (x + (bar + 0.012) / bays, 0.78),
                    (x + (bar - 0.012) / bays, 0.78),
                ],
                scaled(wood, 0.5),
            )
        for y in np.arange(0.2, 0.78, 0.12):
            fill(
                canvas,
                [(x - 0.4 / bays, y), (x + 0.4 / bays, y), (x + 0.4 / bays, y + 0.006), (x - 0.4 / bays, y + 0.006)],
                scaled(wood, 0.5),
            )
        source = (x, 0.4)
    else:
        source = (rng.uniform(0.3, 0.7), 0.6)
    floor = 0.93
    fill(canvas, [(0, floor), (1, floor), (1, 1), (0, 1)], scaled(wood, 0.75))
    falloff = np.float32(0.3) + np.float32(1.15) * halo(source[0], source[1], 0.55, 0.8)
    canvas.shade(enlarged(falloff))
    paint_glow(canvas, palette.light, source[0], source[1], 0.3, 0.5 if window >= 0 else 0.3)
    _desk_lamp(canvas, palette, rng, source[0])


def _desk_lamp(canvas: Canvas, palette: Palette, rng: np.random.Generator, source_x: float) -> None:
    """A desk in front with a lamp and a pile of books."""
    x = float(np.clip(source_x + rng.choice([-1, 1]) * rng.uniform(0.16, 0.26), 0.16, 0.84))
    desk = scaled(mixed(palette.near, palette.accent, 0.1), 1.1)
    fill(
        canvas,
        [(x - 0.3, 0.88), (x + 0.3, 0.88), (x + 0.33, 0.925), (x - 0.33, 0.925)],
        mixed(desk, palette.accent, 0.12),
    )
    fill(canvas, [(x - 0.31, 0.925), (x + 0.31, 0.925), (x + 0.31, 1.0), (x - 0.31, 1.0)], scaled(desk, 0.75))
    fill(
        canvas,
        [(x - 0.003, 0.7), (x + 0.003, 0.7), (x + 0.003, 0.88), (x - 0.003, 0.88)],
        mixed(palette.accent, palette.near, 0.4),
    )
    fill(
        canvas,
        [(x - 0.03, 0.872), (x + 0.03, 0.872), (x + 0.036, 0.884), (x - 0.036, 0.884)],
        mixed(palette.accent, palette.near, 0.4),
    )
    fill(
        canvas,
        [(x - 0.022, 0.63), (x + 0.022, 0.63), (x + 0.05, 0.725), (x - 0.05, 0.725)],
        mixed(palette.accent, (1.0, 0.9, 0.7), 0.62),
    )
    for index in range(4):
        left = x + 0.1 + rng.uniform(-0.012, 0.012)
        foot = 0.88 - index * 0.022
        fill(
            canvas,
            [(left, foot - 0.02), (left + 0.1, foot - 0.02), (left + 0.1, foot), (left, foot)],
            mixed(palette.accent, palette.near, rng.uniform(0.3, 0.8)),
        )
    paint_glow(canvas, (1.0, 0.78, 0.45), x, 0.72, 0.14, 0.72)
    paint_glow(canvas, (1.0, 0.72, 0.4), x, 0.84, 0.34, 0.28)
