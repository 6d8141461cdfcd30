"""An organization's limits: they follow its tier, until an operator sets them."""

from __future__ import annotations

import pytest

from tests.rigs.engine import Stage
from tests.rigs.together import start, wait_until_blocked

LIMITS = "select max_running_jobs, daily_budget_gbp::float8, set_by_operator from engine.organization_limits"


@pytest.fixture
def organization(rig):
    return rig.one("insert into public.organizations (name, tier) values ('Rig', 'creator') returning id")["id"]


@pytest.fixture
def tier(rig):
    """Tiers are everybody's: what a test sets is set back."""
    before = rig.owner.execute("select tier, max_running_jobs, daily_budget_gbp from public.tier_limits").fetchall()
    yield lambda **columns: set_tier(rig, "creator", **columns)
    for row in before:
        set_tier(rig, **row)


def set_tier(rig, tier, **columns):
    for column, value in columns.items():
        rig.owner.execute(f"update public.tier_limits set {column} = %s where tier = %s".encode(), [value, tier])


def limits(rig, organization):
    return tuple(rig.one(f"{LIMITS} where organization_id = %s", organization).values())


def test_a_changed_tier_reaches_its_organizations(rig, organization, tier):
    tier(max_running_jobs=17, daily_budget_gbp=33)

    assert limits(rig, organization) == (17, 33, False)


def test_it_does_not_reach_other_tiers(rig, organization, tier):
    rig.owner.execute("update public.organizations set tier = 'free' where id = %s", [organization])
    before = limits(rig, organization)

    tier(max_running_jobs=17)

    assert limits(rig, organization) == before


def test_what_an_operator_set_stays(rig, organization, tier):
    rig.limit(organization, running=3)

    tier(max_running_jobs=17, daily_budget_gbp=33)

    assert limits(rig, organization) == (3, 20, True)


def test_an_operator_can_give_it_back_to_the_tier(rig, organization, tier):
    rig.limit(organization, running=3)
    tier(max_running_jobs=17)

    rig.owner.execute("update engine.organization_limits set set_by_operator = false")
    given_back = limits(rig, organization)
    tier(max_running_jobs=18)

    assert given_back == (17, 20, False)
    assert limits(rig, organization) == (18, 20, False)


def test_another_tier_is_a_new_beginning(rig, organization, tier):
    rig.limit(organization, running=3)

    rig.owner.execute("update public.organizations set tier = 'pro' where id = %s", [organization])

    assert limits(rig, organization)[2] is False
    assert limits(rig, organization)[0] > 10


@pytest.mark.parametrize("changed_by", ["operator", "tier"])
def test_limits_change_between_claims(rig, organization, tier, changed_by):
    """A claim that has counted what runs is committed before the limits that it was held against change."""
    production = rig.start(rig.pipeline("song", [Stage("sing")]), organization, sing=1)
    worker, operator = rig.open_worker(), rig.open_owner()
    change = {
        "operator": "update engine.organization_limits set max_running_jobs = 1",
        "tier": "update public.tier_limits set max_running_jobs = 1 where tier = 'creator'",
    }[changed_by]

    with worker.transaction():
        rig.claim(rig.jobs(production)[0]["id"], on=worker)
        changing = start(lambda: operator.execute(change.encode()))
        wait_until_blocked(rig.owner_url, operator)
        before = limits(rig, organization)[0]
    changing.join()

    assert before > 1
    assert limits(rig, organization)[0] == 1
