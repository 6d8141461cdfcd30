"""The parts of an album: pictures that loop without a seam, tracks that fit, and files that are not what they say."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from PIL import Image

from showrunner.errors import BadOutput
from showrunner.media.album.audio_unit import encode_track
from showrunner.media.album.format import FPS, HEIGHT, SAMPLE_RATE, WIDTH
from showrunner.media.album.h264 import read_stream
from showrunner.media.album.loop_unit import encode_loop
from showrunner.media.album.mp4_probe import probe
from showrunner.media.ffmpeg import FfmpegFailed, _executable

from .test_album_render import chord, left, write_wav


def gradient(path, size=(WIDTH, HEIGHT)):
    across = np.linspace(0, 255, size[0])[None, :, None] * np.ones((size[1], 1, 3))
    across[:, :, 1] = np.linspace(255, 0, size[1])[:, None]
    Image.fromarray(across.astype(np.uint8)).save(path)
    return path


def frames_of(path):
    command = [_executable(), "-v", "error", "-f", "h264", "-i", path, "-vf", "scale=192:108", "-pix_fmt", "gray"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, 108, 192).astype(int)


@pytest.mark.parametrize("motion", ["still", "drift"])
def test_a_loop_ends_where_it_began(tmp_path, motion):
    out = tmp_path / "loop.h264"

    unit = encode_loop(gradient(tmp_path / "image.png"), out, motion=motion, seconds=2, timeout=120)

    frames = frames_of(out)
    assert unit.frames == len(frames) == 2 * FPS
    assert np.abs(frames[0] - frames[-1]).max() <= 4
    assert (np.abs(frames[0] - frames[FPS]).max() > 4) == (motion == "drift")


def test_all_loops_have_the_same_headers_and_stand_alone(tmp_path):
    streams = []
    for motion in ("still", "drift"):
        encode_loop(gradient(tmp_path / "i.png"), tmp_path / motion, motion=motion, seconds=1, timeout=120)
        streams.append(read_stream((tmp_path / motion).read_bytes()))

    assert streams[0].headers == streams[1].headers
    assert [len(stream.frames) for stream in streams] == [FPS, FPS]
    assert max(map(len, streams[0].frames[1:])) < len(streams[0].frames[0]) / 10, "a still picture is stored once"


@pytest.mark.parametrize("size", [(1280, 720), (1080, 1920)])
def test_a_picture_of_another_size_is_refused(tmp_path, size):
    with pytest.raises(BadOutput, match="must have 1920 by 1080 pixels"):
        encode_loop(gradient(tmp_path / "i.png", size), tmp_path / "o.h264", seconds=1, timeout=60)


@pytest.mark.parametrize("content", [b"", b"no picture", b"#EXTM3U\nfile:///etc/passwd\n"])
def test_what_is_no_picture_is_refused(tmp_path, content):
    (tmp_path / "i.png").write_bytes(content)

    with pytest.raises(FfmpegFailed):
        encode_loop(tmp_path / "i.png", tmp_path / "o.h264", seconds=1, timeout=60)


@pytest.mark.parametrize("content", [b"", b"\0\0\1\x41 a slice that needs another", b"nothing at all"])
def test_video_that_does_not_stand_alone_is_refused(content):
    with pytest.raises(BadOutput, match="whole picture"):
        read_stream(content)


def test_a_silent_track_is_refused(tmp_path):
    write_wav(tmp_path / "t.wav", np.zeros((8 * SAMPLE_RATE, 2)))

    with pytest.raises(BadOutput, match="silent"):
        encode_track(tmp_path / "t.wav", tmp_path / "t.aac", expected_seconds=8, remaining=left)


@pytest.mark.parametrize("expected", [4.0, 20.0])
def test_a_track_of_quite_another_length_is_refused(tmp_path, expected):
    chord(tmp_path / "t.wav", (220,), 8)

    with pytest.raises(BadOutput, match=r"lasts 8\.0 s; \d+\.0 s were asked for"):
        encode_track(tmp_path / "t.wav", tmp_path / "t.aac", expected_seconds=expected, remaining=left)


def test_a_loud_and_peaky_track_is_brought_under_the_ceiling(tmp_path):
    random = np.random.default_rng(3)
    sound = random.standard_normal((8 * SAMPLE_RATE, 2)) * 0.05
    sound[:: SAMPLE_RATE // 2] = 0.99
    write_wav(tmp_path / "t.wav", sound)

    unit = encode_track(tmp_path / "t.wav", tmp_path / "t.aac", expected_seconds=8, remaining=left)

    assert abs(unit.integrated_lufs + 14) <= 0.5
    assert unit.true_peak_dbtp <= -1


@pytest.mark.parametrize(
    "content", [b"", b"\0\0\0\x08ftyp", b"\0\0\0\x10ftypisom\0\0\0\0\0\0\xff\xffmoov", b"\0\0\0\x08moov\0\0\0\x08mdat"]
)
def test_what_is_no_mp4_is_refused(tmp_path, content):
    (tmp_path / "v.mp4").write_bytes(content)

    with pytest.raises(BadOutput):
        probe(tmp_path / "v.mp4")
