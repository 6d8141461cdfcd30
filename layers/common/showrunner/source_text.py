"""Whether a text can be made an episode of: checked where it comes in, before anything is stored.

The command line and `ingest_sources` use the same checks, so both refuse the same texts with the same sentences.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections import Counter
from functools import lru_cache

from showrunner.errors import InvalidInput

# Of a file or a page as it arrives; what is read out of it has at most MOST_CHARACTERS.
MOST_FILE_BYTES = 10_000_000
MOST_CHARACTERS = 1_000_000
FEWEST_WORDS = 50

# Scripts are taken from the first word of a letter's Unicode name; a language is written in these.
_JAPANESE = frozenset({"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK"})
_SCRIPTS_OF_LANGUAGE = {
    **dict.fromkeys(("ar", "fa", "ur", "ps", "ckb"), frozenset({"ARABIC"})),
    **dict.fromkeys(("ru", "uk", "be", "bg", "mk", "kk", "ky", "mn"), frozenset({"CYRILLIC"})),
    **dict.fromkeys(("hi", "mr", "ne", "sa"), frozenset({"DEVANAGARI"})),
    **dict.fromkeys(("he", "yi"), frozenset({"HEBREW"})),
    **dict.fromkeys(("zh", "yue"), frozenset({"CJK", "BOPOMOFO"})),
    "am": frozenset({"ETHIOPIC"}),
    "bn": frozenset({"BENGALI"}),
    "el": frozenset({"GREEK"}),
    "hy": frozenset({"ARMENIAN"}),
    "ja": _JAPANESE,
    "ka": frozenset({"GEORGIAN"}),
    "ko": frozenset({"HANGUL", "CJK"}),
    "sr": frozenset({"CYRILLIC", "LATIN"}),
    "ta": frozenset({"TAMIL"}),
    "te": frozenset({"TELUGU"}),
    "th": frozenset({"THAI"}),
}
_LATIN = frozenset({"LATIN"})
_NAMES = {"CJK": "Chinese or Japanese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}
# Scripts that put no space between words: a word is about this many letters.
_UNSPACED = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "THAI", "LAO", "KHMER", "MYANMAR"})
_LETTERS_OF_AN_UNSPACED_WORD = 2

_SAMPLE_LETTERS = 20_000
_FOREIGN_SHARE = 0.5
_CONTROL_SHARE = 0.01
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode_text(field: str, body: bytes) -> str:
    """Decode UTF-8, UTF-16/32 with a byte order mark, or else Windows-1252; raise `InvalidInput` for binary data."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            try:
                return body.decode(encoding)
            except UnicodeDecodeError as error:
                raise InvalidInput(f"{field}: starts like {encoding} but is not; save it as UTF-8 text.") from error
    if b"\0" in body:
        raise _binary(field)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        text = body.decode("cp1252")
    except UnicodeDecodeError as error:
        raise _binary(field) from error
    if _control_share(text) > 0 or _letter_share(text) < 0.6:
        raise _binary(field)
    return text


def count_words(text: str) -> int:
    """Count words: runs between spaces that have a letter or digit, or letters where a script has no spaces."""
    words = 0
    for run in text.split():
        unspaced = sum(1 for letter in run if ord(letter) > 0xE00 and _script(letter) in _UNSPACED)
        if unspaced:
            words += max(1, unspaced // _LETTERS_OF_AN_UNSPACED_WORD)
        elif any(character.isalnum() for character in run):
            words += 1
    return words


def check_text(field: str, text: str, language: str, *, fewest_words: int = FEWEST_WORDS) -> None:
    """Raise `InvalidInput`, naming `field` and what is allowed, unless an episode can be made of `text`.

    Refused are: nothing but space, more than `MOST_CHARACTERS`, binary data, a writing system that `language`
    (BCP 47) is not written in, and fewer than `fewest_words` words.
    """
    if not text.strip():
        raise InvalidInput(f"{field}: is empty; give at least {fewest_words} words of text.")
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput(
            f"{field}: has {len(text):,} characters; at most {MOST_CHARACTERS:,} are allowed. Split it into several."
        )
    if "\0" in text or _control_share(text) > _CONTROL_SHARE:
        raise _binary(field)
    _check_script(field, text, language)
    words = count_words(text)
    if words < fewest_words:
        raise InvalidInput(f"{field}: has {words} words; at least {fewest_words} are needed to make an episode of it.")


def _check_script(field: str, text: str, language: str) -> None:
    expected = _SCRIPTS_OF_LANGUAGE.get(language.lower().split("-")[0], _LATIN)
    found = _scripts(text)
    if not found:
        raise InvalidInput(f"{field}: has no letters; give text in the show's language, {language}.")
    foreign = Counter({script: count for script, count in found.items() if script not in expected})
    if foreign.total() > _FOREIGN_SHARE * found.total():
        if foreign.keys() & {"HIRAGANA", "KATAKANA"}:
            name = "Japanese"
        else:
            script = foreign.most_common(1)[0][0]
            name = _NAMES.get(script, script.capitalize())
        raise InvalidInput(
            f"{field}: is written in {name} script, which does not fit the show's language {language}; "
            "give a text in that language or change the show's language."
        )


def _scripts(text: str) -> Counter[str]:
    """Count letters by script, over evenly spread samples of a long text."""
    stride = max(1, len(text) // _SAMPLE_LETTERS)
    return Counter(_script(character) for character in text[::stride] if character.isalpha())


@lru_cache(maxsize=8192)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split(" ")[0]


def _control_share(text: str) -> float:
    odd = sum(1 for character in text if (character < " " and character not in "\t\n\r\f") or character == "\ufffd")
    return odd / max(1, len(text))


def _letter_share(text: str) -> float:
    plain = sum(1 for character in text if character.isalnum() or character.isspace())
    return plain / max(1, len(text))


def _binary(field: str) -> InvalidInput:
    return InvalidInput(f"{field}: is binary data, not text; give plain text or Markdown in UTF-8.")
