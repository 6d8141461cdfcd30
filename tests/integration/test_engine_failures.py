"""What becomes of a job and its production when an attempt fails, by the kind of the failure."""

from __future__ import annotations

import pytest

from tests.rigs.engine import Stage

PARALLEL = (
    Stage("cut"),
    Stage("sound", after=("cut",)),
    Stage("picture", after=("cut",)),
    Stage("mix", after=("sound",)),
    Stage("render", after=("mix", "picture")),
)


@pytest.fixture
def kind(rig):
    return rig.pipeline("song", [Stage("sing"), Stage("mix", after=("sing",))])


@pytest.fixture
def production(rig, kind):
    return rig.start(kind, sing=3, mix=1)


@pytest.fixture
def granted(rig, production):
    return rig.granted(production, "sing")


def fail_until_it_is_over(rig, job, attempt, kind):
    """Fail each attempt, waiting for none; return how many it took."""
    for attempts in range(1, 30):
        failed = rig.fail(job, attempt, kind)
        if failed["status"] != "queued":
            return attempts
        rig.age(job, not_before=4000)
        attempt = rig.claim(job)["attempt"]
    raise AssertionError("it never ends")


@pytest.mark.parametrize("kind_", ["transient", "internal", "bad_output"])
def test_a_passing_failure_is_tried_three_times_and_then_fails_the_item(rig, granted, kind_):
    attempts = fail_until_it_is_over(rig, *granted, kind_)

    row = rig.job(granted[0])
    assert (attempts, row["status"], row["fails"], row["error_kind"]) == (3, "failed", 3, kind_)


def test_a_lost_worker_is_replaced_three_times_and_then_fails_the_item(rig, granted):
    job, attempt = granted
    for _ in range(3):
        rig.age(job, lease_until=100)
        status = rig.fail(job, attempt, "lost")["status"]
        attempt = rig.claim(job)["attempt"]

    assert status == "failed"


def test_a_lease_that_was_renewed_in_time_is_not_lost(rig, granted):
    job, attempt = granted

    failed = rig.fail(job, attempt, "lost")

    assert not failed["accepted"]
    assert rig.job(job)["status"] == "running"


def test_a_stage_may_allow_more_tries(rig):
    kind = rig.pipeline("stubborn", [Stage("sing", max_fails=5)])
    job, attempt = rig.granted(rig.start(kind, sing=1), "sing")

    assert fail_until_it_is_over(rig, job, attempt, "transient") == 5


def test_transient_failures_wait_longer_each_time(rig):
    waits = [
        [rig.one("select engine.retry_delay('transient', %s, null) as s", fails)["s"] for _ in range(50)]
        for fails in (1, 4, 8, 30)
    ]

    assert all(
        0.2 * longest <= wait <= longest for longest, row in zip((2, 16, 256, 256), waits, strict=True) for wait in row
    )
    assert len(set(waits[1])) > 1


def test_a_rate_limit_waits_as_told_and_counts_no_failure(rig, granted):
    job, attempt = granted

    failed = rig.fail(job, attempt, "rate_limited", retry_after=40)

    row = rig.job(job)
    assert 40 <= failed["retry_seconds"] <= 48
    assert (row["status"], row["fails"]) == ("queued", 0)
    assert rig.claim(job)["outcome"] == "not_due"


def test_rate_limits_of_more_than_a_day_end_in_failure(rig, granted):
    job, attempt = granted
    rig.age(job, queued_at=90_000)

    assert fail_until_it_is_over(rig, job, attempt, "rate_limited") == 3


@pytest.mark.parametrize("told", [-5.0, 0.0, 1e9])
def test_an_absurd_delay_of_a_provider_is_bounded(rig, granted, told):
    failed = rig.fail(*granted, "rate_limited", retry_after=told)

    assert 0.1 <= failed["retry_seconds"] <= 4320


def test_invalid_input_fails_the_item_at_once(rig, granted):
    assert rig.fail(*granted, "invalid_input")["status"] == "failed"


def test_a_refused_item_is_rewritten_once(rig, granted):
    job, attempt = granted

    failed = rig.fail(job, attempt, "content_refused")

    assert (failed["status"], failed["retry_seconds"], rig.job(job)["fails"]) == ("queued", 0, 0)
    assert rig.claim(job)["state"] == {"rewrite": True}


def test_a_refused_rewrite_fails_the_item(rig, granted):
    assert fail_until_it_is_over(rig, *granted, "content_refused") == 2


def test_siblings_of_a_failed_item_finish_and_then_the_production_fails(rig, production, granted):
    rig.fail(*granted, "invalid_input", "The text is empty.")
    meanwhile = rig.production(production)["status"]

    rig.finish(production, "sing")

    row = rig.production(production)
    assert (meanwhile, row["status"], row["error_code"]) == ("running", "failed", "invalid_input")
    assert row["error"] == "sing: 1 of 3 failed; the first: The text is empty."
    assert [job["status"] for job in rig.jobs(production, "sing")] == ["failed", "succeeded", "succeeded"]
    assert rig.stage(production, "mix")["status"] == "pending"
    assert rig.violations(at_rest=True) == {}


def test_an_exhausted_account_parks_the_production_until_a_person_acts(rig, production, granted):
    failed = rig.fail(*granted, "quota", "The account of OpenAI is empty.")

    row = rig.production(production)
    assert (failed["status"], row["status"], row["waiting_for"]) == ("parked", "waiting", "attention")
    assert row["error"] == "sing: The account of OpenAI is empty."
    assert {(job["status"], job["hold"]) for job in rig.jobs(production)} == {("parked", "attention")}
    assert rig.sweep() == []


def test_jobs_that_run_when_the_account_is_exhausted_may_finish(rig, production):
    first, second = rig.granted(production, "sing"), rig.granted(production, "sing")
    rig.fail(*first, "quota")

    assert rig.complete(*second)["accepted"]
    assert rig.production(production)["waiting_for"] == "attention"
    assert rig.violations() == {}


def test_a_job_that_fails_while_the_production_waits_for_a_person_is_parked_too(rig, production):
    first, second = rig.granted(production, "sing"), rig.granted(production, "sing")
    rig.fail(*first, "quota")
    rig.fail(*second, "rate_limited", retry_after=1)
    rig.age(second[0], not_before=10)

    assert rig.claim(second[0])["outcome"] == "parked"
    assert rig.job(second[0])["hold"] == "attention"


def test_an_exhausted_account_is_resumed_by_a_rebuild(rig, production, granted):
    rig.fail(*granted, "quota")

    rig.rebuild(production)

    assert sorted(rig.finish(production)) == [("mix", "k000"), ("sing", "k000"), ("sing", "k001"), ("sing", "k002")]
    assert rig.production(production)["status"] == "completed"


def test_a_parallel_stage_that_ends_does_not_start_a_production_that_waits_for_a_person(rig):
    production = rig.start(rig.pipeline("video", PARALLEL), cut=1, sound=1, picture=1, mix=1, render=1)
    rig.finish(production, "cut")
    sound, picture = rig.granted(production, "sound"), rig.granted(production, "picture")
    rig.fail(*picture, "quota", "The account is empty.")

    opened = rig.complete(*sound)["next"]

    row = rig.production(production)
    assert opened == []
    assert (row["status"], row["waiting_for"], row["error"]) == (
        "waiting",
        "attention",
        "picture: The account is empty.",
    )


def test_what_a_parallel_stage_had_finished_is_kept_when_the_person_has_acted(rig):
    production = rig.start(rig.pipeline("video", PARALLEL), cut=1, sound=1, picture=1, mix=1, render=1)
    rig.finish(production, "cut")
    sound, picture = rig.granted(production, "sound"), rig.granted(production, "picture")
    rig.fail(*picture, "quota")
    rig.complete(*sound)

    rig.rebuild(production)

    assert sorted(rig.finish(production)) == [("mix", "k000"), ("picture", "k000"), ("render", "k000")]
    assert rig.production(production)["status"] == "completed"


@pytest.mark.parametrize("kind_", ["auth", "sunset"])
def test_a_broken_environment_fails_the_production_and_parks_what_has_not_started(rig, production, granted, kind_):
    failed = rig.fail(*granted, kind_, "OPENAI_API_KEY was refused.")

    row = rig.production(production)
    assert (failed["status"], row["status"], row["error_code"]) == ("failed", "failed", kind_)
    assert row["error"] == "sing: OPENAI_API_KEY was refused."
    assert [(job["status"], job["hold"]) for job in rig.jobs(production)] == [
        ("failed", None),
        ("parked", "attention"),
        ("parked", "attention"),
    ]


def test_a_broken_environment_burns_no_further_attempt(rig, production, granted):
    rig.fail(*granted, "auth")

    outcomes = {rig.claim(job["id"])["outcome"] for job in rig.jobs(production)}

    assert outcomes == {"terminal", "parked"}
    assert [job["attempt"] for job in rig.jobs(production)] == [1, 0, 0]


def test_the_last_item_of_a_stage_may_be_the_one_that_finds_the_key_refused(rig, production):
    first, second, third = (rig.granted(production, "sing") for _ in range(3))
    rig.complete(*first)
    rig.complete(*second)

    rig.fail(*third, "auth", "The key was refused.")

    row = rig.production(production)
    assert (row["status"], row["error_code"]) == ("failed", "auth")
    assert rig.violations(at_rest=True) == {}


def test_a_long_message_is_cut_not_refused(rig, granted):
    rig.fail(*granted, "transient", "x" * 5000)

    assert len(rig.job(granted[0])["error"]) == 1000


def test_a_success_forgets_the_failure_before_it(rig, granted):
    job, attempt = granted
    rig.fail(job, attempt, "transient", "A hiccup.")
    rig.age(job, not_before=10)

    rig.complete(job, rig.claim(job)["attempt"])

    assert (rig.job(job)["status"], rig.job(job)["error"]) == ("succeeded", None)
