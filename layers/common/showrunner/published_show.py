"""A show as its subscribers see it: what is published and nothing else."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from showrunner.database import Database

MOST_EPISODES = 300

# `also` is an episode that counts as published although it is only about to be.
_SHOW = """
select
    project.id, project.name, project.description, project.author, project.language,
    project.category, project.explicit, project.website_url, feed.token,
    (select to_jsonb(asset) from public.assets as asset where asset.id = project.cover_asset_id) as cover,
    coalesce((
        select jsonb_agg(to_jsonb(published) order by published.published_at desc, published.number desc)
        from (
            select
                episode.id, episode.number, episode.title, episode.summary,
                coalesce(episode.published_at, now()) as published_at,
                episode.duration_seconds,
                to_jsonb(audio) as audio, to_jsonb(transcript) as transcript,
                to_jsonb(chapters) as chapters, to_jsonb(cover) as cover
            from public.episodes as episode
            join public.assets as audio on audio.id = episode.audio_asset_id
            left join public.assets as transcript on transcript.id = episode.transcript_asset_id
            left join public.assets as chapters on chapters.id = episode.chapters_asset_id
            left join public.assets as cover on cover.id = episode.cover_asset_id
            where episode.project_id = project.id
              and (episode.status = 'published' or episode.id = %(also)s::uuid)
              and episode.deleted_at is null
            order by coalesce(episode.published_at, now()) desc, episode.number desc
            limit %(most)s
        ) as published
    ), '[]') as episodes
from public.feeds as feed
join public.projects as project
  on project.id = feed.project_id
 and project.deleted_at is null
join public.organizations as organization
  on organization.id = project.organization_id
 and organization.deleted_at is null
"""

_BY_TOKEN = f"{_SHOW} where feed.token = %(token)s and feed.revoked_at is null"
_BY_PROJECT = f"{_SHOW} where feed.project_id = %(project)s"


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PublishedAsset(_Row):
    """`bytes` is the file's true length, which an enclosure must state."""

    id: UUID
    key: str
    content_type: str
    bytes: int


class PublishedEpisode(_Row):
    id: UUID
    number: int
    title: str
    summary: str
    published_at: datetime
    duration_seconds: float | None
    audio: PublishedAsset
    transcript: PublishedAsset | None
    chapters: PublishedAsset | None
    cover: PublishedAsset | None


class PublishedShow(_Row):
    """The show of a feed with its published episodes, newest first, and the token that opens the feed."""

    id: UUID
    name: str
    description: str
    author: str
    language: str
    category: str
    explicit: bool
    website_url: str | None
    token: str
    cover: PublishedAsset | None
    episodes: list[PublishedEpisode]


def read_published_show(database: Database, token: str) -> PublishedShow | None:
    """Return the show that the token opens, in one round trip; None when the token is unknown or revoked."""
    return _one(database.call(_BY_TOKEN, {"token": token, "also": None, "most": MOST_EPISODES}))


def read_show_to_publish(database: Database, project_id: UUID, episode_id: UUID) -> PublishedShow | None:
    """Return the show as it will be once the episode is published too; None when the show is gone."""
    return _one(database.call(_BY_PROJECT, {"project": project_id, "also": episode_id, "most": MOST_EPISODES}))


def _one(rows: list[dict[str, object]]) -> PublishedShow | None:
    return PublishedShow.model_validate(rows[0]) if rows else None
