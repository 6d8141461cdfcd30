"""The development data that `seed.sql` loads."""

from __future__ import annotations

import pytest

from local import migrations


@pytest.fixture
def seeded(database, owner):
    migrations.seed(database.owner_url)
    return owner


@pytest.mark.parametrize("postgres_version", [16, 18])
def test_the_seed_can_be_loaded_twice(seeded, database):
    tables = ["auth.users", "projects", "episodes", "blocks", "planning_notes", "episode_schedule_queue", "user_events",
              "channels", "video_jobs", "audio_tracks", "images", "render_tasks", "video_analytics",
              "voice_clones"]  # fmt: skip
    counted = f"select {', '.join(f'(select count(*) from {table})' for table in tables)}"
    before = seeded.execute(counted).fetchone()

    migrations.seed(database.owner_url)

    assert seeded.execute(counted).fetchone() == before
    assert 0 not in before


def test_there_is_a_person_of_each_tier(seeded):
    found = seeded.execute("""
        select users.email, organizations.tier::text from auth.users join organizations using (id)
        order by organizations.tier
    """).fetchall()

    assert found == [("free@example.com", "free"), ("creator@example.com", "creator"), ("pro@example.com", "pro")]


@pytest.mark.parametrize(
    ("enum", "table", "column"),
    [
        ("generation_status", "episodes", "generation_status"),
        ("planning_note_status", "planning_notes", "status"),
        ("schedule_status", "episode_schedule_queue", "status"),
        ("source_kind", "sources", "kind"),
        ("video_job_status", "video_jobs", "status"),
        ("voice_clone_status", "voice_clones", "status"),
    ],
)
def test_every_state_that_a_screen_can_show_is_there(seeded, enum, table, column):
    missing = seeded.execute(f"select unnest(enum_range(null::{enum})) except select {column} from {table}").fetchall()

    assert missing == []


@pytest.mark.parametrize("table", ["agent_memories", "chat_sessions", "chat_messages", "highlights", "audit_log"])
def test_tables_of_later_screens_have_rows(seeded, table):
    assert seeded.execute(f"select count(*) > 0 from {table}").fetchone() == (True,)


def test_members_see_the_seed_as_their_role_allows(seeded, as_user):
    viewer = as_user("10000000-0000-4000-8000-000000000001")

    shows = [name for (name,) in viewer.execute("select name from projects order by name")]

    assert shows == ["Pocket Science", "The Long Table", "World at Seven"]
