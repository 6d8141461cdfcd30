"""Plans an album: a prompt and a length for each track, a prompt for each picture, and the video's title."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import Field

from album_lengths import lengths_of
from album_prompt import album_prompt
from showrunner.album_plan import AlbumMaterial, AlbumPlan, are_alike, moods_of
from showrunner.database import Statement
from showrunner.drafts import Drafts
from showrunner.errors import BadOutput
from showrunner.providers.text import WritingTask, open_text
from showrunner.services import Services
from showrunner.stage import Job, JobInput, JobOutput, Outcome, stage_handler

PROMPTS = Path(__file__).parent / "prompts"
_MOST_CALL_SECONDS = 240.0
MOST_TAG_CHARACTERS = 480

_UPDATE_VIDEO = """
update public.video_jobs
set prompts_json = %(prompts)s, title = %(title)s, description = %(description)s, tags = %(tags)s
where id = %(video_job_id)s
"""


class PlanAlbumInput(JobInput):
    prompt: str
    writer: str
    seed: UUID
    channel: str
    brand_niche: str
    niche: str
    mood: str
    minutes: Annotated[int, Field(ge=1, le=90)]
    tracks: Annotated[int, Field(ge=2, le=20)]
    crossfade_seconds: Annotated[float, Field(ge=0, le=8)]


class PlanAlbumOutput(JobOutput):
    """`prompts` is the video's prompts_json."""

    title: str
    description: str
    tags: list[str]
    prompts: dict[str, Any]


def run(job: Job[PlanAlbumInput], services: Services) -> Outcome:
    asked = job.input
    material = AlbumMaterial(
        channel=asked.channel,
        brand_niche=asked.brand_niche,
        niche=asked.niche,
        moods=moods_of(asked.mood),
        minutes=asked.minutes,
        tracks=asked.tracks,
        seed=asked.seed,
    )
    plan = _checked(_plan(job, services, material), asked.tracks)
    lengths = lengths_of([track.share for track in plan.tracks], asked.minutes * 60.0, asked.crossfade_seconds)
    output = PlanAlbumOutput(
        title=plan.title,
        description=plan.description,
        tags=_fitting(plan.tags),
        prompts={
            "music_prompts": [
                {
                    "order_index": number,
                    "prompt": track.prompt,
                    "duration_minutes": round(seconds / 60, 6),
                    "title": track.title,
                }
                for number, (track, seconds) in enumerate(zip(plan.tracks, lengths, strict=True), start=1)
            ],
            "visual_prompts": [
                {"order_index": number, "prompt": prompt} for number, prompt in enumerate(plan.pictures, start=1)
            ],
        },
    )
    written = {
        "video_job_id": job.subject_id,
        "prompts": Jsonb(output.prompts),
        "title": output.title,
        "description": output.description,
        "tags": output.tags,
    }
    return Outcome(output, [Statement(_UPDATE_VIDEO, written)])


def _plan(job: Job[PlanAlbumInput], services: Services, material: AlbumMaterial) -> AlbumPlan:
    """Return the kept reply of an earlier attempt, or ask the writer."""
    writer = open_text(job.input.writer, services.settings)
    drafts = Drafts(services.media_store, job.organization_id, job.input_hash)
    is_paid = not job.input.writer.startswith("offline/")
    if is_paid and (kept := drafts.read("album", AlbumPlan)):
        return kept
    prompt = album_prompt(PROMPTS, job.input.prompt, material, cautious=bool(job.state.get("rewrite")))
    written = writer.write(
        WritingTask("album", prompt, material), AlbumPlan, min(job.remaining_seconds(), _MOST_CALL_SECONDS)
    )
    job.record(written.call, immediately=is_paid)
    if is_paid:
        drafts.keep("album", _checked(written.reply, job.input.tracks))
    return written.reply


def _checked(plan: AlbumPlan, tracks: int) -> AlbumPlan:
    """Return the plan; raise `BadOutput` unless it has as many prompts as asked, each unlike all others."""
    for name, prompts in (("tracks", [track.prompt for track in plan.tracks]), ("pictures", plan.pictures)):
        if len(prompts) != tracks:
            raise BadOutput(f"The plan has {len(prompts)} {name} instead of {tracks}.")
        alike = _alike(prompts)
        if alike is not None:
            raise BadOutput(f"The plan's {name} {alike[0]} and {alike[1]} are nearly the same.")
    if len({track.title.casefold() for track in plan.tracks}) != tracks:
        raise BadOutput("The plan has two tracks of one title.")
    return plan


def _alike(prompts: Sequence[str]) -> tuple[int, int] | None:
    """Return the numbers, from 1, of two prompts that share too many of their words."""
    for (first, one), (second, other) in combinations(enumerate(prompts, start=1), 2):
        if are_alike(one, other):
            return first, second
    return None


def _fitting(tags: Sequence[str]) -> list[str]:
    """As many tags as YouTube takes: it counts commas, and quotes around those of more than one word."""
    kept: list[str] = []
    room = MOST_TAG_CHARACTERS
    for tag in dict.fromkeys(" ".join(tag.replace('"', "").replace(",", " ").split()) for tag in tags):
        if tag and len(tag) + 3 <= room:
            kept.append(tag)
            room -= len(tag) + 3
    return kept


lambda_handler = stage_handler("plan_album", PlanAlbumInput, run)
