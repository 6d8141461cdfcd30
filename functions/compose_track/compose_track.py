"""Composes one track of an album: a prompt in, one AAC file at the album's loudness in S3 out."""

from __future__ import annotations

from pydantic import Field

from obtaining import Obtained, Sources
from showrunner.assets import Asset, AssetReference
from showrunner.database import Statement
from showrunner.errors import BadOutput, Transient
from showrunner.media.album.audio_unit import AudioUnit, encode_track
from showrunner.media.album.format import SAMPLE_RATE
from showrunner.media_store import media_key
from showrunner.providers.music import Pending, Wish, open_music
from showrunner.scratch import scratch_folder
from showrunner.services import Services
from showrunner.stage import Deferral, Job, JobInput, JobOutput, Outcome, stage_handler

AAC = "audio/aac"
MOST_CHARACTERS = 4_000
LONGEST_SECONDS = 1_500.0
GIVE_UP_SECONDS = 1_800.0  # of waiting for one track of a provider

KEEP_TRACK = """
insert into public.audio_tracks (
    organization_id, video_job_id, order_index, provider, provider_track_id, duration_seconds,
    asset_id, license_document_url, license_asset_id, prompt_text
) values (
    %(organization_id)s, %(video_job_id)s, %(order_index)s, %(provider)s, %(provider_track_id)s, %(duration_seconds)s,
    %(asset_id)s, %(license_document_url)s, %(license_asset_id)s, %(prompt_text)s
)
on conflict (video_job_id, order_index) do update
set provider = excluded.provider,
    provider_track_id = excluded.provider_track_id,
    duration_seconds = excluded.duration_seconds,
    asset_id = excluded.asset_id,
    license_document_url = excluded.license_document_url,
    license_asset_id = excluded.license_asset_id,
    prompt_text = excluded.prompt_text
"""


class ComposeTrackInput(JobInput):
    """`provider` is a reference such as `dummy/ambient`; `mood` and `niche` are words that colour the prompt."""

    order: int = Field(ge=1)
    prompt: str = Field(min_length=1, max_length=MOST_CHARACTERS)
    seconds: float = Field(gt=0, le=LONGEST_SECONDS)
    provider: str
    mood: str
    niche: str


class ComposeTrackOutput(JobOutput):
    """`samples` at 48 kHz and `seconds` are what was measured, as are loudness (LUFS) and true peak (dBTP)."""

    order: int
    audio: AssetReference
    seconds: float
    samples: int
    integrated_lufs: float
    true_peak_dbtp: float
    provider: str
    provider_track_id: str | None
    license_url: str | None


def run(job: Job[ComposeTrackInput], services: Services) -> Outcome | Deferral:
    def remaining() -> float:
        job.raise_if_cancelled()
        if (seconds := job.remaining_seconds()) <= 0:
            raise Transient("The time for this track ran out; it will be tried again.")
        return seconds

    music, provider = open_music(job.input.provider, services.settings)
    key = media_key(job.organization_id, "track_audio", job.input_hash, "aac")
    seen = services.media_store.head(key)
    with scratch_folder("compose") as folder:
        sources = Sources(job, services.media_store, folder, is_paid=provider != "dummy")
        obtained = sources.obtain(music, _wish(job), remaining)
        if isinstance(obtained, Pending):
            return _waiting(job, provider, obtained)
        job.progress(0.5)
        path = folder / "track.aac"
        try:
            unit = encode_track(obtained.path, path, expected_seconds=job.input.seconds, remaining=remaining)
        except BadOutput:
            # The next attempt has to ask for another track.
            sources.forget()
            raise
        job.raise_if_cancelled()
        stored = services.media_store.replace_file(key, path, AAC, seen)
    asset = Asset(
        organization_id=job.organization_id,
        production_id=job.production_id,
        kind="track_audio",
        stored=stored,
        content_type=AAC,
        duration_seconds=round(unit.seconds, 3),
        integrated_lufs=unit.integrated_lufs,
        true_peak_dbtp=unit.true_peak_dbtp,
        sample_rate=SAMPLE_RATE,
    )
    licences = [] if obtained.licence is None else [obtained.licence]
    statements = [each.statement() for each in (asset, *licences)]
    return Outcome(_output(job, asset, unit, obtained), [*statements, _keep(job, provider, asset, unit, obtained)])


def _wish(job: Job[ComposeTrackInput]) -> Wish:
    # A prompt that was refused is replaced by its mood in plain words.
    words = f"{job.input.mood}, {job.input.niche}" if job.state.get("rewrite") else job.input.prompt
    seed = f"{job.organization_id}/{job.input.order}/{job.input.prompt}"
    return Wish(words, f"{job.input.mood}, {job.input.niche}", job.input.seconds, seed)


def _waiting(job: Job[ComposeTrackInput], provider: str, pending: Pending) -> Deferral:
    """Look again later, unless this one track has been waited for too long."""
    waited = float(job.state.get("waited", 0)) if job.state.get("asked") == pending.state else 0.0
    if waited >= GIVE_UP_SECONDS:
        raise BadOutput(
            f"{provider} has not finished the track within {GIVE_UP_SECONDS / 60:.0f} minutes; "
            "rebuild it later, or choose another provider."
        )
    kept = {"rewrite": True} if job.state.get("rewrite") else {}
    return Deferral(pending.poll_seconds, {**kept, "asked": pending.state, "waited": waited + pending.poll_seconds})


def _output(job: Job[ComposeTrackInput], asset: Asset, unit: AudioUnit, obtained: Obtained) -> ComposeTrackOutput:
    return ComposeTrackOutput(
        order=job.input.order,
        audio=asset.reference,
        seconds=round(unit.seconds, 3),
        samples=unit.samples,
        integrated_lufs=unit.integrated_lufs,
        true_peak_dbtp=unit.true_peak_dbtp,
        provider=job.input.provider,
        provider_track_id=obtained.track_id,
        license_url=obtained.licence_url,
    )


def _keep(job: Job[ComposeTrackInput], provider: str, asset: Asset, unit: AudioUnit, obtained: Obtained) -> Statement:
    return Statement(
        KEEP_TRACK,
        {
            "organization_id": job.organization_id,
            "video_job_id": job.subject_id,
            "order_index": job.input.order,
            "provider": provider,
            "provider_track_id": obtained.track_id,
            "duration_seconds": round(unit.seconds, 3),
            "asset_id": asset.id,
            "license_document_url": obtained.licence_url,
            "license_asset_id": None if obtained.licence is None else obtained.licence.id,
            "prompt_text": job.input.prompt,
        },
    )


lambda_handler = stage_handler("compose_track", ComposeTrackInput, run)
