"""The feed is read by feedparser, as podcast apps read it, and checked against Apple's rules one by one."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from uuid import UUID
from xml.etree import ElementTree

import feedparser
import pytest

from showrunner.errors import BadOutput
from showrunner.podcast_feed import ATOM, ITUNES, PODCAST, check_offers, render_feed

BASE, TOKEN = "https://media.example.org", "f" * 64
HOSTILE = "Tom & \"Jerry\" <script>alert('x')</script> ]]> \x00\x08\x1b\ufffe\u202eevil\ud800 日本 🎧"


@dataclass(frozen=True)
class File:
    id: UUID
    key: str
    content_type: str
    bytes: int


def file(number, extension, content_type):
    return File(UUID(int=number), f"organizations/o/kind/{'0' * 64}.{extension}", content_type, 1000 + number)


SHOW_ID, PUBLISHED = UUID(int=100), datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
AUDIO, TRANSCRIPT = file(1, "mp3", "audio/mpeg"), file(2, "vtt", "text/vtt")
CHAPTERS, COVER = file(3, "json", "application/json+chapters"), file(4, "jpg", "image/jpeg")
SHOW_COVER = file(5, "jpg", "image/jpeg")


@dataclass(frozen=True)
class Episode:
    number: int
    id: UUID
    title: str = "Tides"
    summary: str = "A harbour grows."
    published_at: datetime = PUBLISHED
    duration_seconds: float | None = 601.6
    audio: File = AUDIO
    transcript: File | None = TRANSCRIPT
    chapters: File | None = CHAPTERS
    cover: File | None = COVER


@dataclass(frozen=True)
class Show:
    id: UUID = SHOW_ID
    name: str = "Small Wonders"
    description: str = "One thing, looked at closely."
    author: str = "Harbour Radio"
    language: str = "en-GB"
    category: str = "Science"
    explicit: bool = False
    website_url: str | None = "https://example.org/"
    cover: File | None = SHOW_COVER
    episodes: list[Episode] = field(default_factory=lambda: [Episode(7, UUID(int=7))])


def tree(feed):
    return ElementTree.fromstring(feed.encode()).find("channel")


def check_feed(feed):
    """Apple's "Podcast RSS feed requirements"."""
    channel = tree(feed)
    assert ElementTree.fromstring(feed.encode()).attrib["version"] == "2.0"
    assert channel.findtext("title").strip()
    assert 1 <= len(channel.findtext("description").encode()) <= 4000
    assert re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]+)*", channel.findtext("language"))
    assert channel.findtext("link").startswith("http")
    assert channel.find(f"{{{ITUNES}}}category").attrib["text"]
    assert channel.findtext(f"{{{ITUNES}}}explicit") in {"true", "false"}
    assert channel.findtext(f"{{{ITUNES}}}author").strip()
    assert channel.find(f"{{{ITUNES}}}image").attrib["href"].endswith((".jpg", ".png"))
    own = channel.find(f"{{{ATOM}}}link").attrib
    assert (own["rel"], own["type"]) == ("self", "application/rss+xml")
    guids = [item.findtext("guid") for item in channel.iterfind("item")]
    assert len(set(guids)) == len(guids)
    for item in channel.iterfind("item"):
        assert item.findtext("title").strip()
        assert item.find("guid").attrib["isPermaLink"] == "false"
        assert parsedate_to_datetime(item.findtext("pubDate")).utcoffset() is not None
        enclosure = item.find("enclosure").attrib
        assert enclosure["url"].startswith("http")
        assert enclosure["url"].endswith(".mp3")
        assert int(enclosure["length"]) > 0
        assert enclosure["type"] == "audio/mpeg"
        assert len(item.findtext("description").encode()) <= 4000


@pytest.mark.parametrize(
    "show",
    [
        Show(),
        Show(name=HOSTILE, description=HOSTILE * 100, author=HOSTILE, category="Society & Culture"),
        Show(description="", author=" ", website_url=None, cover=None, explicit=True),
        Show(description="é" * 4000, episodes=[Episode(1, UUID(int=1), summary="日" * 4000, title="")]),
        Show(episodes=[Episode(number, UUID(int=number)) for number in range(300, 0, -1)]),
    ],
)
def test_a_feed_satisfies_apple(show):
    check_feed(render_feed(show, BASE, TOKEN))


def test_a_podcast_app_reads_what_was_published():
    feed = feedparser.parse(render_feed(Show(), BASE, TOKEN))
    entry = feed.entries[0]

    assert not feed.bozo
    assert (feed.feed.title, feed.feed.author, feed.feed.language) == ("Small Wonders", "Harbour Radio", "en-gb")
    assert feed.feed.image.href == f"{BASE}/media/{TOKEN}/{UUID(int=5)}.jpg"
    assert (entry.title, entry.summary, entry.id) == ("Tides", "A harbour grows.", str(UUID(int=7)))
    assert entry.published_parsed[:6] == (2026, 3, 4, 5, 6, 7)
    enclosure = {"href": f"{BASE}/media/{TOKEN}/{UUID(int=1)}.mp3", "length": "1001", "type": "audio/mpeg"}
    assert {name: entry.enclosures[0][name] for name in enclosure} == enclosure
    assert (entry.itunes_duration, entry.itunes_episode) == ("602", "7")


def test_transcript_and_chapters_are_offered_with_their_types():
    item = tree(render_feed(Show(), BASE, TOKEN)).find("item")

    assert item.find(f"{{{PODCAST}}}transcript").attrib == {
        "url": f"{BASE}/media/{TOKEN}/{UUID(int=2)}.vtt",
        "type": "text/vtt",
        "language": "en-gb",
    }
    assert item.find(f"{{{PODCAST}}}chapters").attrib == {
        "url": f"{BASE}/media/{TOKEN}/{UUID(int=3)}.json",
        "type": "application/json+chapters",
    }


def test_the_feed_names_its_own_address():
    link = tree(render_feed(Show(), f"{BASE}/", TOKEN)).find(f"{{{ATOM}}}link")

    assert link.attrib["href"] == f"{BASE}/feeds/{TOKEN}.xml"


def test_a_date_in_another_zone_is_told_in_utc():
    late = datetime(2026, 3, 4, 23, 30, tzinfo=timezone(timedelta(hours=-5)))

    feed = render_feed(Show(episodes=[Episode(1, UUID(int=1), published_at=late)]), BASE, TOKEN)

    assert tree(feed).find("item").findtext("pubDate") == "Thu, 05 Mar 2026 04:30:00 +0000"


def test_hostile_text_is_shown_as_text_and_control_characters_are_gone():
    feed = render_feed(Show(episodes=[Episode(1, UUID(int=1), title=HOSTILE)]), BASE, TOKEN)

    title = tree(feed).find("item").findtext("title")

    assert title == "Tom & \"Jerry\" <script>alert('x')</script> ]]> evil 日本 🎧"
    assert "<script>" not in feed


def test_a_long_description_is_cut_between_characters():
    description = tree(render_feed(Show(description="日" * 3000), BASE, TOKEN)).findtext("description")

    assert description.endswith("日…")
    assert 3990 < len(description.encode()) <= 4000


def test_a_show_without_a_cover_shows_that_of_its_newest_episode():
    channel = tree(render_feed(Show(cover=None), BASE, TOKEN))

    assert channel.find(f"{{{ITUNES}}}image").attrib["href"] == f"{BASE}/media/{TOKEN}/{UUID(int=4)}.jpg"


def test_an_episode_with_audio_alone_is_a_valid_item():
    bare = Episode(1, UUID(int=1), duration_seconds=None, transcript=None, chapters=None, cover=None)

    item = tree(render_feed(Show(episodes=[bare]), BASE, TOKEN)).find("item")

    absent = (f"{{{ITUNES}}}duration", f"{{{PODCAST}}}transcript", f"{{{PODCAST}}}chapters", f"{{{ITUNES}}}image")
    assert [item.find(name) for name in absent] == [None] * 4


def test_a_show_without_episodes_is_a_valid_feed():
    check_feed(render_feed(Show(episodes=[]), BASE, TOKEN))


def test_equal_facts_give_equal_text():
    assert render_feed(Show(), BASE, TOKEN) == render_feed(Show(), BASE, TOKEN)


def test_a_feed_that_offers_the_episode_passes_and_one_that_does_not_fails():
    episode = Episode(7, UUID(int=7))
    feed = render_feed(Show(), BASE, TOKEN)

    check_offers(feed, episode)

    with pytest.raises(BadOutput, match="does not contain"):
        check_offers(feed, replace(episode, id=UUID(int=8)))
    with pytest.raises(BadOutput, match="another file"):
        check_offers(feed, replace(episode, audio=file(9, "mp3", "audio/mpeg")))
    with pytest.raises(BadOutput, match="not well-formed"):
        check_offers(feed[:-20], episode)
