"""Provider limits: what all organizations together may ask of one provider, and who is next."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.rigs.engine import Stage
from tests.rigs.together import together


@pytest.fixture
def kind(rig):
    return rig.pipeline("song", [Stage("sing"), Stage("mix", after=("sing",))])


def parked(rig):
    """Jobs that wait for a provider, oldest first."""
    rows = rig.owner.execute("select id from public.jobs where hold = 'provider' order by organization_id, due_at")
    return [row["id"] for row in rows.fetchall()]


def claims(rig, production):
    return [rig.claim(job["id"]) for job in rig.jobs(production, "sing")]


def forget_a_minute(rig):
    rig.owner.execute(
        "update engine.provider_limits set starts_at = starts_at - interval '61 seconds',"
        " next_try_at = next_try_at - interval '61 seconds'"
    )
    rig.owner.execute("update public.jobs set not_before = not_before - interval '61 seconds'")


def test_a_job_has_the_provider_that_its_input_refers_to(rig, kind):
    production = rig.start(kind, provider="paid", sing=1)
    rig.granted(production, "sing")

    assert [job["provider"] for job in rig.jobs(production)] == ["paid"]


def test_another_voice_brings_another_provider(rig, kind):
    production = rig.start(kind, provider="paid", sing=1)
    rig.finish(production)
    rig.owner.execute("update rig.items set provider = 'other'")

    rig.rebuild(production)

    assert [job["provider"] for job in rig.jobs(production)] == ["other"]


def test_a_provider_runs_so_many_jobs_of_all_organizations_together(rig, kind):
    rig.protect("paid", max_running=3)
    productions = [rig.start(kind, provider="paid", sing=2) for _ in range(3)]

    outcomes = [claim["outcome"] for production in productions for claim in claims(rig, production)]

    assert outcomes == ["granted"] * 3 + ["parked"] * 3


def test_jobs_of_other_providers_and_of_none_are_not_held(rig, kind):
    rig.protect("paid", max_running=0)

    outcomes = [
        claim["outcome"] for name in ("other", None) for claim in claims(rig, rig.start(kind, provider=name, sing=1))
    ]

    assert outcomes == ["granted"] * 2


def test_twelve_claims_of_twelve_organizations_at_the_same_instant_fill_five_places(rig, kind):
    rig.protect("paid", max_running=5)
    jobs = [rig.jobs(rig.start(kind, provider="paid", sing=1))[0]["id"] for _ in range(12)]
    workers = [(job, rig.open_worker()) for job in jobs]

    outcomes = together([lambda one=one: rig.claim(one[0], on=one[1])["outcome"] for one in workers])

    assert Counter(outcomes) == {"granted": 5, "parked": 7}


@pytest.mark.parametrize("ending", ["complete", "fail", "defer", "lost", "rebuild"])
def test_whatever_ends_an_attempt_hands_the_providers_place_on(rig, kind, ending):
    rig.protect("paid", max_running=1)
    production = rig.start(kind, provider="paid", sing=1)
    job, attempt = rig.granted(production, "sing")
    waiting = rig.start(kind, provider="paid", sing=1)
    claims(rig, waiting)

    if ending == "complete":
        sent = rig.complete(job, attempt)["next"]
    elif ending == "defer":
        sent = rig.defer(job, attempt, 60, {})["next"]
    elif ending == "rebuild":
        rig.cancel(production)
        sent = rig.rebuild(production)
    else:
        rig.age(job, lease_until=3600)
        sent = rig.fail(job, attempt, "invalid_input" if ending == "fail" else "lost")["next"]

    assert str(rig.jobs(waiting)[0]["id"]) in [one["id"] for one in sent]
    assert parked(rig) == []
    assert claims(rig, waiting)[0]["outcome"] == "granted"


def test_organizations_take_turns_at_a_provider(rig, kind):
    rig.protect("paid", max_running=1)
    holder = rig.granted(rig.start(kind, provider="paid", sing=1), "sing")
    owners = {}
    for width in (6, 1, 1):
        organization = rig.organization()
        claims(rig, rig.start(kind, organization, provider="paid", sing=width))
    for row in rig.owner.execute("select id, organization_id from public.jobs").fetchall():
        owners[str(row["id"])] = row["organization_id"]
    turns = []

    while sent := rig.complete(*holder)["next"]:
        turns.append(owners[sent[0]["id"]])
        holder = (sent[0]["id"], rig.claim(sent[0]["id"])["attempt"])

    assert len(turns) == 8
    assert len(set(turns[:3])) == 3, "each has a turn before the one with six has a second"


def test_a_place_that_the_next_cannot_use_goes_to_another_organization(rig, kind):
    rig.protect("paid", max_running=1)
    holder = rig.granted(rig.start(kind, provider="paid", sing=1), "sing")
    waiting = [rig.start(kind, rig.organization(running=1), provider="paid", sing=1) for _ in range(2)]
    for production in waiting:
        claims(rig, production)
    for production in waiting:
        rig.limit(rig.production(production)["organization_id"], running=0)
    first = rig.complete(*holder)["next"][0]

    refused = rig.claim(first["id"])

    assert refused["outcome"] == "parked"
    assert rig.job(first["id"])["hold"] == "slot"
    assert [sent["organization_id"] for sent in refused["next"]] != [first["organization_id"]]
    assert len(refused["next"]) == 1


def test_a_place_of_the_organization_goes_to_its_next_where_the_provider_has_no_room(rig, kind):
    rig.protect("paid", max_running=0)
    organization = rig.organization(running=1)
    holder = rig.granted(rig.start(kind, organization, sing=1), "sing")
    for_provider = rig.jobs(rig.start(kind, organization, provider="paid", sing=1))[0]["id"]
    without = rig.jobs(rig.start(kind, organization, sing=1))[0]["id"]
    rig.claim(for_provider)
    rig.claim(without)
    assert [sent["id"] for sent in rig.complete(*holder)["next"]][:1] == [str(for_provider)]

    refused = rig.claim(for_provider)

    assert (refused["outcome"], rig.job(for_provider)["hold"]) == ("parked", "provider")
    assert [sent["id"] for sent in refused["next"]] == [str(without)]


def test_a_raised_limit_is_used_by_the_next_sweep(rig, kind):
    rig.protect("paid", max_running=0)
    production = rig.start(kind, provider="paid", sing=3)
    claims(rig, production)
    rig.protect("paid", max_running=2)

    assert len(rig.sweep()) == 2


def test_jobs_of_a_provider_that_is_protected_no_more_go_on_at_the_next_sweep(rig, kind):
    rig.protect("paid", max_running=0)
    production = rig.start(kind, provider="paid", sing=3)
    claims(rig, production)
    rig.owner.execute("delete from engine.provider_limits where provider = 'paid'")

    assert len(rig.sweep()) == 3
    assert {claim["outcome"] for claim in claims(rig, production)} == {"granted"}


# --- per minute -----------------------------------------------------------------------------------------------------


def test_so_many_start_in_a_minute_one_is_told_when_to_come_and_the_rest_is_parked(rig, kind):
    rig.protect("paid", per_minute=2)
    production = rig.start(kind, provider="paid", sing=5)

    answers = claims(rig, production)

    assert [answer["outcome"] for answer in answers] == ["granted", "granted", "not_due", "parked", "parked"]
    assert 58 < answers[2]["wait_seconds"] <= 61
    assert [job["fails"] for job in rig.jobs(production)] == [0] * 5
    assert [job["attempt"] for job in rig.jobs(production)] == [1, 1, 0, 0, 0]


def test_a_place_that_is_freed_does_not_start_more_than_the_minute_allows(rig, kind):
    rig.protect("paid", per_minute=1)
    production = rig.start(kind, provider="paid", sing=3)
    claims(rig, production)
    running = rig.jobs(production)[0]

    assert rig.complete(running["id"], running["attempt"])["next"] == []
    assert rig.sweep() == []


def test_when_the_minute_is_over_each_that_starts_calls_the_next(rig, kind):
    rig.protect("paid", per_minute=2)
    production = rig.start(kind, provider="paid", sing=5)
    claims(rig, production)
    forget_a_minute(rig)
    first = rig.jobs(production)[2]["id"]

    called = rig.claim(first)["next"]
    last = rig.claim(called[0]["id"])["next"]

    assert called[0]["delay"] == 0
    assert 58 < last[0]["delay"] <= 61, "the last of this minute tells the first of the next"
    assert rig.claim(last[0]["id"])["outcome"] == "not_due"


def test_no_sixty_seconds_hold_more_starts_than_the_limit(rig, kind):
    """Two start at the end of one minute, and none at the beginning of the next."""
    rig.protect("paid", per_minute=2)
    production = rig.start(kind, provider="paid", sing=3)
    claims(rig, production)
    protection = rig.protection("paid")
    room = "select * from engine.provider_room(limits, limits.starts_at + make_interval(secs => %s)) "
    room += "cross join lateral (select 1) as one"
    query = (
        f"select room.places from engine.provider_limits as limits, lateral ({room}) as room where provider = 'paid'"
    )

    places = [rig.one(query, seconds)["places"] for seconds in (1, 30, 59, 60, 61)]

    assert sum(protection["starts"]) == 2
    assert places == [0, 0, 0, 0, 2]


def test_a_sweep_tells_one_job_when_to_come_where_nobody_has_been_told(rig, kind):
    rig.protect("paid", per_minute=1)
    production = rig.start(kind, provider="paid", sing=4)
    claims(rig, production)
    rig.cancel(production)
    waiting = rig.start(kind, provider="paid", sing=2)
    claims(rig, waiting)
    rig.owner.execute("update engine.provider_limits set next_try_at = null")

    (sent,) = rig.sweep()

    assert 55 < sent["delay"] <= 61
    assert rig.sweep() == []


# --- explain --------------------------------------------------------------------------------------------------------


def test_explain_says_how_many_run_at_the_provider(rig, kind):
    rig.protect("paid", max_running=1)
    production = rig.start(kind, provider="paid", sing=2)
    claims(rig, production)

    assert rig.explain(parked(rig)[0]) == "It waits for provider paid: 1 of 1 running."


def test_explain_says_how_many_have_started_within_a_minute(rig, kind):
    rig.protect("paid", per_minute=1)
    production = rig.start(kind, provider="paid", sing=3)
    claims(rig, production)

    assert rig.explain(parked(rig)[0]) == "It waits for provider paid: 1 of 1 started within a minute."


def test_explain_says_when_the_first_in_line_tries(rig, kind):
    rig.protect("paid", per_minute=1)
    production = rig.start(kind, provider="paid", sing=2)
    claims(rig, production)

    assert re.fullmatch(
        r"It waits for provider paid: 1 of 1 started within a minute\. It tries in \d\d s\.",
        rig.explain(rig.jobs(production)[1]["id"]),
    )


def test_explain_says_that_a_provider_has_room_again_or_no_limit(rig, kind):
    rig.protect("paid", max_running=0)
    claims(rig, rig.start(kind, provider="paid", sing=1))
    (job,) = parked(rig)

    rig.protect("paid", max_running=1)
    roomy = rig.explain(job)
    rig.owner.execute("delete from engine.provider_limits where provider = 'paid'")

    assert roomy == "It waits for provider paid, which has room; the next sweep sends it."
    assert rig.explain(job) == "It waits for provider paid, which has no limit any more; the next sweep sends it."
