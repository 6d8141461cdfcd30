"""What was typed, checked before anything is started: each error names the option and what is allowed."""

import pytest

from local.request_options import output_folder, request_of
from showrunner.errors import InvalidInput

PROSE = "# How tides work\n\n" + "The sea rises and falls twice a day. " * 30


@pytest.fixture
def article(tmp_path):
    path = tmp_path / "article.md"
    path.write_text(PROSE)
    return path


def ask(text, minutes="3", language="en-GB", form="", voices="", writer="offline/extractive"):
    return request_of(str(text), minutes, language, form, voices, writer)


def refusal(*arguments, **options):
    with pytest.raises(InvalidInput) as refused:
        ask(*arguments, **options)
    return str(refused.value)


def test_an_article_becomes_a_dialogue_named_after_its_heading(article):
    request = ask(article)

    assert (request.show, request.kind, request.minutes) == ("How tides work", "markdown", 3)
    assert request.format == "dialogue"
    assert [speaker["voice"] for speaker in request.speakers] == ["espeak/ada", "espeak/ben"]


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        *((text, "out of range") for text in ("0", "10000", "-3", "nan", "inf")),
        ("ten", "not a number"),
        ("", "not a number"),
    ],
)
def test_minutes_are_1_to_120(article, minutes, said):
    assert refusal(article, minutes=minutes) == (
        f"minutes: {minutes if said == 'out of range' else repr(minutes)} is {said}; allowed: 1 to 120."
    )


@pytest.mark.parametrize("minutes", ["1", "120", "2.5"])
def test_the_bounds_themselves_are_allowed(article, minutes):
    assert ask(article, minutes=minutes).minutes == float(minutes)


def test_a_missing_file_is_named(tmp_path):
    assert refusal(tmp_path / "nowhere.md") == f"text: {tmp_path / 'nowhere.md'} is not a file."


def test_a_folder_is_not_a_text(tmp_path):
    assert "is not a file" in refusal(tmp_path)


def test_an_unsupported_kind_of_file_names_the_allowed_ones(tmp_path):
    path = tmp_path / "article.docx"
    path.write_bytes(b"PK")

    assert refusal(path) == (
        "text: .docx files are not supported; allowed: .markdown, .md, .pdf, .text, .txt, or a web address."
    )


@pytest.mark.parametrize("body", [b"", b"  \n\t \n"])
def test_an_empty_text_says_how_much_is_needed(tmp_path, body):
    path = tmp_path / "empty.txt"
    path.write_bytes(body)

    assert refusal(path) == "text: is empty; give at least 50 words of text."


def test_five_megabytes_are_too_much(tmp_path):
    path = tmp_path / "huge.txt"
    path.write_text("word " * 1_000_000)

    assert refusal(path) == ("text: has 5,000,000 characters; at most 1,000,000 are allowed. Split it into several.")


def test_a_pdf_may_have_as_many_bytes_as_ingestion_reads_and_no_more(tmp_path):
    small, large = tmp_path / "small.pdf", tmp_path / "large.pdf"
    small.write_bytes(b"%PDF" + bytes(5_000_000))
    large.write_bytes(b"%PDF" + bytes(10_000_000))

    assert ask(small).kind == "pdf"
    assert "at most 10,000,000 are allowed" in refusal(large)


def test_a_binary_file_is_refused(tmp_path):
    path = tmp_path / "picture.txt"
    path.write_bytes(bytes(range(256)) * 50)

    assert refusal(path).startswith("text: ")


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("المد والجزر هما ارتفاع وانخفاض مستوى سطح البحر " * 20, "Arabic"),
        ("潮の満ち引きは月の引力によって起こる。" * 40, "Japanese"),
    ],
)
def test_a_text_that_the_language_is_not_written_in_is_refused(tmp_path, text, script):
    path = tmp_path / "article.txt"
    path.write_text(text)

    message = refusal(path)
    assert message.startswith("text: ")
    assert script in message
    assert "en-GB" in message


@pytest.mark.parametrize("voices", ["espeak/nobody", "espeak/emil", "espeak/ada,espeak/nobody"])
def test_an_unknown_voice_or_one_of_another_language_names_the_allowed_ones(article, voices):
    message = refusal(article, voices=voices)

    assert message.startswith("voices: ")
    assert message.endswith("allowed: espeak/ada, espeak/ben, espeak/cora, espeak/dev.")


@pytest.mark.parametrize("voices", ["siri", "/ada", "espeak/"])
def test_a_voice_is_provider_slash_name(article, voices):
    assert refusal(article, voices=voices) == f"voices: {voices!r} is not of the form <provider>/<name>."


def test_an_unknown_provider_names_the_allowed_ones(article):
    assert refusal(article, voices="siri/ada") == "voices: provider 'siri' is unknown; allowed: espeak, polly, openai."


def test_a_dialogue_needs_two_voices(article):
    assert "a dialogue needs two voices" in refusal(article, form="dialogue", voices="espeak/ada")


def test_one_voice_makes_a_bulletin(article):
    request = ask(article, voices="espeak/dev")

    assert (request.format, request.speakers) == ("bulletin", [{"name": "Dev", "voice": "espeak/dev"}])


def test_an_unknown_format_names_the_allowed_ones(article):
    assert refusal(article, form="opera") == "format: 'opera' is unknown; allowed: dialogue, bulletin."


@pytest.mark.parametrize("language", ["", "english", "EN", "en_GB", "ja'; drop table"])
def test_a_language_is_a_tag(article, language):
    assert refusal(article, language=language).startswith("language: ")


def test_a_language_that_no_voice_speaks_names_those_that_are_spoken(article):
    assert refusal(article, language="ja") == (
        "language: the offline voices do not speak 'ja'; allowed: de, en, es, fr, it, pt."
    )


def test_a_web_address_is_a_source_of_its_own():
    request = ask("https://www.example.org/tides?x=1")

    assert (request.kind, request.url, request.content) == ("web_page", "https://www.example.org/tides?x=1", None)
    assert request.show == "example.org"


def test_an_output_folder_that_is_a_file_is_refused(tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("")

    with pytest.raises(InvalidInput, match=r"out: .*taken cannot be written to"):
        output_folder(str(taken))
