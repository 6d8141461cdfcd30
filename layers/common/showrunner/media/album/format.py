"""The one format that every part of an album has, so that parts join without being encoded again.

Video is H.264 High, 8-bit 4:2:0, BT.709 in limited range, at a constant rate; sound is AAC-LC in stereo. All starts lie
on a grid on which video frames and AAC frames coincide.
"""

from __future__ import annotations

from math import lcm

FPS = 25
WIDTH, HEIGHT = 1920, 1080
SAMPLE_RATE = 48_000
AAC_FRAME = 1024  # samples that one AAC-LC frame brings (ISO/IEC 14496-3)
AAC_PRIMING = 1024  # samples that ffmpeg's encoder puts before the first
AUDIO_BITRATE = "192k"

FRAME_SAMPLES = SAMPLE_RATE // FPS
GRID_SAMPLES = lcm(FRAME_SAMPLES, AAC_FRAME)  # 15,360: 0.32 s, 8 video frames, 15 AAC frames

PROGRAMME_LUFS = -14.0  # what YouTube plays without turning it down
LOUDNESS_TOLERANCE_LU = 0.5
CEILING_DBTP = -1.0

# No B-frames and one reference: a stream may be cut after any frame. `stitchable` keeps the headers the same
# whatever the content, and a still picture's later frames are skipped whole instead of refined.
_X264 = "weightp=0:8x8dct=1:cabac=1:scenecut=0:stitchable=1:mbtree=0:threads=1:slices=1:deadzone-inter=32:ipratio=2.5"


def video_encoder(*x264: str, preset: str = "superfast") -> tuple[str, ...]:
    """The arguments that encode a part's pictures, with more of x264's own parameters."""
    return (
        "-c:v", "libx264", "-preset", preset, "-crf", "20", "-profile:v", "high", "-level", "4.0",
        "-pix_fmt", "yuv420p", "-bf", "0", "-refs", "1", "-g", "9999", "-keyint_min", "9999",
        "-x264-params", ":".join((_X264, *x264)),
        "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv",
        "-r", str(FPS), "-an", "-f", "h264",
    )  # fmt: skip


VIDEO_ENCODER = video_encoder()
# Nothing moves in a crossfade of pictures, so nothing is searched for.
JOINT_ENCODER = video_encoder("aq-mode=1", "deblock=0,0", preset="ultrafast")
# Without noise substitution, so that the same bytes always decode to the same sound, wherever they stand. The coder is
# the one that ffmpeg's manual prefers at high bitrates; its default takes twice the time. At this bitrate, coding both
# sides together costs time and quality: without it the error of ours is 2 to 8 dB lower.
AUDIO_ENCODER = (
    "-c:a", "aac", "-aac_coder", "fast", "-aac_pns", "0", "-aac_ms", "0", "-aac_is", "0", "-aac_tns", "0",
    "-b:a", AUDIO_BITRATE, "-ar", str(SAMPLE_RATE), "-ac", "2", "-vn", "-f", "adts",
)  # fmt: skip
