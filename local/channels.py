"""What a user of the laptop does with ambience videos, as a client app does it: under row-level security, by RPC."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.studio import Row, Studio
from showrunner.errors import InvalidInput
from showrunner.media_store import MediaStore

LEAST_MINUTES, MOST_MINUTES = 1, 90
FEWEST_TRACKS, MOST_TRACKS = 2, 20
# A short video has fewer tracks, so that each can still be heard.
SECONDS_PER_TRACK = 50
MOTIONS = ("still", "drift")
FILES = {"video_asset_id": "video.mp4", "contact_sheet_asset_id": "contact-sheet.png",
         "chapters_asset_id": "chapters.txt", "thumbnail_asset_id": "thumbnail.jpg"}  # fmt: skip


@dataclass(frozen=True)
class VideoRequest:
    """What the user wants made."""

    niche: str
    mood: str
    minutes: int
    tracks: int
    motion: str
    writer: str


def video_request_of(niche: str, mood: str, minutes: str, motion: str, writer: str) -> VideoRequest:
    """Check everything that can be checked before anything is started. Raises `InvalidInput` naming the option."""
    if not minutes.isdigit() or not LEAST_MINUTES <= int(minutes) <= MOST_MINUTES:
        raise InvalidInput(
            f"minutes: {minutes!r} is not allowed; a whole number, {LEAST_MINUTES} to {MOST_MINUTES}, is."
        )
    if not niche.strip() or len(niche) > 255:
        raise InvalidInput("niche: 1 to 255 characters are allowed, such as Royal Court Ambience.")
    if not any(letter.isalnum() for letter in mood) or len(mood) > 500:
        raise InvalidInput("mood: 1 to 500 characters are allowed, such as elegant, serene.")
    if motion not in MOTIONS:
        raise InvalidInput(f"motion: {motion!r} is unknown; allowed: {', '.join(MOTIONS)}.")
    wanted = round(int(minutes) * 60 / SECONDS_PER_TRACK)
    tracks = min(max(wanted, FEWEST_TRACKS), MOST_TRACKS)
    return VideoRequest(niche.strip(), mood.strip(), int(minutes), tracks, motion, writer)


class Channels(Studio):
    """The laptop's user with their channel."""

    def create_video(self, request: VideoRequest) -> uuid.UUID:
        """Ask for a video in the channel that makes videos this way, which is made when there is none."""
        values = (self.user_id, request.writer, request.motion)
        found = self._rows(
            "select id from public.channels where organization_id = %s and writer = %s and motion::text = %s "
            "and deleted_at is null and is_active order by created_at limit 1",
            *values,
        )
        channel = found[0]["id"] if found else self._value(
            "insert into public.channels (organization_id, writer, motion, name, brand_niche) "
            "values (%s, %s, %s, 'Showrunner', %s) returning id",
            *values, request.niche,
        )  # fmt: skip
        return uuid.UUID(str(self._value(
            "insert into public.video_jobs "
            "(organization_id, channel_id, niche_label, mood_keywords, target_duration_minutes, track_count) "
            "values (%s, %s, %s, %s, %s, %s) returning id",
            self.user_id, channel, request.niche, request.mood, request.minutes, request.tracks,
        )))  # fmt: skip

    def request_video(self, video: uuid.UUID, idempotency_key: str) -> uuid.UUID:
        return uuid.UUID(str(self._value(
            "select public.request_production('ambience', %s, %s)", video, idempotency_key
        )))  # fmt: skip

    def video(self, video: uuid.UUID) -> Row:
        return self._rows("select *, status::text as status from public.video_jobs where id = %s", video)[0]

    def write_files(self, video: uuid.UUID, media_store: MediaStore, folder: Path) -> list[Path]:
        """Put the video's files into `folder`, each whole or not at all; return their paths."""
        row, written = self.video(video), []
        for column, name in FILES.items():
            key = self._value("select key from public.assets where id = %s", row[column])
            partial = folder / f".{name}.partial"
            media_store.download(key, partial)
            partial.replace(folder / name)
            written.append(folder / name)
        return written

    def video_report(self, video: uuid.UUID, production_id: uuid.UUID) -> dict[str, Any]:
        """Return the figures of a video; times in seconds, loudness in LUFS, true peak in dBTP, cost in GBP."""
        row, production, figures = self.video(video), self.production(production_id), self.figures(production_id)
        sound = self._rows("select * from public.assets where id = %s", row["video_asset_id"])
        render = self._rows(
            "select ffmpeg_command, resolution, extract(epoch from completed_at - created_at)::float8 as seconds "
            "from public.render_tasks where video_job_id = %s and status = 'completed' "
            "order by created_at desc limit 1",
            video,
        )
        finished, created = production["finished_at"], production["created_at"]
        return {
            "video_job_id": str(video),
            "production_id": str(production_id),
            "status": row["status"],
            "error": row["error_message"],
            "title": row["title"],
            "export": row["export_json"],
            "tracks": row["track_count"],
            "duration_seconds": _number(row["duration_seconds"]),
            "integrated_lufs": _number(sound[0]["integrated_lufs"]) if sound else None,
            "true_peak_dbtp": _number(sound[0]["true_peak_dbtp"]) if sound else None,
            "bytes": sound[0]["bytes"] if sound else None,
            "resolution": render[0]["resolution"] if render else None,
            "ffmpeg_command": render[0]["ffmpeg_command"] if render else None,
            "jobs": figures["jobs"],
            "attempts": figures["attempts"],
            "seconds": round((finished - created).total_seconds(), 3) if finished else None,
            "render_seconds": round(render[0]["seconds"], 3) if render else None,
            "seconds_per_stage": {
                stage["stage"]: round(stage["seconds"], 3) for stage in self.stages(production_id) if stage["seconds"]
            },
            "measured_cost_gbp": _number(figures["measured_cost_gbp"]),
        }


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
