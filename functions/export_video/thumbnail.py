"""The still that stands for a video: a frame of it with the title, as large as YouTube takes it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from showrunner.errors import BadOutput
from showrunner.media.ffmpeg import input_file, run_ffmpeg

SIZE = (1280, 720)
MOST_BYTES = 2_000_000
_LETTERS, _SMALLEST, _MARGIN = 84, 40, 64
_MOST_LINES = 3
_QUALITIES = (92, 85, 75, 60, 40)


def write_thumbnail(video: Path, seconds: float, title: str, out: Path, remaining: Callable[[], float]) -> None:
    """Write `out`, a JPEG below 2 MB. Raises `BadOutput` when the video has no frame there."""
    frame = out.with_suffix(".png")
    scale = f"scale={SIZE[0]}:{SIZE[1]}"
    run_ffmpeg(
        ["-ss", f"{seconds:.3f}", *input_file(video), "-frames:v", "1", "-vf", scale, "-an", f"file:{frame}"],
        timeout=remaining(),
    )
    if not frame.exists():
        raise BadOutput(f"The video has no picture at {seconds:.1f} s.")
    with Image.open(frame) as opened:
        picture = _titled(opened.convert("RGB"), title)
    for quality in _QUALITIES:
        body = io.BytesIO()
        picture.save(body, "JPEG", quality=quality, optimize=True)
        if len(body.getvalue()) < MOST_BYTES:
            out.write_bytes(body.getvalue())
            return
    raise BadOutput("The thumbnail does not become smaller than 2 MB.")


def _titled(picture: Image.Image, title: str) -> Image.Image:
    """Set the title at the foot, on a shade that grows darker towards it."""
    shade = Image.linear_gradient("L").resize(SIZE).point([round(max(0, level - 96) * 1.2) for level in range(256)])
    picture = Image.composite(Image.new("RGB", SIZE), picture, shade)
    draw = ImageDraw.Draw(picture)
    for letters in range(_LETTERS, _SMALLEST - 1, -4):
        font = ImageFont.load_default(letters)
        lines = _lines(title, draw, font)
        if len(lines) <= _MOST_LINES:
            break
    text = "\n".join(lines[:_MOST_LINES])
    box = draw.multiline_textbbox((0, 0), text, font=font, spacing=10)
    draw.multiline_text((_MARGIN, SIZE[1] - _MARGIN - box[3]), text, font=font, fill=(250, 248, 240), spacing=10)
    return picture


def _lines(text: str, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and draw.textlength(longer, font) > SIZE[0] - 2 * _MARGIN:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
