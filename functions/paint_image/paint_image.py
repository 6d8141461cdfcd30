"""Paints one picture of an album: a prompt in, a verified picture and its seamless loop of video out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import Field

from gentler_prompt import gentler
from painting import Painting, Waiting
from showrunner.assets import Asset, AssetReference
from showrunner.database import Statement
from showrunner.drafts import Drafts
from showrunner.errors import InvalidInput, Transient
from showrunner.media.album.format import FPS, HEIGHT, WIDTH
from showrunner.media.album.loop_unit import LoopUnit, encode_loop
from showrunner.media.picture import as_jpeg, fit_picture, is_whole_picture
from showrunner.media_store import StoredObject, media_key
from showrunner.providers.image import Wish, open_images
from showrunner.scratch import scratch_folder
from showrunner.services import Services
from showrunner.stage import Deferral, Job, JobInput, JobOutput, Outcome, stage_handler

MOST_CHARACTERS = 8_000
LONGEST_CALL_SECONDS = 150.0
JPEG, H264 = "image/jpeg", "video/h264"

REMEMBER_IMAGE = """
insert into public.images (
    organization_id, video_job_id, order_index, provider, provider_image_id, asset_id, loop_asset_id, prompt_text
) values (
    %(organization)s, %(video_job)s, %(order)s, %(provider)s::public.visual_provider, %(provider_image_id)s,
    %(asset)s, %(loop_asset)s, %(prompt)s
)
on conflict (video_job_id, order_index) do update
set provider = excluded.provider,
    provider_image_id = excluded.provider_image_id,
    asset_id = excluded.asset_id,
    loop_asset_id = excluded.loop_asset_id,
    prompt_text = excluded.prompt_text
"""


class PaintImageInput(JobInput):
    """`order` counts the album's pictures from 1; `provider` is a reference such as `dummy/painter`."""

    order: int = Field(ge=1)
    prompt: str = Field(min_length=1, max_length=MOST_CHARACTERS)
    provider: str
    mood: str
    niche: str
    motion: Literal["still", "drift"]


class PaintImageOutput(JobOutput):
    """`frames` is the length of the loop."""

    order: int
    image: AssetReference
    loop: AssetReference
    frames: int
    width: int
    height: int
    provider: str
    provider_image_id: str | None


def run(job: Job[PaintImageInput], services: Services) -> Outcome | Deferral:
    image_key = media_key(job.organization_id, "image", job.input_hash, "jpg")
    loop_key = media_key(job.organization_id, "loop_unit", job.input_hash, "h264")
    seen_image, seen_loop = services.media_store.head(image_key), services.media_store.head(loop_key)
    with scratch_folder("paint") as folder:
        picture, loop_file = folder / "picture.jpg", folder / "loop.h264"
        painted = _picture(job, services, image_key, seen_image, picture)
        if isinstance(painted, Waiting):
            # The mark of a rewritten prompt stays with the job.
            return Deferral(painted.seconds, {**job.state, **painted.state})
        image, image_id = painted
        job.progress(0.5)
        loop = encode_loop(picture, loop_file, motion=job.input.motion, timeout=_remaining(job)())
        job.raise_if_cancelled()
        stored = services.media_store.replace_file(loop_key, loop_file, H264, seen_loop)
    return _outcome(job, image, stored, loop, image_id)


def _picture(
    job: Job[PaintImageInput], services: Services, key: str, seen: StoredObject | None, path: Path
) -> tuple[StoredObject, str | None] | Waiting:
    """The stored picture, which is at `path` too, and the provider's name for it."""
    painting = _painting(job, services, path.with_suffix(".download"))
    if seen is not None:
        body = services.media_store.get(key)
        if is_whole_picture(body, WIDTH, HEIGHT):
            path.write_bytes(body)
            return seen, painting.image_id()
    painted = painting.go_on()
    if isinstance(painted, Waiting):
        return painted
    body = as_jpeg(painted.picture)
    path.write_bytes(body)
    job.raise_if_cancelled()
    return services.media_store.replace(key, body, JPEG, seen), painted.image_id


def _painting(job: Job[PaintImageInput], services: Services, download: Path) -> Painting:
    asked = job.input
    images, provider = open_images(asked.provider, services.settings)
    rewritten = bool(job.state.get("rewrite"))
    prompt = gentler(asked.prompt) if rewritten else asked.prompt
    if not prompt.strip():
        raise InvalidInput("prompt: is empty; say what is to be seen.")
    return Painting(
        images,
        Wish(prompt, f"{asked.mood}, {asked.niche}".strip(", "), seed=str(asked.order)),
        Drafts(services.media_store, job.organization_id, job.input_hash),
        draft="painting-rewritten" if rewritten else "painting",
        fit=lambda body: fit_picture(body, WIDTH, HEIGHT),
        # What was paid for is written down before anything is done with it.
        record=lambda call: job.record(call, immediately=provider != "dummy"),
        remaining=_remaining(job),
        download=download,
    )


def _remaining(job: Job[PaintImageInput]) -> Callable[[], float]:
    def remaining() -> float:
        job.raise_if_cancelled()
        if (seconds := job.remaining_seconds()) <= 0:
            raise Transient("The time for this picture ran out; it will be tried again.")
        return min(seconds, LONGEST_CALL_SECONDS)

    return remaining


def _outcome(
    job: Job[PaintImageInput], image: StoredObject, stored: StoredObject, loop: LoopUnit, image_id: str | None
) -> Outcome:
    asked = job.input
    provider = asked.provider.partition("/")[0]
    picture = Asset(job.organization_id, job.production_id, "image", image, JPEG)
    seconds = round(loop.frames / FPS, 3)
    loop_unit = Asset(job.organization_id, job.production_id, "loop_unit", stored, H264, duration_seconds=seconds)
    output = PaintImageOutput(
        order=asked.order,
        image=picture.reference,
        loop=loop_unit.reference,
        frames=loop.frames,
        width=WIDTH,
        height=HEIGHT,
        provider=provider,
        provider_image_id=image_id,
    )
    row = Statement(
        REMEMBER_IMAGE,
        {
            "organization": job.organization_id,
            "video_job": job.subject_id,
            "order": asked.order,
            "provider": provider,
            "provider_image_id": image_id,
            "asset": picture.id,
            "loop_asset": loop_unit.id,
            "prompt": asked.prompt,
        },
    )
    return Outcome(output, [picture.statement(), loop_unit.statement(), row])


lambda_handler = stage_handler("paint_image", PaintImageInput, run)
