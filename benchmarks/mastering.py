"""Masters episodes of ten and of sixty minutes, really spoken, and prints what that takes.

    python benchmarks/mastering.py [MINUTES ...]

Peak memory is the resident memory of this process and of ffmpeg together, sampled twenty times a second.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psutil

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "layers" / "common"), str(ROOT / "functions" / "master_episode")]

from master_episode import MasterEpisodeInput, run  # noqa: E402
from showrunner.clips import to_wav, trim_silence  # noqa: E402
from showrunner.media_store import StoredObject  # noqa: E402
from showrunner.providers.speech.espeak import EspeakSpeech  # noqa: E402

SENTENCES = (
    "The old harbour was built by fishermen who wanted a safe place for their boats in winter.",
    "For many years the market opened before sunrise, and people came from every village to buy bread and fish.",
    "When the railway arrived, the town grew quickly. A new school was opened near the river.",
    "Today most visitors come to see the gardens, but the children still learn to sail in the same quiet bay.",
    "Scientists have measured the water every month. They say that it is cleaner than it was thirty years ago.",
    "Nobody knows exactly why it changed so fast; what is your guess?",
)


class Folder:
    """S3 as files, so that the memory measured is that of the stage."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _file(self, key: str) -> Path:
        return self._path / hashlib.sha256(key.encode()).hexdigest()

    def put(self, key: str, body: bytes, content_type: str) -> StoredObject:
        self._file(key).write_bytes(body)
        return StoredObject(key, len(body), hashlib.sha256(body).hexdigest())

    def put_file(self, key: str, path: Path, content_type: str) -> StoredObject:
        shutil.copyfile(path, self._file(key))
        return StoredObject(key, path.stat().st_size, "0" * 64)

    def download(self, key: str, path: Path) -> None:
        shutil.copyfile(self._file(key), path)


class Memory:
    peak = 0


@contextmanager
def measured_memory() -> Iterator[Memory]:
    memory, over, process = Memory(), threading.Event(), psutil.Process()

    def sample() -> None:
        while not over.wait(0.05):
            total = 0
            for member in (process, *process.children(recursive=True)):
                try:
                    total += member.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            memory.peak = max(memory.peak, total)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        over.set()
        thread.join()


def cpu_seconds() -> float:
    """Of this process and of the ffmpeg processes that have ended; unlike the wall time it does not depend on load."""
    return sum(usage.ru_utime + usage.ru_stime for usage in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))


def episode(store: Folder, minutes: float) -> MasterEpisodeInput:
    """A dialogue that fills the asked minutes, with a new section every two minutes."""
    speech = EspeakSpeech()
    lines: list[dict[str, Any]] = []
    seconds = 0.0
    while seconds < minutes * 60 - 3:
        index = len(lines)
        speaker = ("Ada", "Ben")[index % 2]
        text = " ".join(SENTENCES[(index + offset) % len(SENTENCES)] for offset in range(1 + index % 3))
        clip = trim_silence(speech.speak(text, speaker.lower(), "en-GB", 20).clip)
        store.put(f"line-{index}", to_wav(clip), "audio/wav")
        line = {"block_id": UUID(int=index), "section": f"Part {int(seconds // 120) + 1}", "speaker": speaker}
        stored = {"key": f"line-{index}", "sha256": "0" * 64, "voice": f"espeak/{speaker.lower()}"}
        lines.append({**line, **stored, "text": text, "seconds": clip.seconds})
        seconds += clip.seconds + 0.55
    show = {"name": "Small Wonders", "author": "Harbour Radio", "language": "en-GB", "description": "Things."}
    about = {"id": UUID(int=1), "number": 1, "title": "Tides", "summary": "A harbour grows."}
    value = {"show": show, "episode": about, "target_seconds": minutes * 60, "lines": lines, "cover_key": None}
    return MasterEpisodeInput.model_validate(value)


def job_of(value: MasterEpisodeInput) -> Any:
    return SimpleNamespace(
        organization_id=UUID(int=2),
        production_id=UUID(int=3),
        input=value,
        input_hash="0" * 64,
        remaining_seconds=lambda: 3600.0,
        progress=lambda fraction: None,
        raise_if_cancelled=lambda: None,
    )


def main(minutes: list[float]) -> None:
    print("| minutes | lines | wall s | CPU s | peak MB | audio s per s | LUFS | dBTP | off target |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for length in minutes:
        with tempfile.TemporaryDirectory() as folder:
            store = Folder(Path(folder))
            job = job_of(episode(store, length))
            with measured_memory() as memory:
                started, used = time.perf_counter(), cpu_seconds()
                output: Any = run(job, SimpleNamespace(media_store=store)).output  # type: ignore[arg-type]
                wall, cpu = time.perf_counter() - started, cpu_seconds() - used
        seconds = output.duration_seconds
        cells = (
            f"{length:g}",
            f"{len(job.input.lines)}",
            f"{wall:.1f}",
            f"{cpu:.1f}",
            f"{memory.peak / 1e6:.0f}",
            f"{seconds / wall:.0f}",
            f"{output.integrated_lufs:.1f}",
            f"{output.true_peak_dbtp:.1f}",
            f"{seconds / length / 60 - 1:+.1%}",
        )
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main([float(argument) for argument in sys.argv[1:]] or [10.0, 60.0])
