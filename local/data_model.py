"""Draws `docs/data-model.md` from the catalog of a migrated database: one diagram per area, in Mermaid.

    python -m local.data_model

A table belongs to the area of the migration that creates it. What a row is, is the table's own comment.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from local import migrations
from local.postgres import Postgres

PAGE = Path(__file__).parents[1] / "docs" / "data-model.md"

# The area of a migration is that of the longest beginning of its name that is here.
AREAS = {
    "tenancy": "Tenancy",
    "memberships": "Tenancy",
    "engine": "Engine",
    "requests": "Engine",
    "maintenance": "Engine",
    "metering": "Metering",
    "governance": "Governance",
    "webhook": "Governance",
    "traced_requests": "Governance",
    "episode": "Episode line",
    "channel": "Ambience line",
    "voice_clones": "Dub line",
}
HEAD = """\
# Data model

Drawn by `make docs` from a migrated database; a test compares. Keys and columns are those of the catalog, sentences
are the comments in the migrations. A table without a schema is in `public`; schema `engine` is not exposed to clients.
A table drawn without columns belongs to another area.
"""

COLUMNS: LiteralString = """
    select
        namespace.nspname as schema,
        class.relname as table,
        obj_description(class.oid, 'pg_class') as sentence,
        attribute.attname as column,
        format_type(attribute.atttypid, null) as type,
        attribute.attnotnull as required,
        coalesce(attribute.attnum = any (key.conkey), false) as in_key
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = class.relnamespace
    join pg_attribute as attribute on attribute.attrelid = class.oid
    left join pg_constraint as key on key.conrelid = class.oid and key.contype = 'p'
    where namespace.nspname in ('public', 'private', 'engine')
      and class.relkind in ('r', 'p')
      and attribute.attnum > 0
      and not attribute.attisdropped
    order by namespace.nspname <> 'public', namespace.nspname, class.relname, attribute.attnum
"""
REFERENCES: LiteralString = """
    select
        child_space.nspname as schema,
        child.relname as table,
        parent_space.nspname as parent_schema,
        parent.relname as parent_table,
        link.confdeltype as on_delete,
        array(
            select attribute.attname::text
            from unnest(link.conkey) with ordinality as part (number, position)
            join pg_attribute as attribute on attribute.attrelid = link.conrelid and attribute.attnum = part.number
            order by part.position
        ) as columns,
        exists (
            select from pg_index as one
            where one.indrelid = link.conrelid
              and one.indisunique
              and one.indpred is null
              and one.indkey::int2[] @> link.conkey
              and one.indkey::int2[] <@ link.conkey
        ) as once
    from pg_constraint as link
    join pg_class as child on child.oid = link.conrelid
    join pg_namespace as child_space on child_space.oid = child.relnamespace
    join pg_class as parent on parent.oid = link.confrelid
    join pg_namespace as parent_space on parent_space.oid = parent.relnamespace
    where link.contype = 'f'
      and child_space.nspname in ('public', 'private', 'engine')
    order by child_space.nspname, child.relname, link.conname
"""
ENUMS: LiteralString = """
    select type.typname as enum, array_agg(value.enumlabel::text order by value.enumsortorder) as labels
    from pg_type as type
    join pg_enum as value on value.enumtypid = type.oid
    join pg_namespace as namespace on namespace.oid = type.typnamespace
    where namespace.nspname in ('public', 'private', 'engine')
    group by type.typname
    order by type.typname
"""

# Mermaid's types are one word.
SHORT_TYPES = {
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "character varying": "varchar",
    "double precision": "float8",
}
ON_DELETE = {"a": "", "r": "", "c": " (cascade)", "n": " (set null)", "d": " (set default)"}


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    required: bool
    in_key: bool


@dataclass(frozen=True)
class Table:
    """`name` carries its schema unless that is `public`."""

    name: str
    sentence: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Reference:
    """`columns` of table `child` name a row of table `parent`; `once`: at most one child per parent."""

    child: str
    parent: str
    columns: tuple[str, ...]
    once: bool
    on_delete: str


def page(connection: psycopg.Connection[Any]) -> str:
    """The whole page as Markdown. Raises LookupError for a table that no migration creates or describes."""
    tables = _tables(connection)
    references = _references(connection)
    areas = _areas()
    parts = [HEAD]
    for area in dict.fromkeys(areas.values()):
        here = [table for table in tables if areas[table.name] == area]
        if here:
            parts.append("\n".join(_section(area, here, references)))
    parts.append("\n".join(_enums(connection)))
    return "\n".join(parts)


def _section(area: str, tables: Sequence[Table], references: Sequence[Reference]) -> Iterator[str]:
    yield f"## {area}\n"
    yield "```mermaid\nerDiagram"
    names = {table.name for table in tables}
    for table in tables:
        foreign = {column for link in references if link.child == table.name for column in link.columns}
        yield f"    {_entity(table.name)} {{"
        yield from (_attribute(column, column.name in foreign) for column in table.columns)
        yield "    }"
    for link in references:
        if link.child in names:
            yield f"    {_line(link, tables)}"
    yield "```\n"
    yield "| table | a row is |\n|---|---|"
    yield from (f"| `{table.name}` | {table.sentence} |" for table in tables)
    yield ""


def _entity(name: str) -> str:
    """Mermaid's names have no dots; what is shown may."""
    return f'{name.replace(".", "_")}["{name}"]' if "." in name else name


def _attribute(column: Column, is_foreign: bool) -> str:
    keys = ", ".join(word for word, holds in (("PK", column.in_key), ("FK", is_foreign)) if holds)
    optional = "" if column.required else '"optional"'
    return "        " + " ".join(part for part in (column.type, column.name, keys, optional) if part)


def _line(link: Reference, tables: Sequence[Table]) -> str:
    # The organization in a key of two is there so that no row can hang under another tenant's.
    telling = [name for name in link.columns if name != "organization_id"] or list(link.columns)
    [child] = [table for table in tables if table.name == link.child]
    required = all(column.required for column in child.columns if column.name in link.columns)
    ends = f"{'||' if required else '|o'}--{'o|' if link.once else 'o{'}"
    parent, name = link.parent.replace(".", "_"), link.child.replace(".", "_")
    return f'{parent} {ends} {name} : "{", ".join(telling)}{link.on_delete}"'


def _enums(connection: psycopg.Connection[Any]) -> Iterator[str]:
    yield "## Enums\n"
    yield "| enum | values |\n|---|---|"
    for row in connection.execute(ENUMS).fetchall():
        yield f"| `{row[0]}` | {', '.join(f'`{label}`' for label in row[1])} |"
    yield ""


def _tables(connection: psycopg.Connection[Any]) -> list[Table]:
    columns: dict[str, list[Column]] = {}
    sentences: dict[str, str] = {}
    for row in connection.cursor(row_factory=dict_row).execute(COLUMNS):
        name = _name(row["schema"], row["table"])
        if not row["sentence"]:
            raise LookupError(f"{name} has no comment that says what a row is")
        sentences[name] = row["sentence"]
        kind: str = SHORT_TYPES.get(row["type"]) or row["type"]
        columns.setdefault(name, []).append(Column(row["column"], kind, row["required"], row["in_key"]))
    return [Table(name, sentences[name], tuple(found)) for name, found in columns.items()]


def _references(connection: psycopg.Connection[Any]) -> list[Reference]:
    return [
        Reference(
            child=_name(row["schema"], row["table"]),
            parent=_name(row["parent_schema"], row["parent_table"]),
            columns=tuple(row["columns"]),
            once=row["once"],
            on_delete=ON_DELETE[row["on_delete"]],
        )
        for row in connection.cursor(row_factory=dict_row).execute(REFERENCES)
    ]


def _areas() -> dict[str, str]:
    """The area of each table, areas in the order of their migrations."""
    found = {}
    for migration in migrations.migrations():
        beginnings = [name for name in AREAS if migration.name.startswith(name)]
        for schema, table in re.findall(r"^create table (\w+)\.(\w+)", migration.path.read_text(), re.MULTILINE):
            if not beginnings:
                raise LookupError(f"{migration.path.name} creates tables, but AREAS has no area for it")
            found[_name(schema, table)] = AREAS[max(beginnings, key=len)]
    return found


def _name(schema: str, table: str) -> str:
    return table if schema == "public" else f"{schema}.{table}"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="showrunner-docs-") as home:
        # Postgres does not run as root, and its user must reach the directory.
        Path(home).chmod(0o711)
        postgres = Postgres(Path(home) / "postgres", fast=True)
        try:
            postgres.start()
            migrations.prepare(postgres)
            with psycopg.connect(postgres.url(migrations.DATABASE)) as connection:
                PAGE.write_text(page(connection))
        finally:
            postgres.remove()
    print(f"Wrote {PAGE.relative_to(PAGE.parents[1])}.")


if __name__ == "__main__":
    main()
