"""Texts that tests write episodes from."""

import random
from pathlib import Path

ARTICLE = (Path(__file__).parents[1] / "examples" / "article.md").read_text("utf-8")

TEXTS = {path.stem: path.read_text("utf-8") for path in sorted((Path(__file__).parent / "texts_by_language").glob("*"))}
TAGS = {"de": "de-DE", "es": "es-ES", "fr": "fr-FR", "it": "it-IT", "pt": "pt-PT"}

_SUBJECTS = (
    "keeper",
    "harbour",
    "engine",
    "bridge",
    "garden",
    "mill",
    "canal",
    "library",
    "furnace",
    "orchard",
    "tower",
)
_VERBS = (
    "measured",
    "repaired",
    "recorded",
    "painted",
    "described",
    "guarded",
    "lifted",
    "drained",
    "shaped",
    "charted",
)
_OBJECTS = (
    "lantern",
    "pulley",
    "ledger",
    "anchor",
    "chimney",
    "archway",
    "barrel",
    "signal",
    "window",
    "rudder",
    "cable",
)
_PLACES = ("valley", "market", "island", "station", "village", "courtyard", "shore", "hillside", "workshop", "cellar")
_TIMES = ("in spring", "before dawn", "after the flood", "during the war", "every winter", "on market days", "long ago")


def long_text(words: int, seed: int = 1) -> str:
    """Return English prose of about so many words, with headings; every sentence is another one."""
    chance = random.Random(seed)
    pieces, size, section = [], 0, 0
    while size < words:
        section += 1
        pieces.append(f"## {chance.choice(_SUBJECTS).title()} and {chance.choice(_OBJECTS)} number {section}")
        for _ in range(4):
            sentences = [_sentence(chance) for _ in range(4)]
            pieces.append(" ".join(sentences))
            size += sum(len(sentence.split()) for sentence in sentences)
    return "\n\n".join(pieces)


def _sentence(chance: random.Random) -> str:
    subject, other = chance.sample(_SUBJECTS, 2)
    thing, another = chance.sample(_OBJECTS, 2)
    first, second = chance.sample(_VERBS, 2)
    count = chance.randrange(3, 9000)
    ending = chance.choice(
        [
            f" near the {chance.choice(_PLACES)}",
            f", while the {other} {second} the {another} of the {chance.choice(_PLACES)}",
            f" and {second} the {another} {chance.choice(_TIMES)}",
        ]
    )
    return f"The {subject} {first} {count} {thing}s{ending}."
