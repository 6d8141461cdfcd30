"""Our line's work in a process of its own: the very functions of the stages, with folders for S3 and no database.

python -m benchmarks.render.work media FOLDER TRACKS SECONDS
python -m benchmarks.render.work render FOLDER TRACKS OUT
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from benchmarks.render import MOST_TRACKS, PROJECT

STAGES = ("compose_track", "paint_image", "render_video")
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as the template says, before numpy is there
sys.path[:0] = [str(PROJECT / "layers" / "common"), *(str(PROJECT / "functions" / stage) for stage in STAGES)]

import compose_track  # noqa: E402
import paint_image  # noqa: E402
import render_video  # noqa: E402
from showrunner.album_plan import AlbumMaterial  # noqa: E402
from showrunner.media_store import ObjectMissing, StoredObject  # noqa: E402
from showrunner.writing.album import write_album  # noqa: E402

NICHE, MOODS = "Royal Court Ambience", ("elegant", "classical", "serene")


class Folder:
    """S3 as files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(exist_ok=True)

    def _file(self, key: str) -> Path:
        return self._path / hashlib.sha256(key.encode()).hexdigest()

    def head(self, key: str) -> None:
        return None

    def get(self, key: str) -> bytes:
        raise ObjectMissing(key)

    def replace(self, key: str, body: bytes, content_type: str, seen: None) -> StoredObject:
        self._file(key).write_bytes(body)
        return StoredObject(key, len(body), hashlib.sha256(body).hexdigest())

    def replace_file(self, key: str, path: Path, content_type: str, seen: None) -> StoredObject:
        shutil.copyfile(path, self._file(key))
        with path.open("rb") as file:
            return StoredObject(key, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())

    def download(self, key: str, path: Path) -> None:
        shutil.copyfile(self._file(key), path)


def job_of(value: Any, name: str) -> Any:
    return SimpleNamespace(
        id=UUID(int=1),
        attempt=1,
        organization_id=UUID(int=2),
        production_id=UUID(int=3),
        subject_id=UUID(int=4),
        input=value,
        input_hash=hashlib.sha256(name.encode()).hexdigest(),
        state={},
        remaining_seconds=lambda: 3600.0,
        progress=lambda share: None,
        raise_if_cancelled=lambda: None,
        record=lambda call, immediately=False: None,
        write=lambda statements: None,
    )


def services_of(folder: Path) -> Any:
    return SimpleNamespace(media_store=Folder(folder), settings=None)


def media(folder: Path, tracks: int, seconds: float) -> None:
    """Compose and paint the first tracks of an album of twenty, and note what the render has to know."""
    plan = write_album(
        AlbumMaterial(
            channel="Quiet Rooms",
            brand_niche="Fantasy Ambience",
            niche=NICHE,
            moods=MOODS,
            minutes=60,
            tracks=MOST_TRACKS,
            seed=UUID(int=5),
        )
    )
    services = services_of(folder)
    about = {"mood": ", ".join(MOODS), "niche": NICHE}
    items = []
    for number in range(1, tracks + 1):
        track, picture = plan.tracks[number - 1], plan.pictures[number - 1]
        wish = {"order": number, "prompt": track.prompt, "seconds": seconds, "provider": "dummy/ambient", **about}
        composed: Any = compose_track.run(
            job_of(compose_track.ComposeTrackInput.model_validate(wish), f"track {number}"), services
        )
        scene = {"order": number, "prompt": picture, "provider": "dummy/painter", "motion": "still", **about}
        painted: Any = paint_image.run(
            job_of(paint_image.PaintImageInput.model_validate(scene), f"picture {number}"), services
        )
        heard, seen = composed.output.model_dump(mode="json"), painted.output.model_dump(mode="json")
        kept = {name: heard[name] for name in ("order", "audio", "samples", "integrated_lufs", "true_peak_dbtp")}
        items.append({**kept, "title": track.title, "loop": seen["loop"], "frames": seen["frames"], "motion": "still"})
    (folder / "items.json").write_text(json.dumps(items))


def render(folder: Path, tracks: int, out: Path) -> None:
    """The render stage, with downloads and proofs; what was composed comes again where the video is longer."""
    items = json.loads((folder / "items.json").read_text())
    turned = [{**items[number % len(items)], "order": number + 1} for number in range(tracks)]
    asked = {"title": NICHE, "items": turned, "crossfade_seconds": 4.0, "picture_fade_seconds": 1.0}
    services = services_of(folder)
    job = job_of(render_video.RenderVideoInput.model_validate(asked), f"video of {tracks}")
    outcome: Any = render_video.run(job, services)
    services.media_store.download(outcome.output.video.key, out)
    out.with_suffix(".json").write_text(outcome.output.model_dump_json())


if __name__ == "__main__":
    what, folder, tracks, last = sys.argv[1:]
    if what == "media":
        media(Path(folder), int(tracks), float(last))
    else:
        render(Path(folder), int(tracks), Path(last))
