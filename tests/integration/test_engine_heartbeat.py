"""Heartbeats cost little: lease and progress are in no index."""

from __future__ import annotations

import pytest

from tests.rigs.engine import Stage


@pytest.fixture
def kind(rig):
    return rig.pipeline("song", [Stage("sing")])


def test_heartbeats_are_heap_only(rig, kind):
    production = rig.start(kind, sing=1)
    job, attempt = rig.granted(production, "sing")
    counters = "select n_tup_hot_upd as hot, n_tup_upd as all from pg_stat_user_tables where relname = 'jobs'"
    rig.worker.execute("select pg_stat_force_next_flush()")
    rig.owner.execute("vacuum public.jobs")
    before = rig.one(counters)

    for beat in range(20):
        rig.heartbeat(job, attempt, 60, beat / 20)
    rig.worker.execute("select pg_stat_force_next_flush()")
    after = rig.one(counters)

    assert after["all"] - before["all"] == 20
    assert after["hot"] - before["hot"] >= 19
