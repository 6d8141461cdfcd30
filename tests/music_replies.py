"""Replies of music services as their documentation shows them, and the files that they point to."""

from __future__ import annotations

import json
import math
import struct
from array import array
from typing import Any

SAMPLE_RATE = 44_100
TRACK_SECONDS = 20
LICENCE = b"%PDF-1.4 This track may be used."


def track(seconds: float = TRACK_SECONDS, *, level: float = 0.3) -> bytes:
    """A WAV file: a chord in stereo that swells a little."""
    count = int(seconds * SAMPLE_RATE)
    period = [sum(math.sin(2 * math.pi * n * at / 441) for n in (2, 3, 5)) / 3 for at in range(441)]
    samples = array("h", (round(32_000 * level * period[at % 441]) for at in range(count) for _ in range(2)))
    layout = struct.pack("<HHIIHH", 1, 2, SAMPLE_RATE, SAMPLE_RATE * 4, 4, 16)
    data = samples.tobytes()
    head = b"fmt " + struct.pack("<I", 16) + layout + b"data" + struct.pack("<I", len(data))
    return b"RIFF" + struct.pack("<I", 4 + len(head) + len(data)) + b"WAVE" + head + data


def mubert(host: str, status: str = "done", **generation: Any) -> dict[str, Any]:
    url = f"http://{host}/files/track.wav" if status == "done" else None
    return {
        "data": {
            "id": "0193c1f2",
            "generations": [{"session_id": "s", "status": status, "url": url, "expired_at": "soon"} | generation],
        }
    }


def beatoven(host: str, status: str = "composed", **meta: Any) -> dict[str, Any]:
    if status != "composed":
        return {"status": status}
    stems = {"bass": f"http://{host}/files/bass.wav"}
    found = {"track_url": f"http://{host}/files/track.wav", "stems_url": stems, "track_id": "track-7"}
    return {"status": status, "meta": found | meta}


def documented(path: str, host: str) -> tuple[bytes, str] | None:
    """The successful reply to a request, with its content type; None for what is no music service's."""
    if path == "/public/tracks":
        return _json(mubert(host, "processing"))
    if path.startswith("/public/tracks/"):
        return _json(mubert(host))
    if path == "/tracks/compose":
        return _json({"status": "started", "task_id": "task-7"})
    if path.startswith("/tasks/"):
        return _json(beatoven(host))
    if path.startswith("/v1/music"):
        return track(), "audio/mpeg"
    if path == "/files/track.wav":
        return track(), "audio/wav"
    if path == "/files/licence.pdf":
        return LICENCE, "application/pdf"
    return None


def _json(value: dict[str, Any]) -> tuple[bytes, str]:
    return json.dumps(value).encode(), "application/json"
