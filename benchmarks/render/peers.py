"""The usual ways to make such a video: every frame is drawn, encoded and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe  # type: ignore[import-untyped]

FPS, CROSSFADE, PICTURE_FADE = 25, 4.0, 1.0
LOUDNORM = "loudnorm=I=-14:TP=-1,aresample=48000"
# x264's preset, and what is done about loudness. Ours meets -14 LUFS, so that the second row is the like of it.
VARIANTS = {
    "plain ffmpeg": ("medium", ""),
    "plain ffmpeg at -14 LUFS": ("medium", LOUDNORM),
    "plain ffmpeg, our preset": ("superfast", ""),
}


@dataclass(frozen=True)
class Piece:
    """Pictures and tracks that follow each other; each track is `length` seconds long, the piece `seconds`."""

    pictures: Sequence[Path]
    tracks: Sequence[Path]
    length: float

    @property
    def starts(self) -> list[float]:
        return [number * (self.length - CROSSFADE) for number in range(len(self.tracks))]

    @property
    def seconds(self) -> float:
        return self.starts[-1] + self.length


def plain_ffmpeg(piece: Piece, variant: tuple[str, str], chapters: Path, out: Path) -> list[str]:
    """One command: stills that are looped and crossfaded, tracks that are crossfaded, chapters, fast start."""
    preset, loudness = variant
    chapters.write_text(_chapters(piece))
    inputs: list[str] = []
    for picture in piece.pictures:
        inputs += ["-loop", "1", "-framerate", str(FPS), "-t", f"{piece.length:.3f}", "-i", str(picture)]
    for track in piece.tracks:
        inputs += ["-t", f"{piece.length:.3f}", "-i", str(track)]
    count = len(piece.pictures)
    graph = [f"[{number}:v]format=yuv420p,setsar=1[p{number}]" for number in range(count)]
    shown, heard = "p0", f"{count}:a"
    for number, start in list(enumerate(piece.starts))[1:]:
        fade = f"xfade=transition=fade:duration={PICTURE_FADE}:offset={start:.3f}"
        graph.append(f"[{shown}][p{number}]{fade}[v{number}]")
        graph.append(f"[{heard}][{count + number}:a]acrossfade=d={CROSSFADE}:c1=qsin:c2=qsin[a{number}]")
        shown, heard = f"v{number}", f"a{number}"
    graph.append(f"[{heard}]{loudness or 'anull'}[sound]")
    return [
        get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-y", "-loglevel", "error", *inputs,
        "-f", "ffmetadata", "-i", str(chapters), "-filter_complex", ";".join(graph),
        "-map", f"[{shown}]", "-map", "[sound]", "-map_metadata", str(2 * count),
        "-c:v", "libx264", "-preset", preset, "-pix_fmt", "yuv420p", "-r", str(FPS),
        "-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart", str(out),
    ]  # fmt: skip


def moviepy(python: Path, piece: Piece, out: Path) -> list[str]:
    files = [str(file) for pair in zip(piece.pictures, piece.tracks, strict=True) for file in pair]
    script = str(Path(__file__).with_name("moviepy_video.py"))
    return [str(python), script, str(out), str(piece.length), str(CROSSFADE), str(PICTURE_FADE), *files]


def _chapters(piece: Piece) -> str:
    lines = [";FFMETADATA1"]
    for number, (start, end) in enumerate(pairwise([*piece.starts, piece.seconds]), start=1):
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={start * 1000:.0f}", f"END={end * 1000:.0f}"]
        lines.append(f"title=Part {number}")
    return "\n".join(lines) + "\n"
