"""The benchmark of the render counts what it says: children too, and an hour of what was measured."""

from __future__ import annotations

import sys

import pytest

from benchmarks.render.__main__ import Row, table
from benchmarks.render.meter import ProgramFailed, Taken, run
from benchmarks.render.peers import VARIANTS, Piece, plain_ffmpeg

BUSY = """
import os, pathlib, subprocess, sys, time
pathlib.Path(os.environ["TMPDIR"], "file").write_bytes(bytes(1_000_000))
work = "import time\\nwhile time.process_time() < 0.3: pass\\nheld = bytearray(80_000_000)\\ntime.sleep(0.5)"
subprocess.run([sys.executable, "-c", work], check=True)
"""


def test_what_a_child_takes_is_counted(tmp_path):
    taken = run([sys.executable, "-c", BUSY], tmp_path / "temporary")

    assert taken.cpu >= 0.3
    assert taken.wall >= 0.5
    assert taken.memory >= 80_000_000
    assert 1_000_000 <= taken.disk < 1_100_000


def test_a_program_that_fails_is_no_measure(tmp_path):
    with pytest.raises(ProgramFailed, match="ended with 3"):
        run([sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "temporary")


def test_a_piece_is_extrapolated_to_the_hour_and_compared_with_the_whole_line():
    rows = [
        Row("ours: the whole line", Taken(60.0, 100.0, 2_000_000, 0), 3600.0, 5_000_000),
        Row("ours: 90 minutes", Taken(60.0, 30.0, 2_000_000, 0), 5400.0, 5_000_000),
        Row("a peer", Taken(60.0, 50.0, 2_000_000, 0), 180.0, 5_000_000),
    ]

    cells = {line.split("|")[1].strip(): line.split("|")[5:7] for line in table(rows).splitlines()[2:]}

    assert {name: [cell.strip() for cell in found] for name, found in cells.items()} == {
        "ours: the whole line": ["100", "1.00"],
        "ours: 90 minutes": ["20", "0.20"],
        "a peer": ["1,000", "10.00"],
    }


def test_plain_ffmpeg_fades_where_tracks_meet_and_has_chapters(tmp_path):
    piece = Piece([tmp_path / "0.jpg", tmp_path / "1.jpg"], [tmp_path / "0.wav", tmp_path / "1.wav"], 92.0)

    command = " ".join(plain_ffmpeg(piece, VARIANTS["plain ffmpeg"], tmp_path / "chapters", tmp_path / "o.mp4"))

    assert piece.seconds == 180.0
    assert "xfade=transition=fade:duration=1.0:offset=88.000" in command
    assert "acrossfade=d=4.0" in command
    assert "-preset medium" in command
    assert (tmp_path / "chapters").read_text().count("[CHAPTER]") == 2
