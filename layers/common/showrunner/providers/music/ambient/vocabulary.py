"""The words that the composer understands, in small letters; a word also stands for those that begin with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mood:
    """What a mood's words ask for; tempo in beats a minute, `brightness` and `energy` 0 to 1, `space` in seconds."""

    words: tuple[str, ...]
    modes: tuple[str, ...]
    tempo: tuple[int, int]
    brightness: float
    energy: float
    space: float
    layers: tuple[str, ...]


MOODS = (
    Mood(("calm", "peace", "serene", "gentle", "relax", "sooth", "quiet", "soft", "still", "medit", "spa"),
         ("ionian", "lydian", "mixolydian"), (54, 72), 0.4, 0.25, 3.0, ("pad", "piano", "harp", "flute")),
    Mood(("sleep", "lullab", "bedtime", "drows"), ("ionian", "lydian"), (48, 60), 0.2, 0.1, 3.4,
         ("pad", "choir", "bells")),
    Mood(("dream", "ether", "float", "heaven", "celest", "space", "cosmic", "nebula", "star", "magic", "fairy"),
         ("lydian", "ionian", "mixolydian"), (56, 76), 0.6, 0.25, 4.0, ("pad", "choir", "bells", "harp")),
    Mood(("sad", "melanch", "lonel", "nostalg", "longing", "grief", "mourn", "wistful", "somber", "sombre"),
         ("aeolian", "dorian"), (52, 68), 0.3, 0.2, 3.2, ("strings", "piano", "flute")),
    Mood(("dark", "myster", "ominous", "haunt", "gothic", "crypt", "dungeon", "shadow", "horror", "tense", "eerie"),
         ("aeolian", "phrygian"), (50, 66), 0.2, 0.3, 3.8, ("pad", "drone", "choir", "bells")),
    Mood(("mediev", "tavern", "fantasy", "castle", "celtic", "folk", "elven", "village", "bard", "renaissance"),
         ("dorian", "mixolydian", "aeolian"), (66, 88), 0.5, 0.5, 2.4, ("strings", "lute", "flute", "drum", "drone")),
    Mood(("royal", "elegan", "noble", "court", "ballroom", "classical", "waltz", "baroque", "regal"),
         ("ionian", "mixolydian"), (76, 96), 0.55, 0.5, 2.4, ("strings", "piano", "harp", "flute")),
    Mood(("epic", "hero", "grand", "majest", "battle", "triumph", "advent", "cinematic"),
         ("aeolian", "dorian", "ionian"), (72, 92), 0.55, 0.8, 3.0, ("strings", "choir", "drum", "harp")),
    Mood(("warm", "cozy", "cosy", "coffee", "lofi", "lo-fi", "study", "hygge", "comfort", "cafe", "jazz"),
         ("ionian", "dorian", "mixolydian"), (66, 84), 0.3, 0.4, 1.8, ("pad", "piano", "lute", "shaker")),
    Mood(("bright", "happy", "joy", "cheer", "sunny", "hope", "playful", "uplift", "morning", "spring", "summer"),
         ("ionian", "lydian", "mixolydian"), (78, 100), 0.7, 0.55, 2.0, ("pad", "harp", "bells", "flute", "shaker")),
    Mood(("forest", "nature", "garden", "meadow", "mountain", "river", "zen", "japan", "temple"),
         ("dorian", "mixolydian", "ionian"), (56, 76), 0.5, 0.3, 2.8, ("pad", "flute", "harp")),
)  # fmt: skip

# What is played when no word says anything of the mood.
PLAIN = Mood((), ("ionian", "dorian", "aeolian", "lydian", "mixolydian"), (58, 78), 0.45, 0.3, 2.8,
             ("pad", "piano", "harp", "bells", "flute", "strings"))  # fmt: skip

INSTRUMENTS = {
    "pad": ("pad", "synth", "ambient", "texture"),
    "strings": ("string", "violin", "cello", "viola", "orchestra"),
    "choir": ("choir", "voice", "vocal", "chant", "choral", "hum"),
    "drone": ("drone", "tanpura", "hurdy", "bagpipe", "didgeridoo"),
    "harp": ("harp", "koto", "pluck", "zither", "kora"),
    "lute": ("lute", "guitar", "banjo", "oud", "mandolin", "ukulele"),
    "piano": ("piano", "keys", "keyboard", "rhodes", "harpsichord"),
    "bells": ("bell", "chime", "glocken", "vibraph", "music box", "celesta", "kalimba", "marimba", "bowl", "gong"),
    "flute": ("flute", "whistle", "shakuhachi", "recorder", "woodwind", "ocarina", "clarinet", "oboe"),
    "drum": ("drum", "percussion", "bodhran", "taiko", "tom", "beat", "rhythm", "timpani"),
    "shaker": ("shaker", "maraca", "brush", "hat", "tambourine", "percussion"),
}

TEXTURES = {
    "rain": ("rain", "drizzle", "storm", "thunder", "downpour"),
    "wind": ("wind", "breez", "blizzard", "snow", "gust"),
    "fire": ("fire", "hearth", "campfire", "candle", "ember", "torch"),
    "waves": ("wave", "ocean", "sea", "beach", "shore", "surf", "coast", "harbour", "harbor"),
    "stream": ("stream", "river", "brook", "waterfall", "creek", "water", "fountain"),
    "birds": ("bird", "forest", "birdsong", "dawn", "garden", "meadow"),
    "night": ("cricket", "night", "cicada", "midnight"),
}

# Words whose beginning is that of another: a fireplace is a fire, a seat is no sea.
NOT_MEANT = {
    "window",
    "windows",
    "seat",
    "season",
    "search",
    "starting",
    "start",
    "hatch",
    "humble",
    "human",
    "stringent",
    "tomorrow",
}

NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}
MODE_NAMES = {
    "major": "ionian", "ionian": "ionian", "minor": "aeolian", "aeolian": "aeolian", "dorian": "dorian",
    "phrygian": "phrygian", "lydian": "lydian", "mixolydian": "mixolydian",
}  # fmt: skip
TEMPO_WORDS = {"slow": 0.85, "lento": 0.85, "largo": 0.8, "adagio": 0.85, "fast": 1.25, "upbeat": 1.2, "lively": 1.2}
