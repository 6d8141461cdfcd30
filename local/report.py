"""What a production left: its files, and its figures as `report.json`."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

from local.studio import Row, Studio
from showrunner.media_store import MediaStore

FILES = {
    "episode_audio": "episode.mp3",
    "transcript": "episode.vtt",
    "chapters": "chapters.json",
    "feed": "feed.xml",
}


def report_of(studio: Studio, production_id: uuid.UUID) -> dict[str, Any]:
    """Return the figures of a production; times in seconds, loudness in LUFS, true peak in dBTP, cost in GBP."""
    production = studio.production(production_id)
    audio: Row = studio.assets(production_id).get("episode_audio", {})
    figures = studio.figures(production_id)
    finished, created = production["finished_at"], production["created_at"]
    return {
        "production_id": str(production_id),
        "status": production["status"],
        "error": production["error"],
        "build": production["build"],
        "duration_seconds": _number(audio.get("duration_seconds")),
        "integrated_lufs": _number(audio.get("integrated_lufs")),
        "true_peak_dbtp": _number(audio.get("true_peak_dbtp")),
        "jobs": figures["jobs"],
        "attempts": figures["attempts"],
        "seconds": round((finished - created).total_seconds(), 3) if finished else None,
        "seconds_per_stage": {
            stage["stage"]: round(stage["seconds"], 3) for stage in studio.stages(production_id) if stage["seconds"]
        },
        "estimated_cost_gbp": _number(production["estimate_gbp"]),
        "measured_cost_gbp": _number(figures["measured_cost_gbp"]),
    }


def write_files(studio: Studio, media_store: MediaStore, production_id: uuid.UUID, folder: Path) -> list[Path]:
    """Put the episode's files into `folder`, each whole or not at all; return their paths."""
    written = []
    for kind, asset in studio.assets(production_id).items():
        path = folder / FILES[kind]
        partial = path.with_name(f".{path.name}.partial")
        media_store.download(asset["key"], partial)
        partial.replace(path)
        written.append(path)
    return sorted(written)


def write_report(report: dict[str, Any], folder: Path) -> Path:
    path = folder / "report.json"
    partial = folder / ".report.json.partial"
    partial.write_text(json.dumps(report, indent=2, ensure_ascii=False) + os.linesep)
    partial.replace(path)
    return path


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
