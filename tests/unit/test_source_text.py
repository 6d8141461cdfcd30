import random

import pytest

from showrunner.errors import InvalidInput
from showrunner.source_text import check_text, count_words, decode_text

ENGLISH = "The sea comes to you twice a day if you wait on the beach. " * 6
JAPANESE = "これは日本語の文章です。海は一日に二度満ちて、二度引きます。" * 20
CHINESE = "这是一篇关于潮汐的中文文章。" * 20
ARABIC = "هذا نص عربي طويل عن المد والجزر في البحر " * 20
RUSSIAN = "Это русский текст о приливах и отливах " * 20


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en-GB"),
        (ENGLISH + " " + "Владимир", "en"),
        (JAPANESE, "ja-JP"),
        (CHINESE, "zh"),
        (ARABIC, "ar"),
        (RUSSIAN, "ru-RU"),
        (RUSSIAN, "sr"),
        ("Die Flut kommt später, sagte die Wärterin über das größte Schöpfwerk der Küste. " * 5, "de-DE"),
    ],
)
def test_a_text_in_the_shows_language_is_fine(text, language):
    check_text("content", text, language)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty; give at least 50 words"),
        (" \n\t ", "is empty; give at least 50 words"),
        ("Too short.", "has 2 words; at least 50 are needed"),
        ("x" * 1_000_001, "has 1,000,001 characters; at most 1,000,000 are allowed"),
        (ENGLISH + "\0", "is binary data"),
        ("\x01\x02\x03\x7f abc " * 50, "is binary data"),
        ("12 34 56. " * 50, "has no letters"),
        (JAPANESE, "is written in Japanese script, which does not fit the show's language en-GB"),
        (CHINESE, "is written in Chinese or Japanese script"),
        (ARABIC, "is written in Arabic script"),
        (RUSSIAN, "is written in Cyrillic script"),
    ],
)
def test_a_text_that_cannot_become_an_episode_is_refused_with_a_reason(text, words):
    with pytest.raises(InvalidInput) as refusal:
        check_text("content", text, "en-GB")

    assert refusal.value.message.startswith("content: ")
    assert words in refusal.value.message


def test_an_english_text_does_not_fit_a_japanese_show():
    with pytest.raises(InvalidInput, match="is written in Latin script"):
        check_text("content", ENGLISH, "ja")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_is_read_in_the_usual_encodings(encoding):
    text = "Un café près du phare, où la mer monte et descend deux fois par jour."

    assert decode_text("upload_key", text.encode(encoding)) == text


@pytest.mark.parametrize(
    "body",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        random.Random(1).randbytes(5000).replace(b"\0", b"\1"),
        b"PK\x03\x04" + bytes(range(1, 256)) * 4,
    ],
)
def test_a_binary_file_is_not_taken_for_text(body):
    with pytest.raises(InvalidInput, match="upload_key: is binary data"):
        decode_text("upload_key", body)


def test_a_broken_byte_order_mark_is_named():
    with pytest.raises(InvalidInput, match="starts like utf-16 but is not"):
        decode_text("upload_key", b"\xff\xfea")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", 0), ("one two - three", 3), ("潮の満ち引き", 3), ("don't stop", 2), ("ไทยภาษา", 3)],
)
def test_words_are_counted_in_scripts_with_and_without_spaces(text, words):
    assert count_words(text) == words
