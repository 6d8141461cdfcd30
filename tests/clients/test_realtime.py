"""What Supabase Realtime is told, and whom it lets listen.

The server of these tests has no Realtime: here is its side of the database, as Supabase sets it up, and the migrations
on top.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from local import migrations
from tests.conftest import DatabaseForOneTest
from tests.rigs.rows import act_as_user, sign_up
from tests.rigs.shows import Show, make_show

# `realtime.send` of Supabase checks and partitions; what it leaves behind is this row. The topic of `realtime.topic` is
# the one that a client asks to join.
REALTIME = """
    create schema realtime;
    create table realtime.messages (
        id uuid not null default gen_random_uuid(),
        topic text not null,
        extension text not null,
        payload jsonb,
        event text,
        private boolean,
        inserted_at timestamp not null default now()
    );
    alter table realtime.messages enable row level security;
    create function realtime.topic() returns text language sql stable
        as $$ select nullif(current_setting('realtime.topic', true), '')::text $$;
    create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
        language sql
        as $$
            insert into realtime.messages (payload, event, topic, private, extension)
            values (payload, event, topic, private, 'broadcast')
        $$;
    grant usage on schema realtime to authenticated;
    grant select on realtime.messages to authenticated;
    grant execute on function realtime.topic() to authenticated;
"""


@pytest.fixture
def realtime(empty_database: DatabaseForOneTest) -> Iterator[psycopg.Connection[Any]]:
    """The owner of a database that had Realtime before the migrations."""
    with psycopg.connect(empty_database.owner_url, autocommit=True) as owner:
        owner.execute(REALTIME)
        migrations.migrate(empty_database.owner_url)
        yield owner


@pytest.fixture
def show(realtime: psycopg.Connection[Any]) -> Show:
    return make_show(realtime, sign_up(realtime), "A lighthouse is a promise made of light. " * 20)


def request(owner: psycopg.Connection[Any], show: Show) -> uuid.UUID:
    with owner.transaction():
        owner.execute("select set_config('request.jwt.claims', %s, true)", [f'{{"sub": "{show.user}"}}'])
        owner.execute("set local role authenticated")
        row = owner.execute("select public.request_production('episode', %s, 'k')", [show.episode]).fetchone()
    assert row is not None
    production: uuid.UUID = row[0]
    return production


def joins(owner: psycopg.Connection[Any], user: uuid.UUID, topic: str) -> bool:
    """Whether Realtime lets the user listen: it asks whether they may read a message of the topic."""
    with psycopg.connect(owner.info.dsn, password=owner.info.password, autocommit=True) as connection:
        act_as_user(connection, user)
        connection.execute("select set_config('realtime.topic', %s, false)", [topic])
        return connection.execute("select count(*) > 0 from realtime.messages").fetchone() == (True,)


def test_each_change_of_a_production_is_broadcast_on_its_private_topic(
    realtime: psycopg.Connection[Any], show: Show
) -> None:
    production = request(realtime, show)
    realtime.execute("select engine.cancel(%s)", [production])

    sent = realtime.execute(
        "select topic, event, private, payload from realtime.messages order by inserted_at"
    ).fetchall()

    assert {row[:3] for row in sent} == {(f"production:{production}", "production_changed", True)}
    assert (sent[0][3]["status"], sent[-1][3]["status"]) == ("queued", "cancelled")
    # What a progress bar needs, and nothing internal.
    assert set(sent[0][3]) == {
        "id", "kind", "subject_id", "status", "waiting_for", "current_stage", "progress", "build", "error"
    }  # fmt: skip


def test_members_listen_to_their_productions_and_nobody_else_does(
    realtime: psycopg.Connection[Any], show: Show
) -> None:
    topic = f"production:{request(realtime, show)}"
    stranger = sign_up(realtime, "sam")

    assert joins(realtime, show.user, topic)
    assert not joins(realtime, stranger, topic)
    assert not joins(realtime, show.user, f"production:{uuid.uuid4()}")
    assert not joins(realtime, show.user, "")
