"""What is new in an RSS or Atom feed."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from page_text import fragment_text
from showrunner.errors import InvalidInput, StageError
from showrunner.source_text import count_words

MOST_ITEMS = 20
# An entry with fewer words than this is a teaser: its page is read instead, for so many entries.
_TEASER_WORDS = 120
_MOST_PAGES = 10
_MOST_GUID_CHARACTERS = 2000
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)

ReadPage = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One entry that no episode has used; `text` is Markdown, `published_at` ISO 8601 in UTC."""

    guid: str
    title: str
    url: str | None
    published_at: str | None
    text: str


def new_items(
    body: bytes, content_type: str, url: str, used_guids: Collection[str], read_page: ReadPage
) -> tuple[str, list[FeedItem]]:
    """Return (the feed's title, up to `MOST_ITEMS` unused entries, newest first).

    `read_page` gives the text of an entry's page where the entry itself is only a teaser; a page that fails leaves the
    teaser. Raises `InvalidInput` for what is not a feed or declares XML entities.
    """
    # Zero bytes go, so that UTF-16 hides nothing.
    if _ENTITY.search(body.replace(b"\0", b"")):
        raise InvalidInput(f"url: the feed at {url} declares XML entities, which are not accepted.")
    import feedparser  # type: ignore[import-untyped]

    # A stream: bytes might be taken for the name of a file.
    parsed = feedparser.parse(BytesIO(body), response_headers={"content-type": content_type, "content-location": url})
    if not parsed.get("version") and not parsed.entries:
        raise InvalidInput(f"url: {url} is not an RSS or Atom feed.")
    entries = [entry for entry in parsed.entries if _guid(entry) and _guid(entry) not in set(used_guids)]
    entries.sort(key=lambda entry: _published(entry) or "", reverse=True)
    pages_left = _MOST_PAGES
    items: list[FeedItem] = []
    seen: set[str] = set()
    for entry in entries:
        guid = _guid(entry)
        if guid in seen or len(items) == MOST_ITEMS:
            continue
        seen.add(guid)
        text = _text(entry)
        link = _link(entry)
        if count_words(text) < _TEASER_WORDS and link and pages_left:
            pages_left -= 1
            text = _longer(text, link, read_page)
        if text:
            items.append(FeedItem(guid, _plain(entry.get("title")), link, _published(entry), text))
    return _plain(parsed.feed.get("title")), items


def as_markdown(items: list[FeedItem]) -> str:
    """Return the entries one after the other, each under its title."""
    return "\n\n".join(f"## {item.title}\n\n{item.text}" if item.title else item.text for item in items)


def _longer(text: str, link: str, read_page: ReadPage) -> str:
    try:
        page = read_page(link)
    except StageError:
        return text
    return page if count_words(page) > count_words(text) else text


def _guid(entry: Any) -> str:
    return str(entry.get("id") or entry.get("link") or "").strip()[:_MOST_GUID_CHARACTERS]


def _link(entry: Any) -> str | None:
    link = str(entry.get("link") or "")
    return link if link.startswith(("http://", "https://")) else None


def _text(entry: Any) -> str:
    contents = [str(content.get("value") or "") for content in entry.get("content") or ()]
    longest = max([*contents, str(entry.get("summary") or "")], key=len)
    return fragment_text(longest)


def _plain(text: object) -> str:
    return " ".join(fragment_text(str(text or "")).lstrip("# ").split())[:300]


def _published(entry: Any) -> str | None:
    moment = entry.get("published_parsed") or entry.get("updated_parsed")
    if not moment:
        return None
    try:
        return datetime.fromtimestamp(timegm(moment), UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return None
