"""A picture as some seconds of video that begin and end alike, so that they can be repeated byte for byte."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Literal

from showrunner.errors import BadOutput
from showrunner.media.album.format import FPS, HEIGHT, WIDTH, video_encoder
from showrunner.media.album.h264 import read_stream
from showrunner.media.ffmpeg import input_file, run_ffmpeg

Motion = Literal["still", "drift"]

_TO_VIDEO = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
KEY_FRAMES = 4 * FPS  # a joint decodes a drift from the key frame before it on
_DRIFT = 0.04  # how much of the picture's width a drift moves in and out
# A still picture gets better for some frames and is then left alone: with so coarse a quantiser nothing of it is coded
# again. Frames that only repeat the one before differ in their number, which x264 counts from 0 to 15.
_SETTLED_FRAMES, _FRAME_NUMBERS, _COARSEST = 16, 16, 51


@dataclass(frozen=True, slots=True)
class LoopUnit:
    frames: int
    bytes: int


def encode_loop(image: Path, out: Path, *, motion: Motion = "still", seconds: float = 20, timeout: float) -> LoopUnit:
    """Encode a picture of exactly 1920 x 1080. `drift` zooms in slowly and back, to where it began.

    Raises `BadOutput` when the picture is not one, or has another size, and `Transient` when the time is up.
    """
    frames = encoded = round(seconds * FPS)
    size = f"{WIDTH}x{HEIGHT}"
    if motion == "still":
        moving = f"{_TO_VIDEO},loop=loop=-1:size=1:start=0"
        most = _SETTLED_FRAMES + _FRAME_NUMBERS
        encoded = min(frames, most)
        encoder = video_encoder(f"zones={_SETTLED_FRAMES},{most},q={_COARSEST}")
    else:
        # A cosine has no corner where the loop meets itself. Zooming happens at twice the size, so that it moves in
        # half pixels; by whole ones it would tremble.
        encoder = video_encoder(f"keyint={KEY_FRAMES}", f"min-keyint={KEY_FRAMES}")
        zoom = f"1+{_DRIFT}*(1-cos(2*PI*on/{frames}))/2"
        centre = "x='iw/2-(iw/zoom/2)':y='ih/2-(ih/zoom/2)'"
        moving = f"scale={2 * WIDTH}:-2,zoompan=z='{zoom}':{centre}:d={frames}:s={size}:fps={FPS},{_TO_VIDEO}"
    arguments = [*input_file(image), "-vf", moving, *encoder, "-frames:v", str(encoded), f"file:{out}"]
    finished = run_ffmpeg(arguments, timeout=timeout)
    if size not in finished.log.split("Output #0")[0]:
        raise BadOutput(f"The picture must have {WIDTH} by {HEIGHT} pixels.")
    found = read_stream(out.read_bytes()).frames
    if len(found) != encoded:
        raise BadOutput(f"The picture's video has {len(found)} frames instead of {encoded}.")
    with out.open("ab") as file:
        file.writelines(islice(cycle(found[_SETTLED_FRAMES:]), frames - encoded))
    return LoopUnit(frames, out.stat().st_size)
