"""Publishes an episode: proves that its files are there, and puts it into the show's feed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from showrunner.assets import Asset, AssetReference
from showrunner.database import Statement
from showrunner.errors import BadOutput, InvalidInput
from showrunner.media_store import MediaStore, media_key
from showrunner.podcast_feed import CONTENT_TYPE, check_offers, render_feed
from showrunner.published_show import PublishedEpisode, PublishedShow, read_show_to_publish
from showrunner.services import Services
from showrunner.stage import Job, JobInput, JobOutput, Outcome, stage_handler

# An episode keeps the date of its first publication, and one that was archived stays so.
PUBLISH_EPISODE = """
update public.episodes
set status = case when status = 'archived' then status else 'published' end,
    published_at = coalesce(published_at, %(published_at)s)
where id = %(episode)s
  and organization_id = %(organization)s
"""


class Master(BaseModel):
    """The output of `master_episode`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    audio: AssetReference
    transcript: AssetReference
    chapters: AssetReference
    cover: AssetReference
    duration_seconds: float
    integrated_lufs: float
    true_peak_dbtp: float


class PublishEpisodeInput(JobInput):
    episode_id: UUID
    project_id: UUID
    master: Master


class PublishEpisodeOutput(JobOutput):
    """`guid` is what podcast apps know the episode by."""

    feed: AssetReference
    guid: str


def run(job: Job[PublishEpisodeInput], services: Services) -> Outcome:
    master = job.input.master
    key = media_key(job.organization_id, "feed", job.input_hash, "xml")
    seen = services.media_store.head(key)
    for name in ("audio", "transcript", "chapters", "cover"):
        _check_stored(services.media_store, name, getattr(master, name))
    job.progress(0.5)
    show, episode = _show_and_episode(job, services)
    if episode.audio.id != master.audio.id:
        raise BadOutput("The episode names another recording than the one to publish; rebuild master_episode.")
    feed = render_feed(show, services.settings.public_base_url, show.token)
    check_offers(feed, episode)
    stored = services.media_store.replace(key, feed.encode(), CONTENT_TYPE, seen)
    asset = Asset(job.organization_id, job.production_id, "feed", stored, CONTENT_TYPE)
    output = PublishEpisodeOutput(feed=asset.reference, guid=str(episode.id))
    return Outcome(output, [asset.statement(), _published(job, episode.published_at)])


def _check_stored(media_store: MediaStore, name: str, reference: AssetReference) -> None:
    stored = media_store.head(reference.key)
    if stored is None:
        raise BadOutput(f"The episode's {name} is missing in storage; rebuild master_episode.")
    if stored.bytes == 0 or stored.sha256 != reference.sha256:
        raise BadOutput(f"The episode's {name} in storage is not the file that was mastered; rebuild master_episode.")


def _show_and_episode(job: Job[PublishEpisodeInput], services: Services) -> tuple[PublishedShow, PublishedEpisode]:
    show = read_show_to_publish(services.database, job.input.project_id, job.input.episode_id)
    if show is None:
        raise InvalidInput("project_id: the show does not exist any more; nothing was published.")
    for episode in show.episodes:
        if episode.id == job.input.episode_id:
            return show, episode
    raise InvalidInput("episode_id: the episode was deleted or has no audio; nothing was published.")


def _published(job: Job[PublishEpisodeInput], published_at: datetime) -> Statement:
    return Statement(
        PUBLISH_EPISODE,
        {"published_at": published_at, "episode": job.input.episode_id, "organization": job.organization_id},
    )


lambda_handler = stage_handler("publish_episode", PublishEpisodeInput, run)
