"""Temporary files are gone when a job ends, and when it was killed before it could end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from showrunner.errors import Transient
from showrunner.media.album.loop_unit import encode_loop
from showrunner.scratch import scratch_folder

PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def disk(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def ended_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def leave(disk, name):
    (disk / name).mkdir()
    (disk / name / "large").write_bytes(b"x")


def test_a_folder_is_gone_when_its_job_fails(disk):
    with pytest.raises(ValueError, match="broken"), scratch_folder("video") as folder:
        (folder / "part").write_bytes(b"x")
        raise ValueError("broken")

    assert list(disk.iterdir()) == []


def test_what_a_killed_process_left_is_removed(disk, ended_process):
    leave(disk, f"video-{ended_process}-abc")
    leave(disk, f"video-{os.getpid()}-abc")

    with scratch_folder("video") as folder:
        assert list(disk.iterdir()) == [folder]


def test_what_a_running_process_has_stays(disk, ended_process):
    others = [f"video-{os.getppid()}-abc", f"export-{ended_process}-abc", "video-of-mine", "video-1x-abc"]
    for name in others:
        leave(disk, name)

    with scratch_folder("video"):
        pass

    assert sorted(path.name for path in disk.iterdir()) == sorted(others)


def test_a_full_disk_is_tried_again():
    with pytest.raises(Transient, match="temporary disk is full"), scratch_folder("video") as folder:
        (folder / "large").symlink_to("/dev/full")
        (folder / "large").write_bytes(b"x")


def test_a_disk_that_ffmpeg_finds_full_is_tried_again(disk):
    with pytest.raises(Transient, match="temporary disk is full"), scratch_folder("loop") as folder:
        Image.linear_gradient("L").resize((1920, 1080)).save(folder / "i.png")
        (folder / "o.h264").symlink_to("/dev/full")
        encode_loop(folder / "i.png", folder / "o.h264", seconds=1, timeout=60)

    assert list(disk.iterdir()) == []


def test_another_fault_stays_what_it_is():
    with pytest.raises(FileNotFoundError), scratch_folder("video") as folder:
        (folder / "nothing").read_bytes()


def test_no_function_keeps_temporary_files_in_a_way_of_its_own():
    code = [path for folder in ("functions", "layers/common") for path in (PROJECT / folder).rglob("*.py")]

    others = [
        str(path.relative_to(PROJECT))
        for path in code
        if re.search(r"\b(TemporaryDirectory|NamedTemporaryFile|mkdtemp|mkstemp)\b", path.read_text())
    ]

    assert others == ["layers/common/showrunner/scratch.py"]
