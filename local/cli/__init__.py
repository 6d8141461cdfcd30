"""The program `showrunner`: the laptop edition's commands, one module per group."""

from __future__ import annotations

import typer

from local.cli import listening, making, productions, scripts, tools

app = typer.Typer(
    name="showrunner",
    help="Turns requests into finished media, whole on this machine. Start with: showrunner demo --text article.md",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for group in (making, productions, scripts, listening, tools):
    group.register(app)

__all__ = ["app"]
