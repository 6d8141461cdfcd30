"""An album is joined by copying: every frame is there once, at its time, and no joint can be heard or seen."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw

from showrunner.errors import BadOutput, InvalidInput
from showrunner.media.album.audio_unit import encode_track
from showrunner.media.album.contact_sheet import Moment, contact_sheet
from showrunner.media.album.format import AAC_FRAME, FPS, FRAME_SAMPLES, GRID_SAMPLES, HEIGHT, SAMPLE_RATE, WIDTH
from showrunner.media.album.loop_unit import encode_loop
from showrunner.media.album.mp4_probe import probe
from showrunner.media.album.render import AlbumItem, _prove, render
from showrunner.media.album.timeline import lay_out
from showrunner.media.ffmpeg import _executable

COLOURS = [(200, 40, 40), (40, 180, 60), (50, 70, 210)]
CHORDS = [(220, 277.2, 329.6), (196, 246.9, 293.7), (174.6, 220, 261.6)]
SECONDS = (9.0, 8.5, 9.37)
CROSSFADE, PICTURE_FADE = 1.5, 0.4


def left():
    return 120.0


def chord(path, frequencies, seconds):
    """A quiet, smooth sound: whatever is above 4 kHz in it afterwards is a fault."""
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    sound = sum(np.sin(2 * np.pi * frequency * at + frequency) for frequency in frequencies)
    sound = sound * (0.7 + 0.3 * np.sin(2 * np.pi * 0.2 * at)) * 0.1
    write_wav(path, np.stack([sound, sound * 0.9], axis=1))
    return path


def write_wav(path, sound):
    command = [_executable(), "-v", "error", "-y", "-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", "2", "-i", "-", path]
    subprocess.run(command, input=sound.astype("<f4").tobytes(), check=True)


def decoded_sound(path):
    command = [_executable(), "-v", "error", "-i", path, "-vn", "-f", "f32le", "-ac", "2", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, "<f4").reshape(-1, 2)


def picture(path, colour, size=(WIDTH, HEIGHT)):
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).ellipse((300, 200, 900, 800), fill=tuple(255 - part for part in colour))
    image.save(path)
    return path


def mean_colour(video, seconds, tmp_path):
    frame = tmp_path / "frame.png"
    command = [_executable(), "-v", "error", "-y", "-ss", f"{seconds:.3f}", "-i", video, "-frames:v", "1", frame]
    subprocess.run(command, check=True)
    with Image.open(frame) as image:
        return np.array(image.convert("RGB"))[:100, -100:].mean(axis=(0, 1))


def above_4_khz(sound):
    spectrum = np.fft.rfft(sound, axis=0)
    spectrum[np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE) < 4000] = 0
    return np.fft.irfft(spectrum, len(sound), axis=0)


def peak_dbfs(sound):
    return 20 * np.log10(np.abs(sound).max() + 1e-9)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    items, units = [], []
    for number, (colour, frequencies, seconds) in enumerate(zip(COLOURS, CHORDS, SECONDS, strict=True)):
        audio, loop = folder / f"{number}.aac", folder / f"{number}.h264"
        source = chord(folder / f"{number}.wav", frequencies, seconds)
        units.append(encode_track(source, audio, expected_seconds=seconds, remaining=left))
        encode_loop(picture(folder / f"{number}.png", colour), loop, seconds=2, timeout=60)
        items.append(AlbumItem(f"Track {number + 1}; ünï=", audio, units[-1].samples, loop, is_still=True))
    return items, units


@pytest.fixture(scope="module")
def album(parts, tmp_path_factory):
    out = tmp_path_factory.mktemp("album") / "video.mp4"
    told = []
    made = render(
        parts[0], out, tmp_path_factory.mktemp("work"), remaining=left, on_progress=told.append,
        crossfade_seconds=CROSSFADE, picture_fade_seconds=PICTURE_FADE,
    )  # fmt: skip
    assert told == sorted(told)
    assert told[-1] == 1.0
    return out, made, lay_out([item.samples for item in parts[0]], CROSSFADE)


def test_tracks_begin_on_the_grid_and_cross_as_long_as_asked(parts):
    timeline = lay_out([item.samples for item in parts[0]], CROSSFADE)

    for (start, item), following in zip(zip(timeline.starts, parts[0], strict=True), timeline.starts[1:], strict=False):
        assert following % GRID_SAMPLES == 0
        assert 0 <= start + item.samples - following - CROSSFADE * SAMPLE_RATE < GRID_SAMPLES
    assert sum(timeline.frames_of(index) for index in range(3)) == timeline.frames


def test_a_track_that_is_too_short_is_named():
    with pytest.raises(InvalidInput, match=r"tracks: track 2 lasts 5\.0 s; with crossfades of 4 s at least 9\.3 s"):
        lay_out([60 * SAMPLE_RATE, 5 * SAMPLE_RATE], 4)


def test_tracks_have_the_albums_loudness(parts):
    for unit, seconds in zip(parts[1], SECONDS, strict=True):
        assert abs(unit.integrated_lufs + 14) <= 0.5
        assert unit.true_peak_dbtp <= -1
        assert 0 <= unit.seconds - seconds < AAC_FRAME / SAMPLE_RATE


def test_the_file_has_every_frame_once_and_starts_at_once(album):
    out, made, timeline = album
    found = probe(out)
    video, sound = found.track("vide"), found.track("soun")

    assert (video.samples, len(video.deltas), video.reorders) == (timeline.frames, 1, False)
    assert abs(video.seconds - timeline.samples / SAMPLE_RATE) <= 1 / FPS
    assert 0 <= sound.seconds - AAC_FRAME / SAMPLE_RATE - timeline.samples / SAMPLE_RATE <= 2 * AAC_FRAME / SAMPLE_RATE
    assert found.starts_fast
    assert found.chapters == 3
    assert made.starts == tuple(start / SAMPLE_RATE for start in timeline.starts)


def test_a_player_sees_the_picture_of_each_track_and_a_crossfade_between(album, tmp_path):
    out, made, _ = album

    for start, colour in zip(made.starts, COLOURS, strict=True):
        assert mean_colour(out, start + PICTURE_FADE + 0.1, tmp_path) == pytest.approx(colour, abs=6)
        assert mean_colour(out, start + 5, tmp_path) == pytest.approx(colour, abs=6)
    for (before, after), start in zip(pairwise(COLOURS), made.starts[1:], strict=True):
        half = np.mean([before, after], axis=0)
        assert mean_colour(out, start + PICTURE_FADE / 2, tmp_path) == pytest.approx(half, abs=12)
        assert mean_colour(out, start - 0.1, tmp_path) == pytest.approx(before, abs=6)


def test_the_decoder_gives_every_frame_at_its_time_without_a_complaint(album):
    out, _, timeline = album
    command = [_executable(), "-v", "warning", "-xerror", "-i", out, "-map", "0:v", "-f", "framecrc", "-"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)

    times = [int(line.split(",")[2]) for line in done.stdout.splitlines() if not line.startswith("#")]
    assert times == list(range(timeline.frames))
    assert done.stderr == ""


def test_every_browser_plays_it(album):
    """H.264 High, 8 bits, 4:2:0, BT.709 in limited range, and AAC-LC: what all of them decode."""
    out, _, _ = album
    said = subprocess.run([_executable(), "-hide_banner", "-i", out], capture_output=True, text=True).stderr

    [picture], [sound] = ([line for line in said.splitlines() if f": {kind}: " in line] for kind in ("Video", "Audio"))
    assert "Video: h264 (High) (avc1 / " in picture
    assert "yuv420p(tv, bt709, progressive), 1920x1080" in picture
    assert "25 fps, 25 tbr" in picture
    assert "Audio: aac (LC) (mp4a / " in sound
    assert "48000 Hz, stereo" in sound


@pytest.mark.parametrize(
    ("field", "difference", "said"),
    [
        ("samples", FRAME_SAMPLES, "frames in 1 rhythms"),
        ("samples", -FRAME_SAMPLES, "frames in 1 rhythms"),
        ("chapters", 1, "3 chapters instead of 4"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_no_success(album, field, difference, said):
    out, _, timeline = album
    chapters = 3 + (difference if field == "chapters" else 0)
    asked = replace(timeline, samples=timeline.samples + (difference if field == "samples" else 0))

    with pytest.raises(BadOutput, match=said):
        _prove(out, asked, chapters)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-movflags", "0"], "starts slowly"),
        (["-bsf:v", "setts=pts=N*512+if(gt(N\\,100)\\,512\\,0):dts=N*512+if(gt(N\\,100)\\,512\\,0)"], "in 3 rhythms"),
        (["-map_chapters", "-1"], "0 chapters"),
    ],
)
def test_a_file_that_was_written_otherwise_is_no_success(album, tmp_path, arguments, said):
    out, _, timeline = album
    other = tmp_path / "other.mp4"
    command = [_executable(), "-v", "error", "-i", out, "-map", "0:v", "-map", "0:a", "-c", "copy"]
    subprocess.run([*command, "-movflags", "+faststart", *arguments, other], check=True)

    with pytest.raises(BadOutput, match=said):
        _prove(other, timeline, 3)


def test_a_drifting_picture_goes_on_through_the_joints(parts, tmp_path):
    """The frame before a joint, its first and last frame and the one behind it follow each other."""
    image = Image.linear_gradient("L").resize((WIDTH, HEIGHT)).convert("RGB")
    ImageDraw.Draw(image).rectangle((100, 100, 400, 300), fill=(250, 250, 250))
    image.save(tmp_path / "i.png")
    encode_loop(tmp_path / "i.png", tmp_path / "loop", motion="drift", seconds=4.8, timeout=300)
    items = [changed(item, loop=tmp_path / "loop", is_still=False) for item in parts[0][:2]]

    made = render_again(items, tmp_path, picture_fade_seconds=PICTURE_FADE)

    first = round(made.starts[1] * FPS)
    fade = round(PICTURE_FADE * FPS)
    shown = gray_frames(tmp_path / "video.mp4", first - 2, fade + 4)
    assert len(shown) == fade + 4
    steps = [np.abs(one - other).mean() for one, other in pairwise(shown)]
    # Within the crossfade two places of the drift are mixed, which changes more than the drift itself.
    assert max(steps) < 1.0
    alone = gray_frames(tmp_path / "video.mp4", 0, made.frames)
    assert np.abs(alone[0] - alone[60]).mean() > 2 * max(steps), "the picture moves"


def gray_frames(video, first, count):
    choose = f"trim=start_frame={first}:end_frame={first + count},scale=480:270"
    command = [_executable(), "-v", "error", "-i", video, "-vf", choose, "-an", "-fps_mode", "passthrough"]
    command += ["-pix_fmt", "gray", "-f", "rawvideo", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, 270, 480).astype(float)


def test_no_joint_clicks(album):
    out, _, timeline = album
    sound = decoded_sound(out)

    assert 0 <= len(sound) - timeline.samples < 2 * AAC_FRAME
    inside = above_4_khz(sound)[SAMPLE_RATE // 2 : timeline.samples - SAMPLE_RATE // 2]
    assert peak_dbfs(inside) < -50
    assert peak_dbfs(sound) > -20, "there is music"


def test_a_hard_cut_between_two_tracks_does_click(parts):
    """The measure of the test above can fail."""
    first, second = (decoded_sound(item.audio)[: 5 * SAMPLE_RATE] for item in parts[0][:2])

    sound = above_4_khz(np.concatenate([first, second]))

    assert peak_dbfs(sound[SAMPLE_RATE:-SAMPLE_RATE]) > -50


def test_what_is_copied_is_the_tracks_own_sound(parts, album):
    """Away from the joints, the samples are those of the track, to the bit."""
    out, _, timeline = album
    sound = decoded_sound(out)
    for item, start in zip(parts[0], timeline.starts, strict=True):
        track = decoded_sound(item.audio)[AAC_FRAME:]
        middle = slice(3 * SAMPLE_RATE, 5 * SAMPLE_RATE)
        assert np.array_equal(sound[start:][middle], track[middle])


def test_sound_and_picture_are_together(album):
    """Each track begins with the first frame of its picture's crossfade."""
    _, _, timeline = album

    assert all(start % FRAME_SAMPLES == 0 for start in timeline.starts)


def test_a_contact_sheet_shows_each_track(album, tmp_path):
    out, made, _ = album
    page = tmp_path / "sheet.png"

    moments = [Moment(f"Track {number}", start + PICTURE_FADE) for number, start in enumerate(made.starts, start=1)]
    contact_sheet(out, moments, page, remaining=left)

    with Image.open(page) as sheet:
        pixels = np.array(sheet)
        assert sheet.size == (3 * 492 + 12, 312 + 12)
    for number, colour in enumerate(COLOURS):
        assert pixels[20, 12 + 492 * number + 470] == pytest.approx(colour, abs=8)


# --- what does not fit ------------------------------------------------------------------------------------------------


def render_again(items, tmp_path, **options):
    work = tmp_path / "work"
    work.mkdir()
    arguments = {"remaining": left, "on_progress": lambda share: None, "crossfade_seconds": CROSSFADE, **options}
    return render(items, tmp_path / "video.mp4", work, **arguments)


def changed(item, **fields):
    return AlbumItem(**{name: getattr(item, name) for name in AlbumItem.__slots__} | fields)


def test_a_track_of_another_length_than_stated_is_named(parts, tmp_path):
    items = [parts[0][0], changed(parts[0][1], samples=parts[0][1].samples + SAMPLE_RATE)]

    with pytest.raises(BadOutput, match=r"The track “Track 2; ünï=” has 8\.51 s of sound instead of 9\.51"):
        render_again(items, tmp_path)


def test_a_part_that_is_cut_off_is_refused(parts, tmp_path):
    cut = tmp_path / "cut.aac"
    cut.write_bytes(parts[0][1].audio.read_bytes()[:-10])

    with pytest.raises(BadOutput, match="cut off"):
        render_again([parts[0][0], changed(parts[0][1], audio=cut)], tmp_path)


def test_pictures_that_were_encoded_in_another_way_are_refused(parts, tmp_path):
    other = tmp_path / "other.h264"
    command = [_executable(), "-v", "error", "-y", "-i", picture(tmp_path / "x.png", COLOURS[0]), "-vf",
               "loop=loop=-1:size=1,format=yuv420p", "-c:v", "libx264", "-bf", "0", "-r", "25", "-frames:v", "50",
               other]  # fmt: skip
    subprocess.run(command, check=True)

    with pytest.raises(BadOutput, match="encoded in different ways"):
        render_again([parts[0][0], changed(parts[0][1], loop=other)], tmp_path)


def test_stopping_leaves_no_ffmpeg(parts, tmp_path):
    class Stopped(Exception):
        pass

    def stop(share):
        raise Stopped

    with pytest.raises(Stopped):
        render_again(parts[0], tmp_path, on_progress=stop)


def test_one_track_alone_is_an_album(parts, tmp_path):
    made = render_again(parts[0][:1], tmp_path)

    assert made.frames == -(-parts[0][0].samples // FRAME_SAMPLES)
