"""Speaks one block of the script: text in, one verified WAV file in S3 out."""

from __future__ import annotations

from psycopg.types.json import Jsonb
from pydantic import Field

from showrunner.assets import Asset, AssetReference
from showrunner.clips import Clip, from_wav, to_wav, verify_clip
from showrunner.database import Statement
from showrunner.errors import BadOutput, InvalidInput, Transient
from showrunner.media_store import MediaStore, draft_key, media_key
from showrunner.providers.speech import open_speech
from showrunner.services import Services
from showrunner.speech_text import speakable
from showrunner.stage import Job, JobInput, JobOutput, Outcome, stage_handler
from speaking import plainer, speak_in_pieces

MOST_CHARACTERS = 20_000
LONGEST_CALL_SECONDS = 120.0
WAV = "audio/wav"

# One row per clip that can be used again; a second use is what makes an evicted clip expensive.
REMEMBER_CLIP = """
insert into public.audio_cache (organization_id, cache_key, asset_id, mime_type, audio_bytes, parameters, usage_count)
values (%(organization_id)s, %(cache_key)s, %(asset_id)s, %(mime_type)s, %(audio_bytes)s, %(parameters)s, 1)
on conflict (organization_id, cache_key) do update
set asset_id = excluded.asset_id,
    audio_bytes = excluded.audio_bytes,
    usage_count = audio_cache.usage_count + 1,
    last_used_at = now()
"""


class SpeakLineInput(JobInput):
    """`text` is the block's Markdown, `voice` a reference such as `espeak/ada`, `language` BCP 47.

    There is no voice where the show has no speaker of the block's name.
    """

    text: str = Field(min_length=1, max_length=MOST_CHARACTERS)
    voice: str | None
    language: str


class SpeakLineOutput(JobOutput):
    """`characters` counts what was spoken, without markup."""

    asset: AssetReference
    seconds: float
    sample_rate: int
    characters: int


def run(job: Job[SpeakLineInput], services: Services) -> Outcome:
    text = speakable(job.input.text)
    if not text:
        raise InvalidInput(
            "text: there is nothing to speak in it; allowed: words or numbers, with or without Markdown."
        )
    if job.state.get("rewrite"):
        text = plainer(text)
    key = media_key(job.organization_id, "speech", job.input_hash, "wav")
    found = services.media_store.head(key)
    clip = found and _already_spoken(services.media_store, key, text)
    if found and clip:
        stored = found
    else:
        clip = _spoken(job, services, text)
        stored = services.media_store.replace(key, to_wav(clip), WAV, found)
    asset = Asset(
        organization_id=job.organization_id,
        production_id=job.production_id,
        kind="speech",
        stored=stored,
        content_type=WAV,
        duration_seconds=round(clip.seconds, 3),
        sample_rate=clip.sample_rate,
    )
    output = SpeakLineOutput(
        asset=asset.reference, seconds=round(clip.seconds, 3), sample_rate=clip.sample_rate, characters=len(text)
    )
    return Outcome(output, [asset.statement(), _remember(job, asset)])


def _already_spoken(media_store: MediaStore, key: str, text: str) -> Clip | None:
    """The clip of an earlier attempt, or of the same words in another episode: paid for once."""
    try:
        clip = from_wav(media_store.get(key))
        verify_clip(clip, text)
    except BadOutput:
        return None
    return clip


def _spoken(job: Job[SpeakLineInput], services: Services, text: str) -> Clip:
    if job.input.voice is None:
        raise InvalidInput("voice: the show has no speaker of this line's name; add the speaker or rename the line's.")
    speech, name = open_speech(job.input.voice, services.settings)
    # What was paid for is written down before the clip is stored: a later attempt that finds the clip makes no call.
    is_paid = not job.input.voice.startswith("espeak/")

    def say(piece: str) -> Clip:
        job.raise_if_cancelled()
        timeout = min(job.remaining_seconds(), LONGEST_CALL_SECONDS)
        if timeout <= 0:
            raise Transient("The time for this line ran out; it will be tried again.")
        spoken = speech.speak(piece, name, job.input.language, timeout)
        job.record(spoken.call, immediately=is_paid)
        return spoken.clip

    return speak_in_pieces(
        text, say, services.media_store, lambda piece: draft_key(job.organization_id, job.input_hash, piece)
    )


def _remember(job: Job[SpeakLineInput], asset: Asset) -> Statement:
    return Statement(
        REMEMBER_CLIP,
        {
            "organization_id": job.organization_id,
            "cache_key": job.input_hash,
            "asset_id": asset.id,
            "mime_type": WAV,
            "audio_bytes": asset.stored.bytes,
            "parameters": Jsonb({"voice": job.input.voice, "language": job.input.language}),
        },
    )


lambda_handler = stage_handler("speak_line", SpeakLineInput, run)
