import pytest

import speak_line
from showrunner.clips import Clip, from_wav, samples, to_wav
from showrunner.errors import BadOutput, ContentRefused, InvalidInput, RateLimited, Transient
from showrunner.providers.speech import Spoken
from showrunner.providers.speech.espeak import EspeakSpeech
from showrunner.stage import StopWork
from showrunner.usage import ProviderCall
from speak_line import SpeakLineInput, run
from speaking import PIECE_CHARACTERS, plainer

TEXT = "**Good morning**, and [welcome](https://example.org) to the *show*."


def line(text=TEXT, voice="espeak/ada", language="en-GB"):
    return SpeakLineInput(text=text, voice=voice, language=language)


class ScriptedSpeech:
    """Speaks as espeak does, but first does what `script` says: raises an error, or returns a clip."""

    def __init__(self, *script):
        self.script = list(script)
        self.heard = []

    def speak(self, text, voice, language, timeout):
        self.heard.append(text)
        step = self.script.pop(0) if self.script else None
        if isinstance(step, Exception):
            raise step
        if step is None:
            return EspeakSpeech().speak(text, "ada", language, timeout)
        return Spoken(step, ProviderCall("fake", voice, characters=len(text)))


@pytest.fixture
def provider(monkeypatch):
    def use(*script):
        speech = ScriptedSpeech(*script)
        monkeypatch.setattr(speak_line, "open_speech", lambda voice, settings: (speech, "voice"))
        return speech

    return use


def test_a_line_becomes_a_wav_file_of_its_words(make_job, services, media_store):
    job = make_job(line())

    output = run(job, services).output

    clip = from_wav(media_store.files[output.asset.key])
    assert output.asset.key == f"organizations/{job.organization_id}/speech/{job.input_hash}.wav"
    assert media_store.content_types[output.asset.key] == "audio/wav"
    assert output.seconds == pytest.approx(clip.seconds, abs=0.001)
    assert (output.sample_rate, output.characters) == (22_050, len("Good morning, and welcome to the show."))
    assert [call.characters for call in job.calls] == [output.characters]


def test_the_clip_and_its_use_are_written_down(make_job, services):
    job = make_job(line())

    asset, used = run(job, services).statements

    assert asset.params["kind"] == "speech"
    assert asset.params["duration_seconds"] > 1
    assert used.params["cache_key"] == job.input_hash
    assert used.params["asset_id"] == asset.params["id"]
    assert used.params["audio_bytes"] == asset.params["bytes"]


def test_a_clip_that_is_there_already_is_used_without_paying_again(make_job, services, media_store, provider):
    first = run(make_job(line()), services).output
    speech = provider()
    job = make_job(line(), attempt=2)

    second = run(job, services).output

    assert second == first
    assert speech.heard == []
    assert job.calls == []
    assert len(media_store.puts) == 1


@pytest.mark.parametrize("spoilt", [b"", b"RIFF", to_wav(Clip(bytes(90_000), 22_050))])
def test_a_stored_clip_that_is_no_speech_is_spoken_again(spoilt, make_job, services, media_store):
    job = make_job(line())
    key = f"organizations/{job.organization_id}/speech/{job.input_hash}.wav"
    media_store.files[key] = spoilt

    run(job, services)

    assert max(samples(from_wav(media_store.files[key]))) > 5000


@pytest.mark.parametrize("text", ["***", "![](picture.png)", "\u200b", "<!-- aside -->"])
def test_a_line_without_words_names_the_field(text, make_job, services):
    with pytest.raises(InvalidInput, match=r"^text: "):
        run(make_job(line(text)), services)


def test_silence_is_bad_output_and_nothing_is_stored(make_job, services, media_store, provider):
    provider(Clip(bytes(100_000), 22_050))

    with pytest.raises(BadOutput, match="silence"):
        run(make_job(line()), services)

    assert media_store.files == {}


def test_what_was_paid_counts_even_when_it_is_useless(make_job, services, provider):
    provider(Clip(bytes(100_000), 22_050))
    job = make_job(line())

    with pytest.raises(BadOutput):
        run(job, services)

    assert [call.provider for call in job.calls] == ["fake"]


@pytest.mark.parametrize("error", [RateLimited("Slow down.", retry_after=7), ContentRefused("No."), Transient("Soon.")])
def test_what_the_provider_says_reaches_the_engine(error, make_job, services, provider):
    provider(error)

    with pytest.raises(type(error)) as raised:
        run(make_job(line()), services)

    assert raised.value is error


def test_silence_around_the_words_is_cut_whoever_speaks(make_job, services, media_store, provider):
    clip = EspeakSpeech().speak("Good morning, and welcome to the show.", "ada", "en-GB", 20).clip
    provider(Clip(bytes(40_000) + clip.pcm + bytes(60_000), clip.sample_rate))

    output = run(make_job(line()), services).output

    stored = from_wav(media_store.files[output.asset.key])
    values, window = samples(stored), stored.sample_rate // 20
    assert max(map(abs, values[:window])) > 200
    assert max(map(abs, values[-window:])) > 100
    assert output.seconds <= clip.seconds


def test_a_refused_line_is_said_in_plainer_words(make_job, services, provider):
    speech = provider()
    job = make_job(line("He said “no” (and worse) to the £5 @deal!"), state={"rewrite": True}, attempt=2)

    run(job, services)

    assert speech.heard == ["He said no to the 5 deal!"]


def test_plainer_words_never_leave_nothing():
    assert plainer("(all of it)") == "(all of it)"


def test_a_long_text_is_spoken_in_pieces_and_joined(make_job, services, media_store, provider):
    speech = provider()
    text = "".join(f"This is sentence {number} of a long speech. " for number in range(100))

    output = run(make_job(line(text)), services).output

    assert len(speech.heard) == 3
    assert max(map(len, speech.heard)) <= PIECE_CHARACTERS
    assert from_wav(media_store.files[output.asset.key]).seconds == pytest.approx(output.seconds, abs=0.001)
    assert output.seconds > 150


def test_a_retry_of_a_long_text_pays_only_for_the_missing_pieces(make_job, services, media_store, provider):
    text = "".join(f"This is sentence {number} of a long speech. " for number in range(100))
    speech = provider(None, Transient("Soon."))
    with pytest.raises(Transient):
        run(make_job(line(text)), services)

    run(make_job(line(text), attempt=2), services)

    first, failed, *rest = speech.heard
    assert failed == rest[0]
    assert first not in rest
    assert len(rest) == 2


def test_a_cancelled_line_is_not_spoken(make_job, services, provider):
    speech = provider()
    job = make_job(line())
    job.pulse.stopped = True

    with pytest.raises(StopWork):
        run(job, services)

    assert speech.heard == []


def test_a_line_without_time_left_is_tried_again(make_job, services, provider):
    speech = provider()

    with pytest.raises(Transient, match="ran out"):
        run(make_job(line(), seconds=-1.0), services)

    assert speech.heard == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"voice": "espeak/zoe"}, r"^voice: .*espeak/ada"),
        ({"voice": None}, r"^voice: the show has no speaker of this line's name"),
        ({"voice": "ada"}, r"^voice: 'ada' is not of the form"),
        ({"voice": "acme/ada"}, r"^voice: provider 'acme' is unknown"),
        ({"language": "ja-JP"}, r"^language: "),
        ({"text": "これは日本語です。"}, r"^text: "),
    ],
)
def test_what_cannot_be_spoken_names_its_field(fields, message, make_job, services, media_store):
    with pytest.raises(InvalidInput, match=message):
        run(make_job(line(**fields)), services)

    assert media_store.files == {}


@pytest.mark.parametrize(("voice", "written_down"), [("openai/alloy", [1]), ("espeak/ada", [])])
def test_what_was_paid_for_is_counted_before_the_clip_is_stored(
    make_job, services, media_store, provider, voice, written_down
):
    provider()
    job = make_job(line(voice=voice))
    counted = []
    job.engine.record_usage = lambda job_id, attempt, calls: counted.append(len(calls))

    def crash(*arguments):
        raise RuntimeError("killed")

    media_store.put = crash

    with pytest.raises(RuntimeError, match="killed"):
        run(job, services)

    assert counted == written_down
