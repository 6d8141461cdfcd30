import pytest

from showrunner.speech_text import chunks, speakable, split_sentences


@pytest.mark.parametrize(
    ("markdown", "spoken"),
    [
        ("**Bold** and *soft* and ***both***.", "Bold and soft and both."),
        ("__Bold__, _soft_, ~~gone~~ and snake_case_name.", "Bold, soft, gone and snake_case_name."),
        ("5 * 3 is 15, and 2 * 2 is 4.", "5 * 3 is 15, and 2 * 2 is 4."),
        ('Read [the report](https://example.org/a_(b)?q=1 "Title") today.', "Read the report today."),
        ("Read [the report][1] today.\n\n[1]: https://example.org", "Read the report today."),
        ("![A chart](chart.png) shows it.", "A chart shows it."),
        ("See https://www.example.org/a/b?c=d.", "See example.org."),
        ("Run `make test` first.", "Run make test first."),
        ("# The harbour\n\nIt is old.", "The harbour. It is old."),
        ("- one\n- two!\n1. three", "one. two! three."),
        ("> Quoted\n> words.", "Quoted words."),
        ("```python\nprint()\n```", "print()"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a, b. 1, 2."),
        ("One\n\n---\n\nTwo", "One Two"),
        ("A note[^1] here.", "A note here."),
        ("<b>Tea</b> &amp; cake, 3 < 4", "Tea & cake, 3 < 4"),
        (r"A \*literal\* star", "A *literal* star"),
        ("“Hello”, it’s «fine»…", '"Hello", it\'s "fine"...'),
        ("tabs\tand\u00a0spaces  and\u200b zero\u0007width", "tabs and spaces and zero width"),
        ("Well done 🎉 indeed ✅!", "Well done indeed!"),
        ("Grüße aus São Paulo, naïve café", "Grüße aus São Paulo, naïve café"),
    ],
)
def test_markdown_becomes_the_words_that_are_spoken(markdown, spoken):
    text = speakable(markdown)

    assert text == spoken


def test_plain_text_stays_as_it_is():
    text = 'She said: "It is 3.5 km, Dr. Smith" – and left.'

    assert speakable(text) == text
    assert speakable(speakable(text)) == text


@pytest.mark.parametrize("markdown", ["", "***", "---", "![](x.png)", "<!-- hidden -->", "\u200b\n"])
def test_markup_without_words_becomes_nothing(markdown):
    assert speakable(markdown).strip("*") == ""


def test_a_sentence_ends_at_its_mark_and_not_at_an_abbreviation():
    text = 'Dr. Smith met J. K. Rowling, e.g. in London. "Really?" she asked. It was 3.5 km! Was it? Yes'

    assert split_sentences(text) == [
        "Dr. Smith met J. K. Rowling, e.g. in London.",
        '"Really?" she asked.',
        "It was 3.5 km!",
        "Was it?",
        "Yes",
    ]


def test_sentences_of_a_script_without_spaces_are_found():
    assert split_sentences("これは文です。次の文です！") == ["これは文です。", "次の文です！"]


def test_chunks_end_at_sentences_and_lose_no_word():
    text = "One is short. Two is a little longer. Three. " * 20

    pieces = chunks(text, 80)

    assert max(map(len, pieces)) <= 80
    assert all(piece.endswith(".") for piece in pieces)
    assert " ".join(pieces).split() == text.split()


def test_a_sentence_longer_than_a_chunk_is_cut_at_a_clause_then_at_a_word_then_anywhere():
    text = "A first clause that is long enough, " + "word " * 30 + "x" * 100 + "."

    pieces = chunks(text, 40)

    assert max(map(len, pieces)) <= 40
    assert pieces[0] == "A first clause that is long enough,"
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
