from datetime import UTC, datetime
from html import escape
from uuid import UUID

import pytest
from feedgen.feed import FeedGenerator

from ingest_sources import IngestSourcesInput, run
from showrunner.errors import InvalidInput
from showrunner.settings import Settings
from tests.web_server import WebServer

SOURCE = UUID("00000000-0000-4000-8000-000000000001")
SENTENCE = "The harbour office reports that the new tide gauge has been sending its measurements since Monday. "


@pytest.fixture
def server(services):
    with WebServer() as server:
        services.settings = Settings(bucket="media", ingest_allowed_hosts=server.place)
        yield server


@pytest.fixture
def ingest(services, make_job):
    """ingest(url, used): the outcome, and the text that was stored."""

    def make(url, used=()):
        value = IngestSourcesInput(source_id=SOURCE, kind="feed", language="en-GB", url=url, used_guids=list(used))
        outcome = run(make_job(value, stage="ingest_sources"), services)
        asset = outcome.output.asset
        return outcome, services.media_store.files[asset.key].decode() if asset else None

    return make


def feed(server, entries, kind="rss"):
    """A feed of (number, HTML) entries; entry n was published on day n of the month and links to /n."""
    generator = FeedGenerator()
    generator.id(server.url("/feed"))
    generator.title("Harbour news")
    generator.link(href=server.url("/"))
    generator.description("What happens in the harbour.")
    for number, html in entries:
        entry = generator.add_entry()
        entry.id(f"urn:item:{number}")
        entry.title(f"News of day {number}")
        entry.link(href=server.url(f"/{number}"))
        entry.published(datetime(2026, 1, number, tzinfo=UTC))
        entry.updated(datetime(2026, 1, number, tzinfo=UTC))
        entry.content(html, type="html") if kind == "atom" else entry.description(html)
    return generator.atom_str() if kind == "atom" else generator.rss_str()


@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_only_what_no_episode_has_used_is_taken_newest_first(server, ingest, kind):
    entries = [(number, f"<p>Report {number}. {SENTENCE * 10}</p>") for number in range(1, 5)]
    server.pages["/feed"] = (f"application/{kind}+xml", feed(server, entries, kind))

    outcome, text = ingest(server.url("/feed"), used=["urn:item:2", "urn:item:3"])

    assert [item.guid for item in outcome.output.items] == ["urn:item:4", "urn:item:1"]
    assert outcome.output.items[0].title == "News of day 4"
    assert outcome.output.items[0].url == server.url("/4")
    assert outcome.output.items[0].published_at == "2026-01-04T00:00:00+00:00"
    assert outcome.output.title == "Harbour news"
    assert text.startswith("## News of day 4\n\nReport 4. The harbour office")
    assert "Report 2" not in text


def test_the_entries_are_remembered_with_the_source(server, ingest):
    server.pages["/feed"] = ("application/rss+xml", feed(server, [(1, f"<p>{SENTENCE * 10}</p>")]))

    outcome, _ = ingest(server.url("/feed"))

    insert = next(statement for statement in outcome.statements if "public.source_items" in statement.sql)
    assert "on conflict (source_id, guid) do nothing" in insert.sql
    assert [item["guid"] for item in insert.params["items"].obj] == ["urn:item:1"]


def test_a_feed_with_nothing_new_gives_nothing_and_is_no_error(server, ingest, media_store):
    server.pages["/feed"] = ("application/rss+xml", feed(server, [(1, f"<p>{SENTENCE * 10}</p>")]))

    outcome, _ = ingest(server.url("/feed"), used=["urn:item:1"])

    assert (outcome.output.words, outcome.output.asset, outcome.output.items) == (0, None, [])
    assert media_store.files == {}
    assert not any("source_items" in statement.sql for statement in outcome.statements)


def test_at_most_twenty_entries_are_taken(server, ingest):
    entries = [(number, f"<p>{SENTENCE * 10}</p>") for number in range(1, 26)]
    server.pages["/feed"] = ("application/rss+xml", feed(server, entries))

    outcome, _ = ingest(server.url("/feed"))

    assert [item.guid for item in outcome.output.items] == [f"urn:item:{number}" for number in range(25, 5, -1)]


def test_the_page_of_a_teaser_is_read_instead(server, ingest):
    server.pages["/feed"] = ("application/rss+xml", feed(server, [(1, "A teaser. Read on!"), (2, "Another teaser.")]))
    paragraphs = f"<p>{SENTENCE * 4}</p><p>Whole story. {SENTENCE * 4}</p>"
    article = f"<html><body><article><h1>News</h1>{paragraphs}</article></body></html>"
    server.pages["/1"] = ("text/html", article.encode())

    outcome, text = ingest(server.url("/feed"))

    assert "Whole story." in text
    assert "Another teaser." in text
    assert len(outcome.output.items) == 2


def test_markup_of_an_entry_does_not_reach_the_text(server, ingest):
    html = f"<h2>Gauge</h2><p>{SENTENCE * 10}<b>Bold</b>&amp;more<br>next</p><script>alert(1)</script>"
    server.pages["/feed"] = ("application/rss+xml", feed(server, [(1, html)]))

    _, text = ingest(server.url("/feed"))

    assert "### Gauge" in text
    assert "Bold&more\nnext" in text
    assert "alert" not in text
    assert "<" not in text


BOMB = '<!DOCTYPE r [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    "body",
    [
        f"<?xml version='1.0'?>{BOMB}]><rss version='2.0'><channel><title>&j;</title></channel></rss>",
        "<?xml version='1.0'?><!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
        "<rss version='2.0'><channel><title>&x;</title><item><guid>1</guid><title>&x;</title></item></channel></rss>",
    ],
)
def test_a_feed_that_declares_entities_is_refused(server, ingest, body):
    server.pages["/feed"] = ("application/rss+xml", body.encode())

    with pytest.raises(InvalidInput, match="declares XML entities"):
        ingest(server.url("/feed"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_entities_cannot_be_hidden_in_another_encoding(server, ingest, encoding):
    body = "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>"
    body += "<rss version='2.0'><channel><item><guid>1</guid><description>&x;</description></item></channel></rss>"
    server.pages["/feed"] = ("application/rss+xml", body.encode(encoding))

    with pytest.raises(InvalidInput, match="declares XML entities"):
        ingest(server.url("/feed"))


@pytest.mark.parametrize("body", ["<html><body>No feed here.</body></html>", "/etc/passwd", ""])
def test_what_is_no_feed_is_refused(server, ingest, body):
    server.pages["/feed"] = ("text/html", escape(body).encode() if body.startswith("/") else body.encode())

    with pytest.raises(InvalidInput, match="is not an RSS or Atom feed"):
        ingest(server.url("/feed"))
