import pytest

from showrunner.errors import Transient
from showrunner.media.ffmpeg import FfmpegFailed, input_file, input_pcm, run_ffmpeg

RATE = 16_000
NOWHERE = ["-f", "null", "-"]


def endless_silence():
    while True:
        yield bytes(RATE)


def test_what_is_fed_is_read_to_its_end():
    finished = run_ffmpeg([*input_pcm(RATE), *NOWHERE], timeout=20, feed=[bytes(2 * RATE)] * 3)

    assert finished.seconds == pytest.approx(3.0, abs=0.01)


def test_a_file_that_is_no_audio_fails_with_the_last_words_of_ffmpeg(tmp_path):
    path = tmp_path / "text.wav"
    path.write_text("This is no audio.")

    with pytest.raises(FfmpegFailed, match=r"Audio processing failed: .*Invalid data") as failure:
        run_ffmpeg([*input_file(path), *NOWHERE], timeout=20)

    assert "text.wav" in failure.value.log


def test_a_file_cannot_make_it_open_an_address(tmp_path):
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n")

    with pytest.raises(FfmpegFailed) as failure:
        run_ffmpeg(["-f", "hls", *input_file(path), *NOWHERE], timeout=20)

    assert "not on whitelist" in failure.value.log


def test_time_that_is_up_kills_it():
    with pytest.raises(Transient, match=r"stopped after 0 s"):
        run_ffmpeg([*input_pcm(RATE), *NOWHERE], timeout=0.3, feed=endless_silence())


def test_what_progress_raises_stops_it():
    class Cancelled(Exception):
        pass

    def cancel(seconds):
        raise Cancelled

    with pytest.raises(Cancelled):
        run_ffmpeg([*input_pcm(RATE), *NOWHERE], timeout=20, feed=endless_silence(), on_progress=cancel)


def test_what_the_feed_raises_stops_it():
    def broken():
        yield bytes(RATE)
        raise FileNotFoundError("clip")

    with pytest.raises(FileNotFoundError, match="clip"):
        run_ffmpeg([*input_pcm(RATE), *NOWHERE], timeout=20, feed=broken())


def test_progress_is_told_in_seconds_of_output():
    told = []

    run_ffmpeg([*input_pcm(RATE), *NOWHERE], timeout=20, feed=[bytes(2 * RATE)] * 2, on_progress=told.append)

    assert told == sorted(told)
    assert told[-1] == pytest.approx(2.0, abs=0.01)
