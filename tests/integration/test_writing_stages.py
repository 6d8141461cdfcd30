"""The rows that ingest_sources, write_outline and write_script write, as the worker, twice."""

import time
import uuid
from types import SimpleNamespace

import pytest
from psycopg.rows import tuple_row

from ingest_sources import IngestSourcesInput
from ingest_sources import run as ingest
from showrunner.database import Database
from showrunner.script import SourceReference
from showrunner.settings import Settings
from showrunner.stage import Job
from tests.rigs.shows import SPEAKERS, make_show
from tests.texts import ARTICLE
from tests.unit.conftest import MemoryMediaStore
from tests.web_server import WebServer
from write_outline import WriteOutlineInput
from write_outline import run as write_outline
from write_script import WriteScriptInput
from write_script import run as write_script

SHOW = {"name": "Small Wonders", "description": None, "format": "dialogue", "language": "en-GB", "speakers": SPEAKERS}


@pytest.fixture
def show(owner, sign_up):
    return make_show(owner, sign_up(), ARTICLE, minutes=3)


@pytest.fixture
def worker(database_url):
    database = Database(database_url, "showrunner_worker")
    yield database
    database.close()


@pytest.fixture
def services():
    return SimpleNamespace(settings=Settings(bucket="media"), media_store=MemoryMediaStore())


@pytest.fixture
def perform(show, worker, services):
    """perform(run, value): the output of a stage whose rows were written."""

    def work(run, value):
        job = Job(
            id=uuid.uuid4(),
            production_id=None,
            organization_id=show.organization,
            subject_id=show.episode,
            stage="a_stage",
            key="",
            attempt=1,
            input=value,
            input_hash="0" * 64,
            state={},
            deadline=time.monotonic() + 120,
            pulse=SimpleNamespace(progress=None, stopped=False),
            engine=None,
        )
        outcome = run(job, services)
        worker.run(outcome.statements)
        return outcome.output

    return work


@pytest.fixture
def rows(owner):
    """rows(query, *values): what is in the database."""
    return lambda query, *values: owner.cursor(row_factory=tuple_row).execute(query, values).fetchall()


def test_an_article_becomes_blocks_and_doing_it_again_changes_nothing(show, perform, rows, owner):
    note = rows(
        "insert into public.planning_notes (organization_id, project_id, note) values (%s, %s, 'Corals') returning id",
        show.organization,
        show.project,
    )[0][0]
    results = []

    for _ in range(2):
        source = IngestSourcesInput(source_id=show.source, kind="markdown", content=ARTICLE, language="en-GB")
        ingested = perform(ingest, source).model_dump(exclude={"items"})
        common = {"writer": "offline/extractive", "show": SHOW, "target_minutes": 3, "sources": [ingested]}
        outline = perform(
            write_outline,
            WriteOutlineInput(prompt="outline.v1", planning_notes=[{"id": note, "note": "Corals"}], **common),
        )
        written = perform(write_script, WriteScriptInput(prompt="script.v1", outline=outline.model_dump(), **common))
        blocks = rows(
            "select id, position, section, speaker from public.blocks where episode_id = %s order by position",
            show.episode,
        )
        results.append((ingested, outline, written, blocks))

    assert results[0] == results[1]
    assert len(results[0][3]) == written.blocks > 10
    assert {block[3] for block in blocks} == {"Ada", "Ben"}
    assert rows("select status::text, consumed_in_episode_id from public.planning_notes") == [
        ("consumed", show.episode)
    ]
    assert rows("select title, summary, outline ->> 'title' from public.episodes where id = %s", show.episode) == [
        (outline.title, outline.summary, outline.title)
    ]
    assert rows("select extracted_asset_id, content_sha256 from public.sources where id = %s", show.source) == [
        (ingested["asset"]["id"], ingested["asset"]["sha256"])
    ]
    assert rows("select key, bytes from public.assets") == [(ingested["asset"]["key"], len(ARTICLE.strip().encode()))]


def test_a_feeds_entries_are_remembered_once(show, perform, services, rows, owner):
    feed = (
        "<rss version='2.0'><channel><title>News</title><item><guid>urn:a</guid><title>One</title>"
        f"<pubDate>Thu, 01 Jan 2026 00:00:00 GMT</pubDate><description>{ARTICLE[:900]}</description></item>"
        "</channel></rss>"
    )
    with WebServer() as server:
        server.pages["/feed"] = ("application/rss+xml", feed.encode())
        services.settings = Settings(bucket="media", ingest_allowed_hosts=server.place)
        value = IngestSourcesInput(source_id=show.source, kind="feed", url=server.url("/feed"), language="en-GB")

        perform(ingest, value)
        perform(ingest, value)

    items = rows("select guid, title, published_at::date::text from public.source_items")
    assert items == [("urn:a", "One", "2026-01-01")]


def test_a_feed_with_nothing_new_leaves_what_was_extracted_before(show, perform, services, rows):
    perform(ingest, IngestSourcesInput(source_id=show.source, kind="markdown", content=ARTICLE, language="en-GB"))
    before = rows("select extracted_asset_id, content_sha256 from public.sources where id = %s", show.source)
    with WebServer() as server:
        server.pages["/feed"] = ("application/rss+xml", b"<rss version='2.0'><channel><title>N</title></channel></rss>")
        services.settings = Settings(bucket="media", ingest_allowed_hosts=server.place)

        output = perform(
            ingest,
            IngestSourcesInput(source_id=show.source, kind="feed", url=server.url("/feed"), language="en-GB"),
        )

    assert SourceReference.model_validate(output.model_dump(exclude={"items"})).words == 0
    assert rows("select extracted_asset_id, content_sha256 from public.sources where id = %s", show.source) == before
