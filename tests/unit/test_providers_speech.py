"""What the speech adapters send and how they read audio."""

from __future__ import annotations

import math
import struct
from array import array

import pytest

from showrunner.errors import BadOutput, InvalidInput, Transient
from showrunner.providers.speech import open_speech
from showrunner.providers.speech.openai import OpenAISpeech
from showrunner.providers.speech.polly import PollySpeech
from showrunner.providers.speech.wav import read_wav
from tests.provider_replies import tone, wav
from tests.provider_server import Answer, ProviderServer
from tests.unit.provider_adapters import LINE, settings_for

SENTENCE = "Forty ships lay at anchor that winter. "


@pytest.mark.parametrize(("voice", "rate"), [("polly/Amy", 16_000), ("openai/alloy", 24_000)])
def test_a_voice_speaks_a_line(provider_server: ProviderServer, voice: str, rate: int) -> None:
    speech, name = open_speech(voice, settings_for(provider_server.url))

    spoken = speech.speak(LINE, name, "en-GB", 10.0)

    assert spoken.clip.pcm == tone(LINE, rate)
    assert spoken.clip.sample_rate == rate
    assert spoken.call.characters == len(LINE)
    assert spoken.call.seconds == spoken.clip.seconds


def test_polly_is_asked_for_pcm_of_the_configured_engine(provider_server: ProviderServer) -> None:
    speech = PollySpeech(settings_for(provider_server.url))

    spoken = speech.speak(LINE, "Amy", "en-GB", 10.0)

    [request] = provider_server.requests
    assert request.path == "/v1/speech"
    assert request.body == {
        "Text": LINE,
        "TextType": "text",
        "VoiceId": "Amy",
        "Engine": "neural",
        "OutputFormat": "pcm",
        "SampleRate": "16000",
    }
    assert (spoken.call.provider, spoken.call.model, spoken.call.measured) == ("polly", "neural", True)


@pytest.mark.parametrize(
    ("voice", "language", "code"),
    [("Kajal", "hi-IN", "hi-IN"), ("Kajal", "en-GB", "en-IN"), ("Kajal", "fr-FR", None), ("Amy", "en-GB", None)],
)
def test_polly_is_told_the_language_only_of_a_bilingual_voice(
    provider_server: ProviderServer, voice: str, language: str, code: str | None
) -> None:
    PollySpeech(settings_for(provider_server.url)).speak(LINE, voice, language, 10.0)

    assert provider_server.requests[0].body.get("LanguageCode") == code


def test_openai_is_asked_for_wav_of_the_configured_model(provider_server: ProviderServer) -> None:
    OpenAISpeech(settings_for(provider_server.url)).speak(LINE, "alloy", "en-GB", 10.0)

    [request] = provider_server.requests
    assert request.path == "/v1/audio/speech"
    assert request.body == {"model": "tts-local", "input": LINE, "voice": "alloy", "response_format": "wav"}


@pytest.mark.parametrize(("voice", "limit", "field"), [("polly/Amy", 3000, "Text"), ("openai/alloy", 4096, "input")])
def test_a_long_text_is_spoken_in_passages_that_end_with_sentences(
    provider_server: ProviderServer, voice: str, limit: int, field: str
) -> None:
    text = SENTENCE * 200
    speech, name = open_speech(voice, settings_for(provider_server.url))

    spoken = speech.speak(text, name, "en-GB", 10.0)

    sent = [request.body[field] for request in provider_server.requests]
    assert len(sent) == math.ceil(len(text) / limit)
    assert all(len(passage) <= limit and passage.endswith("winter.") for passage in sent)
    assert " ".join(sent) == text.strip()
    assert spoken.call.characters == sum(len(passage) for passage in sent)
    assert spoken.clip.pcm == b"".join(tone(passage, spoken.clip.sample_rate) for passage in sent)


def test_japanese_is_sent_in_shorter_passages_since_it_has_more_tokens(provider_server: ProviderServer) -> None:
    text = "港は一八二二年に開かれました。" * 300

    OpenAISpeech(settings_for(provider_server.url)).speak(text, "alloy", "ja-JP", 10.0)

    sent = [request.body["input"] for request in provider_server.requests]
    assert max(len(passage) for passage in sent) <= 1800
    assert "".join(sent).replace(" ", "") == text


def test_passages_already_spoken_are_counted_when_a_later_one_fails(provider_server: ProviderServer) -> None:
    first = Answer(body=tone("x" * 30, 16_000), headers={"x-amzn-RequestCharacters": "2964"})
    provider_server.will(first, Answer(500, b""))

    with pytest.raises(Transient) as raised:
        PollySpeech(settings_for(provider_server.url)).speak(SENTENCE * 100, "Amy", "en-GB", 10.0)

    assert [call.characters for call in raised.value.calls] == [2964]


@pytest.mark.parametrize("voice", ["polly/Amy", "openai/alloy"])
def test_an_empty_text_names_the_field_and_asks_nobody(provider_server: ProviderServer, voice: str) -> None:
    speech, name = open_speech(voice, settings_for(provider_server.url))

    with pytest.raises(InvalidInput, match="text: is empty"):
        speech.speak(" \n", name, "en-GB", 10.0)

    assert provider_server.requests == []


@pytest.mark.parametrize("claimed", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF - 36])
def test_a_streamed_wav_is_read_to_its_end_whatever_size_it_claims(claimed: int) -> None:
    pcm = tone(LINE, 24_000)

    clip = read_wav(wav(pcm, data_size=claimed))

    assert clip.pcm == pcm


def test_chunks_before_and_after_the_audio_are_passed_over() -> None:
    pcm = tone(LINE, 24_000)
    plain = wav(pcm)
    listed = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    body = plain[:36] + listed + plain[36:] + listed

    clip = read_wav(body)

    assert clip.pcm == pcm


def test_of_a_stereo_file_the_first_channel_is_taken() -> None:
    left, right = [100, 200, 300], [-1, -2, -3]
    interleaved = array("h", [sample for pair in zip(left, right, strict=True) for sample in pair]).tobytes()

    clip = read_wav(wav(interleaved, channels=2))

    assert array("h", clip.pcm).tolist() == left


def test_float_samples_become_16_bit_and_are_held_within_range() -> None:
    floats = array("f", [0.0, 0.5, -1.0, 1.5]).tobytes()

    clip = read_wav(wav(floats, bits=32, kind=3))

    assert array("h", clip.pcm).tolist() == [0, 16384, -32767, 32767]


def test_a_wav_of_24_bits_is_refused_by_its_kind() -> None:
    with pytest.raises(BadOutput, match="24 bits"):
        read_wav(wav(bytes(300), bits=24))


def test_a_wav_without_a_format_is_refused() -> None:
    with pytest.raises(BadOutput, match="no audio"):
        read_wav(b"RIFF" + bytes(4) + b"WAVE" + b"data" + struct.pack("<I", 4) + bytes(4))
