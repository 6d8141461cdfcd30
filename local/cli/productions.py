"""request, watch, status, retry, cancel, approve, rebuild: what one does with productions."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer
from rich.table import Column, Table

from local.cli.making import Form, Language, Minutes, Text, Voices, Writer, upload
from local.cli.session import any_database, any_stack, any_studio, console, fail, production_id, readable_errors
from local.progress import follow
from local.request_options import request_of
from local.statistics import show_statistics
from local.studio import Row, Studio

Id = Annotated[str, typer.Argument(help="The production's id, as `showrunner status` lists it.")]
FromStage = Annotated[str | None, typer.Option("--from", help="Run this stage again, and everything after it.")]


def register(app: typer.Typer) -> None:
    for command in (request, watch, status, retry, cancel, approve, rebuild):
        app.command()(command)


def request(
    text: Text = "examples/article.md",
    minutes: Minutes = "3",
    language: Language = "en-GB",
    form: Form = "",
    voices: Voices = "",
    writer: Writer = "offline/extractive",
    of: Annotated[str, typer.Option(help="Make the next episode of this production's show instead.")] = "",
    key: Annotated[str, typer.Option(help="Idempotency key: the same key gives the same production.")] = "",
) -> None:
    """Request an episode and print its production's id; a running stack (showrunner up) makes it."""
    with readable_errors():
        wanted = None if of else request_of(text, minutes, language, form, voices, writer)
        if wanted is not None and wanted.upload is not None:
            with any_stack() as session, session.studio() as studio:
                episode = studio.create_episode(wanted, upload(session, studio, wanted))
                ask(studio, episode, key)
            return
        with any_studio() as studio:
            episode = studio.next_episode(production_id(of)) if wanted is None else studio.create_episode(wanted)
            ask(studio, episode, key)


def ask(studio: Studio, episode: uuid.UUID, key: str) -> None:
    """Print the production; whatever stack runs, now or next, sweeps it up within a second."""
    console.print(str(studio.request(episode, key or f"request {uuid.uuid4()}")), highlight=False)


def watch(id: Id) -> None:
    """Follow a production until it rests."""
    with readable_errors(), any_stack() as session, session.studio() as studio:
        production = production_id(id)
        studio.production(production)
        follow(studio, production, console)
        console.print(studio.explain(production), highlight=False)


def status(
    id: Annotated[str, typer.Argument(help="A production's id; without it, the latest are listed.")] = "",
    db: Annotated[bool, typer.Option("--db", help="Say how the database stands instead.")] = False,
) -> None:
    """Say how a production stands and why it is not running, in a sentence."""
    if db:
        with readable_errors(), any_database() as url:
            show_statistics(url, console)
        return
    with readable_errors(), any_studio() as studio:
        if id:
            production = production_id(id)
            studio.production(production)
            stages = Table("stage", "status", "done", "failed", "seconds")
            for row in studio.stages(production):
                done = f"{row['total'] - row['remaining']}/{row['total']}"
                seconds = "" if row["seconds"] is None else f"{row['seconds']:.1f}"
                stages.add_row(row["stage"], row["status"], done, str(row["failed"]), seconds)
            console.print(stages)
            console.print(studio.explain(production), highlight=False)
            return
        latest = Table(Column("production", no_wrap=True, min_width=36), "show", "episode", "status", "%", "requested")
        for row in studio.productions():
            requested = row["created_at"].astimezone().strftime("%Y-%m-%d %H:%M")
            latest.add_row(str(row["id"]), row["show"], row["title"], row["status"], str(row["progress"]), requested)
        console.print(latest)


def retry(id: Id) -> None:
    """Run again what failed; everything that succeeded is kept."""
    with readable_errors(), any_stack() as session, session.studio() as studio:
        production = production_id(id)
        studio.retry(production)
        session.sweep()
        _follow_to_the_end(studio, production)


def cancel(id: Id) -> None:
    """Stop a production; what is finished is kept."""
    with readable_errors(), any_studio() as studio:
        production = production_id(id)
        console.print("Cancelled." if studio.cancel(production) else studio.explain(production), highlight=False)


def approve(id: Id) -> None:
    """Let a production that waits for approval go on."""
    with readable_errors(), any_studio() as studio:
        studio.approve(production_id(id))
        console.print("Approved.", highlight=False)


def rebuild(
    id: Id,
    from_stage: FromStage = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would run, and for how much.")] = False,
) -> None:
    """Run what changed since the last build, and nothing else."""
    with readable_errors():
        production = production_id(id)
        if dry_run:
            with any_studio() as studio:
                show_preview(studio.preview(production, from_stage))
            return
        with any_stack() as session, session.studio() as studio:
            rows = studio.preview(production, from_stage)
            show_preview(rows)
            if rows:
                studio.rebuild(production, from_stage)
                session.sweep()
                _follow_to_the_end(studio, production)


def show_preview(rows: list[Row]) -> None:
    if not rows:
        console.print("Nothing has changed: a rebuild would run nothing.", highlight=False)
        return
    jobs = Table("stage", Column("item", no_wrap=True), "why", "about GBP")
    for row in rows:
        jobs.add_row(row["stage"], row["key"], row["reason"], f"{row['estimate_gbp']:.4f}")
    console.print(jobs)
    total = sum(row["estimate_gbp"] for row in rows)
    console.print(f"{len(rows)} jobs, about {total:.4f} GBP", highlight=False)


def _follow_to_the_end(studio: Studio, production: uuid.UUID) -> None:
    finished = follow(studio, production, console)
    if finished["status"] != "completed":
        fail(studio.explain(production), 1)
    console.print(studio.explain(production), highlight=False)
