from concurrent.futures import ThreadPoolExecutor

import pytest

from showrunner.clips import verify_clip
from showrunner.errors import InvalidInput, Transient
from showrunner.providers.speech.espeak import VOICES, EspeakSpeech

TEXT = "The old harbour was built by fishermen, and the market opened before sunrise."


def speak(text=TEXT, voice="ada", language="en-GB", timeout=20.0):
    return EspeakSpeech().speak(text, voice, language, timeout)


@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_speaks(voice):
    spoken = speak(voice=voice, language=VOICES[voice].language)

    verify_clip(spoken.clip, TEXT)
    assert 3 < spoken.clip.seconds < 7
    assert spoken.call.characters == len(TEXT)
    assert spoken.call.seconds == pytest.approx(spoken.clip.seconds, abs=0.001)


def test_no_two_voices_are_the_same():
    assert len({(voice.variant, voice.pitch, voice.rate) for voice in VOICES.values()}) == len(VOICES)
    assert len({voice.language for voice in VOICES.values()}) >= 6


def test_the_same_text_is_equally_long_whatever_was_said_before():
    first = speak().clip.seconds
    speak("Something quite different.", "dev")

    second = speak().clip.seconds

    assert second == pytest.approx(first, abs=0.02)


def test_threads_do_not_mix_their_words():
    texts = [f"{'word ' * (5 + 5 * index)}." for index in range(6)]
    alone = [speak(text).clip.seconds for text in texts]

    with ThreadPoolExecutor(6) as pool:
        together = [spoken.clip.seconds for spoken in pool.map(speak, texts)]

    assert together == pytest.approx(alone, abs=0.02)


def test_an_unknown_voice_names_the_voices_of_that_language():
    with pytest.raises(InvalidInput, match=r"^voice: .*'zoe'.*espeak/ada, espeak/ben"):
        speak(voice="zoe")


def test_a_voice_of_another_language_names_those_that_speak_it():
    with pytest.raises(InvalidInput, match=r"^voice: espeak/ada does not speak 'de-AT'; allowed: espeak/emil"):
        speak(language="de-AT")


def test_a_language_without_a_voice_names_the_languages_there_are():
    with pytest.raises(InvalidInput, match=r"^language: .*'ja'.*de, en, es, fr, it, pt"):
        speak(language="ja")


@pytest.mark.parametrize("text", ["これは日本語です。", "مرحبا بالعالم", "... !? --", "Привет, мир", ""])
def test_text_that_the_voice_cannot_say_is_refused(text):
    with pytest.raises(InvalidInput, match=r"^text: "):
        speak(text)


@pytest.mark.parametrize("text", ["1984", "R2-D2", "The letter Ж is Cyrillic.", "naïve café Łódź", "a\x01b\x00c"])
def test_unusual_but_speakable_text_is_spoken(text):
    assert speak(text).clip.seconds > 0.2


def test_time_that_runs_out_stops_the_library():
    with pytest.raises(Transient, match=r"stopped after [0-2]\.\d s of speech"):
        speak(TEXT * 50, timeout=-1.0)
