"""Places: an organization never runs more jobs than its limit, and no place stays empty."""

from __future__ import annotations

import pytest

from tests.rigs.engine import Stage
from tests.rigs.together import together


@pytest.fixture
def kind(rig):
    return rig.pipeline("song", [Stage("sing")])


def running(rig, production):
    return sorted(job["slot"] for job in rig.jobs(production) if job["status"] == "running")


@pytest.mark.parametrize("round_", range(3))
def test_twelve_claims_at_the_same_instant_fill_five_places_and_park_the_rest(rig, kind, round_):
    production = rig.start(kind, rig.organization(running=5), sing=12)
    workers = [(job["id"], rig.open_worker()) for job in rig.jobs(production)]

    outcomes = together([lambda one=one: rig.claim(one[0], on=one[1])["outcome"] for one in workers])

    assert sorted(outcomes) == ["granted"] * 5 + ["parked"] * 7
    assert running(rig, production) == [1, 2, 3, 4, 5]


def test_the_limit_is_per_organization(rig, kind):
    one, other = (rig.start(kind, rig.organization(running=1), sing=1) for _ in range(2))

    rig.granted(one, "sing")
    rig.granted(other, "sing")

    assert (running(rig, one), running(rig, other)) == ([1], [1])


@pytest.mark.parametrize("ending", ["complete", "fail", "defer"])
def test_whatever_ends_an_attempt_hands_its_place_to_the_oldest_parked_job(rig, kind, ending):
    production = rig.start(kind, rig.organization(running=1), sing=3)
    job, attempt = rig.granted(production, "sing", "k000")
    second, third = (rig.claim(job["id"]) and job["id"] for job in rig.jobs(production)[1:])

    finish = {
        "complete": lambda: rig.complete(job, attempt),
        "fail": lambda: rig.fail(job, attempt, "invalid_input"),
        "defer": lambda: rig.defer(job, attempt, 60, {}),
    }[ending]()

    assert [sent["id"] for sent in finish["next"] if sent["id"] != str(job)] == [str(second)]
    assert (rig.job(second)["status"], rig.job(third)["status"]) == ("queued", "parked")


def test_a_place_that_is_freed_while_a_claim_parks_itself_is_not_lost(rig, kind):
    production = rig.start(kind, rig.organization(running=1), sing=2)
    job, attempt = rig.granted(production, "sing", "k000")
    other = rig.jobs(production)[1]["id"]
    worker = rig.open_worker()

    claim, finish = together([lambda: rig.claim(other, on=worker), lambda: rig.complete(job, attempt)])

    handed_on = [sent["id"] for sent in finish["next"]]
    assert (claim["outcome"], handed_on) in [("granted", []), ("parked", [str(other)])]


def test_a_lowered_limit_lets_running_jobs_finish_and_starts_no_more_than_it_allows(rig, kind):
    organization = rig.organization(running=3)
    production = rig.start(kind, organization, sing=6)
    granted = [rig.granted(production, "sing") for _ in range(3)]
    for job in rig.jobs(production)[3:]:
        rig.claim(job["id"])

    rig.limit(organization, running=1)
    handed_on = [rig.complete(*one)["next"] for one in granted]

    assert [len(jobs) for jobs in handed_on] == [0, 0, 1]


def test_a_raised_limit_readmits_at_the_next_sweep(rig, kind):
    organization = rig.organization(running=1)
    production = rig.start(kind, organization, sing=4)
    for job in rig.jobs(production):
        rig.claim(job["id"])

    rig.limit(organization, running=3)

    assert len(rig.sweep()) == 2


def test_the_sweep_readmits_no_more_than_there_are_places(rig, kind):
    organization = rig.organization(running=2)
    production = rig.start(kind, organization, sing=9)
    for job in rig.jobs(production):
        rig.claim(job["id"])
    rig.limit(organization, running=4)

    readmitted = rig.sweep()

    outcomes = [rig.claim(sent["id"])["outcome"] for sent in readmitted]
    assert outcomes == ["granted", "granted"]


def test_a_readmitted_job_that_loses_its_place_keeps_its_turn(rig, kind):
    organization = rig.organization(running=1)
    production = rig.start(kind, organization, sing=4)
    holder, attempt = rig.granted(production, "sing", "k000")
    first, second, quick = (job["id"] for job in rig.jobs(production)[1:])
    rig.claim(first)
    rig.claim(second)
    rig.complete(holder, attempt)
    _, attempt = rig.granted(production, "sing", "k003")
    assert rig.claim(first)["outcome"] == "parked"

    finish = rig.complete(quick, attempt)

    assert [sent["id"] for sent in finish["next"]] == [str(first)]


def test_a_limit_of_nothing_parks_everything(rig, kind):
    production = rig.start(kind, rig.organization(running=0), sing=1)

    assert rig.claim(rig.jobs(production)[0]["id"])["outcome"] == "parked"


def test_freed_slot_numbers_are_used_again(rig, kind):
    production = rig.start(kind, rig.organization(running=2), sing=4)
    first = rig.granted(production, "sing")
    rig.granted(production, "sing")
    rig.complete(*first)

    rig.granted(production, "sing")

    assert running(rig, production) == [1, 2]


def test_a_new_organization_has_the_limits_of_its_tier(rig, kind):
    organization = rig.organization()
    rig.owner.execute("update public.organizations set tier = 'creator' where id = %s", [organization])

    limits = rig.one("select * from engine.organization_limits where organization_id = %s", organization)

    assert (limits["max_running_jobs"], limits["daily_budget_gbp"]) == (10, 20)
