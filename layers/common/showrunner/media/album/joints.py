"""The seconds around a joint, the only ones that a render encodes: one picture and one sound become the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from showrunner.errors import BadOutput
from showrunner.media.album import adts
from showrunner.media.album.format import (
    AAC_FRAME,
    AUDIO_ENCODER,
    CEILING_DBTP,
    FPS,
    JOINT_ENCODER,
)
from showrunner.media.album.frame_file import FrameFile
from showrunner.media.album.h264 import Stream, StreamFile, read_stream, stands_alone
from showrunner.media.ffmpeg import run_ffmpeg

# The joint's own encoding begins and ends in sound that only one track has, and is cut in there: after the frames in
# which the encoder settles, at the first place where its windows agree with the track's.
MARGIN_FRAMES = 24
SETTLING_FRAMES = 8
# Two tracks at their ceiling may together be above it; the limiter has nothing to do elsewhere.
_LIMITER = f"alimiter=limit={10 ** ((CEILING_DBTP - 0.5) / 20):.4f}:attack=5:release=50:level=0:latency=1"


@dataclass(frozen=True, slots=True)
class Side:
    """One item at a joint: its sound as ADTS frames, its picture as a loop unit; a still one is the same throughout."""

    audio: FrameFile
    loop: StreamFile
    is_still: bool


@dataclass(frozen=True, slots=True)
class Joint:
    """`audio` replaces the earlier track from its frame `leave` on; the later track goes on from its frame `enter`."""

    audio: tuple[bytes, ...]
    leave: int
    enter: int
    video: tuple[bytes, ...]


def make_joint(
    before: Side, after: Side, *, start: int, end: int, phase: int, fade_frames: int, folder: Path,
    remaining: Callable[[], float],
) -> Joint:  # fmt: skip
    """Encode the joint of two items.

    `start` and `end` are samples of the earlier track: where the later one begins, on the grid, and where the earlier
    one ends. `phase` is the loop's frame that the earlier picture would show next. `folder` is for files of its own.
    Raises what `run_ffmpeg` raises, and `BadOutput`.
    """
    shift = start // AAC_FRAME
    first = shift - MARGIN_FRAMES
    crossing = end - start
    last = -(-crossing // AAC_FRAME) + MARGIN_FRAMES
    tail, head, sound = (folder / name for name in ("tail.aac", "head.aac", "joint.aac"))
    tail.write_bytes(before.audio.read(first, len(before.audio)))
    head.write_bytes(after.audio.read(0, last + 1))
    # What a decoder makes of its first frame lacks the one before it, and is left out.
    crossfade = (
        f"[0:a]atrim=start_sample={AAC_FRAME}:end_sample={AAC_FRAME + end - first * AAC_FRAME},asetpts=PTS-STARTPTS[a];"
        f"[1:a]atrim=start_sample={AAC_FRAME}:end_sample={AAC_FRAME + last * AAC_FRAME},asetpts=PTS-STARTPTS[b];"
        f"[a][b]acrossfade=ns={crossing}:c1=qsin:c2=qsin,{_LIMITER}"
    )
    _encode(("aac", tail), ("aac", head), crossfade, AUDIO_ENCODER, sound, remaining)
    video = _pictures(before, after, phase, fade_frames, folder, remaining)
    return _cut(adts.read_frames(sound.read_bytes()), before, after, first, shift, last, video)


def _pictures(
    before: Side, after: Side, phase: int, count: int, folder: Path, remaining: Callable[[], float]
) -> Stream:
    leaving, coming, out = (folder / name for name in ("from.h264", "to.h264", "joint.h264"))
    skips = (
        _write_pictures(leaving, before, phase, count),
        _write_pictures(coming, after, len(after.loop.frames) - count, count),
    )
    if before.is_still and after.is_still:
        fade = _still_fade(count)
    else:
        fade = (
            f"[0:v]{_frames(before, skips[0], count)}[p];[1:v]{_frames(after, skips[1], count)}[q];"
            f"[p][q]xfade=transition=fade:duration={count / FPS}:offset=0,format=yuv420p"
        )
    encoder = (*JOINT_ENCODER, "-frames:v", str(count))
    _encode(("h264", leaving), ("h264", coming), fade, encoder, out, remaining)
    video = read_stream(out.read_bytes())
    if len(video.frames) != count or not video.headers == before.loop.headers == after.loop.headers:
        raise BadOutput("The pictures of this album were encoded in different ways; make them again.")
    return video


def _encode(
    one: tuple[str, Path], other: tuple[str, Path], graph: str, encoder: Sequence[str], out: Path,
    remaining: Callable[[], float],
) -> None:  # fmt: skip
    """Sound and picture one after the other, each with one thread: two joints at a time have to fit the memory."""
    inputs = [*_raw(*one), *_raw(*other)]
    filters = ["-filter_complex_threads", "1", "-filter_complex", f"{graph}[out]", "-threads", "1"]
    run_ffmpeg([*inputs, *filters, "-map", "[out]", *encoder, f"file:{out}"], timeout=remaining())


def _cut(encoded: list[bytes], before: Side, after: Side, first: int, shift: int, last: int, video: Stream) -> Joint:
    """Frame j of the joint has the sound of frame `first + j` of the earlier track, and `first + j - shift` of the
    later."""
    aligned = [b""] * first + encoded
    leave = adts.joint(before.audio, aligned, range(first + SETTLING_FRAMES, shift - 1))
    shifted = encoded[shift - first :]
    enter = adts.joint(shifted, after.audio, range(last - MARGIN_FRAMES + 2, min(last, len(shifted)) - SETTLING_FRAMES))
    if leave is None or enter is None:
        raise BadOutput("The tracks cannot be joined without a click; make them again.")
    return Joint(tuple(encoded[leave - first : enter + shift - first]), leave, enter, video.frames)


def _raw(kind: str, path: Path) -> list[str]:
    rate = ["-framerate", str(FPS)] if kind == "h264" else []
    return [*rate, "-threads", "1", "-f", kind, "-protocol_whitelist", "file,pipe", "-i", f"file:{path}"]


def _write_pictures(path: Path, side: Side, phase: int, count: int) -> int:
    """Write the frames from which `count` frames from `phase` on can be decoded; return how many to skip."""
    frames = side.loop.frames
    if side.is_still:
        path.write_bytes(frames[0])
        return 0
    phase %= len(frames)
    begin = next(index for index in range(phase, -1, -1) if stands_alone(frames[index]))
    end = phase + count
    path.write_bytes(frames.read(begin, end) + frames.read(0, max(end - len(frames), 0)))
    return phase - begin


def _frames(side: Side, skip: int, count: int) -> str:
    chosen = f"loop=loop=-1:size=1,trim=end_frame={count}" if side.is_still else f"trim=start_frame={skip}"
    return f"{chosen},setpts=N/{FPS}/TB,fps={FPS},format=yuv420p"


def _still_fade(count: int) -> str:
    """Two frames, one fade apart, and what `framerate` puts between them: a fifth of the work of `xfade`."""
    one = f"trim=end_frame=1,settb=1/{FPS},setpts=0,format=yuv420p"
    two = f"loop=loop=1:size=1,trim=end_frame=2,settb=1/{FPS},setpts={count}*N,format=yuv420p"
    blend = f"framerate=fps={FPS}:interp_start=0:interp_end=255:scene=100:flags=0"
    return (
        f"[0:v]{one}[p];[1:v]{two}[q];[p][q]concat=n=2:v=1:a=0,settb=1/{FPS},setpts={count}*N,{blend},"
        f"trim=end_frame={count},format=yuv420p"
    )
