"""An album's plan made of words for worlds and moods; seeded, so that one video is always planned alike."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence

from showrunner.album_plan import AlbumMaterial, AlbumPlan, TrackPlan, are_alike
from showrunner.writing.album_words import (
    ANYWHERE,
    STYLES,
    TEMPERS,
    TEXTURES,
    TITLE_LIGHTS,
    TONICS,
    VIEWS,
    WORLDS,
    Temper,
    World,
)

_WORD = re.compile(r"[a-z][a-z'-]+")
_MOST_SHARE, _LEAST_SHARE = 1.12, 0.88
_MOST_WORDS = 60  # characters of a niche or mood in a prompt, which has more to say
_MOST_DRAWS = 100
_MOST_TITLE = 100
_UNWANTED = re.compile(r"[<>\s]+")
_DEFAULT_TEMPER = TEMPERS[-1]


def write_album(material: AlbumMaterial) -> AlbumPlan:
    """Return a plan: each track with its own instruments, key and tempo, each picture with its own scene."""
    chance = random.Random(str(material.seed))  # noqa: S311
    world = _world(f"{material.niche} {material.brand_niche}", material.moods)
    niche = _clean(material.niche)[:_MOST_WORDS].rstrip() or "ambience"
    moods = [material.moods[number % len(material.moods)][:_MOST_WORDS].rstrip() for number in range(material.tracks)]
    places = _dealt(world.places, chance)
    lights = _dealt(TITLE_LIGHTS, chance)
    details = _dealt(world.details, chance)
    views, textures, styles = _dealt(VIEWS, chance), _dealt(TEXTURES, chance), _dealt(STYLES, chance)
    keys = _keys(chance)
    tracks: list[TrackPlan] = []
    pictures: list[str] = []
    tempos: set[int] = set()
    for mood in moods:
        temper = _temper(mood)
        title, place = next(places).split("|")
        tempo = _unused(temper.tempo, tempos, chance)
        tempos.add(tempo)
        key = f"{next(keys)} {'minor' if chance.randrange(10) < temper.minor else 'major'}"
        facts = f"Key: {key}. Tempo: {tempo} BPM. Mood: {mood}. Instrumental."
        prompt = _unlike(
            [track.prompt for track in tracks],
            (
                f"{_music(niche, mood, world, temper, place, next(textures), chance)} {facts}"
                for _ in range(_MOST_DRAWS)
            ),
        )
        share = chance.uniform(_LEAST_SHARE, _MOST_SHARE)
        tracks.append(TrackPlan(title=f"{next(lights)} · {title}", prompt=prompt, share=share))
        scenes = (f"{place}, {next(views)}, {next(details)} and {next(details)}" for _ in range(_MOST_DRAWS))
        pictures.append(
            _unlike(pictures, (_picture(niche, mood, temper, scene, next(styles), chance) for scene in scenes))
        )
    return AlbumPlan(
        title=_title(material),
        description=_description(material, tracks),
        tags=_tags(material, world),
        tracks=tracks,
        pictures=pictures,
    )


def _unlike(made: Sequence[str], drawn: Iterable[str]) -> str:
    """The first of what is drawn that is unlike all that was made."""
    prompt = ""
    for prompt in drawn:
        if not any(are_alike(prompt, other) for other in made):
            break
    return prompt


def _music(niche: str, mood: str, world: World, temper: Temper, place: str, texture: str, chance: random.Random) -> str:
    instruments = chance.sample(world.instruments, 3)
    return (
        f"{_sentence(mood)} {chance.choice(world.forms)} for {niche}: {instruments[0]}, {instruments[1]} and "
        f"{instruments[2]}, {chance.choice(temper.playing)}, {texture}, evoking {place}."
    )


def _picture(niche: str, mood: str, temper: Temper, scene: str, style: str, chance: random.Random) -> str:
    """The scene first: that is what painters heed most."""
    return (
        f"16:9 background of {scene}, {chance.choice(temper.lights)}, {chance.choice(temper.colours)}, {style}. "
        f"{_sentence(mood)}, for {niche}. No text."
    )


def _title(material: AlbumMaterial) -> str:
    moods = " & ".join(_sentence(mood) for mood in material.moods[:2])
    length = f"{material.minutes} Minutes" if material.minutes > 1 else "1 Minute"
    niche = _clean(material.niche) or "Ambience"
    title = f"{niche} | {_clean(moods)} Music | {length}"
    return title if len(title) <= _MOST_TITLE else f"{niche[:80].rstrip()} | {length}"


def _description(material: AlbumMaterial, tracks: Sequence[TrackPlan]) -> str:
    moods = ", ".join(material.moods)
    return (
        f"{_clean(material.niche)}: {len(tracks)} pieces of {_clean(moods)} music, each with a scene of its own, "
        f"one after the other without a pause. From {_clean(material.channel)}."
    )[:2000]


def _tags(material: AlbumMaterial, world: World) -> list[str]:
    niche = _clean(material.niche).lower()
    wanted = [
        niche, _clean(material.brand_niche).lower(), *(f"{mood} music" for mood in material.moods),
        f"{niche} music", "ambience", "background music", "relaxing music", "study music", *world.instruments[:3],
    ]  # fmt: skip
    return list(dict.fromkeys(_clean(tag)[:100].strip() for tag in wanted if _clean(tag)))[:40]


def _world(niche: str, moods: Sequence[str]) -> World:
    """The world of which the niche has most words, else the moods; else one that fits anything."""
    for text in (niche, " ".join(moods)):
        words = _WORD.findall(text.lower())
        counted = [sum(word.startswith(stem) for word in words for stem in world.stems if stem) for world in WORLDS]
        if max(counted):
            return WORLDS[counted.index(max(counted))]
    return ANYWHERE


def _temper(mood: str) -> Temper:
    words = _WORD.findall(mood.lower())
    found = (temper for temper in TEMPERS for word in words for stem in temper.stems if word.startswith(stem))
    return next(found, _DEFAULT_TEMPER)


def _dealt(cards: Sequence[str], chance: random.Random) -> Iterator[str]:
    """Deal all cards before any comes again."""
    while True:
        yield from chance.sample(cards, len(cards))


def _keys(chance: random.Random) -> Iterator[str]:
    """Walk the circle of fifths a step or two at a time."""
    at = chance.randrange(len(TONICS))
    while True:
        yield TONICS[at]
        at = (at + chance.choice((-1, 1, 1, 2))) % len(TONICS)


def _unused(span: tuple[int, int], used: set[int], chance: random.Random) -> int:
    free = [tempo for tempo in range(span[0], span[1] + 1) if tempo not in used]
    return chance.choice(free or range(span[0], span[1] + 1))


def _clean(text: str) -> str:
    return _UNWANTED.sub(" ", text).strip()


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
