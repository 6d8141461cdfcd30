from types import SimpleNamespace
from uuid import UUID

import feedparser
import pytest

from publish_episode import PublishEpisodeInput, run
from showrunner.assets import Asset
from showrunner.errors import BadOutput, InvalidInput
from showrunner.settings import Settings

EPISODE, PROJECT, ORGANIZATION = UUID(int=1), UUID(int=2), UUID("00000000-0000-4000-8000-00000000000a")
FILES = {
    "audio": ("episode_audio", "mp3", "audio/mpeg"),
    "transcript": ("transcript", "vtt", "text/vtt"),
    "chapters": ("chapters", "json", "application/json+chapters"),
    "cover": ("cover", "jpg", "image/jpeg"),
}


class Rows:
    """A database that answers with the given rows and remembers what it was asked."""

    def __init__(self, rows):
        self.rows = rows
        self.asked = []

    def call(self, statement, params):
        self.asked.append(params)
        return self.rows


@pytest.fixture
def assets(media_store):
    made = {}
    for name, (kind, extension, content_type) in FILES.items():
        key = f"organizations/{ORGANIZATION}/{kind}/{'a' * 64}.{extension}"
        stored = media_store.put(key, name.encode() * 100, content_type)
        made[name] = Asset(ORGANIZATION, None, kind, stored, content_type)
    return made


@pytest.fixture
def value(assets):
    references = {name: asset.reference.model_dump(mode="json") for name, asset in assets.items()}
    master = {**references, "duration_seconds": 601.5, "integrated_lufs": -16.1, "true_peak_dbtp": -1.4}
    return PublishEpisodeInput.model_validate({"episode_id": EPISODE, "project_id": PROJECT, "master": master})


@pytest.fixture
def row(assets):
    files = {
        name: {
            "id": str(asset.id),
            "key": asset.stored.key,
            "content_type": asset.content_type,
            "bytes": asset.stored.bytes,
            "sha256": asset.stored.sha256,
        }
        for name, asset in assets.items()
    }
    episode = {"id": str(EPISODE), "number": 7, "title": "Tides", "summary": "A harbour grows."}
    times = {"published_at": "2026-03-04T05:06:07+00:00", "duration_seconds": 601.5}
    return {
        "id": PROJECT,
        "name": "Small Wonders",
        "description": "Things.",
        "author": "Harbour Radio",
        "language": "en-GB",
        "category": "Science",
        "explicit": False,
        "website_url": None,
        "token": "f" * 64,
        "cover": None,
        "episodes": [{**episode, **times, **files}],
    }


@pytest.fixture
def publish(media_store, make_job, value):
    def run_it(rows):
        settings = Settings(bucket="media", public_base_url="https://media.example.org")
        return run(make_job(value), SimpleNamespace(settings=settings, media_store=media_store, database=Rows(rows)))

    return run_it


def test_the_episode_is_put_into_the_feed(publish, row, media_store, assets):
    outcome = publish([row])

    stored = media_store.files[outcome.output.feed.key]
    entry = feedparser.parse(stored).entries[0]
    assert outcome.output.guid == entry.id == str(EPISODE)
    assert entry.enclosures[0].length == str(assets["audio"].stored.bytes)
    assert media_store.content_types[outcome.output.feed.key] == "application/rss+xml"


def test_the_episode_is_published_with_the_date_that_the_feed_says(publish, row):
    statements = {statement.sql.split()[1]: statement.params for statement in publish([row]).statements}

    assert statements["public.episodes"]["published_at"].isoformat() == "2026-03-04T05:06:07+00:00"
    assert statements["public.episodes"]["episode"] == EPISODE
    assert statements["public.episodes"]["organization"] == ORGANIZATION
    assert statements["into"]["kind"] == "feed"


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_missing_is_named_and_nothing_is_published(name, publish, row, media_store, assets):
    del media_store.files[assets[name].stored.key]

    with pytest.raises(BadOutput, match=f"The episode's {name} is missing in storage; rebuild master_episode"):
        publish([row])

    assert not [key for key in media_store.files if "/feed/" in key]


@pytest.mark.parametrize("body", [b"", b"another"])
def test_a_file_that_is_not_the_mastered_one_is_named(body, publish, row, media_store, assets):
    media_store.files[assets["audio"].stored.key] = body

    with pytest.raises(BadOutput, match="The episode's audio in storage is not the file that was mastered"):
        publish([row])


def test_a_show_that_is_gone_is_said(publish):
    with pytest.raises(InvalidInput, match=r"^project_id: "):
        publish([])


def test_an_episode_that_was_deleted_is_said(publish, row):
    with pytest.raises(InvalidInput, match=r"^episode_id: "):
        publish([{**row, "episodes": []}])


def test_an_episode_whose_row_names_another_recording_is_not_published(publish, row):
    row["episodes"][0]["audio"]["id"] = str(UUID(int=77))

    with pytest.raises(BadOutput, match="another recording"):
        publish([row])
