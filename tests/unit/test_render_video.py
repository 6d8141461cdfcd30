"""The render as a job: what it leaves in rows and on the disk, however it ends."""

from __future__ import annotations

import errno
import hashlib
import subprocess
import tempfile
import uuid
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

import render_video
from render_video import RenderItem, RenderVideoInput, programme_loudness, run
from showrunner.errors import BadOutput, InvalidInput, Transient
from showrunner.media.album.audio_unit import encode_track
from showrunner.media.album.format import SAMPLE_RATE
from showrunner.media.album.loop_unit import encode_loop
from showrunner.media.ffmpeg import FfmpegFailed
from showrunner.media_store import ObjectMissing
from showrunner.stage import StopWork

SECONDS = 8.0


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """(audio, loop) of two tracks, as compose_track and paint_image store them, and the units' figures."""
    folder = tmp_path_factory.mktemp("parts")
    made = []
    for number, pitch in enumerate((220.0, 330.0)):
        at = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
        sound = (0.1 * np.sin(2 * np.pi * pitch * at)).astype("<f4").repeat(2)
        command = [get_ffmpeg_exe(), "-v", "error", "-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", "2", "-i", "-"]
        subprocess.run([*command, folder / f"{number}.wav"], input=sound.tobytes(), check=True)
        Image.new("RGB", (1920, 1080), (200 * number, 80, 120)).save(folder / f"{number}.png")
        audio, loop = folder / f"{number}.aac", folder / f"{number}.h264"
        unit = encode_track(folder / f"{number}.wav", audio, expected_seconds=SECONDS, remaining=lambda: 60.0)
        picture = encode_loop(folder / f"{number}.png", loop, seconds=2, timeout=60)
        made.append((audio.read_bytes(), loop.read_bytes(), unit, picture))
    return made


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """Where the job's temporary files go: empty again when the job has ended, however it ended."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def job(make_job, media_store, parts):
    """A job of two tracks whose files are stored; `job.written` lists the rows that it wrote while it worked."""
    items = []
    for number, (audio, loop, unit, picture) in enumerate(parts):
        references = {}
        for name, body in (("audio", audio), ("loop", loop)):
            key = f"{name}/{number}"
            media_store.put(key, body, "application/octet-stream")
            digest = hashlib.sha256(body).hexdigest()
            references[name] = {"id": uuid.uuid4(), "key": key, "sha256": digest}
        items.append({
            "order": number + 1, "title": f"Part {number + 1}", **references, "samples": unit.samples,
            "integrated_lufs": unit.integrated_lufs, "true_peak_dbtp": unit.true_peak_dbtp, "frames": picture.frames,
            "motion": "still",
        })  # fmt: skip
    value = {"title": "Two", "items": items, "crossfade_seconds": 1.5, "picture_fade_seconds": 0.4}
    made = make_job(RenderVideoInput.model_validate(value))
    made.written = []

    def write(job_id, attempt, statements):
        made.written += [(" ".join(one.sql.split()), dict(one.params)) for one in statements]
        return not made.pulse.stopped

    made.engine = SimpleNamespace(write=write)
    return made


def verbs(job):
    return ["begun" if "in_progress'" in sql and "insert" in sql else "failed" for sql, _ in job.written]


def test_the_video_is_stored_with_its_command_and_its_figures(job, services, media_store):
    outcome = run(job, services)

    output = outcome.output
    video = media_store.files[output.video.key]
    assert media_store.content_types[output.video.key] == "video/mp4"
    assert b"ftyp" in video[:16]
    assert output.seconds == pytest.approx(2 * SECONDS - 1.5, abs=0.4)
    assert [(chapter.title, chapter.seconds > 0) for chapter in output.chapters] == [
        ("Part 1", False),
        ("Part 2", True),
    ]
    assert output.integrated_lufs == pytest.approx(-14, abs=0.5)
    assert output.true_peak_dbtp <= -1
    assert verbs(job) == ["begun"]
    done = outcome.statements[1].params
    assert done["command"].startswith("ffmpeg ")
    assert done["command"].endswith("video.mp4")
    assert done["id"] == job.written[0][1]["id"]
    assert done["asset_id"] == output.video.id


def test_equal_work_gives_an_equal_output(job, services):
    assert run(job, services).output == run(job, services).output


def test_the_loudness_of_the_whole_is_its_tracks_power():
    def item(lufs, samples):
        reference = {"id": uuid.uuid4(), "key": "x", "sha256": "x"}
        return RenderItem(
            order=1, title="x", audio=reference, samples=samples, integrated_lufs=lufs, true_peak_dbtp=-1,
            loop=reference, frames=1, motion="still",
        )  # fmt: skip

    assert programme_loudness([item(-14.0, 10), item(-14.0, 500)]) == -14.0
    assert programme_loudness([item(-10.0, 100), item(-20.0, 100)]) == -12.6


# --- what goes wrong --------------------------------------------------------------------------------------------------


def failed_with(job, services, kind, match):
    with pytest.raises(kind, match=match) as caught:
        run(job, services)
    assert verbs(job) == ["begun", "failed"]
    assert job.written[-1][1]["message"] == caught.value.message
    return caught.value


def test_a_part_that_is_missing_is_named(job, services, media_store):
    del media_store.files["loop/1"]

    failed_with(job, services, ObjectMissing, "loop/1 is missing")


def test_a_part_that_is_another_than_was_made_is_named(job, services, media_store):
    media_store.files["audio/0"] += b"more"

    failed_with(job, services, BadOutput, "audio/0 is not the one that was made")


def test_a_track_of_another_length_than_stated_is_named(job, services):
    longer = job.input.items[1].model_copy(update={"samples": job.input.items[1].samples + SAMPLE_RATE})
    job.input = job.input.model_copy(update={"items": (job.input.items[0], longer)})

    failed_with(job, services, BadOutput, "The track “Part 2” has")


def test_a_video_without_tracks_is_refused(job, services):
    job.input = job.input.model_copy(update={"items": ()})

    failed_with(job, services, InvalidInput, "items: a video needs at least one track")


def test_a_full_disk_is_tried_again(job, services, media_store, monkeypatch):
    def download(key, path):
        path.write_bytes(b"some")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(media_store, "download", download)

    failed_with(job, services, Transient, "temporary disk is full")


def test_a_disk_that_ffmpeg_finds_full_is_tried_again(job, services, monkeypatch):
    def full(*arguments, **options):
        raise FfmpegFailed(
            "Audio processing failed: Conversion failed!", "av_interleaved_write_frame(): No space left on device"
        )

    monkeypatch.setattr(render_video, "render", full)

    failed_with(job, services, Transient, "temporary disk is full")


def test_joints_that_are_too_loud_are_refused(job, services, monkeypatch):
    monkeypatch.setattr(render_video, "measure", lambda *arguments, **options: SimpleNamespace(true_peak=-0.4))

    failed_with(job, services, BadOutput, r"peaks at -0\.4 dBTP")


def test_a_bug_is_noted_without_its_words(job, services, monkeypatch):
    def broken(*arguments, **options):
        raise KeyError("secret")

    monkeypatch.setattr(render_video, "render", broken)

    with pytest.raises(KeyError):
        run(job, services)

    assert job.written[-1][1]["message"] == "An internal error stopped the render."


def test_no_time_left_is_tried_again(job, services):
    job.deadline = 0.0

    failed_with(job, services, Transient, "time for rendering ran out")


def test_a_cancelled_render_stops_and_stores_nothing(job, services, media_store):
    stored = set(media_store.files)
    job.progress = lambda share: setattr(job.pulse, "stopped", share > 0.3)

    with pytest.raises(StopWork):
        run(job, services)

    assert set(media_store.files) == stored
    assert verbs(job) == ["begun"]


def test_a_render_that_is_not_wanted_does_not_begin(job, services):
    job.pulse.stopped = True

    with pytest.raises(StopWork):
        run(job, services)


def test_the_files_of_each_attempt_are_its_own(job, services):
    run(job, services)
    first = job.written[0][1]["id"]
    job.attempt += 1
    run(job, services)

    assert job.written[1][1]["id"] != first
    assert Path(tempfile.gettempdir()).exists()
