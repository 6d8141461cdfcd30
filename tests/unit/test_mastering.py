"""Mastering of difficult material: what a microphone or another maker's voice may give."""

import numpy as np
import pytest

from showrunner.errors import BadOutput
from showrunner.media import mastering
from showrunner.media.ffmpeg import input_file
from showrunner.media.loudness import measure, speech_loudness
from showrunner.media.mastering import Mix, Target, master

RATE = 24_000
SECONDS = 12


def noise():
    return np.random.default_rng(1).normal(0, 3000, SECONDS * RATE)


def syllables():
    """Four bursts a second: a voice's rhythm and its high peaks."""
    time = np.arange(SECONDS * RATE) / RATE
    return noise() * np.maximum(0, np.sin(2 * np.pi * 4 * time)) ** 6 * 2


def tone():
    return 20_000 * np.sin(2 * np.pi * 440 * np.arange(SECONDS * RATE) / RATE)


MATERIAL = {
    "noise": noise,
    "syllables": syllables,
    "tone": tone,
    "very quiet": lambda: noise() / 200,
    "clipped": lambda: np.clip(syllables() * 30, -32_768, 32_767),
    "mostly pauses": lambda: syllables() * (np.arange(SECONDS * RATE) % (4 * RATE) < RATE),
}


def mix_of(values, folder):
    path = folder / "mix.pcm"
    path.write_bytes(np.clip(values, -32_768, 32_767).astype("<i2").tobytes())
    return Mix(path, RATE, len(values))


def ignore(share):
    return None


@pytest.mark.parametrize("material", MATERIAL)
def test_any_material_comes_out_at_the_target(material, tmp_path):
    output = tmp_path / "out.mp3"

    result = master(mix_of(MATERIAL[material](), tmp_path), 1.0, Target(), output, lambda: 60.0, ignore)

    found = measure(input_file(output), timeout=60, true_peak=True)
    assert found == result
    assert found.integrated == pytest.approx(-16.0, abs=0.5)
    assert found.true_peak <= -1.0
    assert found.seconds == pytest.approx(SECONDS, abs=0.02)


def test_another_platforms_loudness_is_met_too(tmp_path):
    result = master(mix_of(noise(), tmp_path), 1.0, Target(-14.0), tmp_path / "out.mp3", lambda: 60.0, ignore)

    assert result.integrated == pytest.approx(-14.0, abs=0.5)
    assert result.true_peak <= -1.0


def test_tempo_changes_the_length_and_not_the_pitch(tmp_path):
    output = tmp_path / "out.mp3"

    result = master(mix_of(tone(), tmp_path), 1.04, Target(), output, lambda: 60.0, ignore)

    high = measure(input_file(output), timeout=60, filters="highpass=f=455:p=2,highpass=f=455:p=2,highpass=f=455:p=2")
    assert result.seconds == pytest.approx(SECONDS / 1.04, abs=0.05)
    assert high.integrated < result.integrated - 6


def test_a_silent_mix_is_bad_output(tmp_path):
    with pytest.raises(BadOutput, match="silent"):
        master(mix_of(np.zeros(SECONDS * RATE), tmp_path), 1.0, Target(), tmp_path / "out.mp3", lambda: 60.0, ignore)


def test_a_target_that_cannot_be_met_is_bad_output(tmp_path):
    with pytest.raises(BadOutput, match=r"must have -1\.0 LUFS within 0\.5"):
        master(mix_of(syllables(), tmp_path), 1.0, Target(-1.0), tmp_path / "out.mp3", lambda: 60.0, ignore)


def test_a_long_mix_is_rehearsed_on_an_excerpt_and_encoded_once(tmp_path, monkeypatch):
    told, lengths = [], []
    monkeypatch.setattr(mastering, "EXCERPT_SECONDS", 0.5)

    def listen(*arguments, **options):
        heard = measure(*arguments, **options)
        lengths.append(round(heard.seconds))
        return heard

    monkeypatch.setattr(mastering, "measure", listen)

    result = master(mix_of(syllables(), tmp_path), 1.0, Target(), tmp_path / "out.mp3", lambda: 60.0, told.append)

    assert lengths.count(SECONDS) == 1
    assert lengths[-1] == SECONDS
    assert result.integrated == pytest.approx(-16.0, abs=0.5)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_word_is_loud_enough_to_be_measured():
    word = noise()[: RATE // 3].astype("<i2").tobytes()

    alone = speech_loudness([lambda: word], 1 / 3, RATE, 60.0)
    often = speech_loudness([lambda: word] * 12, 4.0, RATE, 60.0)

    assert alone == pytest.approx(often, abs=0.3)
    assert alone > -40
