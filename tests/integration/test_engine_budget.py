"""Budget: spent and reserved stay within the organization's day."""

from __future__ import annotations

import pytest

from tests.rigs import rows
from tests.rigs.engine import Stage
from tests.rigs.together import together

CALL = {
    "provider": "paid", "model": "m", "input_tokens": 0, "output_tokens": 0, "characters": 0, "seconds": 0,
    "images": 1, "measured": True,
}  # fmt: skip


@pytest.fixture
def kind(rig):
    rig.price("paid", "image", 1)
    return rig.pipeline("song", [Stage("sing")])


def test_a_grant_reserves_its_estimate(rig, kind):
    organization = rig.organization(budget=10)

    rig.granted(rig.start(kind, organization, estimate=4, sing=1), "sing")

    assert rig.reserved(organization) == 4


@pytest.mark.parametrize("ending", ["complete", "transient", "invalid_input", "quota", "auth", "defer", "lost"])
def test_whatever_ends_an_attempt_gives_its_reservation_back(rig, kind, ending):
    organization = rig.organization(budget=10)
    job, attempt = rig.granted(rig.start(kind, organization, estimate=4, sing=2), "sing")

    if ending == "complete":
        rig.complete(job, attempt)
    elif ending == "defer":
        rig.defer(job, attempt, 60, {})
    else:
        rig.age(job, lease_until=120)
        rig.fail(job, attempt, ending)

    assert rig.reserved(organization) == 0


def test_claims_at_the_same_instant_never_reserve_more_than_the_budget(rig, kind):
    organization = rig.organization(budget=10)
    production = rig.start(kind, organization, estimate=3, sing=8)
    workers = [(job["id"], rig.open_worker()) for job in rig.jobs(production)]

    outcomes = together([lambda one=one: rig.claim(one[0], on=one[1])["outcome"] for one in workers])

    assert sorted(outcomes) == ["granted"] * 3 + ["parked"] * 5
    assert rig.reserved(organization) == 9
    assert {job["hold"] for job in rig.jobs(production) if job["status"] == "parked"} == {"budget"}


def test_what_is_spent_counts_against_the_budget(rig, kind):
    organization = rig.organization(budget=10)
    production = rig.start(kind, organization, estimate=4, sing=2)
    rig.complete(*rig.granted(production, "sing"), usage=[CALL | {"images": 7}])

    assert rig.claim(rig.jobs(production)[1]["id"])["outcome"] == "parked"


def test_what_is_free_runs_on_an_empty_budget(rig, kind):
    organization = rig.organization(budget=10)
    spender = rig.start(kind, organization, estimate=4, sing=1)
    rig.complete(*rig.granted(spender, "sing"), usage=[CALL | {"images": 70}])

    rig.granted(rig.start(kind, organization, estimate=0, sing=1), "sing")


def test_one_organizations_empty_budget_does_not_slow_another(rig, kind):
    rig.claim(rig.jobs(rig.start(kind, rig.organization(budget=1), estimate=2, sing=1))[0]["id"])

    rig.granted(rig.start(kind, rig.organization(budget=10), estimate=2, sing=1), "sing")


def test_a_freed_reservation_readmits_a_job_that_now_fits(rig, kind):
    organization = rig.organization(budget=5)
    production = rig.start(kind, organization, estimate=3, sing=2)
    granted = rig.granted(production, "sing")
    waiting = rig.jobs(production)[1]["id"]
    rig.claim(waiting)

    finish = rig.complete(*granted)

    assert [sent["id"] for sent in finish["next"]] == [str(waiting)]
    assert rig.claim(waiting)["outcome"] == "granted"


@pytest.fixture
def starving(rig, kind):
    """An organization that has spent its day, and the job that waits for it."""
    organization = rig.organization(budget=10)
    production = rig.start(kind, organization, estimate=4, sing=2)
    rig.complete(*rig.granted(production, "sing"), usage=[CALL | {"images": 9}])
    waiting = rig.jobs(production)[1]["id"]
    rig.claim(waiting)
    return organization, waiting


def test_a_job_without_budget_stays_parked_while_nothing_changes(rig, starving):
    assert rig.sweep() == []


def test_a_job_without_budget_goes_on_the_next_day(rig, starving):
    organization, waiting = starving
    rig.owner.execute("update public.token_usage_daily set day = day - 1 where organization_id = %s", [organization])

    readmitted = rig.sweep()

    assert [sent["id"] for sent in readmitted] == [str(waiting)]
    assert rig.claim(waiting)["outcome"] == "granted"


def test_a_job_without_budget_goes_on_when_the_budget_is_raised(rig, starving):
    organization, waiting = starving
    rig.limit(organization, budget=100)

    readmitted = rig.sweep()

    assert [sent["id"] for sent in readmitted] == [str(waiting)]
    assert rig.claim(waiting)["outcome"] == "granted"


def test_a_job_that_fits_is_readmitted_past_one_that_does_not(rig, kind):
    organization = rig.organization(budget=5)
    large = rig.jobs(rig.start(kind, organization, estimate=9, sing=1))[0]["id"]
    holder = rig.granted(rig.start(kind, organization, estimate=4, sing=1), "sing")
    small = rig.jobs(rig.start(kind, organization, estimate=2, sing=1))[0]["id"]
    rig.claim(large)
    rig.claim(small)

    finish = rig.complete(*holder)

    assert [sent["id"] for sent in finish["next"]] == [str(small)]


def test_a_place_that_the_next_job_has_no_budget_for_goes_to_the_one_after(rig, kind):
    organization = rig.organization(running=1, budget=5)
    holder = rig.granted(rig.start(kind, organization, estimate=0, sing=1), "sing")
    jobs = [rig.jobs(rig.start(kind, organization, estimate=estimate, sing=1))[0]["id"] for estimate in (9, 8, 1)]
    for job in jobs:
        rig.claim(job)
    sent = rig.complete(*holder)["next"]
    chain = []

    while sent:
        chain.append(sent[0]["id"])
        sent = rig.claim(sent[0]["id"])["next"]

    assert chain == [str(job) for job in jobs]
    assert [rig.job(job)["status"] for job in jobs] == ["parked", "parked", "running"]


def test_a_job_that_fits_is_found_behind_many_that_do_not(rig, kind):
    organization = rig.organization(budget=5)
    holder = rig.granted(rig.start(kind, organization, estimate=5, sing=1), "sing")
    for estimate, width in ((4, 150), (1, 1)):
        for job in rig.jobs(rig.start(kind, organization, estimate=estimate, sing=width)):
            rig.claim(job["id"])
    rig.limit(organization, budget=3)

    (sent,) = rig.complete(*holder)["next"]

    assert rig.job(sent["id"])["estimate_gbp"] == 1


def test_what_began_yesterday_reserves_nothing_of_today(rig, kind):
    organization = rig.organization(budget=10)
    granted = rig.granted(rig.start(kind, organization, estimate=8, sing=1), "sing")
    rig.owner.execute("update public.jobs set reserved_on = reserved_on - 1 where id = %s", [granted[0]])

    rig.granted(rig.start(kind, organization, estimate=9, sing=1), "sing")

    assert rig.reserved(organization) == 9
    rig.complete(*granted, usage=[CALL])
    assert rig.reserved(organization) == 9
    assert rig.day(organization)["total_cost_gbp"] == 1


@pytest.mark.parametrize(("of_another", "seen"), [(False, 3), (True, 0)], ids=["member", "outsider"])
def test_members_see_what_is_reserved_beside_what_is_spent(rig, kind, of_another, seen):
    organization = rows.sign_up(rig.owner)
    rig.complete(*rig.granted(rig.start(kind, organization, estimate=4, sing=1), "sing"), usage=[CALL])
    rig.granted(rig.start(kind, organization, estimate=3, sing=1), "sing")
    client = rig.open_owner()
    rows.act_as_user(client, rows.sign_up(rig.owner) if of_another else organization)

    days = client.execute("select usage.total_cost_gbp, usage.reserved_gbp from public.token_usage_daily as usage")
    made_up = client.execute(
        "select public.reserved_gbp(json_populate_record(null::public.token_usage_daily, json_build_object("
        "'organization_id', %s::text, 'day', (now() at time zone 'utc')::date))) as gbp",
        [organization],
    )

    assert days.fetchall() == ([] if of_another else [{"total_cost_gbp": 1, "reserved_gbp": seen}])
    assert made_up.fetchall() == [{"gbp": seen}]
