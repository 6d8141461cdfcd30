"""Joins the parts of an album into one MP4 file by copying, and proves that the file is what it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from showrunner.errors import BadOutput, InvalidInput
from showrunner.media.album import adts
from showrunner.media.album.format import AAC_FRAME, AAC_PRIMING, FPS, FRAME_SAMPLES, SAMPLE_RATE
from showrunner.media.album.frame_file import FrameFile
from showrunner.media.album.h264 import open_stream
from showrunner.media.album.joints import Joint, Side, make_joint
from showrunner.media.album.mp4_probe import probe
from showrunner.media.album.timeline import Timeline, lay_out
from showrunner.media.ffmpeg import run_ffmpeg

CROSSFADE_SECONDS = 4.0
PICTURE_FADE_SECONDS = 1.0
JOINTS_AT_A_TIME = 2


@dataclass(frozen=True, slots=True)
class AlbumItem:
    """A track with its picture. `samples` is the track's length at 48 kHz, which its file does not say."""

    title: str
    audio: Path
    samples: int
    loop: Path
    is_still: bool


@dataclass(frozen=True, slots=True)
class Album:
    """`starts` are the seconds at which the items begin; `command` is the last ffmpeg command, as one would type it."""

    seconds: float
    frames: int
    starts: tuple[float, ...]
    command: str


def render(
    items: Sequence[AlbumItem], out: Path, folder: Path, *, remaining: Callable[[], float],
    on_progress: Callable[[float], None], crossfade_seconds: float = CROSSFADE_SECONDS,
    picture_fade_seconds: float = PICTURE_FADE_SECONDS,
) -> Album:  # fmt: skip
    """Write `out`; `folder` is for files of its own, about as large as `out`.

    `remaining` gives the seconds left; `on_progress` is told 0 to 1, and may raise to stop the work. Raises
    `InvalidInput` and `BadOutput`, which name the part that does not fit, and `Transient` when the time is up.
    """
    if not items:
        raise InvalidInput("tracks: an album needs at least one track.")
    timeline = lay_out([item.samples for item in items], crossfade_seconds)
    fade_frames = round(picture_fade_seconds * FPS)
    sides = [Side(_audio(item), open_stream(item.loop), item.is_still) for item in items]
    if fade_frames * FRAME_SAMPLES > min(min(timeline.frames_of(i) for i in range(len(items))) * FRAME_SAMPLES,
                                         min(len(side.loop.frames) for side in sides) * FRAME_SAMPLES):  # fmt: skip
        raise InvalidInput(f"picture_fade_seconds: {picture_fade_seconds:g} s are longer than a picture is shown.")
    joints = _joints(items, sides, timeline, fade_frames, folder, remaining, on_progress)
    video, audio, chapters = folder / "album.h264", folder / "album.aac", folder / "chapters.ffmeta"
    with video.open("wb") as file:
        file.writelines(_pictures(sides, joints, timeline))
    with audio.open("wb") as file:
        file.writelines(_sounds(sides, joints, timeline))
    starts = tuple(start / SAMPLE_RATE for start in timeline.starts)
    chapters.write_text(_chapters([item.title for item in items], starts, timeline.samples / SAMPLE_RATE), "utf-8")
    on_progress(0.7)
    arguments = [
        *("-framerate", str(FPS), "-f", "h264", "-protocol_whitelist", "file,pipe", "-i", f"file:{video}"),
        *("-itsoffset", f"{-AAC_PRIMING / SAMPLE_RATE:.9f}"),
        *("-f", "aac", "-protocol_whitelist", "file,pipe", "-i", f"file:{audio}"),
        *("-f", "ffmetadata", "-protocol_whitelist", "file,pipe", "-i", f"file:{chapters}"),
        *("-map", "0:v", "-map", "1:a", "-map_metadata", "2", "-map_chapters", "2", "-c", "copy"),
        *("-video_track_timescale", str(FPS * 512), "-movflags", "+faststart", "-f", "mp4", f"file:{out}"),
    ]
    run_ffmpeg(arguments, timeout=remaining())
    _prove(out, timeline, len(items))
    on_progress(1.0)
    return Album(timeline.samples / SAMPLE_RATE, timeline.frames, starts, " ".join(["ffmpeg", *arguments]))


def _audio(item: AlbumItem) -> FrameFile:
    frames = adts.open_frames(item.audio)
    if not 0 <= len(frames) * AAC_FRAME - AAC_PRIMING - item.samples <= 2 * AAC_FRAME:
        heard = (len(frames) * AAC_FRAME - AAC_PRIMING) / SAMPLE_RATE
        raise BadOutput(
            f"The track “{item.title}” has {heard:.2f} s of sound instead of {item.samples / SAMPLE_RATE:.2f}."
        )
    return frames


def _joints(
    items: Sequence[AlbumItem], sides: Sequence[Side], timeline: Timeline, fade_frames: int, folder: Path,
    remaining: Callable[[], float], on_progress: Callable[[float], None],
) -> list[Joint]:  # fmt: skip
    def make(index: int) -> Joint:
        place = folder / f"joint-{index}"
        place.mkdir()
        shown = timeline.frames_of(index) - (fade_frames if index else 0)
        begin = timeline.starts[index]
        return make_joint(
            sides[index],
            sides[index + 1],
            start=timeline.starts[index + 1] - begin,
            end=items[index].samples,
            phase=shown % len(sides[index].loop.frames),
            fade_frames=fade_frames,
            folder=place,
            remaining=remaining,
        )

    made: list[Joint] = []
    with ThreadPoolExecutor(JOINTS_AT_A_TIME) as pool:
        for joint in pool.map(make, range(len(items) - 1)):
            made.append(joint)
            on_progress(0.6 * len(made) / len(items))
    return made


def _pictures(sides: Sequence[Side], joints: Sequence[Joint], timeline: Timeline) -> Iterator[bytes]:
    """Each picture's loop as often as it fits and once in part, with the crossfades between."""
    for index, side in enumerate(sides):
        count = timeline.frames_of(index)
        if index:
            yield from joints[index - 1].video
            count -= len(joints[index - 1].video)
        yield from _looped(side.loop.frames, count)


def _looped(loop: FrameFile, count: int) -> Iterator[bytes]:
    turns, rest = divmod(count, len(loop))
    whole = loop.read(0, len(loop))
    for _ in range(turns):
        yield whole
    yield loop.read(0, rest)


def _sounds(sides: Sequence[Side], joints: Sequence[Joint], timeline: Timeline) -> Iterator[bytes]:
    enter = 0
    for index, side in enumerate(sides):
        if index < len(joints):
            yield side.audio.read(enter, joints[index].leave)
            yield from joints[index].audio
            enter = joints[index].enter
        else:
            yield side.audio.read(enter, len(side.audio))


def _chapters(titles: Sequence[str], starts: Sequence[float], end: float) -> str:
    lines = [";FFMETADATA1"]
    for title, (start, stop) in zip(titles, pairwise([*starts, end]), strict=True):
        safe = "".join("\\" + letter if letter in "=;#\\\n" else letter for letter in title)
        lines += [
            "[CHAPTER]",
            "TIMEBASE=1/1000",
            f"START={round(start * 1000)}",
            f"END={round(stop * 1000)}",
            f"title={safe}",
        ]
    return "\n".join(lines) + "\n"


def _prove(path: Path, timeline: Timeline, chapters: int) -> None:
    """Raise `BadOutput` unless every frame is there once, at its time."""
    found = probe(path)
    video, audio = found.track("vide"), found.track("soun")
    if (video.codec, audio.codec) != ("avc1", "mp4a"):
        raise BadOutput(f"The video file has {video.codec} and {audio.codec} instead of avc1 and mp4a.")
    if video.samples != timeline.frames or len(video.deltas) != 1 or video.reorders:
        rhythms = len(video.deltas)
        raise BadOutput(f"The video has {video.samples} frames in {rhythms} rhythms, not {timeline.frames} in one.")
    if len(audio.deltas) > 2 or audio.deltas[0][1] != AAC_FRAME or audio.edit is None or audio.edit[0] != AAC_PRIMING:
        raise BadOutput("The sound of the video file has a gap, or does not begin with the picture.")
    asked = timeline.samples / SAMPLE_RATE
    heard = (audio.samples * AAC_FRAME - AAC_PRIMING) / SAMPLE_RATE
    if not 0 <= heard - asked <= 2 * AAC_FRAME / SAMPLE_RATE or abs(video.seconds - asked) > 1 / FPS:
        raise BadOutput(f"The sound lasts {heard:.2f} s, the picture {video.seconds:.2f} s, and not {asked:.2f} s.")
    if not found.starts_fast or found.chapters != chapters:
        raise BadOutput(f"The video file has {found.chapters} chapters instead of {chapters}, or starts slowly.")
