"""One organization with hundreds of jobs beside twenty with one, in virtual time: exact, whatever machine runs it.

`benchmarks/fairness.py` is the same with 10,000.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.rigs.fairness import Setting, Simulation

HEAVY = 200

# Fewer places than the heavy one may run; as many as its limit leaves room beside; places to spare, and a low limit.
SETTINGS = {
    "the stage is the bottleneck": Setting(heavy=HEAVY, places=5, limit=20),
    "the stage is just as wide as the limit": Setting(heavy=HEAVY, places=8, limit=8),
    "the limit is the bottleneck": Setting(heavy=HEAVY, places=10, limit=3),
    "the light ones come one after another": Setting(heavy=HEAVY, places=5, limit=20, every=7.0),
    "the sweeper sends everything": Setting(heavy=HEAVY, dispatched=False, batch=20),
}


@pytest.fixture(scope="module")
def alone():
    """Results without the heavy organization, which several tests compare with."""
    return {}


def unloaded(rig, setting, alone):
    if setting not in alone:
        rig.clean()
        alone[setting] = Simulation(rig, replace(setting, heavy=0)).run()
        rig.clean()
    return alone[setting]


@pytest.mark.parametrize("name", SETTINGS)
def test_light_organizations_wait_at_most_twice_as_long_as_alone(rig, alone, name):
    setting = SETTINGS[name]
    without = unloaded(rig, setting, alone)

    beside = Simulation(rig, setting).run()

    assert len(beside.waits) == setting.light
    assert beside.p95_turnaround <= 2 * without.p95_turnaround
    # Where they had places at once, a place that is busy frees within one job's time: nobody takes it away.
    assert beside.p95_wait <= max(2 * without.p95_wait, setting.job)


@pytest.mark.parametrize("name", ["the stage is the bottleneck", "the limit is the bottleneck"])
def test_the_heavy_organization_keeps_all_that_is_left(rig, name):
    result = Simulation(rig, SETTINGS[name]).run()

    assert result.heavy_share > 0.99


@pytest.mark.parametrize("name", ["the stage is the bottleneck", "the limit is the bottleneck"])
def test_a_job_that_waits_for_a_place_is_not_asked_for_again_and_again(rig, name):
    setting = SETTINGS[name]

    result = Simulation(rig, setting).run()

    # Once when its message comes and it is parked, once when it is handed a place. A sweep's few are on top.
    assert result.granted == setting.heavy + setting.light
    assert result.claims <= 2.3 * result.granted


def test_without_fair_queues_the_light_ones_wait_behind_the_heavy_one(rig, alone):
    setting = SETTINGS["the stage is the bottleneck"]
    without = unloaded(rig, setting, alone)

    beside = Simulation(rig, replace(setting, fair=False)).run()

    assert beside.p95_wait > 2 * without.p95_wait


def test_with_a_sweep_that_takes_whole_organizations_the_light_ones_wait_behind_the_heavy_one(rig, alone):
    setting = SETTINGS["the sweeper sends everything"]
    without = unloaded(rig, setting, alone)
    simulation = Simulation(rig, setting)
    # Oldest first, as a queue without tenants would have it.
    rig.owner.execute(
        """
        create function rig.oldest_first(p_limit integer) returns jsonb language sql security definer as $$
            with sent as (
                update public.jobs
                set dispatches = dispatches + 1, due_at = rig.now() + interval '10 minutes'
                where id in (
                    select id from public.jobs
                    where status = 'queued' and due_at <= rig.now()
                    order by due_at, id limit p_limit
                )
                returning id, stage, organization_id
            )
            select coalesce(jsonb_agg(to_jsonb(sent)), '[]') from sent
        $$
        """
    )
    simulation.sweep = lambda: rig.one("select rig.oldest_first(%s) as jobs", setting.batch)["jobs"]

    beside = simulation.run()

    assert beside.p95_wait > 2 * without.p95_wait
