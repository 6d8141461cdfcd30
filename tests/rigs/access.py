"""Two organizations with a real row in every table, and probes that say what each actor meets there.

Everything is made from `supabase/access.toml`, so that a new table needs an entry there and nothing here.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import errors, sql

from local.access import Table, access
from tests.rigs.refusals import NOT_NOW
from tests.rigs.rows import sign_up

MEMBERS = ("owner", "admin", "editor", "viewer", "guest", "removed")
DATABASE_ROLES = {"anonymous": "anon", "service": "service_role", "worker": "showrunner_worker"}
KEYS = """
    select attribute.attname
    from pg_attribute as attribute
    join pg_index as index on index.indrelid = attribute.attrelid and attribute.attnum = any (index.indkey)
    where attribute.attrelid = %s::regclass and index.indisprimary
    order by attribute.attnum
"""

Row = dict[str, Any]


@dataclass
class Tenant:
    """One organization: its people by role, and where its rows are, per table and person (None: the organization's)."""

    organization: uuid.UUID
    people: dict[str, uuid.UUID]
    rows: dict[tuple[str, str | None], Row] = field(default_factory=dict)


class Tenants:
    """`a` is where the actors are or were members, `b` another; the outsider has a personal organization alone."""

    def __init__(self, owner: psycopg.Connection[Any]) -> None:
        self.owner = owner
        self.tables = access().tables
        self._numbers = itertools.count(1)
        self._keys = {name: [row[0] for row in owner.execute(KEYS, [f"public.{name}"])] for name in self.tables}
        with owner.transaction():
            owner.execute("insert into public.voice_rates (voice, language) values ('espeak/ada', 'en-GB')")
            self.a = self._tenant("Ours")
            self.b = self._tenant("Theirs")
            self.outsider = sign_up(owner, "outsider")
            self._remove(self.a)
            self._remove(self.b)

    # --- building -------------------------------------------------------------------------------------------------

    def _tenant(self, name: str) -> Tenant:
        people = {role: sign_up(self.owner, role) for role in MEMBERS}
        created = self.owner.execute(
            "insert into public.organizations (name, tier) values (%s, 'pro') returning id", [name]
        ).fetchone()
        assert created is not None
        tenant = Tenant(created[0], people)
        for person, user in people.items():
            role = "viewer" if person in ("guest", "removed") else person
            self.owner.execute(
                "insert into public.organization_members values (%s, %s, %s)", [tenant.organization, user, role]
            )
        for table in self.tables.values():
            for person in MEMBERS if table.personal else (None,):
                tenant.rows[table.name, person] = self._place(table, tenant, person)
        return tenant

    def _place(self, table: Table, tenant: Tenant, person: str | None) -> Row:
        """Where the row is: found by what identifies it, or written by the role that owns the tables."""
        if table.row is not None:
            row = self.fill(table.row, tenant, person)
            where, values = _where(row)
            found = self.owner.execute(
                sql.SQL("select * from public.{} where {}").format(sql.Identifier(table.name), where), values
            )
        else:
            found = self.owner.execute(*self.insertion(table, tenant, person, {**table.example, **table.filled}, "*"))
        values_by_column = dict(
            zip([column.name for column in found.description or ()], found.fetchall()[0], strict=True)
        )
        return {key: values_by_column[key] for key in self._keys[table.name] or table.row or ()}

    def _remove(self, tenant: Tenant) -> None:
        self.owner.execute(
            "delete from public.organization_members where organization_id = %s and user_id = %s",
            [tenant.organization, tenant.people["removed"]],
        )

    def fill(self, values: Row, tenant: Tenant, person: str | None) -> Row:
        """The entry's values with every {name} filled in."""
        number = next(self._numbers)
        names = {
            "organization": tenant.organization,
            "person": tenant.people[person or "guest"],
            "guest": tenant.people["guest"],
            "uuid": uuid.uuid4(),
            "number": number,
            "new": f"new{number}",
            "hash": hashlib.sha256(str(number).encode()).hexdigest(),
        }
        names |= {table: row["id"] for (table, whose), row in tenant.rows.items() if whose is None and "id" in row}
        names |= {table: row["id"] for (table, whose), row in tenant.rows.items() if whose == person and "id" in row}
        return {key: _filled(value, names) for key, value in values.items()}

    def insertion(
        self, table: Table, tenant: Tenant, person: str | None, values: Row, returning: str | None = None
    ) -> tuple[sql.Composed, list[Any]]:
        row = self.fill(values, tenant, person)
        statement = sql.SQL("insert into public.{} ({}) values ({})").format(
            sql.Identifier(table.name),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join([sql.Placeholder()] * len(row)),
        )
        return statement + sql.SQL(" returning *" if returning else ""), list(row.values())

    def names(self, actor: str) -> dict[str, uuid.UUID]:
        """What a call may name of organization `a`: of personal rows the actor's own, else the owner's."""
        whose = (None, actor if actor in self.a.people else "owner")
        rows = {table: row["id"] for (table, person), row in self.a.rows.items() if person in whose and "id" in row}
        return {"organization": self.a.organization, "guest": self.a.people["guest"], **rows}

    # --- acting ---------------------------------------------------------------------------------------------------

    def claims(self, actor: str) -> dict[str, str]:
        if actor in DATABASE_ROLES:
            return {} if actor == "worker" else {"role": DATABASE_ROLES[actor]}
        person = self.outsider if actor == "outsider" else self.a.people[actor]
        return {"sub": str(person), "role": "authenticated"}

    @contextmanager
    def acting(self, actor: str) -> Iterator[psycopg.Connection[Any]]:
        """The connection as the actor has it; nothing of what is done stays."""
        with self.owner.transaction(force_rollback=True):
            claims = json.dumps(self.claims(actor)) if self.claims(actor) else ""
            self.owner.execute("select set_config('request.jwt.claims', %s, true)", [claims])
            self.owner.execute(
                sql.SQL("set local role {}").format(sql.Identifier(DATABASE_ROLES.get(actor, "authenticated")))
            )
            yield self.owner

    def outcome(self, table: Table, actor: str, command: str) -> str:
        """What the actor meets: denied, nothing, own, organization or everything."""
        targets = {"organization": (self.a, "guest" if table.personal else None)}
        targets["everything"] = (self.b, "guest" if table.personal else None)
        if table.personal and actor in self.a.people:
            targets["own"] = (self.a, actor)
        met = {reach: self._touches(table, actor, command, *target) for reach, target in targets.items()}
        if set(met.values()) == {None}:
            return "denied"
        touched = {reach for reach, answer in met.items() if answer}
        if not touched:
            return "nothing"
        # Who reaches more reaches what is less, too.
        for reach in ("everything", "organization", "own"):
            lesser = [other for other in ("own", "organization") if other in targets]
            if reach in touched:
                return reach if touched >= set(lesser[: lesser.index(reach)] if reach in lesser else lesser) else "odd"
        raise AssertionError(touched)

    def _touches(self, table: Table, actor: str, command: str, tenant: Tenant, person: str | None) -> bool | None:
        """Whether the command reaches the row; None when it is refused."""
        trusted = actor in ("service", "worker")
        with self.acting(actor) as connection:
            try:
                return connection.execute(*self._statement(table, command, tenant, person, trusted)).rowcount > 0
            except (errors.InsufficientPrivilege, errors.ObjectNotInPrerequisiteState):
                return None  # the latter of a view that cannot be written to
            except errors.IntegrityError:
                # Privileges are looked at first: the row would have been written.
                if trusted:
                    return True
                raise
            except psycopg.DatabaseError as error:
                if error.sqlstate == NOT_NOW:
                    return None
                raise

    def sets(self, table: str, column: str, actor: str = "owner") -> bool:
        """Whether the actor may set the column, to what it is, of the row that is theirs or their organization's."""
        row = self.a.rows[table, actor if self.tables[table].personal else None]
        where, values = _where(row)
        statement = sql.SQL("update public.{} set {column} = {column} where {}").format(
            sql.Identifier(table), where, column=sql.Identifier(column)
        )
        with self.acting(actor) as connection:
            try:
                return connection.execute(statement, values).rowcount > 0
            except psycopg.DatabaseError as error:
                if error.sqlstate in ("42501", "55000", NOT_NOW):
                    return False
                raise

    def _statement(
        self, table: Table, command: str, tenant: Tenant, person: str | None, trusted: bool
    ) -> tuple[sql.Composed, list[Any]]:
        if command == "insert":
            values = {**table.example, **table.filled} if trusted or "insert" not in table.steps else table.example
            return self.insertion(table, tenant, person, values)
        row = tenant.rows[table.name, person]
        where, values_of_row = _where(row)
        column = min(table.updatable, default=next(iter(row)))
        starts = {
            "select": sql.SQL("select 1 from public.{table}"),
            "update": sql.SQL("update public.{table} set {column} = {column}"),
            "delete": sql.SQL("delete from public.{table}"),
        }
        start = starts[command].format(table=sql.Identifier(table.name), column=sql.Identifier(column))
        return start + sql.SQL(" where ") + where, values_of_row


def _filled(value: Any, names: dict[str, Any]) -> Any:
    if not isinstance(value, str) or value == "{}":
        return value
    if value.startswith("{") and value[1:-1] in names and value.endswith("}"):
        return names[value[1:-1]]
    for name, filling in names.items():
        value = value.replace(f"{{{name}}}", str(filling))
    return value


def _where(row: Row) -> tuple[sql.Composed, list[Any]]:
    conditions = [sql.SQL("{} = %s").format(sql.Identifier(column)) for column in row]
    return sql.SQL(" and ").join(conditions), list(row.values())
