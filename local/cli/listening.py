"""ask, highlights, clip: what one does with an episode that is made."""

from __future__ import annotations

import time
import uuid
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from local.cli.productions import Id
from local.cli.session import any_stack, console, fail, production_id, readable_errors
from local.listening import OPEN, POLL_SECONDS, Listening
from local.progress import follow
from local.request_options import output_folder


def register(app: typer.Typer) -> None:
    for command in (ask, highlights, clip):
        app.command()(command)


def ask(id: Id, question: Annotated[str, typer.Argument(help="What you want to know of the episode.")]) -> None:
    """Ask about an episode; the answer is printed as it is written, with the places that it rests on."""
    with readable_errors():
        production = production_id(id)
        with any_stack() as session, Listening(session.addresses.database_url) as listening:
            answer = listening.ask(listening.conversation(production), question, f"ask {uuid.uuid4()}")
            session.sweep()
            written = ""
            for row in listening.answer(answer):
                written = _print_more(row["content"], written)
            console.print()
            if row["status"] != "completed":
                fail(row["error"] or f"The answer is {row['status']}.", 1)
            _print_citations(row["citations"], listening.source_titles())


def _print_more(content: str, written: str) -> str:
    """Print what has come since; an answer that was begun anew is printed anew."""
    if not content.startswith(written):
        console.print()
        written = ""
    console.out(content[len(written) :], end="", highlight=False)
    return content


def _print_citations(citations: list[dict[str, Any]], titles: dict[str, str]) -> None:
    for number, citation in enumerate(citations, start=1):
        where = titles.get(citation["source_id"] or "", "a source")
        if citation["start_seconds"] is not None:
            where = f"{_clock(citation['start_seconds'])}-{_clock(citation['end_seconds'])}"
        console.out(f"  [{number}] {where}  “{citation['quote']}”", highlight=False)


def highlights(id: Id) -> None:
    """List an episode's highlights: those that were marked, and those that its review proposes."""
    with readable_errors():
        production = production_id(id)
        with any_stack() as session, Listening(session.addresses.database_url) as listening:
            listening.production(production)
            session.sweep()
            while listening.review_status(production) in OPEN:
                time.sleep(POLL_SECONDS)
            table = Table(Column("highlight", no_wrap=True, min_width=36), "from", "to", "by", "words", show_lines=True)
            for row in listening.highlights(production):
                times = ("" if row[name] is None else _clock(row[name]) for name in ("start_seconds", "end_seconds"))
                table.add_row(str(row["id"]), *times, "review" if row["is_proposed"] else "you", row["quote"])
            console.print(table)


def clip(
    highlight: Annotated[str, typer.Argument(help="The highlight's id, as `showrunner highlights` lists it.")],
    out: Annotated[str, typer.Option(help="Where clip.mp3 and clip.txt go.")] = "out/clip",
) -> None:
    """Cut a highlight out of its episode."""
    with readable_errors():
        wanted = production_id(highlight)
        folder = output_folder(out)
        with any_stack() as session, Listening(session.addresses.database_url) as listening:
            production = listening.export(wanted, f"clip {uuid.uuid4()}")
            session.sweep()
            if follow(listening, production, console)["status"] != "completed":
                fail(listening.explain(production), 1)
            made = listening.clip(wanted)
            session.media_store().download(made["key"], folder / ".clip.mp3.partial")
            (folder / ".clip.mp3.partial").replace(folder / "clip.mp3")
            (folder / "clip.txt").write_text(made["clip_text"] + "\n")
        console.print(f"{made['duration_seconds']:.1f} s, {made['integrated_lufs']:.1f} LUFS", highlight=False)
        for name in ("clip.mp3", "clip.txt"):
            console.print(f"  {folder / name}", highlight=False)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
