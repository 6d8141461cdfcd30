import math
import random
from array import array

import pytest

from showrunner.clips import Clip, from_wav, join_clips, samples, to_wav, trim_silence, verify_clip
from showrunner.errors import BadOutput

RATE = 16_000


def tone(seconds, amplitude=8000, rate=RATE):
    count = round(seconds * rate)
    return Clip(array("h", (round(amplitude * math.sin(index * 0.1)) for index in range(count))).tobytes(), rate)


def silence(seconds, rate=RATE):
    return Clip(bytes(2 * round(seconds * rate)), rate)


def joined(*clips):
    return Clip(b"".join(clip.pcm for clip in clips), clips[0].sample_rate)


def test_a_wav_file_gives_back_the_clip():
    clip = tone(0.3)

    assert from_wav(to_wav(clip)) == clip


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a readable WAV file"),
        (b"ID3\x04 this is an MP3", "not a readable WAV file"),
        (to_wav(tone(1))[:-4000], "cut off"),
        (to_wav(tone(1))[:30], "not a readable WAV file"),
        (random.Random(1).randbytes(5000), "not a readable WAV file"),
    ],
)
def test_a_corrupt_wav_file_is_bad_output(data, reason):
    with pytest.raises(BadOutput, match=reason):
        from_wav(data)


def test_a_stereo_wav_file_is_bad_output():
    data = bytearray(to_wav(tone(1)))
    data[22] = 2
    data[32] = 4

    with pytest.raises(BadOutput, match="not 2 channels"):
        from_wav(bytes(data))


def test_silence_is_cut_from_both_ends_and_not_from_the_middle():
    clip = joined(silence(0.5), tone(1), silence(0.4), tone(1), silence(0.7))

    trimmed = trim_silence(clip)

    assert trimmed.seconds == pytest.approx(2.45, abs=0.01)
    assert max(samples(Clip(trimmed.pcm[:600], RATE))) > 1000


def test_a_clip_that_is_all_silence_is_left_for_the_verdict():
    clip = silence(1)

    assert trim_silence(clip) is clip


def test_speech_of_plausible_length_passes():
    verify_clip(tone(2), "Thirty characters of any text.")


@pytest.mark.parametrize(
    ("clip", "reason"),
    [
        (Clip(b"", RATE), "no audio"),
        (Clip(b"\x00", RATE), "no audio"),
        (Clip(bytes(2001), RATE), "not 16-bit PCM"),
        (Clip(bytes(2000), 0), "not 16-bit PCM"),
        (silence(2), "2.0 s of silence"),
        (tone(2, amplitude=100), "2.0 s of silence"),
        (joined(silence(2), tone(0.04), silence(2)), "silent for 9"),
        (tone(0.3), "0.3 s for 30 characters"),
        (tone(60), "60.0 s for 30 characters"),
    ],
)
def test_a_clip_that_cannot_be_the_text_is_bad_output(clip, reason):
    with pytest.raises(BadOutput, match=reason):
        verify_clip(clip, "Thirty characters of any text.")


def test_digits_may_take_as_long_as_the_words_they_are():
    verify_clip(tone(9), "1234567890")


def test_joined_clips_have_the_pause_between_them():
    clip = join_clips([tone(1), tone(1)], 0.25)

    assert clip.seconds == pytest.approx(2.25)


def test_clips_of_differing_rates_cannot_be_joined():
    with pytest.raises(BadOutput, match="16000, 24000 Hz"):
        join_clips([tone(1), tone(1, rate=24_000)], 0.25)
