"""What a feed's token opens, asked of the real tables as the role of the functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from api_feeds import feed_xml
from api_media import signed_address
from api_problems import Missing
from showrunner.database import Database
from showrunner.published_show import read_published_show
from tests.unit.api_requests import FakeMediaStore


@dataclass
class Services:
    database: Database
    media_store: FakeMediaStore


@dataclass
class Show:
    """A show with one published episode."""

    owner: psycopg.Connection[Any]
    organization_id: UUID
    project_id: UUID
    token: str
    assets: dict[str, UUID]
    episode_id: UUID

    def asset(self, kind: str, extension: str) -> UUID:
        key = f"organizations/{self.organization_id}/{kind}/{uuid4().hex}.{extension}"
        [(asset_id,)] = self.owner.execute(
            "insert into public.assets (organization_id, kind, key, content_type, bytes, sha256)"
            " values (%s, %s, %s, 'audio/mpeg', 1234, %s) returning id",
            [self.organization_id, kind, key, "a" * 64],
        ).fetchall()
        return asset_id

    def episode(self, number: int, status: str, audio: UUID | None, published_at: str | None) -> UUID:
        [(episode_id,)] = self.owner.execute(
            "insert into public.episodes (organization_id, project_id, number, title, status, target_minutes,"
            " published_at, audio_asset_id, duration_seconds)"
            " values (%s, %s, %s, %s, %s, 3, %s, %s, 61.5) returning id",
            [self.organization_id, self.project_id, number, f"Part {number}", status, published_at, audio],
        ).fetchall()
        return episode_id


@pytest.fixture
def database_of_worker(database_url: str) -> Iterator[Database]:
    database = Database(database_url, "showrunner_worker")
    yield database
    database.close()


@pytest.fixture
def services(database_of_worker: Database) -> Services:
    return Services(database_of_worker, FakeMediaStore())


@pytest.fixture
def show(owner: psycopg.Connection[Any], sign_up: Callable[..., UUID]) -> Show:
    organization_id = sign_up()
    [(project_id,)] = owner.execute(
        "insert into public.projects (organization_id, name) values (%s, 'Harbour talk') returning id",
        [organization_id],
    ).fetchall()
    owner.execute(
        "insert into public.feeds (organization_id, project_id) values (%s, %s) on conflict do nothing",
        [organization_id, project_id],
    )
    [(token,)] = owner.execute("select token from public.feeds where project_id = %s", [project_id]).fetchall()
    show = Show(owner, organization_id, project_id, token, {}, uuid4())
    show.assets["audio"] = show.asset("episode_audio", "mp3")
    show.episode_id = show.episode(1, "published", show.assets["audio"], "2026-11-20T07:30:00Z")
    return show


def opens(services: Services, show: Show, asset_id: UUID, token: str | None = None) -> bool:
    try:
        signed_address(services, token or show.token, f"{asset_id}.mp3", head=False)  # type: ignore[arg-type]
    except Missing:
        return False
    return True


def test_a_feed_lists_published_episodes_newest_first(database_of_worker: Database, show: Show) -> None:
    show.episode(2, "published", show.asset("episode_audio", "mp3"), "2026-11-21T07:30:00Z")
    show.episode(3, "draft", show.asset("episode_audio", "mp3"), None)
    show.episode(4, "archived", show.asset("episode_audio", "mp3"), "2026-11-19T07:30:00Z")

    published = read_published_show(database_of_worker, show.token)

    assert published is not None
    assert published.name == "Harbour talk"
    assert [episode.number for episode in published.episodes] == [2, 1]
    assert published.episodes[1].audio.bytes == 1234
    assert published.episodes[1].duration_seconds == 61.5
    assert published.episodes[1].transcript is None


def test_what_a_feed_offers_opens(services: Services, show: Show) -> None:
    xml = feed_xml(services, f"{show.token}.xml", "https://media.example")  # type: ignore[arg-type]

    [offered] = re.findall(rf'url="https://media.example/media/{show.token}/([^"]+)"', xml)
    assert signed_address(services, show.token, offered, head=False)  # type: ignore[arg-type]


def test_a_show_without_episodes_has_a_feed(database_of_worker: Database, show: Show) -> None:
    show.owner.execute("delete from public.episodes")

    published = read_published_show(database_of_worker, show.token)

    assert published is not None
    assert published.episodes == []


def test_the_audio_of_a_published_episode_opens(services: Services, show: Show) -> None:
    assert opens(services, show, show.assets["audio"])


@pytest.mark.parametrize("column", ["transcript_asset_id", "chapters_asset_id", "cover_asset_id"])
def test_what_goes_with_a_published_episode_opens(services: Services, show: Show, column: str) -> None:
    asset_id = show.asset("companion", "mp3")

    before = opens(services, show, asset_id)
    show.owner.execute(f"update public.episodes set {column} = %s where id = %s", [asset_id, show.episode_id])

    assert (before, opens(services, show, asset_id)) == (False, True)


def test_the_cover_of_the_show_opens(services: Services, show: Show) -> None:
    asset_id = show.asset("cover", "mp3")

    before = opens(services, show, asset_id)
    show.owner.execute("update public.projects set cover_asset_id = %s", [asset_id])

    assert (before, opens(services, show, asset_id)) == (False, True)


def test_the_audio_of_a_draft_stays_closed(services: Services, show: Show) -> None:
    audio = show.asset("episode_audio", "mp3")
    show.episode(2, "draft", audio, None)

    assert not opens(services, show, audio)


def test_the_token_of_another_show_does_not_open_it(
    services: Services, show: Show, owner: psycopg.Connection[Any], sign_up: Callable[..., UUID]
) -> None:
    stranger = sign_up("ben")
    [(project_id,)] = owner.execute(
        "insert into public.projects (organization_id, name) values (%s, 'Other') returning id", [stranger]
    ).fetchall()
    token = "f" * 64
    owner.execute("delete from public.feeds where project_id = %s", [project_id])
    owner.execute(
        "insert into public.feeds (organization_id, project_id, token) values (%s, %s, %s)",
        [stranger, project_id, token],
    )

    assert not opens(services, show, show.assets["audio"], token)


CLOSED = {
    "a revoked feed": "update public.feeds set revoked_at = now()",
    "a deleted show": "update public.projects set deleted_at = now()",
    "a deleted organization": "update public.organizations set personal_user_id = null, deleted_at = now()",
    "a new token": "update public.feeds set token = repeat('0', 32)",
}


@pytest.mark.parametrize("change", CLOSED.values(), ids=CLOSED)
def test_a_closed_feed_opens_nothing(services: Services, show: Show, change: str) -> None:
    show.owner.execute(change.encode())

    assert read_published_show(services.database, show.token) is None
    assert not opens(services, show, show.assets["audio"])


def test_a_deleted_episode_leaves_the_feed_and_closes_its_media(services: Services, show: Show) -> None:
    show.owner.execute("update public.episodes set deleted_at = now()")

    published = read_published_show(services.database, show.token)

    assert published is not None
    assert published.episodes == []
    assert not opens(services, show, show.assets["audio"])


def test_reading_a_feed_is_one_round_trip(database_of_worker: Database, show: Show) -> None:
    read_published_show(database_of_worker, show.token)

    assert database_of_worker.round_trips == 1


def test_health_names_the_newest_migration(database_of_worker: Database, owner: psycopg.Connection[Any]) -> None:
    [(newest,)] = owner.execute("select max(version) from supabase_migrations.schema_migrations").fetchall()

    [row] = database_of_worker.call("select migration from engine.health()")

    assert row["migration"] == newest


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_health_is_not_for_clients(connect: Callable[..., psycopg.Connection[Any]], role: str) -> None:
    client = connect(role=role)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        client.execute("select migration from engine.health()")
