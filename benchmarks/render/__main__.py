"""An hour of ambience video, by our line, by plain ffmpeg and by MoviePy: `make bench-render`, or with options

    .venv/bin/python -m benchmarks.render --quick
    .venv/bin/python -m benchmarks.render --whole

The peers make a piece of some minutes from pictures and tracks that are given to them, and are extrapolated to the
hour. Ours makes the hour: it composes and paints what it joins. `--whole` lets plain ffmpeg make the hour too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.render import MOST_TRACKS, PROJECT, peers
from benchmarks.render.meter import ProgramFailed, Taken, run, size_of
from showrunner.media.album.mp4_probe import probe

HOUR = 3600.0
TRACK_SECONDS = 183.8  # twenty of them, crossing for four seconds, are an hour
MOVIEPY = PROJECT / ".venv-bench" / "bin" / "python"


@dataclass(frozen=True)
class Row:
    """`seconds` of video were made; `scale` makes an hour of it where less was measured."""

    name: str
    taken: Taken
    seconds: float
    bytes: int

    @property
    def scale(self) -> float:
        return max(1.0, HOUR / self.seconds)


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="showrunner-bench-") as name:
        rows, notes = _measure(Path(name), options)
    print(table(rows))
    for note in notes:
        print(f"\n{note}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.render", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=3.0, help="length of the peers' piece")
    parser.add_argument("--tracks", type=int, default=MOST_TRACKS, help="how many tracks ours makes; fewer come again")
    parser.add_argument("--quick", action="store_true", help="20 seconds by the peers, four tracks by ours")
    parser.add_argument("--whole", action="store_true", help="plain ffmpeg makes the whole hour too")
    options = parser.parse_args()
    if options.quick:
        options.minutes, options.tracks = 1 / 3, 4
    return options


def _measure(home: Path, options: argparse.Namespace) -> tuple[list[Row], list[str]]:
    rows: list[Row] = []
    notes: list[str] = []
    media = _said("ours: 40 media jobs", _ours(home, "media", options.tracks, TRACK_SECONDS))
    scale = MOST_TRACKS / options.tracks
    media = replace(media, wall=media.wall * scale, cpu=media.cpu * scale)
    rows.append(Row("ours: 40 media jobs", media, HOUR, size_of(home / "store")))
    for minutes in (60, 90):
        out = home / f"{minutes}.mp4"
        count = MOST_TRACKS * minutes // 60
        taken = _said(f"ours: render {minutes} minutes", _ours(home, "render", count, out))
        rows.append(Row(f"ours: render of {minutes} minutes", taken, minutes * 60.0, out.stat().st_size))
        made = json.loads(out.with_suffix(".json").read_text())
        notes.append(
            f"{minutes} minutes: {made['seconds']:.2f} s, {probe(out).track('vide').samples} frames, "
            f"{made['integrated_lufs']:.1f} LUFS, {made['true_peak_dbtp']:.1f} dBTP."
        )
        out.unlink()
    line = Taken(
        media.wall + rows[1].taken.wall,
        media.cpu + rows[1].taken.cpu,
        max(media.memory, rows[1].taken.memory),
        max(media.disk, rows[1].taken.disk),
    )
    rows.append(Row("ours: the whole line, 60 minutes", line, HOUR, rows[1].bytes))
    piece = _piece(home, 2, options.minutes * 60)
    for name, command in _peers(home, piece, options):
        out = home / "peer.mp4"
        try:
            taken = _said(name, run([*command], home / "temporary"))
            rows.append(Row(name, taken, probe(out).seconds, out.stat().st_size))
        except ProgramFailed as error:
            notes.append(f"Not measured: {name}: {error}")
        finally:
            out.unlink(missing_ok=True)
            shutil.rmtree(home / "temporary")
    return rows, notes


def _ours(home: Path, what: str, count: int, last: object) -> Taken:
    """One process, as a warm function is; the temporary folder is looked at while it runs, and empty at its end."""
    command = [sys.executable, "-m", "benchmarks.render.work", what, str(home / "store"), str(count), str(last)]
    taken = run(command, home / "temporary")
    left = list((home / "temporary").iterdir())
    if left:
        raise ProgramFailed(f"It left {left[0].name} behind.")
    (home / "temporary").rmdir()
    return taken


def _piece(home: Path, count: int, seconds: float) -> peers.Piece:
    """Two tracks and two pictures as files of the usual kinds, made before any clock runs."""
    from showrunner.providers.image.painter import paint
    from showrunner.providers.music.ambient.composer import compose

    length = (seconds + (count - 1) * peers.CROSSFADE) / count
    pictures, tracks = [], []
    for number in range(count):
        picture, track = home / f"{number}.jpg", home / f"{number}.wav"
        paint(f"A grand ballroom with chandeliers, number {number}", "elegant", str(number)).image.save(picture)
        compose("Elegant waltz with strings and piano", "serene", length, str(number), track, lambda share: None)
        pictures.append(picture)
        tracks.append(track)
    return peers.Piece(pictures, tracks, length)


def _peers(home: Path, piece: peers.Piece, options: argparse.Namespace) -> Iterator[tuple[str, list[str]]]:
    for name, variant in peers.VARIANTS.items():
        yield name, peers.plain_ffmpeg(piece, variant, home / "chapters", home / "peer.mp4")
    yield "MoviePy", peers.moviepy(MOVIEPY, piece, home / "peer.mp4")
    if options.whole:
        many = _piece(home, MOST_TRACKS, HOUR)
        yield (
            "plain ffmpeg, whole",
            peers.plain_ffmpeg(many, peers.VARIANTS["plain ffmpeg"], home / "chapters", home / "peer.mp4"),
        )


def _said(name: str, taken: Taken) -> Taken:
    with contextlib.suppress(OSError):
        print(f"{name}: {taken.cpu:.1f} s of CPU, {taken.wall:.1f} s", file=sys.stderr, flush=True)
    return taken


def table(rows: list[Row]) -> str:
    """Per row what was measured, what it is per hour of video, and how many times the CPU of our line."""
    line = next(row for row in rows if "whole line" in row.name)
    lines = [
        "| | measured s | wall s | CPU s | CPU s per hour | times our line | peak MB | temporary MB | file MB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        hour = row.taken.cpu * row.scale if row.seconds <= HOUR else row.taken.cpu * HOUR / row.seconds
        cells = (
            row.name,
            f"{row.seconds:.0f}",
            f"{row.taken.wall:.1f}",
            f"{row.taken.cpu:.1f}",
            f"{hour:,.0f}",
            f"{hour / line.taken.cpu:.2f}",
            f"{row.taken.memory / 1e6:.0f}",
            f"{row.taken.disk / 1e6:,.0f}",
            f"{row.bytes / 1e6:,.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
