"""Reads `supabase/access.toml`, which says who may do what through the API, and draws `docs/access.md` from it.

    python -m local.access

The tests walk the same entries against a database, so the page says what is so.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "supabase" / "access.toml"
PAGE = ROOT / "docs" / "access.md"

COMMANDS = ("select", "insert", "update", "delete")
# Clients from least to most; a step for one holds for those after it. An outsider and a removed member are signed in.
RANKS = {
    "anonymous": 0,
    "signed-in": 1,
    "outsider": 1,
    "removed": 1,
    "viewer": 2,
    "editor": 3,
    "admin": 4,
    "owner": 5,
}
ACTORS = ("anonymous", "outsider", "removed", "viewer", "editor", "admin", "owner", "service", "worker")
REACHES = ("own", "organization", "everything")
SIGNS = {"denied": "–", "nothing": "0", "own": "own", "organization": "org", "everything": "all"}

HEAD = """\
# Who may do what

Drawn by `make docs` from `supabase/access.toml`; `tests/integration/test_access.py` walks every cell against a database
with real rows in two organizations, and fails for a table, view, column grant or function that is not here.

| sign | what happens |
|---|---|
| all | every row |
| org | the rows of the member's organization |
| own | in it, the person's own rows alone |
| 0 | no error and no row: row-level security shows none |
| – | refused with an error |

*Outsider* is a member of another organization, *removed* one who was a member of this one. *Service* is Supabase's
`service_role`, *worker* the role `showrunner_worker` in which functions work. Schemas `private` and `engine` are not
exposed, and no client may use `engine`. What a client writes is limited to the columns named below each table;
statuses, costs, attempts, keys and other people's ids are written by functions alone, and nothing moves a row to
another organization.

A row that another organization has and one that does not exist get the same answer. An `id` that a client chose and
that is taken, wherever, is refused as taken; let the database choose, or use random ones.

## What a refusal says

A refusal has `code`, `message` and often `hint`, and leaves nothing half-written.

| code | what it means | where the field is |
|---|---|---|
| `22023`, `PT409`, `PT429`, `55006` | an argument, a limit, a state | the message begins with it: `target_minutes: …` |
| `PT404` | it does not exist, or not for you | the message begins with it |
| `23514` | a check; its name is a sentence: `name_has_1_to_200_characters` | the name or the message begins with it |
| `23502` | a value is missing | the message names the column |
| `23503` | what a row refers to does not exist in its organization | the name of the constraint, or the message |
| `23505` | taken: `…_pkey` is the `id`; else the name of the constraint | the name, or the message |
| `42501` | the role does not allow it, or it is another organization | the message names table or function |
| `22P02`, `22P05`, `22003`, `22007`, `22008` | not a value of its type | the message quotes the value or its type |

## Adding a table or a function

Add one entry to `supabase/access.toml`, after the tables it refers to, and run `make docs`. The entry's `example` is
the row that the tests write in both organizations. What each key means is said at the top of that file.
"""


@dataclass(frozen=True)
class Step:
    role: str
    reach: str


@dataclass(frozen=True)
class Table:
    """One entry of a table or view; `steps` are those of each command that some client has."""

    name: str
    steps: dict[str, tuple[Step, ...]]
    insertable: frozenset[str]
    updatable: frozenset[str]
    hidden: frozenset[str]
    service: frozenset[str]
    worker: frozenset[str]
    example: dict[str, Any]
    filled: dict[str, Any] = field(default_factory=dict)
    row: dict[str, Any] | None = None
    personal: bool = False
    note: str = ""

    def outcome(self, actor: str, command: str) -> str:
        """What an actor meets: denied, nothing, own, organization or everything."""
        if actor in ("service", "worker"):
            return "everything" if command in (self.service if actor == "service" else self.worker) else "denied"
        steps = self.steps.get(command, ())
        reached = [step.reach for step in steps if RANKS[step.role] <= RANKS[actor]]
        if reached and not (actor == "outsider" and reached[-1] == "own"):
            return reached[-1]
        return "denied" if not steps or actor == "anonymous" or command == "insert" else "nothing"


@dataclass(frozen=True)
class Function:
    """`call` are arguments for tests; `always` is the error that they meet even with the role."""

    name: str
    role: str
    call: str
    about: str
    always: str | None = None


@dataclass(frozen=True)
class Access:
    tables: dict[str, Table]
    functions: dict[str, Function]
    helpers: frozenset[str]


def _steps(value: str | list[str]) -> tuple[Step, ...]:
    steps = []
    for text in [value] if isinstance(value, str) else value:
        role, _, reach = text.partition(" ")
        if role not in RANKS or (reach or "organization") not in REACHES:
            raise ValueError(f"{SOURCE.name}: {text!r} is not a role and a reach")
        steps.append(Step(role, reach or "organization"))
    return tuple(steps)


def _table(name: str, entry: dict[str, Any]) -> Table:
    def words(key: str) -> frozenset[str]:
        return frozenset(entry.pop(key, "").split())

    table = Table(
        name=name,
        steps={command: _steps(entry.pop(command)) for command in COMMANDS if command in entry},
        insertable=words("insertable"),
        updatable=words("updatable"),
        hidden=words("hidden"),
        service=words("service"),
        worker=words("worker"),
        example=entry.pop("example"),
        filled=entry.pop("filled", {}),
        row=entry.pop("row", None),
        personal=entry.pop("personal", False),
        note=entry.pop("note", ""),
    )
    if entry:
        raise ValueError(f"{SOURCE.name}: {name} has unknown keys: {', '.join(entry)}")
    return table


@functools.cache
def access(source: Path = SOURCE) -> Access:
    """The entries, in their order."""
    entries = tomllib.loads(source.read_text())
    return Access(
        {name: _table(name, entry) for name, entry in entries["tables"].items()},
        {name: Function(name, **entry) for name, entry in entries["functions"].items()},
        frozenset(entries["helpers"].split()),
    )


def _matrix(tables: dict[str, Table]) -> Iterator[str]:
    yield f"| table | | {' | '.join(ACTORS)} |"
    yield f"|---|---|{'---|' * len(ACTORS)}"
    for table in tables.values():
        for command in COMMANDS:
            cells = " | ".join(SIGNS[table.outcome(actor, command)] for actor in ACTORS)
            yield f"| {f'`{table.name}`' if command == 'select' else ''} | {command} | {cells} |"


def _columns(tables: dict[str, Table]) -> Iterator[str]:
    for table in tables.values():
        lines = [
            f"{verb}: {', '.join(f'`{column}`' for column in sorted(columns))}."
            for verb, columns in (
                ("Insert", table.insertable),
                ("Update", table.updatable),
                ("Hidden from clients", table.hidden),
            )
            if columns
        ]
        if lines or table.note:
            yield f"- **{table.name}**: {' '.join([*lines, table.note]).strip()}"


def _functions(functions: dict[str, Function]) -> Iterator[str]:
    yield "| function | least role | what for |"
    yield "|---|---|---|"
    for function in functions.values():
        yield f"| `{function.name}` | {function.role} | {function.about} |"


def page(given: Access) -> str:
    """The whole of docs/access.md."""
    return "\n".join(
        [
            HEAD,
            "## Tables and views",
            "",
            *_matrix(given.tables),
            "",
            "## Columns",
            "",
            *_columns(given.tables),
            "",
            "## Functions",
            "",
            "Each checks who asks. Below the least role it refuses; outside the organization nothing exists.",
            "",
            *_functions(given.functions),
            "",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page(access()))
