"""Makes what goes to YouTube with a video: thumbnail, chapters, title, description, tags; and a contact sheet."""

from __future__ import annotations

from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from showrunner.assets import Asset, AssetReference
from showrunner.database import Statement
from showrunner.errors import Transient
from showrunner.media.album.contact_sheet import Moment, contact_sheet
from showrunner.media_store import media_key
from showrunner.scratch import scratch_folder
from showrunner.services import Services
from showrunner.stage import Job, JobInput, JobOutput, Outcome, stage_handler
from thumbnail import write_thumbnail
from youtube import chapter_text, clean, description_of, marks_of, tags_of, title_of

_UPDATE_VIDEO = """
update public.video_jobs
set thumbnail_asset_id = %(thumbnail)s,
    contact_sheet_asset_id = %(contact_sheet)s,
    chapters_asset_id = %(video_chapters)s,
    export_json = %(export)s
where id = %(video_job_id)s
"""
# Kind of asset, file, type.
_FILES = (
    ("thumbnail", "thumbnail.jpg", "image/jpeg"),
    ("contact_sheet", "contact-sheet.png", "image/png"),
    ("video_chapters", "chapters.txt", "text/plain; charset=utf-8"),
)


class Chapter(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    order: int
    title: str
    seconds: float


class Rendered(BaseModel):
    """What render_video gave."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    video: AssetReference
    seconds: float = Field(gt=0)
    frames: int
    integrated_lufs: float
    true_peak_dbtp: float
    chapters: tuple[Chapter, ...] = Field(min_length=1)


class ExportVideoInput(JobInput):
    video_job_id: UUID
    channel: str
    niche: str
    mood: str
    title: str
    description: str
    tags: tuple[str, ...]
    is_synthetic_media: bool
    picture_fade_seconds: float
    rendered: Rendered


class ExportVideoOutput(JobOutput):
    thumbnail: AssetReference
    contact_sheet: AssetReference
    chapters: AssetReference
    title: str
    description: str
    tags: list[str]
    contains_synthetic_media: bool


def run(job: Job[ExportVideoInput], services: Services) -> Outcome:
    asked = job.input
    video = asked.rendered
    marks = marks_of([(chapter.seconds, chapter.title) for chapter in video.chapters], video.seconds)
    title = title_of(asked.title, asked.niche)
    keys = {
        kind: media_key(job.organization_id, kind, job.input_hash, name.rpartition(".")[2]) for kind, name, _ in _FILES
    }
    seen = {kind: services.media_store.head(key) for kind, key in keys.items()}
    assets = {}
    with scratch_folder("export") as folder:
        services.media_store.download(video.video.key, folder / "video.mp4")
        job.progress(0.3)
        contact_sheet(
            folder / "video.mp4", _moments(asked), folder / "contact-sheet.png", remaining=lambda: _remaining(job)
        )
        job.progress(0.8)
        first = _moments(asked)[0].seconds
        write_thumbnail(folder / "video.mp4", first, title, folder / "thumbnail.jpg", lambda: _remaining(job))
        (folder / "chapters.txt").write_text(chapter_text(marks, video.seconds), "utf-8")
        for kind, file, content_type in _FILES:
            assets[kind] = Asset(
                organization_id=job.organization_id,
                production_id=job.production_id,
                kind=kind,
                stored=services.media_store.replace_file(keys[kind], folder / file, content_type, seen[kind]),
                content_type=content_type,
            )
    output = ExportVideoOutput(
        thumbnail=assets["thumbnail"].reference,
        contact_sheet=assets["contact_sheet"].reference,
        chapters=assets["video_chapters"].reference,
        title=title,
        description=description_of(asked.description, marks, video.seconds, is_synthetic=asked.is_synthetic_media),
        tags=tags_of([*asked.tags, clean(asked.niche), *asked.mood.split(",")]),
        contains_synthetic_media=asked.is_synthetic_media,
    )
    export = output.model_dump(mode="json", include={"title", "description", "tags", "contains_synthetic_media"})
    written = {kind: asset.id for kind, asset in assets.items()}
    return Outcome(
        output,
        [
            *(asset.statement() for asset in assets.values()),
            Statement(_UPDATE_VIDEO, {**written, "export": Jsonb(export), "video_job_id": asked.video_job_id}),
        ],
    )


def _moments(asked: ExportVideoInput) -> list[Moment]:
    """When each picture stands alone: after it has faded in, which is where its loop begins."""
    return [
        Moment(chapter.title, chapter.seconds + (asked.picture_fade_seconds if number else 0.0))
        for number, chapter in enumerate(asked.rendered.chapters)
    ]


def _remaining(job: Job[ExportVideoInput]) -> float:
    job.raise_if_cancelled()
    if (seconds := job.remaining_seconds()) <= 0:
        raise Transient("The time for the export ran out; it will be tried again.")
    return seconds


lambda_handler = stage_handler("export_video", ExportVideoInput, run)
