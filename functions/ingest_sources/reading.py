"""From a source of any kind to its title and text."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from feed_text import FeedItem, as_markdown, new_items
from page_text import decode_html, page_text
from pdf_text import pdf_text
from safe_fetch import Page
from showrunner.errors import InvalidInput
from showrunner.source_text import decode_text

Kind = Literal["text", "markdown", "web_page", "pdf", "feed"]

_HTML = ("text/html", "application/xhtml+xml")
_PLAIN = ("text/plain", "text/markdown", "text/x-markdown")
_PDF = ("application/pdf", "application/x-pdf")
_FEED = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/xml", "text/xml")
_BYTES = ("application/octet-stream",)
_FRONT_MATTER = re.compile(r"\A\ufeff?(---|\+\+\+)\s*\n.*?\n\1\s*(?:\n|\Z)", re.DOTALL)
_FRONT_MATTER_TITLE = re.compile(r"^title\s*[:=]\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE | re.IGNORECASE)
_FIRST_HEADING = re.compile(r"^\s{0,3}#{1,2}\s+(.+?)\s*#*\s*$", re.MULTILINE)

Fetch = Callable[[str, Collection[str]], Page]


@dataclass(frozen=True, slots=True)
class Reading:
    """A source's text. `items` are a feed's new entries, `title` is empty where the source gives none."""

    title: str
    text: str
    items: tuple[FeedItem, ...] = ()
    is_markdown: bool = True


def read_text(content: str, *, is_markdown: bool) -> Reading:
    """Return pasted or uploaded text; Markdown without its front matter."""
    if not is_markdown:
        return Reading(_first_line(content), content.strip(), is_markdown=False)
    front = _FRONT_MATTER.match(content)
    named = _FRONT_MATTER_TITLE.search(front[0]) if front else None
    text = content[front.end() :] if front else content
    heading = _FIRST_HEADING.search(text[:5000])
    title = named[1] if named else heading[1] if heading else _first_line(text)
    return Reading(title.strip("*_` "), text.strip())


def read_page(url: str, fetch: Fetch, remaining_seconds: Callable[[], float]) -> Reading:
    """Return the text of a web page; an address that gives plain text or a PDF is read as such."""
    page = fetch(url, (*_HTML, *_PLAIN, *_PDF))
    if page.content_type in _PDF:
        return Reading(*pdf_text("url", page.body, remaining_seconds))
    if page.content_type in _PLAIN:
        return read_text(decode_html(page.body, page.charset), is_markdown=True)
    return Reading(*page_text(page.body, page.charset, page.url))


def read_pdf(url: str, fetch: Fetch, remaining_seconds: Callable[[], float]) -> Reading:
    page = fetch(url, (*_PDF, *_BYTES))
    return Reading(*pdf_text("url", page.body, remaining_seconds))


def read_feed(url: str, used_guids: Collection[str], fetch: Fetch, remaining_seconds: Callable[[], float]) -> Reading:
    """Return what is new in the feed, each entry under its title."""
    page = fetch(url, (*_FEED, *_HTML, *_PLAIN))
    title, items = new_items(
        page.body,
        f"{page.content_type}; charset={page.charset}" if page.charset else page.content_type,
        page.url,
        used_guids,
        lambda link: read_page(link, fetch, remaining_seconds).text,
    )
    return Reading(title, as_markdown(items), tuple(items))


def read_upload(kind: Kind, key: str, body: bytes, remaining_seconds: Callable[[], float]) -> Reading:
    """Return the text of an uploaded file; its name is its title where it has no other."""
    if kind == "pdf":
        reading = Reading(*pdf_text("upload_key", body, remaining_seconds))
    elif kind in ("text", "markdown"):
        reading = read_text(decode_text("upload_key", body), is_markdown=kind == "markdown")
    else:
        raise InvalidInput(f"upload_key: a {kind} is read from its url, not from a file.")
    return reading if reading.title else Reading(PurePosixPath(key).stem, reading.text, is_markdown=reading.is_markdown)


def _first_line(text: str) -> str:
    """Return the first line where it is short enough to be a title."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first if len(first.split()) <= 12 and not first.endswith((".", ",", ";", ":")) else ""
