"""A show's cover: the given picture made to fit Apple's rules, or one painted from the show's name.

Apple wants a square JPEG or PNG, RGB, 1400 to 3000 pixels. The same name always gives the same picture.
"""

from __future__ import annotations

import hashlib
import io
import math
import textwrap
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from showrunner.errors import InvalidInput

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont

SIZE = 1600
SMALLEST, LARGEST = 1400, 3000
MOST_BYTES = 500_000
MOST_PIXELS = 50_000_000
MARGIN = 128
LEADING = 1.12

# Background (top, bottom), ink, accent: each pair was chosen to read well from across a room.
PALETTES: Sequence[tuple[Colour, Colour, Colour, Colour]] = (
    ((16, 42, 67), (5, 19, 36), (240, 244, 248), (247, 178, 103)),
    ((88, 28, 60), (40, 10, 36), (255, 240, 235), (255, 138, 113)),
    ((12, 74, 66), (4, 36, 38), (236, 253, 245), (250, 204, 91)),
    ((60, 46, 116), (24, 18, 58), (243, 240, 255), (129, 216, 208)),
    ((246, 226, 196), (236, 200, 158), (52, 36, 30), (196, 72, 48)),
    ((222, 236, 232), (184, 214, 210), (18, 52, 60), (214, 92, 62)),
    ((190, 58, 46), (128, 26, 36), (255, 246, 236), (255, 203, 119)),
    ((34, 36, 44), (12, 13, 18), (245, 245, 240), (132, 204, 128)),
)


def fitted_cover(picture: bytes) -> bytes:
    """Return the show's own picture as a square JPEG of an allowed size. Raises `InvalidInput` naming `cover_key`."""
    try:
        with Image.open(io.BytesIO(picture)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise InvalidInput(f"cover_key: the cover has {image.width} x {image.height} pixels; that is too many.")
            image.load()
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidInput("cover_key: the cover is not a picture that can be read; use JPEG or PNG.") from error
    side = min(max(min(upright.size), SMALLEST), LARGEST)
    return _jpeg(ImageOps.fit(upright, (side, side), Image.Resampling.LANCZOS))


def painted_cover(show: str, author: str) -> bytes:
    """Return a cover with the show's name and author, as a JPEG of 1600 x 1600 pixels under 500 kB."""
    seed = hashlib.sha256(show.encode()).digest()
    top, bottom, ink, accent = PALETTES[seed[0] % len(PALETTES)]
    image = _gradient(top, bottom)
    draw = ImageDraw.Draw(image)
    _voice_print(draw, seed, accent, _mixed(bottom, ink, 0.22))
    title = " ".join(show.split())
    if _has_glyphs(title):
        _title(draw, title, ink)
    if _has_glyphs(author):
        _byline(draw, author, ink, accent)
    return _jpeg(image)


def _gradient(top: Colour, bottom: Colour) -> Image.Image:
    """A diagonal gradient, dithered by its own resampling so that it shows no bands."""
    ramp = Image.linear_gradient("L").resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    tilted = Image.blend(ramp, ramp.rotate(90), 0.35)
    return Image.composite(Image.new("RGB", (SIZE, SIZE), bottom), Image.new("RGB", (SIZE, SIZE), top), tilted)


def _voice_print(draw: ImageDraw.ImageDraw, seed: bytes, accent: Colour, quiet: Colour) -> None:
    """Bars like those of a sound wave, drawn from the seed: loud in the middle of a phrase, quiet at its ends."""
    count, width = 24, 28
    step = (SIZE - 2 * MARGIN - width) / (count - 1)
    middle = SIZE * 0.715
    phrase = 6 + seed[2] % 4
    for index in range(count):
        swell = math.sin(math.pi * ((index + seed[1] / 64) % phrase) / phrase)
        height = 34 + 270 * (0.12 + 0.88 * swell) * (0.45 + 0.55 * seed[index % 30 + 1] / 255)
        left = MARGIN + index * step
        colour = accent if (index * 5 + seed[3]) % 8 < 5 else quiet
        box = (left, middle - height / 2, left + width, middle + height / 2)
        draw.rounded_rectangle(box, width / 2, fill=colour)


def _title(draw: ImageDraw.ImageDraw, title: str, ink: Colour) -> None:
    """The name, as large as fits in the upper part."""
    width, height = SIZE - 2 * MARGIN, SIZE * 0.61 - MARGIN
    for size in range(300, 50, -6):
        font = _font("ExtraBold", size)
        lines = _wrapped(title, font, width)
        if len(lines) * size * LEADING <= height and max(map(font.getlength, lines)) <= width:
            break
    else:
        lines = textwrap.wrap(title, 34, max_lines=int(height / (size * LEADING)), placeholder="…")
    for index, line in enumerate(lines):
        draw.text((MARGIN - size * 0.05, MARGIN - size * 0.2 + index * size * LEADING), line, ink, font)


def _wrapped(text: str, font: Font, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _byline(draw: ImageDraw.ImageDraw, author: str, ink: Colour, accent: Colour) -> None:
    font = _font("Medium", 56)
    text = " ".join(author.split())
    while font.getlength(text) > SIZE - 2 * MARGIN:
        text = f"{text[:-2].rstrip()}…"
    line = SIZE - MARGIN - 100
    draw.rounded_rectangle((MARGIN, line, MARGIN + 96, line + 10), 5, fill=accent)
    draw.text((MARGIN, line + 32), text, ink, font)


def _font(weight: str, size: int) -> Font:
    return ImageFont.truetype(io.BytesIO(_font_file(weight)), size)


@cache
def _font_file(weight: str) -> bytes:
    return (files("font_manrope") / "files" / f"Manrope-{weight}.ttf").read_bytes()


def _has_glyphs(text: str) -> bool:
    """Whether the typeface (Latin, Greek, Cyrillic) can draw the text: a missing glyph looks like an unassigned one."""
    font = _font("Medium", 40)
    missing = bytes(font.getmask("\U000f0000"))
    return any(not letter.isspace() for letter in text) and all(
        letter.isspace() or bytes(font.getmask(letter)) != missing for letter in text
    )


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _jpeg(image: Image.Image) -> bytes:
    data = b""
    for quality in (90, 80, 65, 45):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
        data = buffer.getvalue()
        if len(data) <= MOST_BYTES:
            break
    return data
