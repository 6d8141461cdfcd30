"""Audio facts, measured on the encoded file of episodes that are really spoken."""

import json
import re
import subprocess
import tempfile
from array import array
from types import SimpleNamespace
from uuid import UUID

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from mutagen.id3 import ID3
from mutagen.mp3 import MP3, BitrateMode

from master_episode import MasterEpisodeInput, run
from showrunner.clips import Clip, from_wav, samples, to_wav, trim_silence
from showrunner.errors import BadOutput, InvalidInput, Transient
from showrunner.media.ffmpeg import input_file, input_pcm, run_ffmpeg
from showrunner.media.loudness import measure
from showrunner.media_store import ObjectMissing
from showrunner.providers.speech.espeak import EspeakSpeech
from showrunner.stage import StopWork

RATE = 44_100
SCRIPT = [
    ("Opening", "Ada", "**Good morning**, and welcome to a short story about a harbour."),
    ("Opening", "Ben", "It was built by fishermen, who wanted a safe place for their boats."),
    ("Opening", "Ben", "The market opened before sunrise."),
    ("The railway", "Ada", "When the railway arrived, the town grew quickly. A new school was opened near the river."),
    ("The railway", "Ben", "People came from every village to buy bread, fish & warm clothes, and to hear the news."),
    ("Today", "Ada", "Today most visitors come to see the gardens, but the children still learn to sail in the bay."),
    ("Today", "Ben", "Nobody knows why it changed so fast. That is all for today; thank you for listening."),
]
CUE = re.compile(r"\d+\n(\S+) --> (\S+)\n<v (\w+)>")


def louder(clip, factor):
    return Clip(
        array("h", (max(-32768, min(32767, round(value * factor))) for value in samples(clip))).tobytes(),
        clip.sample_rate,
    )


@pytest.fixture(scope="module")
def clips():
    speech = EspeakSpeech()
    said = [speech.speak(text.strip("*"), speaker.lower(), "en-GB", 20).clip for _, speaker, text in SCRIPT]
    spoken = [trim_silence(clip) for clip in said]
    # One speaker arrives much quieter than the other, as voices of different makers do.
    return [
        louder(clip, 0.2 if speaker == "Ben" else 1.0) for clip, (_, speaker, _) in zip(spoken, SCRIPT, strict=True)
    ]


def episode(media_store, clips, target_seconds=None, **fields):
    lines = []
    for index, (clip, (section, speaker, text)) in enumerate(zip(clips, SCRIPT, strict=False)):
        key = f"speech/{index}.wav"
        if clip is not None:
            media_store.files[key] = clip if isinstance(clip, bytes) else to_wav(clip)
        seconds = clip.seconds if isinstance(clip, Clip) else 1.0
        line = {"block_id": UUID(int=index), "section": section, "speaker": speaker, "text": text, "key": key}
        lines.append({**line, "sha256": "0" * 64, "seconds": seconds, "voice": f"espeak/{speaker.lower()}"})
    natural = sum(line["seconds"] for line in lines) + 5.5
    value = {
        "show": {"name": "Small Wonders", "author": "Harbour Radio", "language": "en-GB", "description": "Things."},
        "episode": {"id": UUID(int=99), "number": 7, "title": "Tides & Trains", "summary": "A harbour grows."},
        "target_seconds": natural if target_seconds is None else target_seconds(natural),
        "lines": lines,
        "cover_key": None,
        **fields,
    }
    return MasterEpisodeInput.model_validate(value)


class Mastered:
    def __init__(self, outcome, media_store, value):
        self.outcome, self.output, self.input = outcome, outcome.output, value
        self.files = {
            name: media_store.files[getattr(outcome.output, name).key]
            for name in ("audio", "transcript", "chapters", "cover")
        }
        self.content_types = {name: media_store.content_types[getattr(outcome.output, name).key] for name in self.files}

    def write_audio(self, folder):
        path = folder / "episode.mp3"
        path.write_bytes(self.files["audio"])
        return path

    def decoded(self, folder):
        command = [get_ffmpeg_exe(), "-v", "error", "-i", str(self.write_audio(folder)), "-f", "s16le", "-ac", "1", "-"]
        pcm = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        return np.frombuffer(pcm, np.int16).astype(np.float32) / 32768

    def cues(self):
        vtt = self.files["transcript"].decode()
        return [(in_seconds(start), in_seconds(end), speaker) for start, end, speaker in CUE.findall(vtt)]

    def turns(self):
        """First cue's start and last cue's end of each line of the script: lines are apart, their cues are not."""
        turns = []
        for start, end, speaker in self.cues():
            if turns and start == turns[-1][1]:
                turns[-1][1] = end
            else:
                turns.append([start, end, speaker])
        return turns


def in_seconds(stamp):
    hours, minutes, rest = stamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


@pytest.fixture(scope="module")
def master(new_media_store, make_job):
    """master(clips, **fields): the episode that the stage makes of them."""

    def run_it(clips, **fields):
        store = new_media_store()
        value = episode(store, clips, **fields)
        return Mastered(run(make_job(value), SimpleNamespace(media_store=store)), store, value)

    return run_it


@pytest.fixture(scope="module")
def mastered(master, clips):
    return master(clips)


@pytest.fixture(scope="module")
def hurried(master, clips):
    return master(clips, target_seconds=lambda natural: natural * 0.7)


def test_the_encoded_file_has_the_promised_loudness_and_peak(mastered, tmp_path):
    found = measure(input_file(mastered.write_audio(tmp_path)), timeout=60, true_peak=True)

    assert found.integrated == pytest.approx(-16.0, abs=0.5)
    assert found.true_peak <= -1.0
    assert (mastered.output.integrated_lufs, mastered.output.true_peak_dbtp) == (found.integrated, found.true_peak)


def test_the_file_is_a_mono_mp3_of_constant_bit_rate(mastered, tmp_path):
    info = MP3(mastered.write_audio(tmp_path)).info

    assert (info.sample_rate, info.channels, info.bitrate, info.bitrate_mode) == (44_100, 1, 96_000, BitrateMode.CBR)


def test_the_stated_duration_is_that_of_the_decoded_audio_and_of_the_target(mastered, tmp_path):
    seconds = len(mastered.decoded(tmp_path)) / RATE

    assert mastered.output.duration_seconds == pytest.approx(seconds, abs=0.03)
    assert seconds == pytest.approx(mastered.input.target_seconds, rel=0.015)


@pytest.mark.parametrize("version", ["mastered", "hurried"])
def test_each_line_is_heard_when_the_transcript_says(version, request, tmp_path):
    result = request.getfixturevalue(version)
    audio = np.abs(result.decoded(tmp_path))
    turns = result.turns()

    assert [turn[2] for turn in turns] == [speaker for _, speaker, _ in SCRIPT]
    for start, end, _ in turns:
        before = audio[round((start - 0.15) * RATE) : round((start - 0.06) * RATE)]
        onset = audio[round((start - 0.03) * RATE) : round((start + 0.06) * RATE)]
        offset = audio[round((end - 0.12) * RATE) : round((end + 0.03) * RATE)]
        after = audio[round((end + 0.06) * RATE) : round((end + 0.15) * RATE)]
        assert before.max() < 0.005
        assert onset.max() > 0.01
        assert offset.max() > 0.01
        assert after.max() < 0.005


def test_cue_times_only_grow_and_stay_within_the_audio(mastered):
    cues = mastered.cues()
    times = [time for start, end, _ in cues for time in (start, end)]

    assert times == sorted(times)
    assert all(start < end for start, end, _ in cues)
    assert times[0] > 0.2
    assert times[-1] < mastered.output.duration_seconds


def test_a_script_too_long_is_hurried_by_four_percent_and_no_more(mastered, hurried):
    first = [turn[1] - turn[0] for turn in mastered.turns()]
    second = [turn[1] - turn[0] for turn in hurried.turns()]

    assert [a / b for a, b in zip(first, second, strict=True)] == pytest.approx([1.04] * len(first), rel=0.002)


def test_speakers_are_brought_to_one_loudness(mastered, clips, tmp_path):
    audio = mastered.decoded(tmp_path)
    spoken = {"Ada": [], "Ben": []}
    for start, end, speaker in mastered.turns():
        spoken[speaker].append(audio[round(start * RATE) : round(end * RATE)])

    ada, ben = (
        measure(input_pcm(RATE), timeout=60, feed=[(np.concatenate(parts) * 32767).astype("<i2").tobytes()]).integrated
        for parts in spoken.values()
    )

    assert ada == pytest.approx(ben, abs=1.5)


def test_the_tags_name_the_episode_and_carry_chapters_and_cover(mastered, tmp_path):
    tags = ID3(mastered.write_audio(tmp_path), translate=False)
    document = json.loads(mastered.files["chapters"])
    frames = sorted(tags.getall("CHAP"), key=lambda frame: frame.start_time)

    assert tags.version == (2, 3, 0)
    names = ("TIT2", "TPE1", "TALB", "TRCK", "TCON")
    assert [str(tags[name]) for name in names] == ["Tides & Trains", "Harbour Radio", "Small Wonders", "7", "Podcast"]
    assert int(str(tags["TLEN"])) == pytest.approx(mastered.output.duration_seconds * 1000, abs=1)
    assert tags.getall("APIC")[0].data == mastered.files["cover"]
    assert tags.getall("COMM")[0].text == ["A harbour grows."]
    assert [frame.sub_frames["TIT2"].text[0] for frame in frames] == [
        chapter["title"] for chapter in document["chapters"]
    ]
    assert [frame.start_time for frame in frames] == [
        round(chapter["startTime"] * 1000) for chapter in document["chapters"]
    ]
    assert list(tags.getall("CTOC")[0].child_element_ids) == [frame.element_id for frame in frames]


def test_a_chapter_starts_with_the_first_line_of_its_section(mastered):
    turns = mastered.turns()

    chapters = json.loads(mastered.files["chapters"])["chapters"]

    assert [chapter["title"] for chapter in chapters] == ["Opening", "The railway", "Today"]
    assert [chapter["startTime"] for chapter in chapters] == pytest.approx([0.0, turns[3][0], turns[5][0]], abs=0.001)


def test_the_transcript_has_the_words_without_markup(mastered):
    text = mastered.files["transcript"].decode()

    assert "<v Ada>Good morning, and welcome" in text
    assert "fish &amp; warm" in text
    assert "*" not in text


def test_files_are_stored_with_their_types_under_keys_of_the_input(mastered):
    types = {
        "audio": "audio/mpeg",
        "transcript": "text/vtt",
        "chapters": "application/json+chapters",
        "cover": "image/jpeg",
    }

    assert mastered.content_types == types
    assert {key.rsplit("/", 1)[1].split(".")[0] for key in (getattr(mastered.output, name).key for name in types)} == {
        mastered.output.audio.key.rsplit("/", 1)[1].split(".")[0]
    }


def test_the_same_input_gives_the_same_output(mastered, master, clips):
    again = master(clips)

    assert again.output == mastered.output


def test_rows_count_what_each_voice_took(mastered):
    rates = [statement.params for statement in mastered.outcome.statements if "voice_rates" in statement.sql]

    assert [rate["voice"] for rate in rates] == ["espeak/ada", "espeak/ben"]
    assert all(10 < rate["characters"] / rate["seconds"] < 25 for rate in rates)


def test_clips_of_another_sample_rate_are_joined_at_the_right_pitch_and_place(master, clips, tmp_path):
    other = tmp_path / "other.wav"
    run_ffmpeg([*input_pcm(clips[1].sample_rate), "-ar", "24000", f"file:{other}"], timeout=20, feed=[clips[1].pcm])
    mixed = [clips[0], from_wav(other.read_bytes()), *clips[2:]]

    result = master(mixed)

    heard = [end - start for start, end, _ in result.turns()]
    assert heard == pytest.approx([clip.seconds for clip in clips], abs=0.01)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder in which the stage makes its own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def silent(clip):
    return Clip(bytes(len(clip.pcm)), clip.sample_rate)


def endless_header(clip):
    """A WAV file whose header promises four gigabytes."""
    data = bytearray(to_wav(clip))
    data[4:8] = data[40:44] = b"\xf0\xff\xff\xff"
    return bytes(data)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda clips: [silent(clip) for clip in clips], r"Everything that Ada says is silent"),
        (lambda clips: [clips[0], b"", *clips[2:]], r"The clip of line 2 \(Ben\) is not a readable WAV file"),
        (lambda clips: [clips[0], b"RIFF" * 500, *clips[2:]], r"The clip of line 2 \(Ben\) is not a readable WAV file"),
        (lambda clips: [clips[0], to_wav(clips[1])[:-999], *clips[2:]], r"The clip of line 2 \(Ben\) is cut off"),
        (lambda clips: [endless_header(clips[0]), *clips[1:]], r"The clip of line 1 \(Ada\) is cut off"),
        (lambda clips: [to_wav(Clip(b"", 22_050)), *clips[1:]], r"The clip of line 1 \(Ada\) is empty"),
        (lambda clips: [to_wav(Clip(bytes(80), 1)), *clips[1:]], r"The clip of line 1 \(Ada\) must be mono 16-bit"),
    ],
)
def test_a_clip_that_cannot_be_used_is_bad_output_and_leaves_nothing(
    spoil, reason, clips, media_store, services, make_job, temporary
):
    value = episode(media_store, spoil(clips))

    with pytest.raises(BadOutput, match=reason):
        run(make_job(value), services)

    assert not list(temporary.iterdir())
    assert media_store.puts == []


def test_a_missing_clip_is_named(clips, media_store, services, make_job, temporary):
    value = episode(media_store, [clips[0], None, *clips[2:]])

    with pytest.raises(ObjectMissing, match=r"speech/1\.wav"):
        run(make_job(value), services)

    assert not list(temporary.iterdir())


def test_a_cancelled_production_stops_at_once_and_leaves_nothing(clips, media_store, services, make_job, temporary):
    job = make_job(episode(media_store, clips))
    job.pulse.stopped = True

    with pytest.raises(StopWork):
        run(job, services)

    assert not list(temporary.iterdir())
    assert media_store.puts == []


def test_time_that_runs_out_is_tried_again(clips, media_store, services, make_job, temporary):
    job = make_job(episode(media_store, clips), seconds=-1.0)

    with pytest.raises(Transient, match="ran out"):
        run(job, services)

    assert not list(temporary.iterdir())


def test_progress_only_grows(clips, media_store, services, make_job):
    told = []

    class Pulse(SimpleNamespace):
        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if name == "progress":
                told.append(value)

    job = make_job(episode(media_store, clips[:3]))
    job.pulse = Pulse(stopped=False)

    run(job, services)

    assert told == sorted(told)
    assert told[-1] > 0.9


def test_a_cover_that_is_no_picture_names_the_field(clips, media_store, services, make_job):
    media_store.files["cover.jpg"] = b"no picture"

    with pytest.raises(InvalidInput, match=r"^cover_key: "):
        run(make_job(episode(media_store, clips[:2], cover_key="cover.jpg")), services)


def test_the_shows_own_cover_is_used(clips, media_store, services, make_job):
    from cover_art import painted_cover

    media_store.files["cover.jpg"] = painted_cover("Another name", "")

    output = run(make_job(episode(media_store, clips[:2], cover_key="cover.jpg")), services).output

    assert len(media_store.files[output.cover.key]) == pytest.approx(len(media_store.files["cover.jpg"]), rel=0.2)
