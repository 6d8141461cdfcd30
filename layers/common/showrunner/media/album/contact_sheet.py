"""One frame of every track, taken from the finished video, on one page: what a person looks at first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from showrunner.errors import BadOutput
from showrunner.media.ffmpeg import input_file, run_ffmpeg
from showrunner.scratch import scratch_folder

COLUMNS = 4
FRAME = (480, 270)
LABEL_HEIGHT = 30
GAP = 12
PAPER, INK = (18, 18, 20), (235, 235, 230)
MOST_LETTERS = 46


@dataclass(frozen=True, slots=True)
class Moment:
    """`seconds` into the video; a moment at which a loop begins is found at once."""

    label: str
    seconds: float


def contact_sheet(video: Path, moments: Sequence[Moment], out: Path, *, remaining: Callable[[], float]) -> None:
    """Write `out` (PNG), a frame per moment. Raises `BadOutput` when the video has no frame there."""
    rows = -(-len(moments) // COLUMNS)
    width, height = FRAME[0] + GAP, FRAME[1] + LABEL_HEIGHT + GAP
    page = Image.new("RGB", (min(len(moments), COLUMNS) * width + GAP, rows * height + GAP), PAPER)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(17)
    with scratch_folder("sheet") as folder:
        for index, moment in enumerate(moments):
            left, top = GAP + index % COLUMNS * width, GAP + index // COLUMNS * height
            with Image.open(_frame(video, moment, folder / f"{index}.png", remaining)) as frame:
                page.paste(frame, (left, top))
            minutes, seconds = divmod(int(moment.seconds), 60)
            label = f"{minutes}:{seconds:02}  {moment.label}"
            draw.text((left, top + FRAME[1] + 5), label[:MOST_LETTERS], fill=INK, font=font)
    page.save(out, optimize=True)


def _frame(video: Path, moment: Moment, path: Path, remaining: Callable[[], float]) -> Path:
    size = f"scale={FRAME[0]}:{FRAME[1]}"
    seek = ["-ss", f"{moment.seconds:.3f}", *input_file(video)]
    run_ffmpeg([*seek, "-frames:v", "1", "-vf", size, "-an", f"file:{path}"], timeout=remaining())
    if not path.exists():
        raise BadOutput(f"The video has no picture at {moment.seconds:.1f} s.")
    return path
