"""A clip is cut where speech pauses, is as loud as its episode, and says what it is."""

import io
import itertools
import math
import re
import subprocess
from array import array
from pathlib import Path
from uuid import UUID

import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from mutagen.mp3 import MP3

from cut_highlight import CutHighlightInput, run
from cutting import BREATH_SECONDS, Edge, edges_of
from showrunner.errors import InvalidInput
from showrunner.media.ffmpeg import input_file
from showrunner.media.loudness import measure
from showrunner.media.mastering import SAMPLE_RATE, Mix, Target, master
from showrunner.stage import StopWork

PITCHES = (300, 500, 700, 900)
LINE_SECONDS, PAUSE_SECONDS = 4.0, 0.6
WHOLE_SECONDS = len(PITCHES) * (LINE_SECONDS + PAUSE_SECONDS)


def line(number):
    start = number * (LINE_SECONDS + PAUSE_SECONDS)
    return {
        "speaker": "Ada" if number % 2 == 0 else "Ben",
        "text": f"This is line {number}.",
        "start_seconds": start,
        "end_seconds": start + LINE_SECONDS,
    }


LINES = [line(number) for number in range(len(PITCHES))]


def spoken(pitch):
    """Syllables of a quarter second with short gaps, which a limiter and a meter treat like speech."""
    for step in range(round(LINE_SECONDS * SAMPLE_RATE)):
        within = step % (SAMPLE_RATE // 4)
        envelope = 0.0 if within < SAMPLE_RATE // 20 else 0.5
        yield round(20_000 * envelope * math.sin(2 * math.pi * pitch * step / SAMPLE_RATE))


@pytest.fixture(scope="module")
def episode(tmp_path_factory):
    """An MP3 as master_episode makes it: four lines, each of a pitch of its own."""
    folder = tmp_path_factory.mktemp("episode")
    samples = array("h")
    for pitch in PITCHES:
        samples.extend(spoken(pitch))
        samples.extend([0] * round(PAUSE_SECONDS * SAMPLE_RATE))
    (folder / "mix.pcm").write_bytes(samples.tobytes())
    mix = Mix(folder / "mix.pcm", SAMPLE_RATE, len(samples))
    master(mix, 1.0, Target(), folder / "episode.mp3", lambda: 60.0, lambda share: None)
    return (folder / "episode.mp3").read_bytes()


@pytest.fixture
def clip(make_job, services, media_store, episode, tmp_path):
    """clip(start, end): the outcome, and the path of the clip."""

    def work(start, end, **changed):
        media_store.put("the/episode", episode, "audio/mpeg")
        value = CutHighlightInput.model_validate(
            {
                "highlight_id": UUID(int=4),
                "audio": {"id": UUID(int=3), "key": "the/episode", "sha256": "a" * 64},
                "audio_seconds": WHOLE_SECONDS,
                "show": "Small Wonders",
                "author": "Ada & Ben",
                "title": "Tides",
                "quote": "What was marked.",
                "start_seconds": start,
                "end_seconds": end,
                "lines": LINES,
                **changed,
            }
        )
        outcome = run(make_job(value), services)
        path = tmp_path / "clip.mp3"
        path.write_bytes(media_store.files[outcome.output.audio.key])
        return outcome, path

    return work


def loudest_pitch(path: Path, start: float, seconds: float) -> float:
    """Count zero crossings of a stretch of a file."""
    command = [get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-ss", str(start), "-t", str(seconds)]
    raw = subprocess.run([*command, "-ac", "1", "-ar", "44100", "-f", "s16le", "-"], capture_output=True, check=True)
    samples = array("h", raw.stdout)
    voiced = [one for one in samples if abs(one) > 500]
    crossings = sum(1 for one, two in itertools.pairwise(voiced) if (one < 0) != (two < 0))
    return crossings / 2 / (len(samples) / 44_100)


def test_a_line_becomes_a_clip_of_its_length_at_the_episodes_loudness(clip):
    outcome, path = clip(LINES[1]["start_seconds"], LINES[1]["end_seconds"])

    measured = measure(input_file(path), timeout=30, true_peak=True)
    assert measured.seconds == pytest.approx(LINE_SECONDS + 2 * BREATH_SECONDS, abs=0.06)
    assert outcome.output.duration_seconds == pytest.approx(measured.seconds, abs=0.06)
    assert measured.integrated == pytest.approx(-16, abs=0.5)
    assert measured.true_peak <= -1
    assert outcome.output.integrated_lufs == measured.integrated


def test_the_clip_holds_that_line_and_nothing_of_its_neighbours(clip):
    _, path = clip(LINES[1]["start_seconds"], LINES[1]["end_seconds"])

    heard = loudest_pitch(path, 0.0, 10.0)

    # The gaps between the syllables take a fifth, the breaths a tenth.
    assert 0.65 * PITCHES[1] < heard < PITCHES[1]


def test_its_edges_are_silent_so_that_nothing_clicks(clip):
    _, path = clip(LINES[1]["start_seconds"] + 1.0, LINES[2]["end_seconds"] - 1.0)

    command = [get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-ac", "1", "-f", "s16le", "-"]
    samples = array("h", subprocess.run(command, capture_output=True, check=True).stdout)
    edge = SAMPLE_RATE // 200
    assert max(map(abs, samples[:edge])) < 1500
    assert max(map(abs, samples[-edge:])) < 1500


def test_a_mark_inside_a_line_is_cut_in_a_gap_between_words(clip):
    start = LINES[1]["start_seconds"] + 1.13

    outcome, _ = clip(start, LINES[2]["end_seconds"])

    assert abs(outcome.output.start_seconds - start) <= 0.5
    # A gap is in the first twentieth of each quarter of a second; the middle of the quietest moment lies in it.
    within = (outcome.output.start_seconds - LINES[1]["start_seconds"]) % 0.25
    assert min(within, 0.25 - within) <= 0.06


def test_the_words_of_the_clip_are_those_of_the_lines_that_are_heard(clip):
    outcome, _ = clip(LINES[1]["start_seconds"], LINES[2]["end_seconds"])

    finish = outcome.statements[-1]
    assert finish.params["text"] == "Ben: This is line 1.\nAda: This is line 2."
    assert finish.params["asset"] == outcome.output.audio.id


def test_a_passage_within_a_line_has_the_words_that_were_marked(clip):
    start = LINES[1]["start_seconds"] + 0.5

    outcome, _ = clip(start, start + 1.2, lines=[])

    assert outcome.statements[-1].params["text"] == "What was marked."


def test_players_see_title_show_and_words(clip):
    _, path = clip(LINES[1]["start_seconds"], LINES[1]["end_seconds"])

    tags = MP3(io.BytesIO(path.read_bytes())).tags
    assert (tags["TIT2"].text, tags["TALB"].text, tags["TPE1"].text) == (["Tides"], ["Small Wonders"], ["Ada & Ben"])
    assert any("This is line 1." in str(tags[name]) for name in tags if name.startswith("COMM"))


def test_the_same_highlight_is_the_same_file(clip, media_store):
    first, _ = clip(LINES[1]["start_seconds"], LINES[1]["end_seconds"])
    second, _ = clip(LINES[1]["start_seconds"], LINES[1]["end_seconds"])

    assert first.output == second.output


@pytest.mark.parametrize(("start", "end"), [(3.0, 3.0), (5.0, 2.0), (1.0, 900.0), (WHOLE_SECONDS + 5, 40.0)])
def test_what_is_no_passage_names_its_times(clip, start, end):
    with pytest.raises(InvalidInput, match=re.escape(f"{start:g} to {end:g} s")):
        clip(start, end)


def test_a_cancelled_clip_is_not_cut(make_job, clip, monkeypatch):
    monkeypatch.setattr("cut_highlight._remaining", lambda job: (_ for _ in ()).throw(StopWork))

    with pytest.raises(StopWork):
        clip(LINES[1]["start_seconds"], LINES[1]["end_seconds"])


class Heard:
    def __init__(self, start, end):
        self.start_seconds = start
        self.end_seconds = end


def test_a_cut_beside_a_line_never_reaches_into_its_neighbour():
    lines = [Heard(0.0, 4.0), Heard(4.05, 8.0), Heard(8.1, 12.0)]

    begin, end = edges_of(4.05, 8.0, lines, 12.0)

    assert (begin, end) == (Edge(4.0, 4.0), Edge(8.1, 8.1))


def test_the_first_and_the_last_line_end_with_the_episode():
    begin, end = edges_of(0.05, 11.9, [Heard(0.1, 11.95)], 12.0)

    assert (begin, end) == (Edge(0.0, 0.0), Edge(12.0, 12.0))
