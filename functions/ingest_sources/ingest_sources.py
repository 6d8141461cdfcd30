"""Fetches a source, extracts its text, checks it and stores it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import Field

from reading import Kind, Reading, read_feed, read_page, read_pdf, read_text, read_upload
from safe_fetch import Limits, Page, fetch
from showrunner.assets import Asset, AssetReference
from showrunner.database import Statement
from showrunner.errors import InvalidInput
from showrunner.media_store import StoredObject, media_key
from showrunner.safe_http import hosts_of
from showrunner.services import Services
from showrunner.source_text import MOST_FILE_BYTES, check_text, count_words
from showrunner.stage import Job, JobInput, JobOutput, Outcome, stage_handler

_MOST_FETCH_SECONDS = 30.0
_MOST_TITLE_CHARACTERS = 300
_FIELDS = {"text": "content", "markdown": "content"}

_UPDATE_SOURCE = """
update public.sources
set title = case when title = '' then %(title)s else title end,
    last_ingested_at = now(),
    content_sha256 = coalesce(%(sha256)s, content_sha256),
    extracted_asset_id = coalesce(%(asset_id)s, extracted_asset_id)
where id = %(source_id)s
"""
_INSERT_ITEMS = """
insert into public.source_items (organization_id, source_id, guid, title, url, published_at)
select %(organization_id)s, %(source_id)s, item.guid, item.title, item.url, item.published_at
from jsonb_to_recordset(%(items)s) as item (guid text, title text, url text, published_at timestamptz)
on conflict (source_id, guid) do nothing
"""


class IngestSourcesInput(JobInput):
    """`used_guids`: entries of a feed that other episodes have used."""

    source_id: UUID
    kind: Kind
    title: str = ""
    url: str | None = None
    content: str | None = None
    upload_key: str | None = None
    language: str
    episode_id: UUID | None = None
    used_guids: list[str] = Field(default_factory=list)


class SourceItem(JobOutput):
    guid: str
    title: str
    url: str | None
    published_at: str | None


class IngestSourcesOutput(JobOutput):
    """`asset` is none, and `words` 0, where a feed has nothing new."""

    source_id: UUID
    title: str
    url: str | None
    words: int
    characters: int
    asset: AssetReference | None
    items: list[SourceItem]


def run(job: Job[IngestSourcesInput], services: Services) -> Outcome:
    source = job.input
    key = media_key(job.organization_id, "source_text", job.input_hash, "txt" if source.kind == "text" else "md")
    seen = services.media_store.head(key)
    reading = _read(job, services)
    title = (source.title.strip() or reading.title)[:_MOST_TITLE_CHARACTERS]
    has_news = source.kind != "feed" or bool(reading.items)
    if has_news:
        check_text(
            _FIELDS.get(source.kind, "url") if not source.upload_key else "upload_key",
            reading.text,
            source.language,
            fewest_words=1,
        )
    asset = _store(job, services, reading, key, seen) if has_news else None
    output = IngestSourcesOutput(
        source_id=source.source_id,
        title=title,
        url=source.url,
        words=count_words(reading.text),
        characters=len(reading.text),
        asset=asset.reference if asset else None,
        items=[
            SourceItem(guid=item.guid, title=item.title, url=item.url, published_at=item.published_at)
            for item in reading.items
        ],
    )
    return Outcome(output, _statements(job, output, asset))


def _read(job: Job[IngestSourcesInput], services: Services) -> Reading:
    source = job.input
    allowed = hosts_of(services.settings.ingest_allowed_hosts)

    def get(url: str, accept: Collection[str]) -> Page:
        job.raise_if_cancelled()
        seconds = max(1.0, min(job.remaining_seconds() - 2, _MOST_FETCH_SECONDS))
        return fetch(url, accept=accept, allowed_hosts=allowed, limits=Limits(seconds=seconds))

    if source.upload_key is not None:
        body = _upload(job.organization_id, source.upload_key, services)
        return read_upload(source.kind, source.upload_key, body, job.remaining_seconds)
    if source.kind in ("text", "markdown"):
        if source.content is None:
            raise InvalidInput("content: is missing; give the text, or upload a file.")
        return read_text(source.content, is_markdown=source.kind == "markdown")
    if source.url is None:
        raise InvalidInput(f"url: is missing; a {source.kind.replace('_', ' ')} is read from its address.")
    if source.kind == "pdf":
        return read_pdf(source.url, get, job.remaining_seconds)
    if source.kind == "feed":
        return read_feed(source.url, source.used_guids, get, job.remaining_seconds)
    return read_page(source.url, get, job.remaining_seconds)


def _upload(organization_id: UUID, key: str, services: Services) -> bytes:
    """Return an uploaded file of this organization."""
    if not key.startswith(f"organizations/{organization_id}/") or ".." in key.split("/"):
        raise InvalidInput("upload_key: is not a file of this organization.")
    stored = services.media_store.head(key)
    if stored is None:
        raise InvalidInput("upload_key: the file was not uploaded; upload it and try again.")
    if stored.bytes > MOST_FILE_BYTES:
        raise InvalidInput(f"upload_key: the file has {stored.bytes:,} bytes; at most {MOST_FILE_BYTES:,} are allowed.")
    return services.media_store.get(key, most_bytes=MOST_FILE_BYTES)


def _store(
    job: Job[IngestSourcesInput], services: Services, reading: Reading, key: str, seen: StoredObject | None
) -> Asset:
    content_type = "text/markdown" if reading.is_markdown else "text/plain"
    body = reading.text.encode("utf-8")
    stored = services.media_store.replace(key, body, f"{content_type}; charset=utf-8", seen)
    return Asset(
        organization_id=job.organization_id,
        production_id=job.production_id,
        kind="source_text",
        stored=stored,
        content_type=content_type,
    )


def _statements(job: Job[IngestSourcesInput], output: IngestSourcesOutput, asset: Asset | None) -> list[Statement]:
    source = {
        "source_id": output.source_id,
        "title": output.title,
        "sha256": asset.stored.sha256 if asset else None,
        "asset_id": asset.id if asset else None,
    }
    statements = [asset.statement()] if asset else []
    statements.append(Statement(_UPDATE_SOURCE, source))
    if output.items:
        items = Jsonb([item.model_dump() for item in output.items])
        params = {"organization_id": job.organization_id, "source_id": output.source_id, "items": items}
        statements.append(Statement(_INSERT_ITEMS, params))
    return statements


lambda_handler = stage_handler("ingest_sources", IngestSourcesInput, run)
