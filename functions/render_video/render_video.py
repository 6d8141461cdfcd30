"""Renders a video: joins the tracks and pictures of an album, proves the file, and notes the exact command."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field

from fetching import fetch
from showrunner.assets import Asset, AssetReference
from showrunner.database import Statement
from showrunner.errors import BadOutput, InvalidInput, StageError, Transient
from showrunner.media.album.format import CEILING_DBTP, SAMPLE_RATE
from showrunner.media.album.render import Album, AlbumItem, render
from showrunner.media.ffmpeg import input_file
from showrunner.media.loudness import measure
from showrunner.media_store import media_key
from showrunner.scratch import scratch_folder
from showrunner.services import Services
from showrunner.stage import Job, JobInput, JobOutput, Outcome, StopWork, stage_handler

# How much of the progress is behind when the parts are here, and when the video is made.
_FETCHED, _RENDERED, _PROVED = 0.15, 0.85, 0.9
_AROUND_A_JOINT_SECONDS = 0.5

# An attempt that was killed has left a row behind that nobody will finish.
_BEGIN_TASK = """
with interrupted as (
    update public.render_tasks
    set status = 'failed', error_message = 'It was interrupted.', completed_at = clock_timestamp()
    where production_id = %(production_id)s
      and status in ('pending', 'in_progress')
      and id <> %(id)s
)
insert into public.render_tasks (id, organization_id, video_job_id, production_id, status)
values (%(id)s, %(organization_id)s, %(video_job_id)s, %(production_id)s, 'in_progress')
on conflict (id) do nothing
"""
_FAIL_TASK = """
update public.render_tasks
set status = 'failed', error_message = %(message)s, completed_at = clock_timestamp()
where id = %(id)s
"""
_FINISH_TASK = """
update public.render_tasks
set status = 'completed',
    ffmpeg_command = %(command)s,
    asset_id = %(asset_id)s,
    duration_seconds = %(seconds)s,
    completed_at = clock_timestamp()
where id = %(id)s
"""
_UPDATE_VIDEO = """
update public.video_jobs
set video_asset_id = %(asset_id)s, duration_seconds = %(seconds)s
where id = %(video_job_id)s
"""


class RenderItem(BaseModel):
    """A track and its picture. `samples` at 48 kHz, `frames` of the loop unit; loudness in LUFS, true peak in dBTP."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: int
    title: str
    audio: AssetReference
    samples: int = Field(gt=0)
    integrated_lufs: float
    true_peak_dbtp: float
    loop: AssetReference
    frames: int = Field(gt=0)
    motion: Literal["still", "drift"]


class RenderVideoInput(JobInput):
    title: str
    items: tuple[RenderItem, ...]
    crossfade_seconds: float = Field(ge=0, le=8)
    picture_fade_seconds: float = Field(ge=0, le=8)


class Chapter(BaseModel):
    """`seconds` is when the track begins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: int
    title: str
    seconds: float


class RenderVideoOutput(JobOutput):
    """Loudness in LUFS, from its tracks'; true peak in dBTP, of the tracks and of the joints between them."""

    video: AssetReference
    seconds: float
    frames: int
    integrated_lufs: float
    true_peak_dbtp: float
    chapters: tuple[Chapter, ...]


def run(job: Job[RenderVideoInput], services: Services) -> Outcome:
    task = uuid5(job.id, f"attempt {job.attempt}")
    job.write([Statement(_BEGIN_TASK, _named(job, task))])
    try:
        return _rendered(job, services, task)
    except StopWork:
        raise
    except Exception as error:
        message = error.message if isinstance(error, StageError) else "An internal error stopped the render."
        # Whoever has the job now writes rows of its own.
        with suppress(StopWork):
            job.write([Statement(_FAIL_TASK, {"id": task, "message": message})])
        raise


def _rendered(job: Job[RenderVideoInput], services: Services, task: UUID) -> Outcome:
    asked = job.input
    if not asked.items:
        raise InvalidInput("items: a video needs at least one track with its picture.")
    key = media_key(job.organization_id, "video", job.input_hash, "mp4")
    seen = services.media_store.head(key)
    with scratch_folder("video") as folder:
        items = _fetched(job, services, folder)
        out, work = folder / "video.mp4", folder / "work"
        work.mkdir()
        album = render(
            items,
            out,
            work,
            remaining=lambda: _remaining(job),
            on_progress=lambda share: _progress(job, _FETCHED + (_RENDERED - _FETCHED) * share),
            crossfade_seconds=asked.crossfade_seconds,
            picture_fade_seconds=asked.picture_fade_seconds,
        )
        true_peak = max([item.true_peak_dbtp for item in asked.items] + _joint_peaks(job, out, album))
        if true_peak > CEILING_DBTP:
            raise BadOutput(f"The video peaks at {true_peak:.1f} dBTP; at most {CEILING_DBTP:.0f} is allowed.")
        _progress(job, _PROVED)
        asset = Asset(
            organization_id=job.organization_id,
            production_id=job.production_id,
            kind="video",
            stored=services.media_store.replace_file(key, out, "video/mp4", seen),
            content_type="video/mp4",
            duration_seconds=round(album.seconds, 3),
            integrated_lufs=programme_loudness(asked.items),
            true_peak_dbtp=true_peak,
            sample_rate=SAMPLE_RATE,
        )
    output = RenderVideoOutput(
        video=asset.reference,
        seconds=round(album.seconds, 3),
        frames=album.frames,
        integrated_lufs=programme_loudness(asked.items),
        true_peak_dbtp=true_peak,
        chapters=tuple(
            Chapter(order=item.order, title=item.title, seconds=round(start, 3))
            for item, start in zip(asked.items, album.starts, strict=True)
        ),
    )
    done = _named(job, task) | {"command": album.command, "asset_id": asset.id, "seconds": round(album.seconds, 3)}
    return Outcome(output, [asset.statement(), Statement(_FINISH_TASK, done), Statement(_UPDATE_VIDEO, done)])


def _fetched(job: Job[RenderVideoInput], services: Services, folder: Path) -> list[AlbumItem]:
    items = []
    for number, item in enumerate(job.input.items):
        job.raise_if_cancelled()
        audio, loop = folder / f"{number}.aac", folder / f"{number}.h264"
        fetch(services.media_store, item.audio, audio)
        fetch(services.media_store, item.loop, loop)
        items.append(AlbumItem(item.title, audio, item.samples, loop, is_still=item.motion == "still"))
        _progress(job, _FETCHED * (number + 1) / len(job.input.items))
    return items


def _joint_peaks(job: Job[RenderVideoInput], video: Path, album: Album) -> list[float]:
    """True peaks around each joint, which is all that the tracks' own measurements do not know."""
    length = job.input.crossfade_seconds + 2 * _AROUND_A_JOINT_SECONDS
    return [
        measure(
            ["-ss", f"{start - _AROUND_A_JOINT_SECONDS:.3f}", "-t", f"{length:.3f}", *input_file(video)],
            timeout=_remaining(job),
            true_peak=True,
        ).true_peak
        for start in album.starts[1:]
    ]


def programme_loudness(items: Sequence[RenderItem]) -> float:
    """Loudness of the whole, in LUFS: the mean of the tracks' power (ITU-R BS.1770), by their lengths."""
    power = sum(item.samples * 10 ** (item.integrated_lufs / 10) for item in items)
    return round(10 * math.log10(power / sum(item.samples for item in items)), 1)


def _named(job: Job[RenderVideoInput], task: UUID) -> dict[str, object]:
    return {
        "id": task,
        "organization_id": job.organization_id,
        "video_job_id": job.subject_id,
        "production_id": job.production_id,
    }


def _progress(job: Job[RenderVideoInput], share: float) -> None:
    job.raise_if_cancelled()
    job.progress(share)


def _remaining(job: Job[RenderVideoInput]) -> float:
    job.raise_if_cancelled()
    if (seconds := job.remaining_seconds()) <= 0:
        raise Transient("The time for rendering ran out; it will be tried again.")
    return seconds


lambda_handler = stage_handler("render_video", RenderVideoInput, run)
