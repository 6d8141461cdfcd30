"""The scenes that the painter knows: each puts sky, land, buildings and light together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from showrunner.providers.image.painter import buildings, light, sky, terrain
from showrunner.providers.image.painter.canvas import (
    SMALL_HEIGHT,
    SMALL_WIDTH,
    Canvas,
    across,
    down,
    enlarged,
    fill,
    mixed,
    scaled,
    smoothstep,
)
from showrunner.providers.image.painter.hall import paint_hall
from showrunner.providers.image.painter.hearth import paint_fire, paint_hearth
from showrunner.providers.image.painter.library import paint_library
from showrunner.providers.image.painter.noise import cloud, line
from showrunner.providers.image.painter.palette import Palette
from showrunner.providers.image.painter.window import paint_rainy_window

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Brief:
    """What a scene is painted from. `words` are those of the prompt and the mood."""

    palette: Palette
    words: frozenset[str]
    rng: Rng

    def speaks_of(self, *words: str) -> bool:
        return not self.words.isdisjoint(words)


def _open_sky(
    canvas: Canvas, brief: Brief, horizon: float, *, low: float = 0.16, high: float = 0.5
) -> tuple[float, float]:
    """Sky with sun or moon, and stars, clouds or northern lights as they fit. Returns where the sun or moon is."""
    palette, rng = brief.palette, brief.rng
    sky.paint_sky(canvas, palette, horizon)
    x, y = sky.sun_place(rng, low, min(high, horizon - 0.1))
    is_night = palette.is_dark and not brief.speaks_of("rain", "storm", "stormy")
    if is_night:
        sky.paint_stars(canvas, palette, rng, 850, horizon)
    if brief.speaks_of("aurora", "northern", "lights", "arctic") and is_night:
        sky.paint_aurora(canvas, rng, horizon)
    elif brief.speaks_of("galaxy", "milky", "cosmic", "space", "stars", "starry", "universe") and is_night:
        sky.paint_milky_way(canvas, palette, rng)
    else:
        sky.paint_clouds(canvas, palette, rng, rng.uniform(0.25, 0.75), horizon)
        sky.paint_sun(canvas, palette, x, y, rng.uniform(0.026, 0.05))
    return x, y


def mountains(canvas: Canvas, brief: Brief) -> None:
    palette, rng = brief.palette, brief.rng
    x, y = _open_sky(canvas, brief, 0.62)
    with_lake = brief.speaks_of("lake", "fjord", "reflection", "mirror") or rng.random() < 0.3
    bottom = 0.62 if with_lake else 0.92
    terrain.paint_ridges(canvas, palette, rng, top=0.42, bottom=bottom - 0.06, count=5)
    light.paint_mist(canvas, mixed(palette.horizon, palette.far, 0.3), rng, 0.6, 0.1, 0.55)
    if with_lake:
        dark = mixed(palette.near, palette.far, 0.15)
        terrain.paint_conifers(canvas, dark, dark, rng, base=0.69, height=0.09, count=120)
        terrain.paint_water(canvas, palette, rng, top=0.71, light_x=x, calm=0.95)
    else:
        terrain.paint_conifers(canvas, scaled(palette.near, 1.1), palette.near, rng, base=0.93, height=0.2, count=70)
    if not palette.is_dark:
        sky.paint_birds(canvas, palette, rng)
    light.paint_glow(canvas, palette.light, x, y, 0.3, 0.18)


def forest(canvas: Canvas, brief: Brief) -> None:
    palette, rng = brief.palette, brief.rng
    sky.paint_sky(canvas, palette, 0.8)
    x, y = sky.sun_place(rng, 0.28, 0.42)
    light.paint_glow(canvas, palette.light, x, y, 0.4, 0.7)
    for index in range(4):
        near = index / 3
        tone = mixed(mixed(palette.far, palette.horizon, 0.35 * (1 - near)), palette.near, 0.1 + 0.55 * near)
        terrain.paint_conifers(canvas, tone, mixed(tone, palette.far, 0.55 * (1 - near)), rng,
                               base=0.64 + 0.1 * near, height=0.36 + 0.2 * near, count=46 - 6 * index)  # fmt: skip
        light.paint_mist(
            canvas, mixed(palette.horizon, palette.light, 0.2), rng, 0.66 + 0.08 * near, 0.1, 0.5 - 0.2 * near
        )
    light.paint_rays(canvas, palette.light, rng, x, y - 0.3, 0.5)
    ground = np.float32(0.86) + line(rng, 2, 4) * np.float32(0.03)
    canvas.land(ground, mixed(palette.near, palette.far, 0.2), scaled(palette.near, 0.6), 0.14)
    terrain.paint_trunks(canvas, scaled(palette.near, 0.8), rng, count=int(rng.integers(4, 8)), size=0.026)
    terrain.paint_grass(canvas, scaled(palette.near, 0.7), rng, top=0.88)
    if palette.is_dark or brief.speaks_of("fireflies", "magic", "magical", "enchanted", "fairy", "elven"):
        light.paint_sparks(canvas, palette.accent, *light.fireflies(rng, 70, 0.45, 0.92), 0.9)


def sea(canvas: Canvas, brief: Brief) -> None:
    palette, rng = brief.palette, brief.rng
    horizon = rng.uniform(0.54, 0.64)
    x, _ = _open_sky(canvas, brief, horizon, low=0.2, high=horizon - 0.08)
    if rng.random() < 0.5:
        terrain.paint_ridges(canvas, palette, rng, top=horizon - 0.09, bottom=horizon - 0.06, count=2)
    terrain.paint_water(canvas, palette, rng, top=horizon, light_x=x, calm=0.35)
    if brief.speaks_of("lighthouse", "harbour", "harbor", "coast") or rng.random() < 0.3:
        side = 0.8 if x < 0.5 else 0.2
        buildings.paint_lighthouse(canvas, palette, x=side, foot=horizon + 0.02, size=1.0)
    if brief.speaks_of("boat", "boats", "ship", "sailing", "harbour", "harbor") or rng.random() < 0.4:
        buildings.paint_boats(canvas, palette, rng, top=horizon, count=int(rng.integers(1, 4)))
    if brief.speaks_of("beach", "shore", "sand", "tropical", "island"):
        shore = np.float32(0.9) + line(rng, 0.8, 3) * np.float32(0.04)
        canvas.land(shore, mixed(palette.horizon, palette.accent, 0.2), mixed(palette.far, palette.accent, 0.3), 0.12)


def desert(canvas: Canvas, brief: Brief) -> None:
    palette, rng = brief.palette, brief.rng
    x, _ = _open_sky(canvas, brief, 0.56, low=0.18, high=0.42)
    terrain.paint_ridges(canvas, palette, rng, top=0.48, bottom=0.5, count=2)
    terrain.paint_dunes(canvas, palette, rng, top=0.56, sun_x=x)
    light.paint_mist(canvas, palette.horizon, rng, 0.57, 0.05, 0.5)


def city(canvas: Canvas, brief: Brief) -> None:
    palette, rng = brief.palette, brief.rng
    x, _ = _open_sky(canvas, brief, 0.72, low=0.14, high=0.34)
    with_river = rng.random() < 0.6
    base = 0.74 if with_river else 0.98
    buildings.paint_skyline(canvas, palette, rng, base=base)
    if with_river:
        terrain.paint_water(canvas, palette, rng, top=base, light_x=x, calm=0.7)
    light.paint_mist(canvas, mixed(palette.horizon, palette.far, 0.4), rng, base - 0.02, 0.08, 0.4)
    if brief.speaks_of("rain", "rainy", "storm"):
        light.paint_rain(canvas, rng, palette.light)


def castle(canvas: Canvas, brief: Brief) -> None:
    palette, rng = brief.palette, brief.rng
    x, y = _open_sky(canvas, brief, 0.66, low=0.14, high=0.36)
    terrain.paint_ridges(canvas, palette, rng, top=0.52, bottom=0.64, count=3)
    light.paint_mist(canvas, mixed(palette.horizon, palette.light, 0.15), rng, 0.66, 0.09, 0.6)
    place = (0.66 if x < 0.5 else 0.34) + rng.uniform(-0.06, 0.06)
    buildings.paint_castle(canvas, palette, rng, x=place, foot=0.7, size=rng.uniform(1.0, 1.3))
    terrain.paint_hills(
        canvas, palette, rng, top=0.79, bottom=0.92, count=3, tint=mixed(palette.near, palette.accent, 0.15)
    )
    light.paint_mist(canvas, mixed(palette.horizon, palette.far, 0.3), rng, 0.79, 0.06, 0.5)
    terrain.paint_conifers(canvas, palette.near, palette.near, rng, base=0.97, height=0.17, count=40)
    light.paint_glow(canvas, palette.light, x, y, 0.35, 0.14)


def hall(canvas: Canvas, brief: Brief) -> None:
    paint_hall(canvas, brief.palette, brief.rng)


def hearth(canvas: Canvas, brief: Brief) -> None:
    paint_hearth(canvas, brief.palette, brief.rng)


def library(canvas: Canvas, brief: Brief) -> None:
    paint_library(canvas, brief.palette, brief.rng)


def window(canvas: Canvas, brief: Brief) -> None:
    palette, rng = brief.palette, brief.rng
    sky.paint_sky(canvas, palette, 0.7)
    skyline = np.float32(0.58) + np.round(line(rng, 26, 1) * 5) * np.float32(0.03)
    canvas.land(skyline, mixed(palette.far, palette.near, 0.3), mixed(palette.far, palette.near, 0.7), 0.4)
    for plane in canvas.rgb:
        plane[:] = enlarged(plane[::32, ::32])
    warm = mixed(palette.accent, (1.0, 0.8, 0.5), 0.4)
    light.paint_discs(canvas, rng, [warm, palette.accent, mixed(palette.light, palette.horizon, 0.5)], 17, 0.36)
    paint_rainy_window(canvas, palette, rng)


def winter(canvas: Canvas, brief: Brief) -> None:
    palette, rng = brief.palette, brief.rng
    x, y = _open_sky(canvas, brief, 0.64, low=0.18, high=0.4)
    snow = mixed((0.93, 0.96, 1.0), palette.zenith, 0.3 if palette.is_dark else 0.1)
    terrain.paint_ridges(canvas, palette, rng, top=0.5, bottom=0.6, count=3)
    terrain.paint_conifers(canvas, mixed(palette.near, palette.far, 0.4), mixed(snow, palette.far, 0.5), rng,
                           base=0.7, height=0.14, count=110)  # fmt: skip
    for index, base in enumerate((0.71, 0.79, 0.9)):
        crest = np.float32(base) + line(rng, 1.2 + 0.5 * index, 3, 0.4) * np.float32(0.035)
        canvas.land(crest, snow, mixed(scaled(snow, 0.82), palette.middle, 0.3), 0.16)
        if index == 0 and (brief.speaks_of("village", "cottage", "cabin", "christmas", "town") or rng.random() < 0.6):
            buildings.paint_cottages(canvas, palette, rng, base=0.77, count=int(rng.integers(3, 7)))
        if index == 1:
            terrain.paint_conifers(canvas, palette.near, snow, rng, base=0.87, height=0.3, count=13)
    light.paint_glow(canvas, palette.light, x, y, 0.4, 0.2)
    light.paint_snow(canvas, rng)


def stars(canvas: Canvas, brief: Brief) -> None:
    palette, rng = brief.palette, brief.rng
    sky.paint_sky(canvas, palette, 0.86)
    canvas.shade(np.full((1, 1), 0.8, np.float32))
    sky.paint_stars(canvas, palette, rng, 2300, 0.88)
    if brief.speaks_of("aurora", "northern") or rng.random() < 0.4:
        sky.paint_aurora(canvas, rng, 0.82)
    else:
        sky.paint_milky_way(canvas, palette, rng)
    terrain.paint_ridges(canvas, palette, rng, top=0.66, bottom=0.74, count=3)
    if rng.random() < 0.6:
        terrain.paint_water(canvas, palette, rng, top=0.8, light_x=None, calm=0.9)
    else:
        terrain.paint_conifers(canvas, palette.near, palette.near, rng, base=0.95, height=0.16, count=60)


def garden(canvas: Canvas, brief: Brief) -> None:
    palette, rng = brief.palette, brief.rng
    x, y = _open_sky(canvas, brief, 0.6, low=0.18, high=0.4)
    leaf = mixed((0.2, 0.42, 0.2), palette.near, 0.75 if palette.is_dark else 0.35)
    terrain.paint_hills(canvas, palette, rng, top=0.56, bottom=0.62, count=2, tint=leaf)
    count = int(rng.integers(8, 13))
    spots = np.stack([rng.uniform(0, 1, count), rng.uniform(0.66, 0.7, count), rng.uniform(0.12, 0.24, count)], axis=1)
    blossom = brief.speaks_of("cherry", "blossom", "blossoms", "sakura", "spring")
    crown = mixed(palette.accent, leaf, 0.25) if blossom else mixed(leaf, palette.far, 0.25)
    terrain.paint_leafy_trees(canvas, crown, mixed(crown, palette.light, 0.7), rng, spots.astype(np.float32))
    lawn = np.float32(0.69) + line(rng, 1, 2) * np.float32(0.012)
    canvas.land(lawn, mixed(mixed(leaf, (0.5, 0.7, 0.3), 0.4), palette.light, 0.12), scaled(leaf, 0.7), 0.34)
    if brief.speaks_of("pond", "lake", "water", "japanese", "fountain", "river") or rng.random() < 0.4:
        terrain.paint_water(canvas, palette, rng, top=0.72, light_x=x, calm=0.95)
    else:
        end = rng.uniform(0.4, 0.6)
        path = mixed(palette.horizon, palette.accent, 0.18)
        fill(canvas, [(end - 0.02, 0.69), (end + 0.02, 0.69), (0.78, 1.0), (0.3, 1.0)], path, 0.75)
    near = np.stack([[rng.uniform(-0.02, 0.08), rng.uniform(0.93, 1.02)], [0.98, 0.98], [0.62, 0.52]], axis=1)
    terrain.paint_leafy_trees(
        canvas, mixed(crown, palette.near, 0.55), mixed(crown, palette.light, 0.3), rng, near.astype(np.float32)
    )
    for tint in (
        palette.accent,
        mixed(palette.accent, (1.0, 1.0, 1.0), 0.6),
        mixed(palette.accent, (0.9, 0.3, 0.5), 0.5),
    ):
        places = np.stack([rng.random(90), 0.8 + 0.2 * rng.beta(2, 1.2, 90)], axis=1).astype(np.float32)
        light.paint_sparks(canvas, tint, places, (2.0 + 5.5 * (places[:, 1] - 0.78) * 5).astype(np.float32), 0.85)
    light.paint_rays(canvas, palette.light, rng, x, y - 0.2, 0.3)


def campfire(canvas: Canvas, brief: Brief) -> None:
    palette, rng = brief.palette, brief.rng
    _open_sky(canvas, brief, 0.7, low=0.12, high=0.3)
    terrain.paint_ridges(canvas, palette, rng, top=0.52, bottom=0.6, count=2)
    terrain.paint_conifers(
        canvas, mixed(palette.near, palette.far, 0.3), palette.near, rng, base=0.74, height=0.3, count=60
    )
    terrain.paint_conifers(canvas, palette.near, scaled(palette.near, 0.8), rng, base=0.8, height=0.52, count=15)
    ground = np.float32(0.8) + line(rng, 1.2, 3) * np.float32(0.012)
    canvas.land(ground, mixed(palette.near, palette.accent, 0.1), scaled(palette.near, 0.6), 0.2)
    x = rng.uniform(0.38, 0.62)
    side = 1 if x < 0.5 else -1
    tent = x + side * 0.2
    fill(canvas, [(tent - 0.09, 0.86), (tent, 0.66), (tent + 0.1, 0.86)], mixed(palette.accent, palette.near, 0.45))
    fill(
        canvas,
        [(tent - side * 0.02, 0.86), (tent, 0.68), (tent - side * 0.07, 0.86)],
        mixed(palette.accent, (1.0, 0.8, 0.5), 0.3),
    )
    fire = (1.0, 0.55, 0.18)
    light.paint_glow(canvas, fire, x, 0.84, 0.32, 0.8)
    paint_fire(canvas, rng, x, 0.88, 0.055, 0.2)
    light.paint_sparks(canvas, fire, *light.fireflies(rng, 24, 0.3, 0.8), 0.5)


def meadow(canvas: Canvas, brief: Brief) -> None:
    palette, rng = brief.palette, brief.rng
    x, y = _open_sky(canvas, brief, 0.6, low=0.2, high=0.46)
    tint = scaled(mixed((0.36, 0.5, 0.2), palette.accent, 0.3), 0.35 if palette.is_dark else 1.0)
    terrain.paint_hills(canvas, palette, rng, top=0.56, bottom=0.84, count=5, tint=tint)
    count = int(rng.integers(3, 8))
    spots = np.stack(
        [rng.uniform(0.05, 0.95, count), rng.uniform(0.7, 0.76, count), rng.uniform(0.07, 0.16, count)], axis=1
    )
    crown = (
        mixed(palette.accent, palette.near, 0.5)
        if brief.speaks_of("autumn", "fall")
        else mixed(palette.near, tint, 0.3)
    )
    terrain.paint_leafy_trees(canvas, crown, mixed(crown, palette.light, 0.5), rng, spots.astype(np.float32))
    if brief.speaks_of("village", "cottage", "farm", "hobbit", "shire"):
        buildings.paint_cottages(canvas, palette, rng, base=0.74, count=4)
    light.paint_glow(canvas, palette.light, x, y, 0.5, 0.08 if palette.is_dark else 0.25)
    terrain.paint_grass(canvas, mixed(palette.near, tint, 0.15), rng, top=0.84)
    if not palette.is_dark:
        sky.paint_birds(canvas, palette, rng)


def waves(canvas: Canvas, brief: Brief) -> None:
    """Nothing in particular: folds of colour, one over the other."""
    palette, rng = brief.palette, brief.rng
    canvas.gradient([(0.0, palette.zenith), (0.6, palette.middle), (1.0, palette.horizon)])
    x, y = sky.sun_place(rng, 0.2, 0.4)
    light.paint_glow(canvas, palette.light, x, y, 0.35, 0.6)
    colours = [palette.middle, palette.far, palette.accent, palette.horizon, palette.zenith, palette.near]
    for index in range(10):
        base = 0.22 + index * 0.08
        crest = np.float32(base) + line(rng, rng.uniform(0.7, 1.5), 2, 0.25) * np.float32(0.16)
        tone = mixed(colours[index % 5], palette.near, 0.055 * index)
        canvas.land(crest, mixed(tone, palette.light, 0.5), tone, 0.03)
        canvas.land(crest + np.float32(0.004), mixed(tone, palette.light, 0.24), mixed(tone, palette.near, 0.38), 0.3)
    veil = smoothstep(0.45, 0.8, cloud(rng, 2, 2, 3)) * (1 - np.abs(across(SMALL_WIDTH) - np.float32(x)))
    canvas.light(enlarged(veil * (1 - down(SMALL_HEIGHT)) * np.float32(0.25)), palette.light)


Scene = Callable[[Canvas, Brief], None]

SCENES: Mapping[str, Scene] = {
    "mountains": mountains, "forest": forest, "sea": sea, "desert": desert, "city": city, "castle": castle,
    "hall": hall, "hearth": hearth, "library": library, "window": window, "winter": winter, "stars": stars,
    "garden": garden, "campfire": campfire, "meadow": meadow, "waves": waves,
}  # fmt: skip
