"""Masters an episode: its spoken lines become one MP3 with transcript, chapters and cover."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from assembling import Recording, Span, assemble, open_recording, speaker_gains
from captions import Caption, web_vtt
from chapter_marks import Chapter, chapters_json, chapters_of
from showrunner.assets import Asset, AssetReference
from showrunner.database import Statement
from showrunner.errors import InvalidInput, Transient
from showrunner.media.loudness import Loudness
from showrunner.media.mastering import SAMPLE_RATE, Target, master
from showrunner.media.pacing import Line, fit
from showrunner.media_store import MediaStore, StoredObject, media_key
from showrunner.scratch import scratch_folder
from showrunner.services import Services
from showrunner.speech_text import speakable
from showrunner.stage import Job, JobInput, JobOutput, Outcome, stage_handler

DOWNLOADS_AT_ONCE = 12
MOST_COVER_BYTES = 20_000_000
MASTER = Target(integrated=-16.0, tolerance=0.5, true_peak=-1.0)

FINISH_EPISODE = """
update public.episodes
set audio_asset_id = %(audio)s,
    transcript_asset_id = %(transcript)s,
    chapters_asset_id = %(chapters)s,
    cover_asset_id = %(cover)s,
    duration_seconds = %(seconds)s
where id = %(episode)s
  and organization_id = %(organization)s
"""

# What is heard, and when: blocks may be edited after this.
FORGET_SPOKEN_LINES = """
delete from public.spoken_lines
where episode_id = %(episode)s
  and organization_id = %(organization)s
"""
WRITE_SPOKEN_LINES = """
insert into public.spoken_lines
    (episode_id, organization_id, position, block_id, section, speaker, text, start_seconds, end_seconds)
select
    episodes.id, episodes.organization_id, line.position, line.block_id, line.section, line.speaker, line.text,
    line.start_seconds, line.end_seconds
from public.episodes
cross join jsonb_to_recordset(%(lines)s) as line (
    position integer, block_id uuid, section text, speaker text, text text, start_seconds numeric, end_seconds numeric
)
where episodes.id = %(episode)s
  and episodes.organization_id = %(organization)s
"""

# One statement per voice, in the order of their names, so that two episodes cannot deadlock.
COUNT_RATE = """
insert into public.voice_rates (voice, language, characters, seconds)
select voices.id, %(language)s, %(characters)s, %(seconds)s
from public.voices
where voices.id = %(voice)s
on conflict (voice, language) do update
set characters = voice_rates.characters + excluded.characters,
    seconds = voice_rates.seconds + excluded.seconds
"""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Show(_Part):
    name: str
    author: str | None = None
    language: str
    description: str | None = None


class Episode(_Part):
    """`date` is when it is published, ISO 8601, where that is known."""

    id: UUID
    number: int | None = None
    title: str | None = None
    summary: str | None = None
    date: str | None = None


class SpokenLine(_Part):
    """One block with its clip: `text` is Markdown, `seconds` the clip's length."""

    block_id: UUID
    section: str | None = None
    speaker: str
    text: str
    key: str
    sha256: str
    seconds: float
    voice: str


class MasterEpisodeInput(JobInput):
    show: Show
    episode: Episode
    target_seconds: float = Field(gt=0)
    lines: tuple[SpokenLine, ...] = Field(min_length=1)
    cover_key: str | None = None


class MasterEpisodeOutput(JobOutput):
    """Loudness in LUFS and true peak in dBTP are those of the encoded file."""

    audio: AssetReference
    transcript: AssetReference
    chapters: AssetReference
    cover: AssetReference
    duration_seconds: float
    integrated_lufs: float
    true_peak_dbtp: float


def run(job: Job[MasterEpisodeInput], services: Services) -> Outcome:
    key = media_key(job.organization_id, "episode_audio", job.input_hash, "mp3")
    seen = services.media_store.head(key)
    with scratch_folder("master") as folder:
        recordings = _download(job, services.media_store, folder)
        job.progress(0.2)
        audio_path = folder / "episode.mp3"
        spans, loudness = _mastered(job, recordings, audio_path)
        job.progress(0.92)
        title = job.input.episode.title or job.input.show.name
        sections = [(line.section or "", span.start) for line, span in zip(job.input.lines, spans, strict=True)]
        chapters = chapters_of(sections, loudness.seconds, title)
        cover = _cover(job, services.media_store)
        _write_tags(job, audio_path, title, loudness, chapters, cover)
        assets = {
            "audio": _audio_asset(
                job, services.media_store.replace_file(key, audio_path, "audio/mpeg", seen), loudness
            ),
            "transcript": _put(job, services.media_store, "transcript", "vtt", "text/vtt", _transcript(job, spans)),
            "chapters": _put(
                job,
                services.media_store,
                "chapters",
                "json",
                "application/json+chapters",
                chapters_json(chapters, title, job.input.show.name),
            ),
            "cover": _put(job, services.media_store, "cover", "jpg", "image/jpeg", cover),
        }
    output = MasterEpisodeOutput(
        **{name: asset.reference for name, asset in assets.items()},
        duration_seconds=round(loudness.seconds, 3),
        integrated_lufs=loudness.integrated,
        true_peak_dbtp=loudness.true_peak,
    )
    rows = [*_episode_rows(job, assets, loudness), *_spoken_lines(job, spans)]
    return Outcome(output, [*(asset.statement() for asset in assets.values()), *rows])


def _download(job: Job[MasterEpisodeInput], media_store: MediaStore, folder: Path) -> list[Recording]:
    """Fetch every clip. Its hash is not compared: a late duplicate of a paid clip is as good as the first."""

    def fetch(numbered: tuple[int, SpokenLine]) -> Recording:
        number, line = numbered
        job.raise_if_cancelled()
        path = folder / f"line-{number:05d}.wav"
        media_store.download(line.key, path)
        return open_recording(path, line.speaker, f"The clip of line {number} ({line.speaker})")

    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        return list(pool.map(fetch, enumerate(job.input.lines, start=1)))


def _mastered(
    job: Job[MasterEpisodeInput], recordings: Sequence[Recording], audio_path: Path
) -> tuple[list[Span], Loudness]:
    def remaining() -> float:
        job.raise_if_cancelled()
        if (seconds := job.remaining_seconds()) <= 0:
            raise Transient("The time for mastering ran out; it will be tried again.")
        return seconds

    def progress(share: float) -> None:
        job.raise_if_cancelled()
        job.progress(0.3 + 0.6 * share)

    gains = speaker_gains(recordings, remaining)
    lines = [
        Line(line.section or "", line.speaker, line.text, recording.seconds)
        for line, recording in zip(job.input.lines, recordings, strict=True)
    ]
    pacing = fit(lines, job.input.target_seconds)
    mix, spans = assemble(recordings, pacing, gains, audio_path.with_suffix(".pcm"), remaining)
    for recording in recordings:
        recording.path.unlink()  # a Lambda's disk is small
    job.progress(0.3)
    return spans, master(mix, pacing.tempo, MASTER, audio_path, remaining, progress)


def _transcript(job: Job[MasterEpisodeInput], spans: Sequence[Span]) -> bytes:
    captions = [
        Caption(span.start, span.end, line.speaker, speakable(line.text))
        for line, span in zip(job.input.lines, spans, strict=True)
    ]
    return web_vtt(captions).encode()


def _cover(job: Job[MasterEpisodeInput], media_store: MediaStore) -> bytes:
    from cover_art import fitted_cover, painted_cover

    show = job.input.show
    if job.input.cover_key is None:
        return painted_cover(show.name, show.author or "")
    try:
        return fitted_cover(media_store.get(job.input.cover_key, most_bytes=MOST_COVER_BYTES))
    except ValueError as error:
        raise InvalidInput(f"cover_key: {error}.") from error


def _write_tags(
    job: Job[MasterEpisodeInput],
    path: Path,
    title: str,
    loudness: Loudness,
    chapters: Sequence[Chapter],
    cover: bytes,
) -> None:
    from tagging import Tags, write_tags

    show, episode = job.input.show, job.input.episode
    tags = Tags(
        title=title,
        artist=show.author or show.name,
        album=show.name,
        summary=episode.summary or "",
        number=episode.number,
        date=episode.date or "",
        seconds=loudness.seconds,
        chapters=chapters,
        cover=cover,
    )
    write_tags(path, tags)


def _audio_asset(job: Job[MasterEpisodeInput], stored: StoredObject, loudness: Loudness) -> Asset:
    return Asset(
        organization_id=job.organization_id,
        production_id=job.production_id,
        kind="episode_audio",
        stored=stored,
        content_type="audio/mpeg",
        duration_seconds=round(loudness.seconds, 3),
        integrated_lufs=loudness.integrated,
        true_peak_dbtp=loudness.true_peak,
        sample_rate=SAMPLE_RATE,
    )


def _put(
    job: Job[MasterEpisodeInput], media_store: MediaStore, kind: str, extension: str, content_type: str, body: bytes
) -> Asset:
    key = media_key(job.organization_id, kind, job.input_hash, extension)
    stored: StoredObject = media_store.put(key, body, content_type)
    return Asset(job.organization_id, job.production_id, kind, stored, content_type)


def _episode_rows(job: Job[MasterEpisodeInput], assets: dict[str, Asset], loudness: Loudness) -> list[Statement]:
    spoken: dict[str, list[float]] = {}
    for line in job.input.lines:
        total = spoken.setdefault(line.voice, [0, 0.0])
        total[0] += len(speakable(line.text))
        total[1] += line.seconds
    rates = [
        Statement(
            COUNT_RATE,
            {
                "voice": voice,
                "language": job.input.show.language,
                "characters": int(characters),
                "seconds": round(seconds, 3),
            },
        )
        for voice, (characters, seconds) in sorted(spoken.items())
    ]
    finished = {name: asset.id for name, asset in assets.items()}
    seconds = {"seconds": round(loudness.seconds, 3)}
    ids = {"episode": job.input.episode.id, "organization": job.organization_id}
    return [Statement(FINISH_EPISODE, {**finished, **seconds, **ids}), *rates]


def _spoken_lines(job: Job[MasterEpisodeInput], spans: Sequence[Span]) -> list[Statement]:
    lines = [
        {
            "position": position,
            "block_id": str(line.block_id),
            "section": line.section or "",
            "speaker": line.speaker,
            "text": speakable(line.text),
            "start_seconds": round(span.start, 3),
            "end_seconds": round(span.end, 3),
        }
        for position, (line, span) in enumerate(zip(job.input.lines, spans, strict=True))
    ]
    ids = {"episode": job.input.episode.id, "organization": job.organization_id}
    return [Statement(FORGET_SPOKEN_LINES, ids), Statement(WRITE_SPOKEN_LINES, {**ids, "lines": Jsonb(lines)})]


lambda_handler = stage_handler("master_episode", MasterEpisodeInput, run)
