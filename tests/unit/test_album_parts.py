"""The parts of an album: pictures that loop without a seam, tracks that fit, and files that are not what they say."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from PIL import Image

from showrunner.errors import BadOutput
from showrunner.media.album import audio_unit
from showrunner.media.album.audio_unit import encode_track
from showrunner.media.album.format import FPS, HEIGHT, SAMPLE_RATE, WIDTH
from showrunner.media.album.h264 import read_stream, stands_alone
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


def test_a_still_picture_comes_to_rest_and_costs_nothing_more(tmp_path):
    """Without an end to coding it again, a few blocks would tremble between two values for ever."""
    noise = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    Image.fromarray(noise // 3 + np.asarray(Image.open(gradient(tmp_path / "i.png"))) // 2).save(tmp_path / "i.png")
    out = tmp_path / "loop.h264"

    encode_loop(tmp_path / "i.png", out, seconds=3, timeout=120)

    command = [_executable(), "-v", "error", "-f", "h264", "-i", out, "-f", "framemd5", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    sums = [line.rpartition(",")[2] for line in said.splitlines() if not line.startswith("#")]
    frames = read_stream(out.read_bytes()).frames
    assert len(sums) == len(frames) == 3 * FPS
    assert len(set(sums[:16])) > 1
    assert len(set(sums[16:])) == 1
    assert max(map(len, frames[17:])) < 100
    assert frames[16:32] == frames[32:48]


@pytest.mark.parametrize("frames", [1, 12, 16, 17, 32, 33])
def test_a_still_loop_may_be_of_any_length(tmp_path, frames):
    unit = encode_loop(gradient(tmp_path / "i.png"), tmp_path / "loop", seconds=frames / FPS, timeout=60)

    assert unit.frames == frames
    assert len(frames_of(tmp_path / "loop")) == frames


def test_a_drift_has_a_frame_that_stands_alone_every_four_seconds(tmp_path):
    encode_loop(gradient(tmp_path / "i.png"), tmp_path / "loop", motion="drift", seconds=4.8, timeout=300)

    frames = read_stream((tmp_path / "loop").read_bytes()).frames

    assert [index for index, frame in enumerate(frames) if stands_alone(frame)] == [0, 100]


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


@pytest.fixture
def filters(monkeypatch):
    """The filters of each encoding."""
    asked = []
    run = audio_unit.run_ffmpeg

    def noted(arguments, **options):
        asked.append(arguments[arguments.index("-af") + 1])
        return run(arguments, **options)

    monkeypatch.setattr(audio_unit, "run_ffmpeg", noted)
    return asked


def test_a_track_with_room_is_made_louder_and_nothing_else(tmp_path, filters):
    chord(tmp_path / "t.wav", (220, 277.2, 329.6), 8)

    encode_track(tmp_path / "t.wav", tmp_path / "t.aac", expected_seconds=8, remaining=left)

    assert len(filters) == 1
    assert "alimiter" not in filters[0]


def test_peaks_between_the_samples_are_heard_and_limited_in_a_second_take(tmp_path, filters):
    random = np.random.default_rng(3)
    at = np.arange(8 * SAMPLE_RATE)
    # A quarter of the sampling rate, sampled beside its peaks: they are 3 dB above the samples.
    burst = np.sin(np.pi / 2 * at + np.pi / 4)[:, None] * 0.9
    noise = random.standard_normal((len(at), 2)).clip(-2, 2) * 0.1
    sound = np.where((at % SAMPLE_RATE < 100)[:, None], burst, noise)
    write_wav(tmp_path / "t.wav", sound * 0.3)

    unit = encode_track(tmp_path / "t.wav", tmp_path / "t.aac", expected_seconds=8, remaining=left)

    assert ["alimiter" in each for each in filters][:2] == [False, True]
    assert abs(unit.integrated_lufs + 14) <= 0.5
    assert unit.true_peak_dbtp <= -1


@pytest.fixture
def ffmpeg_without(tmp_path, monkeypatch):
    """An ffmpeg that lacks an encoder."""

    def without(name):
        program = tmp_path / "ffmpeg"
        program.write_text(f'#!/bin/bash\nexec "{_executable()}" "${{@/#{name}/missing_{name}}}"\n')
        program.chmod(0o755)
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))

    return without


def test_an_ffmpeg_without_the_encoder_of_pictures_says_so(tmp_path, ffmpeg_without):
    gradient(tmp_path / "i.png")
    ffmpeg_without("libx264")

    with pytest.raises(FfmpegFailed, match="Unknown encoder 'missing_libx264'"):
        encode_loop(tmp_path / "i.png", tmp_path / "o.h264", seconds=1, timeout=60)


def test_an_ffmpeg_without_the_encoder_of_sound_says_so(tmp_path, ffmpeg_without):
    chord(tmp_path / "t.wav", (220,), 8)
    ffmpeg_without("aac")

    with pytest.raises(FfmpegFailed, match="Unknown encoder 'missing_aac'"):
        encode_track(tmp_path / "t.wav", tmp_path / "t.aac", expected_seconds=8, remaining=left)


@pytest.mark.parametrize(
    "content", [b"", b"\0\0\0\x08ftyp", b"\0\0\0\x10ftypisom\0\0\0\0\0\0\xff\xffmoov", b"\0\0\0\x08moov\0\0\0\x08mdat"]
)
def test_what_is_no_mp4_is_refused(tmp_path, content):
    (tmp_path / "v.mp4").write_bytes(content)

    with pytest.raises(BadOutput):
        probe(tmp_path / "v.mp4")
