"""The circuit breaker of a provider: it trips on the provider's failures, which then are not the jobs'."""

from __future__ import annotations

import re

import pytest

from tests.rigs.engine import Stage

LATER = 3600


@pytest.fixture
def kind(rig):
    rig.protect("paid", trip_failures=3, cool_down_seconds=600, longest_cool_down_seconds=1500)
    return rig.pipeline("song", [Stage("sing")])


@pytest.fixture
def production(rig, kind):
    return rig.start(kind, provider="paid", sing=9)


def fail(rig, production, count, kind="transient", retry_after=None):
    running = [job for job in rig.jobs(production) if job["status"] == "running"]
    return [rig.fail(job["id"], job["attempt"], kind, "It broke.", retry_after) for job in running[:count]]


def start(rig, production, count):
    return [rig.granted(production, "sing") for _ in range(count)]


def trip(rig, production):
    start(rig, production, 3)
    return fail(rig, production, 3)


def pass_time(rig, seconds=LATER):
    rig.owner.execute(
        "update engine.provider_limits set open_until = open_until - make_interval(secs => %(s)s),"
        " not_before = not_before - make_interval(secs => %(s)s),"
        " next_try_at = next_try_at - make_interval(secs => %(s)s)",
        {"s": seconds},
    )
    rig.owner.execute("update public.jobs set not_before = not_before - make_interval(secs => %s)", [seconds])


def queued(rig, production):
    return [job for job in rig.jobs(production) if job["status"] == "queued"]


def outcomes(rig, production):
    return [rig.claim(job["id"])["outcome"] for job in queued(rig, production)]


def test_so_many_failures_open_it_and_nothing_starts(rig, production):
    trip(rig, production)

    found = outcomes(rig, production)

    assert set(found) == {"parked", "not_due"}
    assert rig.protection("paid")["trips"] == 1
    assert {job["attempt"] for job in rig.jobs(production)} == {0, 1}


def test_fewer_failures_or_older_ones_do_not(rig, production):
    start(rig, production, 5)
    fail(rig, production, 2)
    rig.owner.execute(
        "update engine.provider_limits set failed_at = array[failed_at[1] - interval '61 s', failed_at[2]]"
    )
    fail(rig, production, 1)

    assert rig.protection("paid")["trips"] == 0
    assert len(rig.protection("paid")["failed_at"]) == 2


@pytest.mark.parametrize("kind_of_failure", ["bad_output", "invalid_input", "content_refused", "internal", "lost"])
def test_failures_that_are_not_the_providers_do_not_count(rig, production, kind_of_failure):
    start(rig, production, 4)
    rig.owner.execute("update public.jobs set lease_until = lease_until - interval '1 hour' where status = 'running'")

    fail(rig, production, 4, kind_of_failure)

    assert rig.protection("paid")["failed_at"] == []


def test_which_failures_count_is_data(rig, production):
    rig.protect("paid", trip_kinds="{bad_output}")
    start(rig, production, 3)

    fail(rig, production, 3, "bad_output")

    assert rig.protection("paid")["trips"] == 1


def test_the_failure_that_trips_and_those_that_follow_are_not_the_jobs(rig, production):
    start(rig, production, 5)

    answers = fail(rig, production, 5)

    assert sorted(job["fails"] for job in rig.jobs(production)) == [0] * 7 + [1, 1]
    assert [answer["status"] for answer in answers] == ["queued"] * 3 + ["parked"] * 2
    assert 595 < answers[2]["retry_seconds"] <= 600


def test_a_job_at_its_last_failure_survives_the_trip(rig, production):
    rig.owner.execute("update public.jobs set fails = 2")
    rig.owner.execute("update engine.provider_limits set failed_at = array_fill(clock_timestamp(), array[2])")
    start(rig, production, 1)

    (answer,) = fail(rig, production, 1)

    assert (answer["status"], rig.production(production)["status"]) == ("queued", "running")


def test_a_job_that_has_waited_for_a_day_answers_for_itself(rig, production):
    trip(rig, production)
    outcomes(rig, production)
    pass_time(rig)
    (probe,) = queued(rig, production)[:1]
    rig.claim(probe["id"])
    rig.owner.execute("update public.jobs set fails = 2, queued_at = queued_at - interval '25 hours'")

    (answer,) = fail(rig, production, 1)

    assert answer["status"] == "failed"


def test_half_open_lets_only_the_configured_number_through(rig, production):
    rig.protect("paid", probes=2)
    trip(rig, production)
    outcomes(rig, production)
    pass_time(rig)

    found = [rig.claim(job["id"])["outcome"] for job in rig.jobs(production)]
    while sent := rig.sweep():
        found += [rig.claim(one["id"])["outcome"] for one in sent]

    assert found.count("granted") == 2
    assert sum(job["status"] == "running" for job in rig.jobs(production)) == 2


def test_a_success_closes_it_and_calls_the_next(rig, production):
    trip(rig, production)
    outcomes(rig, production)
    pass_time(rig)
    probe = start(rig, production, 1)[0]

    called = rig.complete(*probe)["next"]

    assert (rig.protection("paid")["trips"], rig.protection("paid")["open_until"]) == (0, None)
    assert len(called) == 1
    following = rig.claim(called[0]["id"])
    assert (following["outcome"], len(following["next"])) == ("granted", 1), "each that starts calls another"


def test_a_success_of_a_job_from_before_the_trip_does_not_close_it(rig, production):
    early = start(rig, production, 1)[0]
    start(rig, production, 3)
    for job in [job for job in rig.jobs(production) if job["status"] == "running" and job["id"] != early[0]]:
        rig.fail(job["id"], job["attempt"], "transient")

    rig.complete(*early)

    assert rig.protection("paid")["trips"] == 1


def test_a_probe_that_fails_opens_it_for_twice_as_long_and_counts_no_failure(rig, production):
    trip(rig, production)
    outcomes(rig, production)
    lengths = []
    for _ in range(3):
        pass_time(rig)
        probe = start(rig, production, 1)[0]
        lengths.append(rig.fail(*probe, "transient")["retry_seconds"])

    assert [round(length, -1) for length in lengths] == [1200, 1500, 1500]
    assert rig.protection("paid")["trips"] == 4
    assert max(job["fails"] for job in rig.jobs(production)) == 1


def test_a_straggler_of_before_the_trip_changes_nothing_and_waits(rig, production):
    start(rig, production, 4)
    fail(rig, production, 3)
    before = rig.protection("paid")

    (answer,) = fail(rig, production, 1)

    assert answer["status"] == "parked"
    assert rig.protection("paid") == before


def test_an_open_breaker_costs_one_message_and_not_one_per_job(rig, production):
    trip(rig, production)
    outcomes(rig, production)

    assert len(queued(rig, production)) == 3, "the one that tries again, and two that wait for their own backoff"
    assert rig.sweep() == []


def test_retry_after_protects_the_provider_for_everybody_and_counts_nothing(rig, kind, production):
    start(rig, production, 1)
    other = rig.start(kind, provider="paid", sing=2)

    fail(rig, production, 1, "rate_limited", 40)

    assert outcomes(rig, other) == ["not_due", "parked"]
    assert rig.protection("paid")["failed_at"] == []
    assert rig.protection("paid")["trips"] == 0
    assert max(job["fails"] for job in rig.jobs(production)) == 0


def test_a_rate_limit_that_does_not_say_how_long_counts(rig, production):
    start(rig, production, 3)

    fail(rig, production, 3, "rate_limited")

    assert rig.protection("paid")["trips"] == 1


def test_a_lost_message_is_made_up_for_by_the_sweep(rig, production):
    trip(rig, production)
    outcomes(rig, production)
    rig.owner.execute("update public.jobs set status = 'cancelled' where status = 'queued'")
    pass_time(rig)

    sent = rig.sweep()

    assert len(sent) == 1
    assert rig.claim(sent[0]["id"])["outcome"] == "granted"


def test_explain_says_until_when_and_after_how_many_failures(rig, production):
    trip(rig, production)
    outcomes(rig, production)
    (job, *_) = [job for job in rig.jobs(production) if job["status"] == "parked"]

    assert re.fullmatch(
        r"It waits for provider paid, which is protected until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC after 3 failures\.",
        rig.explain(job["id"]),
    )


def test_explain_says_that_probes_failed_or_run(rig, production):
    trip(rig, production)
    outcomes(rig, production)
    pass_time(rig)
    probe = start(rig, production, 1)[0]
    (job, *_) = [job for job in rig.jobs(production) if job["status"] == "parked"]

    while_trying = rig.explain(job["id"])
    rig.fail(*probe, "transient")

    assert while_trying == "It waits for provider paid, which failed and is being tried with 1 of 1 jobs."
    assert re.search(r"after 1 probe failed\.$", rig.explain(job["id"]))


def test_explain_says_what_the_provider_asked_for(rig, production):
    start(rig, production, 1)
    fail(rig, production, 1, "rate_limited", 40)
    outcomes(rig, production)
    (job, *_) = [job for job in rig.jobs(production) if job["status"] == "parked"]

    assert re.fullmatch(
        r"It waits for provider paid, which asked to be left alone until [-\d]+ [:\d]+ UTC\.", rig.explain(job["id"])
    )
