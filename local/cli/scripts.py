"""script, edit, voice, files: look at an episode's lines, change one, take the result."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Column, Table

from local.cli.productions import Id
from local.cli.session import any_stack, any_studio, console, production_id, readable_errors
from local.report import report_of, write_files, write_report
from local.request_options import output_folder


def register(app: typer.Typer) -> None:
    for command in (script, edit, voice, files):
        app.command()(command)


def script(id: Id) -> None:
    """Show an episode's script: each line with its id, speaker and text."""
    with readable_errors(), any_studio() as studio:
        production = production_id(id)
        studio.production(production)
        lines = Table(Column("line", no_wrap=True, min_width=36), "speaker", "text", show_lines=True)
        for block in studio.blocks(production):
            lines.add_row(str(block["id"]), block["speaker"], block["markdown"])
        console.print(lines)


def edit(
    line: Annotated[str, typer.Argument(help="The line's id, as `showrunner script` shows it.")],
    text: Annotated[str, typer.Option(help="What is to be said instead.")],
) -> None:
    """Change one line of a script; `showrunner rebuild` then speaks that line again and nothing else."""
    with readable_errors(), any_studio() as studio:
        production = studio.edit_block(production_id(line), text)
        console.print(f"Changed. Now: showrunner rebuild {production}", highlight=False)


def voice(
    id: Id,
    speaker: Annotated[str, typer.Argument(help="The speaker's name in the script.")],
    reference: Annotated[str, typer.Argument(help="The new voice, such as espeak/cora or polly/Amy.")],
) -> None:
    """Give a speaker another voice; `showrunner rebuild` then speaks that speaker's lines again."""
    with readable_errors(), any_studio() as studio:
        studio.change_voice(production_id(id), speaker, reference)
        console.print(f"Changed. Now: showrunner rebuild {id}", highlight=False)


def files(id: Id, out: Annotated[str, typer.Option(help="Where the files go.")] = "out/demo") -> None:
    """Take an episode's files and its report as they are now."""
    with readable_errors():
        folder = output_folder(out)
        with any_stack() as session, session.studio() as studio:
            production = production_id(id)
            studio.production(production)
            paths = write_files(studio, session.media_store(), production, folder)
            paths.append(write_report(report_of(studio, production), folder))
        for path in paths:
            console.print(f"  {path}", highlight=False)
