"""Ambience videos as rows, and stages that make their parts of nothing: for tests of what the database does."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
from pydantic import ConfigDict

from showrunner.assets import Asset, AssetReference
from showrunner.database import Statement
from showrunner.media_store import StoredObject
from showrunner.stage import Job, JobInput, JobOutput, Outcome, stage_handler
from tests.rigs.line import Line, function
from tests.rigs.rows import insert


def make_channel(owner: psycopg.Connection[Any], organization: uuid.UUID, **columns: Any) -> uuid.UUID:
    values = {"organization_id": organization, "name": "Quiet Rooms", "brand_niche": "Fantasy Ambience", **columns}
    return insert(owner, "channels", values)


def make_video(
    owner: psycopg.Connection[Any], organization: uuid.UUID, channel: uuid.UUID, **columns: Any
) -> uuid.UUID:
    """A video of two tracks in one minute, unless told otherwise; the organization may have short ones from then on."""
    values = {"target_duration_minutes": 1, "track_count": 2, **columns}
    owner.execute("update public.organizations set allows_short_videos = true where id = %s", [organization])
    return insert(owner, "video_jobs", {
        "organization_id": organization, "channel_id": channel, "niche_label": "Royal Court Ambience",
        "mood_keywords": "elegant, serene", **values,
    })  # fmt: skip


def prompts(tracks: int, minutes: float) -> dict[str, Any]:
    """Prompts of equal tracks that add up with crossfades of 4 s."""
    each = round((minutes * 60 + 4 * (tracks - 1)) / tracks / 60, 6)
    return {
        "music_prompts": [
            {"order_index": n, "prompt": f"Waltz number {n}", "duration_minutes": each, "title": f"Part {n}"}
            for n in range(1, tracks + 1)
        ],
        "visual_prompts": [{"order_index": n, "prompt": f"Ballroom number {n}"} for n in range(1, tracks + 1)],
    }


class AnyInput(JobInput):
    """Whatever the view gives."""

    model_config = ConfigDict(frozen=True, extra="allow")


class AnyOutput(JobOutput):
    model_config = ConfigDict(frozen=True, extra="allow")


def _asset(job: Job[AnyInput], kind: str) -> Asset:
    key = f"organizations/{job.organization_id}/{kind}/{job.input_hash}"
    stored = StoredObject(key, 10, job.input_hash, "")
    return Asset(job.organization_id, job.production_id, kind, stored, "application/octet-stream")


def _compose(job: Job[AnyInput], services: Any) -> Outcome:
    asked, asset = job.input.model_dump(), _asset(job, "track_audio")
    row = {"organization_id": job.organization_id, "video_job_id": job.subject_id, "order": asked["order"],
           "seconds": asked["seconds"], "asset": asset.id, "prompt": asked["prompt"]}  # fmt: skip
    keep = Statement(
        "insert into public.audio_tracks (organization_id, video_job_id, provider, order_index, duration_seconds, "
        "asset_id, prompt_text) values (%(organization_id)s, %(video_job_id)s, 'dummy', %(order)s, %(seconds)s, "
        "%(asset)s, %(prompt)s) on conflict (video_job_id, order_index) do update "
        "set asset_id = excluded.asset_id, prompt_text = excluded.prompt_text",
        row,
    )
    samples = round(float(asked["seconds"]) * 48_000)
    output = AnyOutput(
        order=asked["order"], audio=_plain(asset.reference), samples=samples, integrated_lufs=-14.0, true_peak_dbtp=-2.0
    )  # type: ignore[call-arg]
    return Outcome(output, [asset.statement(), keep])


def _paint(job: Job[AnyInput], services: Any) -> Outcome:
    asked, image, loop = job.input.model_dump(), _asset(job, "image"), _asset(job, "loop_unit")
    row = {"organization_id": job.organization_id, "video_job_id": job.subject_id, "order": asked["order"],
           "asset": image.id, "loop": loop.id, "prompt": asked["prompt"]}  # fmt: skip
    keep = Statement(
        "insert into public.images (organization_id, video_job_id, provider, order_index, asset_id, loop_asset_id, "
        "prompt_text) values (%(organization_id)s, %(video_job_id)s, 'dummy', %(order)s, %(asset)s, %(loop)s, "
        "%(prompt)s) on conflict (video_job_id, order_index) do update "
        "set asset_id = excluded.asset_id, prompt_text = excluded.prompt_text",
        row,
    )
    output = AnyOutput(order=asked["order"], image=_plain(image.reference), loop=_plain(loop.reference), frames=500)  # type: ignore[call-arg]
    return Outcome(output, [image.statement(), loop.statement(), keep])


def _render(job: Job[AnyInput], services: Any) -> Outcome:
    real = function("render_video").RenderVideoInput.model_validate(job.input.model_dump(mode="json"))
    video = _asset(job, "video")
    chapters = [{"order": item.order, "title": item.title, "seconds": 30.0 * n} for n, item in enumerate(real.items)]
    output = AnyOutput(
        video=_plain(video.reference), seconds=60.0, frames=1500, integrated_lufs=-14.0, true_peak_dbtp=-2.0,
        chapters=chapters,
    )  # type: ignore[call-arg]  # fmt: skip
    return Outcome(output, [
        video.statement(),
        Statement("update public.video_jobs set video_asset_id = %s, duration_seconds = 60 where id = %s",
                  [video.id, job.subject_id]),
    ])  # fmt: skip


def _export(job: Job[AnyInput], services: Any) -> Outcome:
    real = function("export_video").ExportVideoInput.model_validate(job.input.model_dump(mode="json"))
    return Outcome(AnyOutput(title=real.title))  # type: ignore[call-arg]


def _plain(reference: AssetReference) -> dict[str, Any]:
    return reference.model_dump(mode="json")


def without_media(line: Line) -> Line:
    """Let the line's stages of media do nothing but answer: a plan is still a plan."""
    runs = {"compose_track": _compose, "paint_image": _paint, "render_video": _render, "export_video": _export}
    for stage, run in runs.items():
        line._handlers[stage] = stage_handler(stage, AnyInput, run, line.services)
    return line
