"""The scheduler asks of a thousand shows each minute; what it reads is a show and its last slot."""

from __future__ import annotations

import pytest

from tests.rigs.reads import reads

SHOWS = 1_000


@pytest.fixture
def planned(owner):
    owner.execute("select engine.fill_schedule()")


def test_a_tick_that_finds_all_slots_planned_reads_a_show_and_its_last_slot(owner, planned):
    found = reads(owner, "select engine.fill_schedule()", warm_up=2)

    assert found.rows["projects"] <= SHOWS
    assert found.rows["episode_schedule_queue"] <= SHOWS
    assert found.buffers < 8 * SHOWS


def test_due_slots_are_read_as_many_as_were_asked_for(owner, planned):
    owner.execute(
        "update public.episode_schedule_queue set scheduled_for = scheduled_for - interval '8 days'"
        " where status = 'pending'"
    )

    found = reads(owner, "select engine.drain_schedule(20)", warm_up=2)

    # The slot when it is chosen, when it is judged and when it is changed.
    assert found.rows["episode_schedule_queue"] <= 20 * 8
    assert "episode_schedule_queue" not in found.scanned
    assert found.buffers < 20 * 1_000
