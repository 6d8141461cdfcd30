"""RSS of a show as podcast apps want it: RSS 2.0, Apple's tags, and the podcast namespace's transcript and chapters.

Rules: Apple's "Podcast RSS feed requirements"; https://github.com/Podcastindex-org/podcast-namespace.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import PurePosixPath
from typing import Protocol
from uuid import UUID
from xml.etree import ElementTree

from showrunner.errors import BadOutput

ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
ATOM = "http://www.w3.org/2005/Atom"
PODCAST = "https://podcastindex.org/namespace/1.0"
CONTENT_TYPE = "application/rss+xml"
MOST_DESCRIPTION_BYTES = 4000

# What XML 1.0 allows in a document, less the characters that turn text around or are never assigned.
_FORBIDDEN = re.compile(
    "[^\t\n\r\u0020-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]"
)

for _prefix, _namespace in (("itunes", ITUNES), ("atom", ATOM), ("podcast", PODCAST)):
    ElementTree.register_namespace(_prefix, _namespace)


class FeedFile(Protocol):
    """A stored file; `bytes` is its true length, which players rely on."""

    @property
    def id(self) -> UUID: ...
    @property
    def key(self) -> str: ...
    @property
    def content_type(self) -> str: ...
    @property
    def bytes(self) -> int: ...


class FeedEpisode(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def number(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def published_at(self) -> datetime: ...
    @property
    def duration_seconds(self) -> float | None: ...
    @property
    def audio(self) -> FeedFile: ...
    @property
    def transcript(self) -> FeedFile | None: ...
    @property
    def chapters(self) -> FeedFile | None: ...
    @property
    def cover(self) -> FeedFile | None: ...


class FeedShow(Protocol):
    """A show with its published episodes, newest first."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def explicit(self) -> bool: ...
    @property
    def website_url(self) -> str | None: ...
    @property
    def cover(self) -> FeedFile | None: ...
    @property
    def episodes(self) -> Sequence[FeedEpisode]: ...


def feed_address(base_url: str, token: str) -> str:
    return f"{base_url.rstrip('/')}/feeds/{token}.xml"


def media_address(base_url: str, token: str, file: FeedFile) -> str:
    """A file's address behind the token; a new file has a new id, so no address ever changes its content."""
    return f"{base_url.rstrip('/')}/media/{token}/{file.id}{PurePosixPath(file.key).suffix}"


def render_feed(show: FeedShow, base_url: str, token: str) -> str:
    """Return the feed of a show: equal facts give equal text.

    A show without a cover of its own has that of its newest episode.
    """
    rss = ElementTree.Element("rss", {"version": "2.0"})
    channel = ElementTree.SubElement(rss, "channel")
    own_address = feed_address(base_url, token)
    covers = [show.cover, *(episode.cover for episode in show.episodes)]
    cover = next((file for file in covers if file is not None), None)

    _text(channel, "title", show.name)
    _text(channel, "link", show.website_url or own_address)
    _text(channel, "description", _limited(show.description.strip() or show.name))
    _text(channel, "language", show.language.lower())
    _text(channel, "generator", "Showrunner")
    if show.episodes:
        _text(channel, "lastBuildDate", _date(max(episode.published_at for episode in show.episodes)))
    _empty(channel, f"{{{ATOM}}}link", href=own_address, rel="self", type=CONTENT_TYPE)
    _text(channel, f"{{{ITUNES}}}author", show.author.strip() or show.name)
    _text(channel, f"{{{ITUNES}}}type", "episodic")
    _text(channel, f"{{{ITUNES}}}explicit", _truth(show.explicit))
    _empty(channel, f"{{{ITUNES}}}category", text=_clean(show.category))
    if cover is not None:
        _empty(channel, f"{{{ITUNES}}}image", href=media_address(base_url, token, cover))
    _text(channel, f"{{{PODCAST}}}guid", str(show.id))
    for episode in show.episodes:
        _item(ElementTree.SubElement(channel, "item"), show, episode, base_url, token)

    ElementTree.indent(rss)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(rss, encoding="unicode")}\n'


def _item(item: ElementTree.Element, show: FeedShow, episode: FeedEpisode, base_url: str, token: str) -> None:
    title = episode.title.strip() or f"Episode {episode.number}"
    audio = episode.audio
    _text(item, "title", title)
    _text(item, "description", _limited(episode.summary.strip() or title))
    _text(item, "guid", str(episode.id)).set("isPermaLink", "false")
    _text(item, "pubDate", _date(episode.published_at))
    address = media_address(base_url, token, audio)
    _empty(item, "enclosure", url=address, length=str(audio.bytes), type=audio.content_type)
    _text(item, f"{{{ITUNES}}}title", title)
    _text(item, f"{{{ITUNES}}}episode", str(episode.number))
    _text(item, f"{{{ITUNES}}}episodeType", "full")
    _text(item, f"{{{ITUNES}}}explicit", _truth(show.explicit))
    if episode.duration_seconds is not None:
        _text(item, f"{{{ITUNES}}}duration", str(round(episode.duration_seconds)))
    if episode.cover is not None:
        _empty(item, f"{{{ITUNES}}}image", href=media_address(base_url, token, episode.cover))
    if (transcript := episode.transcript) is not None:
        address = media_address(base_url, token, transcript)
        kind, language = transcript.content_type, show.language.lower()
        _empty(item, f"{{{PODCAST}}}transcript", url=address, type=kind, language=language)
    if (chapters := episode.chapters) is not None:
        address = media_address(base_url, token, chapters)
        _empty(item, f"{{{PODCAST}}}chapters", url=address, type=chapters.content_type)


def check_offers(feed: str, episode: FeedEpisode) -> None:
    """Parse a feed and raise `BadOutput` unless a player finds the episode in it, with its length and its file."""
    try:
        channel = ElementTree.fromstring(feed.encode()).find("channel")  # noqa: S314 - our own document
    except ElementTree.ParseError as error:
        raise BadOutput(f"The feed is not well-formed XML: {error}.") from error
    for item in channel.iterfind("item") if channel is not None else ():
        enclosure = item.find("enclosure")
        if item.findtext("guid") == str(episode.id) and enclosure is not None:
            if enclosure.get("length") != str(episode.audio.bytes) or str(episode.audio.id) not in enclosure.get(
                "url", ""
            ):
                raise BadOutput("The feed offers another file for the episode than the one that was mastered.")
            return
    raise BadOutput("The feed does not contain the episode.")


def _text(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name)
    child.text = _clean(text)
    return child


def _empty(parent: ElementTree.Element, name: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, name, attributes)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", text)


def _limited(text: str) -> str:
    """At most 4,000 bytes of UTF-8, which is Apple's limit, cut between characters."""
    text = _clean(text)
    encoded = text.encode()
    if len(encoded) <= MOST_DESCRIPTION_BYTES:
        return text
    return encoded[: MOST_DESCRIPTION_BYTES - 3].decode(errors="ignore").rstrip() + "…"


def _date(moment: datetime) -> str:
    """RFC 2822, in UTC."""
    return format_datetime(moment.astimezone(UTC))


def _truth(value: bool) -> str:
    return "true" if value else "false"
