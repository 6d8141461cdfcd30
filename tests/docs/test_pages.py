"""What README.md and docs/ name exists."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer

from local.cli import app
from local.migrations import statements
from showrunner.settings import Settings
from tests.rigs.pages import PAGES, ROOT, anchors, code, links, spans

# What the repository holds at its top; what is made there (out/, .showrunner/) is not looked for.
TOP = {
    ".ci", "LICENSE", "Makefile", "README.md", "benchmarks", "clients", "docs", "events", "examples", "functions",
    "layers", "local", "pyproject.toml", "requirements", "samconfig.toml", "supabase", "template.yaml", "tests",
}  # fmt: skip
NAMES_IN_SQL = """
    select namespace.nspname || '.' || class.relname
    from pg_class as class join pg_namespace as namespace on namespace.oid = class.relnamespace
    union
    select namespace.nspname || '.' || procedure.proname
    from pg_proc as procedure join pg_namespace as namespace on namespace.oid = procedure.pronamespace
    union
    select namespace.nspname || '.' || type.typname
    from pg_type as type join pg_namespace as namespace on namespace.oid = type.typnamespace
"""

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@every_page
def test_every_path_exists(page: Path) -> None:
    named = {span.partition(" ")[0].rstrip("/") for span in spans(page)}
    paths = {name for name in named if name.split("/")[0] in TOP and re.fullmatch(r"[\w./<>*-]+", name)}

    missing = {path for path in paths if not any(ROOT.glob(re.sub(r"<[\w -]+>", "*", path)))}

    assert missing == set()


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in links(page):
        path, _, fragment = target.partition("#")
        there = page.parent / path if path else page
        if not there.exists() or (fragment and fragment not in anchors(there)):
            broken.append(target)

    assert broken == []


@every_page
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for line in code(page) for target in re.findall(r"^\$?\s*make ([a-z][a-z-]*)", line)}

    assert named <= targets


@every_page
def test_every_command_and_option_exists(page: Path) -> None:
    program = typer.main.get_group(app)
    unknown = []
    for line in code(page):
        for name, rest in re.findall(r"^(?:\$ )?(?:\S*/)?showrunner ([a-z][a-z-]*)\b([^|;&#]*)", line):
            command = program.commands.get(name)
            if command is None:
                unknown.append(name)
            elif not command.ignore_unknown_options:
                known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
                unknown += [f"{name} {option}" for option in re.findall(r"--[a-z-]+", rest) if option not in known]

    assert unknown == []


@every_page
def test_every_name_of_the_database_exists(page: Path, owner: psycopg.Connection[Any]) -> None:
    exist = {name for (name,) in owner.execute(NAMES_IN_SQL).fetchall()}
    lines = list(code(page))
    named = {name for line in lines for name in re.findall(r"\b(?:public|private|engine)\.[a-z]\w+", line)}
    made_here = {name for line in lines for name in re.findall(r"^create (?:view|table|function) ([\w.]+)", line)}

    assert named - made_here - {"engine.py"} - exist == set()


def test_the_guides_migration_adds_a_stage(owner: psycopg.Connection[Any]) -> None:
    [migration] = re.findall(
        r"^```sql\n(.*?)^```", (ROOT / "docs/adding-a-stage.md").read_text(), re.MULTILINE | re.DOTALL
    )

    owner.execute(migration)

    stages = owner.execute(
        "select stage, after from engine.pipelines where kind = 'episode' order by position"
    ).fetchall()
    assert stages[2:5] == [
        ("write_script", ["write_outline"]),
        ("translate_script", ["write_script"]),
        ("speak_line", ["translate_script"]),
    ]
    assert owner.execute("select * from engine.desired_translate_script").fetchall() == []


@every_page
def test_every_query_is_understood_by_the_database(page: Path, owner: psycopg.Connection[Any]) -> None:
    """Planned, not run. Where a reader puts an id, any will do."""
    for block in re.findall(r"^```sql\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        for statement in statements(re.sub(r"'(…|<[\w ]+>)'", f"'{uuid.uuid4()}'", block)):
            if statement.text.startswith(("select", "insert into public", "update public", "update engine.org")):
                assert owner.execute(f"explain {statement.text}".encode()).fetchall()


@every_page
def test_every_setting_exists(page: Path) -> None:
    settings = {name.upper() for name in Settings.model_fields}
    named = {span for span in spans(page) if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", span)}

    assert named <= settings
