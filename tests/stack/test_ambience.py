"""An ambience video made whole by the program: one minute, two tracks, every file, and what one edited prompt costs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

from local.postgres import Postgres
from local.stack import database_home
from showrunner.media.album.format import AAC_FRAME, AAC_PRIMING, FPS
from showrunner.media.album.mp4_probe import probe
from showrunner.media.ffmpeg import input_file
from showrunner.media.loudness import measure
from tests.rigs.program import Program


@pytest.fixture(scope="module")
def showrunner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    state = tmp_path_factory.mktemp("state")
    state.chmod(0o711)
    yield Program(state)
    Postgres(database_home(state)).remove()


@pytest.fixture(scope="module")
def demo(showrunner: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ambience")
    options = ("--line", "ambience", "--minutes", "1", "--niche", "Deep Space", "--mood", "calm, mysterious")
    showrunner("demo", *options, "--out", str(folder))
    return folder


@pytest.fixture(scope="module")
def report(demo: Path) -> dict[str, object]:
    value: dict[str, object] = json.loads((demo / "report.json").read_text())
    return value


def test_it_leaves_every_file(demo: Path, report: dict[str, object]) -> None:
    assert {path.name for path in demo.iterdir()} == {
        "video.mp4", "contact-sheet.png", "chapters.txt", "thumbnail.jpg", "report.json"
    }  # fmt: skip
    assert (demo / "chapters.txt").read_text().startswith("0:00 ")
    assert report["status"] == "completed"
    assert (report["tracks"], report["jobs"], report["attempts"]) == (2, 7, 7)
    assert str(report["ffmpeg_command"]).startswith("ffmpeg ")
    assert (report["resolution"], report["measured_cost_gbp"]) == ("1920x1080", 0)


def test_the_video_is_one_minute_of_whole_frames_at_youtubes_loudness(demo: Path) -> None:
    found = probe(demo / "video.mp4")
    picture, sound = found.track("vide"), found.track("soun")
    heard = measure(input_file(demo / "video.mp4"), timeout=120, true_peak=True)

    assert abs(picture.samples - 60 * FPS) <= 1
    assert len(picture.deltas) == 1
    assert (sound.samples * AAC_FRAME - AAC_PRIMING) / 48_000 == pytest.approx(60, abs=1 / FPS)
    assert heard.integrated == pytest.approx(-14, abs=0.5)
    assert heard.true_peak <= -1
    assert found.starts_fast
    assert found.chapters == 2


def test_the_picture_changes_with_its_track(demo: Path, tmp_path: Path) -> None:
    frames = []
    for seconds in (5, 55):
        frame = tmp_path / f"{seconds}.png"
        command = [get_ffmpeg_exe(), "-v", "error", "-ss", str(seconds), "-i", str(demo / "video.mp4")]
        subprocess.run([*command, "-frames:v", "1", str(frame)], check=True)
        frames.append(np.asarray(Image.open(frame).convert("RGB"), dtype=float))

    assert frames[0].shape == (1080, 1920, 3)
    assert np.abs(frames[0] - frames[1]).mean() > 5


def test_an_edited_prompt_makes_one_picture_and_the_video_again(showrunner: Program, report: dict[str, object]) -> None:
    production = str(report["production_id"])
    edit = (
        "update public.video_jobs set prompts_json = jsonb_set(prompts_json, '{visual_prompts,1,prompt}', "
        f"'\"A snowy mountain at dawn\"') where id = '{report['video_job_id']}'"
    )

    showrunner("psql", "-c", edit)
    plan = showrunner("rebuild", production, "--dry-run")
    showrunner("rebuild", production)
    state = showrunner(
        "psql", "-At", "-c", f"select status from public.video_jobs where id = '{report['video_job_id']}'"
    )

    assert plan.count("paint_image") == 1
    assert "compose_track" not in plan
    assert "3 jobs" in plan
    assert state.strip() == "completed"


def test_what_cannot_be_made_is_refused_before_anything_starts(showrunner: Program) -> None:
    said = showrunner("demo", "--line", "ambience", "--minutes", "91", code=2)

    assert "minutes" in said
    assert "1 to 90" in said
