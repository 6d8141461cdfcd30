"""What YouTube takes: chapters, description, tags, thumbnail."""

from __future__ import annotations

import io
import re
import subprocess
from uuid import UUID

import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

from export_video import ExportVideoInput, run
from showrunner.errors import BadOutput
from youtube import chapter_text, description_of, marks_of, tags_of, title_of

HOUR = 3600.0


def seconds_of(line):
    parts = [int(part) for part in line.split()[0].split(":")]
    return sum(part * 60**power for power, part in enumerate(reversed(parts)))


def test_chapters_begin_at_zero_ascend_and_last_ten_seconds():
    starts = [0.0, 4.0, 12.4, 20.0, 31.9, 170.5, 3590.0, 3596.0]

    marks = marks_of([(start, f"At {start}") for start in reversed(starts)], HOUR)

    times = [seconds_of(line) for line in chapter_text(marks, HOUR).splitlines()]
    assert times[0] == 0
    assert all(later - earlier >= 10 for earlier, later in zip(times, [*times[1:], HOUR], strict=True))
    assert times == [0, 12, 31, 170, 3590]


def test_the_first_chapter_is_at_zero_wherever_the_first_track_begins():
    assert chapter_text(marks_of([(0.32, "A"), (30, "B"), (60, "C")], 90), 90) == "0:00 A\n0:30 B\n1:00 C\n"


def test_times_of_a_video_of_an_hour_have_hours():
    text = chapter_text(marks_of([(0, "A"), (61, "B"), (3661.9, "C")], 3700), 3700)

    assert text == "0:00:00 A\n0:01:01 B\n1:01:01 C\n"


def test_fewer_than_three_chapters_stay_out_of_the_description():
    two = marks_of([(0, "A"), (30, "B")], 60)
    three = marks_of([(0, "A"), (30, "B"), (45, "C")], 60)

    assert description_of("Text.", two, 60, is_synthetic=False) == "Text."
    assert description_of("Text.", three, 60, is_synthetic=False) == "Text.\n\n0:00 A\n0:30 B\n0:45 C"


def test_a_description_says_that_it_is_synthetic_and_fits_five_thousand_bytes():
    marks = marks_of([(start, "Títle " * 15) for start in range(0, 3600, 180)], HOUR)

    text = description_of("ü<b>" * 4000, marks, HOUR, is_synthetic=True)

    assert len(text.encode()) <= 5000
    assert text.endswith("Music and pictures of this video are synthetic.")
    assert "0:57:00" in text
    assert not re.search("[<>]", text)


def test_a_title_is_cut_to_a_hundred_characters_and_never_empty():
    assert title_of("x" * 300, "") == "x" * 100
    assert title_of(" <> ", "Deep  Space") == "Deep Space"


def test_tags_together_have_at_most_five_hundred_characters_each_once():
    tags = tags_of(["Rain", "rain", 'a "b", c', *(f"number {number}" for number in range(100))])

    assert tags[:3] == ["Rain", "a b c", "number 0"]
    assert sum(len(tag) + (3 if " " in tag else 1) for tag in tags) <= 500
    assert len(tags) > 30


# --- the stage --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Two colours, one after the other: 12 s each."""
    path = tmp_path_factory.mktemp("video") / "video.mp4"
    sources = [f"color=c={colour}:s=1920x1080:r=5:d=12" for colour in ("0x204080", "0x902030")]
    command = [get_ffmpeg_exe(), "-v", "error", *(part for one in sources for part in ("-f", "lavfi", "-i", one))]
    subprocess.run([*command, "-filter_complex", "[0][1]concat", "-preset", "ultrafast", path], check=True)
    return path.read_bytes()


def asked(**changed):
    value = {
        "video_job_id": str(UUID(int=4)), "channel": "Quiet Rooms", "niche": "Royal Court", "mood": "calm, bright",
        "title": "A Quiet Court with a title that needs more than one line to be read", "description": "Rest.",
        "tags": ["court"], "is_synthetic_media": True, "picture_fade_seconds": 1.0,
        "rendered": {
            "video": {"id": str(UUID(int=5)), "key": "the/video", "sha256": "a" * 64}, "seconds": 24.0, "frames": 600,
            "integrated_lufs": -14.0, "true_peak_dbtp": -1.2,
            "chapters": [{"order": n + 1, "title": f"Part {n}", "seconds": 12.0 * n} for n in range(2)],
        },
        **changed,
    }  # fmt: skip
    return ExportVideoInput.model_validate(value)


@pytest.fixture
def exported(make_job, services, media_store, video):
    def work(**changed):
        media_store.put("the/video", video, "video/mp4")
        return run(make_job(asked(**changed)), services)

    return work


def picture(media_store, reference):
    return Image.open(io.BytesIO(media_store.files[reference.key])).convert("RGB")


def test_the_thumbnail_is_a_jpeg_of_the_size_that_youtube_wants(exported, media_store):
    output = exported().output

    body = media_store.files[output.thumbnail.key]
    assert Image.open(io.BytesIO(body)).format == "JPEG"
    assert Image.open(io.BytesIO(body)).size == (1280, 720)
    assert len(body) < 2_000_000
    # The picture above; the title in bright letters below.
    assert picture(media_store, output.thumbnail).getpixel((640, 40)) == pytest.approx((32, 64, 128), abs=12)
    lower = picture(media_store, output.thumbnail).crop((0, 500, 1280, 720))
    assert max(level for level, count in enumerate(lower.convert("L").histogram()) if count) > 220


def test_the_contact_sheet_has_a_frame_of_each_track(exported, media_store):
    sheet = picture(media_store, exported().output.contact_sheet)

    assert sheet.getpixel((200, 100)) == pytest.approx((32, 64, 128), abs=12)
    assert sheet.getpixel((700, 100)) == pytest.approx((144, 32, 48), abs=12)


def test_the_video_gets_its_export_with_the_job(exported, media_store):
    outcome = exported()

    written = outcome.statements[-1].params
    assert written["export"].obj == {
        "title": asked().title, "description": outcome.output.description,
        "tags": ["court", "Royal Court", "calm", "bright"], "contains_synthetic_media": True,
    }  # fmt: skip
    assert media_store.files[outcome.output.chapters.key].decode() == "0:00 Part 0\n0:12 Part 1\n"


def test_a_moment_beyond_the_video_is_a_failure_and_no_file_is_stored(exported, media_store):
    late = asked().rendered.model_dump() | {
        "chapters": [{"order": 1, "title": "A", "seconds": 0.0}, {"order": 2, "title": "B", "seconds": 500.0}],
        "seconds": 600.0,
    }

    with pytest.raises(BadOutput, match="no picture at 501"):
        exported(rendered=late)
    assert set(media_store.files) == {"the/video"}
