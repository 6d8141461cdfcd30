import hashlib
from io import BytesIO
from uuid import UUID

import pytest
from pypdf import PdfReader, PdfWriter

from ingest_sources import IngestSourcesInput, run
from showrunner.errors import InvalidInput, RateLimited
from showrunner.settings import Settings
from tests.pdfs import make_pdf
from tests.texts import ARTICLE
from tests.unit.conftest import ORGANIZATION
from tests.web_server import WebServer

SOURCE = UUID("00000000-0000-4000-8000-000000000001")
PARAGRAPH = (
    "Lighthouse keepers wound the clockwork every four hours, because the great lens turned day and night and the "
    "oil lamp inside it had to burn with the same brightness from dusk until dawn."
)


@pytest.fixture
def server(services):
    with WebServer() as server:
        services.settings = Settings(bucket="media", ingest_allowed_hosts=f"other.example:1, {server.place}")
        yield server


@pytest.fixture
def ingest(services, make_job):
    """ingest(kind, ...): the outcome, and the text that was stored."""

    def make(kind, *, language="en-GB", **fields):
        value = IngestSourcesInput(source_id=SOURCE, kind=kind, language=language, **fields)
        outcome = run(make_job(value, stage="ingest_sources"), services)
        asset = outcome.output.asset
        return outcome, services.media_store.files[asset.key].decode() if asset else None

    return make


def page(body, title="Keepers of the light"):
    paragraphs = "".join(f"<p>{PARAGRAPH}</p>" for _ in range(3))
    return (
        f"<html><head><title>{title}</title></head><body><nav><a href='/shop'>Shop our lamps</a></nav>"
        f"<article><h1>{title}</h1>{paragraphs}<h2>The lens</h2><p>{body}</p></article>"
        "<footer>Copyright, imprint, cookies</footer><script>track()</script></body></html>"
    )


def test_pasted_text_is_stored_and_described(ingest):
    outcome, text = ingest("text", content=f"  {PARAGRAPH}\n")

    assert text == PARAGRAPH
    assert outcome.output.words == len(PARAGRAPH.split())
    assert outcome.output.characters == len(PARAGRAPH)
    assert outcome.output.asset.sha256 == hashlib.sha256(PARAGRAPH.encode()).hexdigest()
    assert outcome.output.asset.key.startswith(f"organizations/{ORGANIZATION}/source_text/")
    assert outcome.output.asset.key.endswith(".txt")


def test_markdown_stays_markdown_without_its_front_matter(ingest):
    outcome, text = ingest("markdown", content=f"---\ntitle: The tides\ndraft: true\n---\n{ARTICLE}")

    assert outcome.output.title == "The tides"
    assert text == ARTICLE.strip()
    assert outcome.output.asset.key.endswith(".md")


def test_the_title_a_person_gave_wins(ingest):
    outcome, _ = ingest("markdown", content=ARTICLE, title="My tides")

    assert outcome.output.title == "My tides"


def test_a_document_without_a_given_title_has_that_of_its_first_heading(ingest):
    outcome, _ = ingest("markdown", content=ARTICLE)

    assert outcome.output.title == "How the tides work"


def test_equal_work_gives_an_equal_output(ingest):
    first, _ = ingest("markdown", content=ARTICLE)
    second, _ = ingest("markdown", content=ARTICLE)

    assert first.output == second.output


def test_the_source_row_learns_what_was_extracted(ingest):
    outcome, _ = ingest("markdown", content=ARTICLE)

    update = next(statement for statement in outcome.statements if "public.sources" in statement.sql)
    assert update.params["asset_id"] == outcome.output.asset.id
    assert update.params["sha256"] == outcome.output.asset.sha256
    assert update.params["source_id"] == SOURCE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("   ", "content: is empty"),
        ("هذا نص عربي طويل عن المد والجزر " * 20, "content: is written in Arabic script"),
        ("これは日本語の文章です。" * 20, "content: is written in Japanese script"),
        ("word " * 1_000_000, "content: has 4,999,999 characters"),
        ("\0\1\2\3" * 100, "content: is binary data"),
    ],
)
def test_text_that_cannot_be_used_is_refused_and_nothing_is_stored(ingest, media_store, content, words):
    with pytest.raises(InvalidInput, match=f"^{words}"):
        ingest("text", content=content)

    assert media_store.files == {}


def test_a_web_page_is_read_without_what_surrounds_its_text(server, ingest):
    server.pages["/"] = ("text/html; charset=utf-8", page("The lens of 1822 was the first of its kind.").encode())

    outcome, text = ingest("web_page", url=server.url("/"))

    assert outcome.output.title == "Keepers of the light"
    assert PARAGRAPH in text
    assert "## The lens" in text
    assert not any(word in text for word in ("Shop our lamps", "imprint", "track()"))


@pytest.mark.parametrize(
    ("content_type", "declared"),
    [("text/html; charset=ISO-8859-1", ""), ("text/html", '<meta charset="iso-8859-1">'), ("text/html", "")],
)
def test_a_latin_1_page_keeps_its_accents(server, ingest, content_type, declared):
    html = page("Près du café, l’été, la mer est à l'œuvre.").replace("<head>", f"<head>{declared}")
    server.pages["/"] = (content_type, html.encode("cp1252"))

    _, text = ingest("web_page", url=server.url("/"), language="fr-FR")

    assert "Près du café, l’été, la mer est à l'œuvre." in text


def test_a_page_that_only_a_browser_could_build_is_refused(server, ingest):
    server.pages["/"] = ("text/html", b"<html><body><div id='root'></div><script src='app.js'></script></body></html>")

    with pytest.raises(InvalidInput, match=r"^url: .* has no readable text"):
        ingest("web_page", url=server.url("/"))


def test_a_page_address_that_leads_to_a_pdf_is_read_as_one(server, ingest):
    server.pages["/"] = ("application/pdf", make_pdf([[PARAGRAPH[:80], PARAGRAPH[80:]]], "Keepers"))

    outcome, text = ingest("web_page", url=server.url("/"))

    assert outcome.output.title == "Keepers"
    assert "oil lamp inside it" in text


def test_a_private_address_is_refused(ingest):
    with pytest.raises(InvalidInput, match=r"^url: 127\.0\.0\.1 is not on the public internet"):
        ingest("web_page", url="http://127.0.0.1/")


def test_a_server_that_asks_for_patience_is_heard(server, ingest):
    server.pages["/"] = lambda handler: server.send(handler, "text/html", b"", status=429, headers={"Retry-After": "9"})

    with pytest.raises(RateLimited) as refusal:
        ingest("web_page", url=server.url("/"))

    assert refusal.value.retry_after == 9


def test_a_pdf_is_read_as_paragraphs_without_running_heads(server, ingest):
    pages = [
        [
            "Keepers of the light",
            "The lamp burned from dusk until dawn, and the key-",
            "per wound the clock every four",
            "hours.",
            str(n),
        ]
        for n in range(1, 5)
    ]
    server.pages["/a.pdf"] = ("application/pdf", make_pdf(pages, "A life at sea"))

    outcome, text = ingest("pdf", url=server.url("/a.pdf"))

    assert outcome.output.title == "A life at sea"
    assert text.count("the keyper wound the clock every four hours.") == 4
    assert "Keepers of the light" not in text


def test_an_uploaded_pdf_is_read(ingest, media_store):
    key = f"organizations/{ORGANIZATION}/uploads/keepers.pdf"
    media_store.put(key, make_pdf([[PARAGRAPH[:80], PARAGRAPH[80:]]]), "application/pdf")

    outcome, text = ingest("pdf", upload_key=key)

    assert outcome.output.title == "keepers"
    assert text.startswith("Lighthouse keepers wound")


def encrypted():
    writer = PdfWriter(clone_from=PdfReader(BytesIO(make_pdf([[PARAGRAPH]]))))
    writer.encrypt("secret", algorithm="RC4-128")
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (encrypted(), "protected by a password"),
        (make_pdf([[], []]), "has no text, only pictures of it"),
        (make_pdf([[PARAGRAPH]])[:200], "is damaged and cannot be read"),
        (b"<html>", "is not a PDF"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(ingest, media_store, body, words):
    key = f"organizations/{ORGANIZATION}/uploads/a.pdf"
    media_store.put(key, body, "application/pdf")

    with pytest.raises(InvalidInput, match=f"^upload_key: .*{words}"):
        ingest("pdf", upload_key=key)


@pytest.mark.parametrize(
    "key",
    [
        "organizations/00000000-0000-4000-8000-0000000000ff/uploads/a.txt",
        f"organizations/{ORGANIZATION}/../00000000-0000-4000-8000-0000000000ff/a.txt",
        "drafts/a.txt",
    ],
)
def test_another_tenants_file_is_not_read(ingest, media_store, key):
    media_store.put(key, ARTICLE.encode(), "text/plain")

    with pytest.raises(InvalidInput, match="is not a file of this organization"):
        ingest("text", upload_key=key)


@pytest.mark.parametrize(
    ("body", "words"), [(None, "was not uploaded"), (b"x" * 10_000_001, "has 10,000,001 bytes; at most 10,000,000")]
)
def test_an_upload_that_is_missing_or_too_large_is_refused(ingest, media_store, body, words):
    key = f"organizations/{ORGANIZATION}/uploads/a.txt"
    if body is not None:
        media_store.put(key, body, "text/plain")

    with pytest.raises(InvalidInput, match=f"^upload_key: .*{words}"):
        ingest("text", upload_key=key)
