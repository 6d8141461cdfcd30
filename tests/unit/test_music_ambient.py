"""The offline composer, heard by numbers: what is asked for is in the sound, and nothing that hurts is."""

from __future__ import annotations

from functools import cache
from itertools import combinations, pairwise

import numpy as np
import pytest

from showrunner.providers.music.ambient import composer
from showrunner.providers.music.ambient.composer import PEAK, compose
from showrunner.providers.music.ambient.harmony import PHRASES, SCALES, chords_of
from showrunner.providers.music.ambient.seeds import chance
from showrunner.providers.music.ambient.vocabulary import INSTRUMENTS, TEXTURES
from showrunner.providers.music.ambient.wishes import character_of
from tests.rigs import hearing

TAVERN = "Medieval tavern with lute and flute, a crackling fire"
WALTZ = "Elegant waltz with strings, piano, light percussion. Tempo: 120 BPM."
STORM = "Dark dungeon drone with choir, wind and rain in F# minor"
SLEEP = "Deep sleep, ocean waves and bells in A flat major"
FOREST = "Forest morning with birds, a stream, flute and harp"
NIGHT = "Night music for a campfire, piano and crickets"
PROMPTS = (TAVERN, WALTZ, STORM, SLEEP, FOREST, NIGHT)

# Two tracks of one album with the same words differ at least so much in one of: the share of the twelve tones
# (0 to 2), the level of a band (dB), the tempo (beats a minute). Their waves have nothing in common.
TONES_APART, BAND_APART, TEMPO_APART, WAVES_ALIKE = 0.15, 2.0, 4.0, 0.12


@pytest.fixture(scope="module")
def piece(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pieces")

    @cache
    def made(prompt, seed="a", seconds=30.0):
        path = folder / "piece.wav"
        compose(prompt, "", seconds, seed, path, lambda share: None)
        return hearing.read_floats(path)

    return made


@pytest.mark.parametrize("seconds", [4.0, 7.3219, 30.0])
def test_a_piece_has_exactly_the_asked_length(piece, seconds):
    assert piece(TAVERN, seconds=seconds).shape == (2, round(seconds * 48_000))


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_piece_leaves_headroom_and_needs_little_limiting(piece, prompt):
    sound = piece(prompt)

    peak, level = np.abs(sound).max(), np.sqrt(np.mean(sound**2))
    assert 0.98 * PEAK <= peak <= PEAK * 1.001
    assert 8 < hearing.decibels(peak / level) < 16, "its peaks stand out of its level by so many dB"


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_piece_goes_on_without_a_hole_or_a_shock(piece, prompt):
    levels = hearing.short_term(piece(prompt), seconds=3.0, hop=0.5)[2:-6]

    assert levels.max() - levels.min() < 8
    assert levels.min() > -30


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_piece_has_no_click(piece, prompt):
    sound = piece(prompt)

    assert hearing.jumps(sound) < 9
    assert np.abs(sound[:, 0]).max() < 1e-4
    assert np.abs(sound[:, -1]).max() < 1e-4


def test_a_click_would_be_heard(piece):
    sound = piece("Pads in C major").copy()
    sound[0, 500_000] += 0.02

    assert hearing.jumps(sound) > 9


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_piece_is_full_from_bass_to_treble_and_wide_without_falling_apart_in_mono(piece, prompt):
    sound = piece(prompt)

    bass, low, middle, high = hearing.bands(sound, (20, 150, 600, 2_500, 10_000))
    assert np.abs(sound.mean(axis=1)).max() < 1e-3, "no direct current"
    assert min(bass, low, middle) > -16
    assert high > -45
    assert max(bass, low, middle, high) < -0.3, "no band is all there is"
    assert 0.1 < hearing.correlation(sound) < 0.9


@pytest.mark.parametrize(
    ("asked", "heard"),
    [
        ("C major", (0, "major")),
        ("E♭ major", (3, "major")),
        ("f sharp minor", (6, "minor")),
        ("A minor", (9, "minor")),
        ("Bb major", (10, "major")),
        ("C# minor", (1, "minor")),
        ("G mixolydian", (7, "major")),
        ("E phrygian", (4, "minor")),
    ],
)
def test_the_key_that_is_asked_for_is_heard(piece, asked, heard):
    assert hearing.key(piece(f"Pads and strings in {asked}", seconds=40.0)) == heard


def test_what_is_struck_follows_the_tempo(piece):
    counts = [
        len(hearing.onsets(piece(f"Solo harp in C major, {bpm} bpm", seconds=40.0))) / 40 * 60 for bpm in (50, 120)
    ]

    assert counts[1] > 1.6 * counts[0]
    assert counts[0] > 10


def test_rain_fire_and_waves_are_heard(piece):
    plain, edges = piece("Pads in C major"), (2_500, 10_000)
    wet = piece("Pads in C major with rain")
    burning = piece("Pads in C major with a crackling fire")

    assert hearing.bands(wet, edges)[0] > hearing.bands(plain, edges)[0] + 6
    assert hearing.bands(burning, edges)[0] > hearing.bands(plain, edges)[0] + 3


def test_the_same_seed_gives_the_same_samples(tmp_path):
    for name in ("one", "two"):
        compose(TAVERN, "cosy", 10.0, "organization/3", tmp_path / name, lambda share: None)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("prompt", ["A calm evening in A minor", "Medieval tavern"])
def test_no_two_tracks_of_an_album_are_alike(piece, prompt):
    seeds = [f"organization/{order}" for order in range(1, 6)]
    tracks = [piece(prompt, seed) for seed in seeds]
    tempos = [character_of(prompt, "", seed).bpm for seed in seeds]
    edges = (20, 120, 250, 500, 1_000, 2_000, 4_000, 8_000)

    for one, other in combinations(range(len(seeds)), 2):
        tones = np.abs(hearing.chroma(tracks[one]) - hearing.chroma(tracks[other])).sum()
        band = np.abs(hearing.bands(tracks[one], edges) - hearing.bands(tracks[other], edges)).max()
        tempo = abs(tempos[one] - tempos[other])
        wave = np.corrcoef(tracks[one][0, ::8], tracks[other][0, ::8])[0, 1]
        assert tones >= TONES_APART or band >= BAND_APART or tempo >= TEMPO_APART, (one, other, tones, band, tempo)
        assert abs(wave) < WAVES_ALIKE


def test_five_minutes_are_mixed_block_by_block(tmp_path, monkeypatch):
    """What lies in memory is a block, whatever the length; the file alone has the whole."""
    sizes, plain = [], composer.blocks

    def watched(*arguments):
        for block in plain(*arguments):
            sizes.append(block.nbytes)
            yield block

    monkeypatch.setattr(composer, "blocks", watched)
    shares = []

    compose("Pads", "", 20.0, "a", tmp_path / "piece.wav", shares.append)

    assert max(sizes) <= 2 * 4 * (1 << 17)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_what_the_watcher_raises_ends_the_work(tmp_path):
    def stop(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compose("Pads", "", 20.0, "a", tmp_path / "piece.wav", stop)


@pytest.mark.parametrize(
    ("prompt", "tonic", "mode"),
    [
        ("a lament in d minor", 2, "aeolian"),
        ("Key: G# major", 8, "ionian"),
        ("A-flat major waltz", 8, "ionian"),
        ("B dorian", 11, "dorian"),
    ],
)
def test_a_key_is_read_in_each_of_its_forms(prompt, tonic, mode):
    character = character_of(prompt, "", "a")

    assert (character.tonic, character.mode) == (tonic, mode)


def test_an_article_is_no_note():
    tonics = {character_of("in a minor key", "", seed).tonic for seed in "abcdefgh"}
    modes = {character_of("a minor theme", "", seed).mode for seed in "abcdefgh"}

    assert len(tonics) > 1
    assert modes == {"aeolian"}


@pytest.mark.parametrize(
    ("prompt", "bpm"), [("Tempo: 120 BPM", 120), ("72bpm", 72), ("60-70 bpm", 60), ("900 bpm", 140), ("tempo 20", 40)]
)
def test_a_tempo_is_read_and_kept_within_what_can_be_played(prompt, bpm):
    assert character_of(prompt, "", "a").bpm == bpm


@pytest.mark.parametrize(
    ("prompt", "layers", "textures"),
    [
        (TAVERN, {"lute", "flute"}, ("fire",)),
        (STORM, {"choir", "drone"}, ("rain", "wind")),
        ("Window seat at the start of the season, harp and strings", {"harp", "strings"}, ()),
        (WALTZ, {"strings", "piano", "drum", "shaker"}, ()),
    ],
)
def test_what_is_named_is_played_and_nothing_that_only_looks_like_it(prompt, layers, textures):
    character = character_of(prompt, "", "a")

    assert layers <= set(character.layers)
    assert character.textures == textures


def test_a_waltz_has_three_beats():
    assert character_of(WALTZ, "", "a").beats_per_bar == 3
    assert character_of(TAVERN, "", "a").beats_per_bar == 4


@pytest.mark.parametrize("name", [*INSTRUMENTS, *TEXTURES])
def test_every_instrument_and_every_texture_sounds(piece, name):
    sound = piece(f"Solo {(INSTRUMENTS | TEXTURES)[name][0]}", seconds=6.0)

    assert np.isfinite(sound).all()
    assert hearing.decibels(float(np.sqrt(np.mean(sound**2)))) > -26


@pytest.mark.parametrize("mode", SCALES)
def test_chords_stay_in_their_mode_begin_and_end_at_home_and_move_little(mode):
    chords = chords_of(2, mode, 17, chance("a", "harmony"))

    assert {(voice - 2) % 12 for chord in chords for voice in chord.voices} <= set(SCALES[mode])
    assert chords[0].degree == chords[-1].degree == 0
    assert all(phrase[0] == 0 for phrase in PHRASES[mode])
    moves = [
        move
        for before, after in pairwise(chords)
        for move in sorted(min(abs(voice - other) for other in before.voices) for voice in after.voices)[
            : len(before.voices)
        ]
    ]
    assert max(moves) <= 5
    assert np.mean(moves) < 2.2
