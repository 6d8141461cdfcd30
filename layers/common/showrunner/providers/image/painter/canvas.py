"""A picture in the making: three planes of light, 0 to 1, in which everything is mixed before it becomes bytes.

Places are shares of the picture: x from left to right and y from top to bottom, each 0 to 1. What is smooth is
computed small and enlarged, since that costs a sixteenth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from showrunner.media.album.format import HEIGHT, WIDTH

Plane: TypeAlias = npt.NDArray[np.float32]
Colour: TypeAlias = tuple[float, float, float]
Box: TypeAlias = tuple[float, float, float, float]
Points: TypeAlias = list[tuple[float, float]]

ASPECT = WIDTH / HEIGHT
SMALL_WIDTH, SMALL_HEIGHT = WIDTH // 4, HEIGHT // 4
_OVERSAMPLING = 2
_BAND = 135  # rows that are mixed at a time, so that what is worked on stays in the processor's cache


def across(width: int = WIDTH) -> Plane:
    """The x of each column, as one row."""
    return ((np.arange(width, dtype=np.float32) + np.float32(0.5)) / np.float32(width))[None, :]


def down(height: int = HEIGHT) -> Plane:
    """The y of each row, as one column."""
    return ((np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height))[:, None]


def enlarged(small: Plane, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Plane:
    """A small plane at full size (width, height), smooth between its points."""
    picture = Image.fromarray(np.ascontiguousarray(small, dtype=np.float32))
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC), dtype=np.float32)


def smoothstep(low: float, high: float, value: Plane) -> Plane:
    """0 below `low`, 1 above `high`, and an S between."""
    share: Plane = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return share * share * (3 - 2 * share)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def scaled(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(1.0, part * factor) for part in colour)
    return red, green, blue


class Canvas:
    def __init__(self) -> None:
        self.rgb: Plane = np.zeros((3, HEIGHT, WIDTH), np.float32)

    def gradient(self, stops: Sequence[tuple[float, Colour]], top: float = 0.0) -> None:
        """Fill the rows from `top` down with colours that change from stop to stop, each given by its y."""
        first = round(top * HEIGHT)
        rows = down()[first:, 0]
        places = [place for place, _ in stops]
        for channel in range(3):
            column = np.interp(rows, places, [colour[channel] for _, colour in stops])
            self.rgb[channel, first:] = column[:, None]

    def lay(self, mask: Plane, colour: Colour, top: int = 0, left: int = 0) -> None:
        """Cover with a colour where the mask, whose first pixel is at row `top` and column `left`, is 1."""
        for plane, value in zip(self.rgb, colour, strict=True):
            for start in range(0, mask.shape[0], _BAND):
                band = mask[start : start + _BAND]
                part = plane[top + start : top + start + band.shape[0], left : left + band.shape[1]]
                part += (np.float32(value) - part) * band

    def light(self, glow: Plane, colour: Colour, top: int = 0) -> None:
        """Add light as a second exposure does: bright places get no brighter than white."""
        for plane, value in zip(self.rgb, colour, strict=True):
            for start in range(0, glow.shape[0], _BAND):
                band = glow[start : start + _BAND]
                part = plane[top + start : top + start + band.shape[0]]
                part += (1 - part) * np.clip(band * np.float32(value), 0, 1)

    def shade(self, factor: Plane) -> None:
        self.rgb *= factor

    def land(self, crest: Plane, top: Colour, foot: Colour, depth: float, fade_from: Plane | None = None) -> None:
        """Cover everything below a line (the y of each column) in a colour that becomes `foot` within `depth`.

        The change begins at the line, or at another one: trees turn paler from the ground down, not from their tips.
        """
        first = max(0, int(float(crest.min()) * HEIGHT) - 1)
        if first >= HEIGHT:
            return
        line = crest.reshape(1, -1) * np.float32(HEIGHT)
        start_line = line if fade_from is None else fade_from.reshape(1, -1) * np.float32(HEIGHT)
        rows = np.arange(first, HEIGHT, dtype=np.float32)[:, None] + np.float32(0.5)
        for start in range(0, len(rows), _BAND):
            band = rows[start : start + _BAND]
            mask = np.clip(band - line + np.float32(0.5), 0, 1)
            share = np.clip((band - start_line) * np.float32(1 / (depth * HEIGHT)), 0, 1)
            here = slice(first + start, first + start + len(band))
            for plane, high, low in zip(self.rgb, top, foot, strict=True):
                part = plane[here]
                part += (np.float32(high) + np.float32(low - high) * share - part) * mask

    def mirror(self, line: float, dim: float) -> None:
        """Fill what is below `line` with what is above it, upside down and darker."""
        first = round(line * HEIGHT)
        rows = np.clip(first - 1 - np.arange(HEIGHT - first), 0, None)
        self.rgb[:, first:] = self.rgb[:, rows] * np.float32(dim)

    def image(self) -> Image.Image:
        """The picture in 8 bits, with a little noise below one step, without which smooth skies show bands."""
        pixels = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        grain = _dither()
        for channel in range(3):
            pixels[..., channel] = np.clip(self.rgb[channel] * np.float32(254) + grain, 0, 255)
        return Image.fromarray(pixels)


def _dither() -> Plane:
    """Ordered thresholds between 0 and 1 (Bayer, 1973): regular, so that they cost an encoder next to nothing."""
    matrix = np.zeros((1, 1), np.float32)
    for _ in range(3):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]]).astype(np.float32)
    size = matrix.shape[0]
    tile = (matrix + np.float32(0.5)) / np.float32(size * size)
    return np.tile(tile, (-(-HEIGHT // size), -(-WIDTH // size)))[:HEIGHT, :WIDTH] + np.float32(0.25)


def drawn(draw: Callable[[ImageDraw.ImageDraw, float, float], None]) -> Plane:
    """A mask with smooth edges; `draw` gets a pen and the width and height that it draws on, and uses `fill=255`."""
    return _mask(WIDTH, HEIGHT, lambda pen: draw(pen, WIDTH * _OVERSAMPLING, HEIGHT * _OVERSAMPLING))


def _mask(width: int, height: int, draw: Callable[[ImageDraw.ImageDraw], None]) -> Plane:
    mask = Image.new("L", (width * _OVERSAMPLING, height * _OVERSAMPLING))
    draw(ImageDraw.Draw(mask))
    return np.asarray(mask.reduce(_OVERSAMPLING), dtype=np.float32) * np.float32(1 / 255)


def halo(x: float, y: float, radius: float, sharpness: float = 1.5) -> Plane:
    """Light around a point, small: 1 there, falling off to a third or so at `radius` (a share of the height)."""
    aside = (across(SMALL_WIDTH) - np.float32(x)) * np.float32(ASPECT / radius)
    above = (down(SMALL_HEIGHT) - np.float32(y)) * np.float32(1 / radius)
    light: Plane = np.power(1 + aside * aside + above * above, np.float32(-sharpness))
    return light


def fill(canvas: Canvas, points: Points, colour: Colour, strength: float = 1.0) -> None:
    """A polygon whose corners are shares of the picture. Only the part of the picture that it touches is worked on."""
    (left, right), (top, bottom) = (
        _touched([point[axis] for point in points], size) for axis, size in ((0, WIDTH), (1, HEIGHT))
    )
    if left >= right or top >= bottom:
        return
    corners = [((x * WIDTH - left) * _OVERSAMPLING, (y * HEIGHT - top) * _OVERSAMPLING) for x, y in points]
    mask = _mask(right - left, bottom - top, lambda pen: pen.polygon(corners, fill=255))
    canvas.lay(mask * np.float32(strength), colour, top, left)


def _touched(shares: Sequence[float], size: int) -> tuple[int, int]:
    """The first pixel that a shape reaches along one side of the picture, and the one after its last."""
    return max(0, floor(min(shares) * size) - 1), min(size, ceil(max(shares) * size) + 2)


def arch(left: float, right: float, top: float, foot: float) -> Points:
    """A door or window with a round head, as the corners of a polygon."""
    middle, half = (left + right) / 2, (right - left) / 2
    rise = half * ASPECT
    turns = np.linspace(np.pi, 0, 25)
    head = [(middle + half * float(np.cos(turn)), top + rise - rise * float(np.sin(turn))) for turn in turns]
    return [(left, foot), *head, (right, foot)]


def boxes_of(boxes: list[Box]) -> Callable[[ImageDraw.ImageDraw, float, float], None]:
    """What draws rectangles, each given by its left, top, right and lower edge."""

    def draw(pen: ImageDraw.ImageDraw, width: float, height: float) -> None:
        for left, top, right, foot in boxes:
            pen.rectangle((left * width, top * height, right * width, foot * height), fill=255)

    return draw


def blurred(mask: Plane, radius: float) -> Plane:
    """The mask out of focus; `radius` in pixels of the full picture."""
    small = Image.fromarray((np.clip(mask, 0, 1) * 255).astype(np.uint8)).reduce(4)
    soft = small.filter(ImageFilter.GaussianBlur(radius / 4))
    return np.clip(enlarged(np.asarray(soft, dtype=np.float32) * np.float32(1 / 255)), 0, 1)
