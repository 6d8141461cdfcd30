"""Cuts a highlight out of a finished episode: one MP3 of the episode's loudness, and the words said in it."""

# mutagen declares itself typed, but its frames are not.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cutting import cut, edges_of
from showrunner.assets import Asset, AssetReference
from showrunner.database import Statement
from showrunner.errors import InvalidInput, Transient
from showrunner.media.loudness import Loudness
from showrunner.media.mastering import SAMPLE_RATE, Target, master
from showrunner.media_store import media_key
from showrunner.scratch import scratch_folder
from showrunner.services import Services
from showrunner.stage import Job, JobInput, JobOutput, Outcome, stage_handler

# The same as master_episode's: a clip is as loud as the episode that it is from.
CLIP = Target(integrated=-16.0, tolerance=0.5, true_peak=-1.0)
MOST_SECONDS = 600.0
MOST_TITLE_CHARACTERS = 200

FINISH_CLIP = """
update public.highlights
set clip_asset_id = %(asset)s,
    clip_text = %(text)s
where id = %(highlight)s
  and organization_id = %(organization)s
"""


class Line(BaseModel):
    """A line in or beside the highlight; times in seconds of the episode."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    speaker: str
    text: str
    start_seconds: float
    end_seconds: float


class CutHighlightInput(JobInput):
    highlight_id: UUID
    audio: AssetReference
    audio_seconds: float = Field(gt=0)
    show: str
    author: str | None = None
    title: str
    quote: str
    start_seconds: float = Field(ge=0)
    end_seconds: float
    lines: tuple[Line, ...]


class CutHighlightOutput(JobOutput):
    """Times are those of the episode where the clip was cut; loudness in LUFS, true peak in dBTP."""

    audio: AssetReference
    start_seconds: float
    duration_seconds: float
    integrated_lufs: float
    true_peak_dbtp: float


def run(job: Job[CutHighlightInput], services: Services) -> Outcome:
    asked = job.input
    if not 0 < asked.end_seconds - asked.start_seconds <= MOST_SECONDS or asked.start_seconds >= asked.audio_seconds:
        raise InvalidInput(
            f"highlight: {asked.start_seconds:g} to {asked.end_seconds:g} s is no passage of at most "
            f"{MOST_SECONDS:g} s in an episode of {asked.audio_seconds:g} s."
        )
    key = media_key(job.organization_id, "clip_audio", job.input_hash, "mp3")
    seen = services.media_store.head(key)
    with scratch_folder("clip") as folder:
        whole = folder / "episode.mp3"
        services.media_store.download(asked.audio.key, whole)
        job.progress(0.2)
        begin, end = edges_of(asked.start_seconds, asked.end_seconds, asked.lines, asked.audio_seconds)
        mix, start = cut(whole, begin, end, folder / "clip.pcm", _remaining(job))
        clip = folder / "clip.mp3"
        loudness = master(mix, 1.0, CLIP, clip, lambda: _remaining(job), lambda share: job.progress(0.3 + 0.6 * share))
        text = _words(asked.lines, start, start + loudness.seconds) or asked.quote
        _write_tags(clip, asked, text, loudness)
        asset = Asset(
            organization_id=job.organization_id,
            production_id=job.production_id,
            kind="clip_audio",
            stored=services.media_store.replace_file(key, clip, "audio/mpeg", seen),
            content_type="audio/mpeg",
            duration_seconds=round(loudness.seconds, 3),
            integrated_lufs=loudness.integrated,
            true_peak_dbtp=loudness.true_peak,
            sample_rate=SAMPLE_RATE,
        )
    output = CutHighlightOutput(
        audio=asset.reference,
        start_seconds=round(start, 3),
        duration_seconds=round(loudness.seconds, 3),
        integrated_lufs=loudness.integrated,
        true_peak_dbtp=loudness.true_peak,
    )
    finished = {"asset": asset.id, "text": text, "highlight": asked.highlight_id, "organization": job.organization_id}
    return Outcome(output, [asset.statement(), Statement(FINISH_CLIP, finished)])


def _remaining(job: Job[CutHighlightInput]) -> float:
    job.raise_if_cancelled()
    if (seconds := job.remaining_seconds()) <= 0:
        raise Transient("The time for cutting ran out; it will be tried again.")
    return seconds


def _words(lines: Sequence[Line], start: float, end: float) -> str:
    """Return what is said between two times, a line per speaker's turn: lines that are mostly heard."""
    heard = [line for line in lines if start <= (line.start_seconds + line.end_seconds) / 2 <= end]
    return "\n".join(f"{line.speaker}: {line.text}" for line in heard)


def _write_tags(path: Path, asked: CutHighlightInput, text: str, loudness: Loudness) -> None:
    from mutagen.id3 import COMM, ID3, TALB, TIT2, TLEN, TPE1, Encoding

    id3 = ID3()
    for frame, value in ((TIT2, asked.title or asked.show), (TPE1, asked.author or asked.show), (TALB, asked.show)):
        id3.add(frame(Encoding.UTF16, value[:MOST_TITLE_CHARACTERS]))
    id3.add(TLEN(Encoding.LATIN1, str(round(loudness.seconds * 1000))))
    id3.add(COMM(Encoding.UTF16, "eng", "", text))
    id3.update_to_v23()
    id3.save(path, v1=0, v2_version=3)


lambda_handler = stage_handler("cut_highlight", CutHighlightInput, run)
