"""up, demo: start the laptop edition, make an episode."""

from __future__ import annotations

import signal
import uuid
from pathlib import Path
from typing import Annotated

import typer

from local.channels import Channels, VideoRequest, video_request_of
from local.cli.session import Session, any_stack, console, fail, own_stack, readable_errors
from local.progress import follow
from local.report import report_of, write_files, write_report
from local.request_options import output_folder, request_of
from local.stack import DEFAULT_PORT
from local.studio import Request, Studio
from showrunner.errors import InvalidInput

LINES = ("episode", "ambience")

Text = Annotated[str, typer.Option(help="A .md, .txt or .pdf file, or a web address.")]
Minutes = Annotated[str, typer.Option(help="How long the episode is to be, 1 to 120.")]
Language = Annotated[str, typer.Option(help="The language of text and speech: en-GB, de, fr, es, it, pt ….")]
Form = Annotated[str, typer.Option("--format", help="dialogue or bulletin; by default what the voices allow.")]
Voices = Annotated[str, typer.Option(help="Voices, comma-separated: espeak/ada,espeak/ben; polly/Amy; openai/alloy.")]
Line = Annotated[str, typer.Option(help="What is made: episode, or ambience, a long video.")]
Niche = Annotated[str, typer.Option(help="Ambience: what the video is about.")]
Mood = Annotated[str, typer.Option(help="Ambience: moods, comma-separated.")]
Motion = Annotated[str, typer.Option(help="Ambience: still, or drift for pictures that move slowly.")]
Writer = Annotated[str, typer.Option(help="Who writes: offline/extractive, bedrock/<model>, openai/<model>.")]


def register(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(demo)


def up(port: Annotated[int, typer.Option(help="Port of the HTTP API.", min=1, max=65535)] = DEFAULT_PORT) -> None:
    """Start the laptop edition and stay; Ctrl-C stops it."""
    with readable_errors(), own_stack(port) as session:
        where = session.addresses
        console.print(f"API       {where.base_url}", highlight=False)
        console.print(f"S3, SQS   {where.endpoint_url}   bucket {where.bucket}", highlight=False)
        console.print("Postgres  showrunner psql", highlight=False)
        console.print("Ctrl-C stops everything.", highlight=False)
        signal.pause()


def demo(
    text: Text = "examples/article.md",
    minutes: Minutes = "3",
    out: Annotated[str, typer.Option(help="Where the files go.")] = "out/demo",
    language: Language = "en-GB",
    form: Form = "",
    voices: Voices = "",
    writer: Writer = "offline/extractive",
    line: Line = "episode",
    niche: Niche = "Royal Court Ambience",
    mood: Mood = "elegant, classical, serene",
    motion: Motion = "still",
) -> None:
    """Make one episode of a text and leave episode.mp3, episode.vtt, chapters.json, feed.xml and report.json.

    With --line ambience: make one video of a niche and moods, and leave video.mp4, contact-sheet.png, chapters.txt,
    thumbnail.jpg and report.json.
    """
    with readable_errors():
        if line not in LINES:
            raise InvalidInput(f"line: {line!r} is unknown; allowed: {', '.join(LINES)}.")
        if line == "ambience":
            wanted = video_request_of(niche, mood, minutes, motion, writer)
            folder = output_folder(out)
            with any_stack() as session, Channels(session.addresses.database_url) as channels:
                make_video(session, channels, wanted, folder)
            return
        request = request_of(text, minutes, language, form, voices, writer)
        folder = output_folder(out)
        with any_stack() as session, session.studio() as studio:
            make(session, studio, request, folder)


def make(session: Session, studio: Studio, request: Request, folder: Path) -> None:
    """Request the episode, follow it, and write its files and its report; exit 1 when it was not finished."""
    episode = studio.create_episode(request, upload(session, studio, request))
    production = studio.request(episode, f"demo {episode}")
    session.sweep()
    console.print(f"Production {production}: {request.minutes:g} minutes, {request.format}", highlight=False)
    finished = follow(studio, production, console)
    report = report_of(studio, production)
    if finished["status"] != "completed":
        write_report(report, folder)
        fail(studio.explain(production), 1)
    files = write_files(studio, session.media_store(), production, folder)
    files.append(write_report(report, folder))
    console.print(
        f"{report['duration_seconds'] / 60:.2f} minutes, {report['integrated_lufs']:.1f} LUFS, "
        f"true peak {report['true_peak_dbtp']:.1f} dBTP, {report['jobs']} jobs, {report['attempts']} attempts, "
        f"{report['seconds']:.1f} s, {report['measured_cost_gbp']:.4f} GBP",
        highlight=False,
        soft_wrap=True,
    )
    for path in files:
        console.print(f"  {path}", highlight=False)


def make_video(session: Session, channels: Channels, request: VideoRequest, folder: Path) -> None:
    """Request the video, follow it, and write its files and its report; exit 1 when it was not finished."""
    video = channels.create_video(request)
    production = channels.request_video(video, f"demo {video}")
    session.sweep()
    console.print(f"Production {production}: {request.minutes} minutes, {request.tracks} tracks", highlight=False)
    finished = follow(channels, production, console)
    report = channels.video_report(video, production)
    if finished["status"] != "completed":
        write_report(report, folder)
        fail(channels.explain(production), 1)
    files = channels.write_files(video, session.media_store(), folder)
    files.append(write_report(report, folder))
    console.print(
        f"{report['duration_seconds'] / 60:.2f} minutes, {report['integrated_lufs']:.1f} LUFS, "
        f"true peak {report['true_peak_dbtp']:.1f} dBTP, {report['jobs']} jobs, {report['attempts']} attempts, "
        f"{report['seconds']:.1f} s (render {report['render_seconds']:.1f} s)",
        highlight=False,
        soft_wrap=True,
    )
    for path in files:
        console.print(f"  {path}", highlight=False)


def upload(session: Session, studio: Studio, request: Request) -> str | None:
    if request.upload is None:
        return None
    key = f"organizations/{studio.user_id}/uploads/{uuid.uuid4()}.pdf"
    session.media_store().put(key, request.upload, "application/pdf")
    return key
