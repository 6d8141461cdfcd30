"""A stage function between its queue and the engine: what each message and each outcome becomes."""

from __future__ import annotations

import json
import time

import pytest

from showrunner import errors
from showrunner.database import Database, Statement
from showrunner.stage import Deferral, Outcome, stage_handler
from showrunner.usage import ProviderCall
from tests.rigs.line import Context
from tests.rigs.singer import Singer, SingInput, SingOutput, sing

CALL = ProviderCall("paid", "m", characters=7)


@pytest.fixture
def beating(rig):
    """A singer whose leases are short, so that its heart beats often."""
    singer = Singer(rig, lease_seconds=0.6)
    yield singer
    singer.services.database.close()


def raising(error):
    def run(job, services):
        raise error

    return run


def wait_until(condition):
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up, "it never came true"
        time.sleep(0.01)


# --- messages -------------------------------------------------------------------------------------------------------


def test_a_wake_up_is_claimed_run_completed_and_wakes_what_follows(singer):
    failures = singer.receive()

    following = singer.rig.jobs(singer.production, "mix")[0]["id"]
    assert failures == []
    assert (singer.job["status"], singer.job["output"]) == ("succeeded", {"sung": "text of k000"})
    assert singer.sent == [("mix", following)]


def test_a_job_takes_two_round_trips(singer):
    singer.receive()

    assert singer.services.database.round_trips == 2


def test_a_job_with_domain_rows_takes_two_round_trips(singer):
    def run(job, services):
        rows = [Statement("insert into rig.results (job_id, attempt) values (%s, %s)", (job.id, job.attempt))] * 3
        return Outcome(SingOutput(sung=""), rows)

    singer.receive(run)

    assert singer.job["status"] == "succeeded"
    assert singer.services.database.round_trips == 2


def test_a_message_that_comes_twice_runs_once(singer):
    singer.receive()
    singer.receive()

    assert (singer.runs, singer.job["attempt"]) == (1, 1)


UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    "body",
    ["", "not json", "[]", "null", "{}", '{"job_id": 7}', '{"job_id": "x"}', '{"job_id": null}', None, "\x00",
     '{"job_id": "', json.dumps({"job_id": UNKNOWN, "extra": 1}), json.dumps({"job_id": UNKNOWN})],
)  # fmt: skip
def test_a_malformed_or_forged_message_is_dropped(singer, body):
    assert singer.receive(sing, body) == []
    assert (singer.runs, singer.sent) == (0, [])


def test_a_message_beside_a_malformed_one_is_handled(singer):
    good = json.dumps({"job_id": str(singer.job_id)})

    assert singer.receive(sing, "not json", good) == []
    assert singer.job["status"] == "succeeded"


def test_an_event_without_records_is_nothing(singer):
    handler = stage_handler("sing", SingInput, sing, singer.services)

    assert handler({}, Context()) == {"batchItemFailures": []}


def test_a_wake_up_on_the_wrong_queue_is_passed_on_to_the_right_one(singer):
    singer.receive(stage="dance")

    assert (singer.runs, singer.job["status"]) == (0, "queued")
    assert singer.sent == [("sing", singer.job_id)]


def test_a_message_that_comes_too_early_is_sent_again_for_when_its_job_is_due(singer):
    claim = singer.rig.claim(singer.job_id)
    singer.rig.defer(singer.job_id, claim["attempt"], 60, {})

    singer.receive()

    assert singer.sent == [("sing", singer.job_id)]
    assert 50 < singer.queue.ready[0].delay <= 60


def test_a_job_is_not_started_without_the_time_to_finish_it(singer):
    singer.receive(context=Context(milliseconds=4_000))

    assert (singer.runs, singer.job["status"], singer.job["attempt"]) == (0, "queued", 0)


# --- outcomes -------------------------------------------------------------------------------------------------------


def test_an_input_that_does_not_fit_the_model_fails_and_names_the_field(singer):
    singer.rig.owner.execute(
        'update public.jobs set input = \'{"text": 7, "upstream": null}\' where id = %s', [singer.job_id]
    )

    assert singer.receive() == []
    assert (singer.job["status"], singer.job["error_kind"]) == ("failed", "invalid_input")
    assert singer.job["error"].startswith("text: Input should be a valid string")


@pytest.mark.parametrize(
    ("error", "status", "again"),
    [
        (errors.RateLimited("Busy.", retry_after=30), "queued", True),
        (errors.Transient("A 503."), "queued", True),
        (errors.BadOutput("Silence."), "queued", True),
        (errors.ContentRefused("Refused."), "queued", True),
        (errors.InvalidInput("Empty."), "failed", False),
        (errors.Auth("OPENAI_API_KEY was refused."), "failed", False),
        (errors.Sunset("Use its successor."), "failed", False),
        (errors.Quota("The account is empty."), "parked", False),
    ],
    ids=lambda value: value.kind.value if isinstance(value, errors.StageError) else None,
)
def test_each_kind_of_failure_becomes_its_own_fate(singer, error, status, again):
    failures = singer.receive(raising(error))

    job = singer.job
    assert failures == []
    assert (job["status"], job["error_kind"], job["error"]) == (status, error.kind.value, error.message)
    assert singer.sent == ([("sing", singer.job_id)] if again else [])


def test_a_retry_is_sent_for_when_it_is_due(singer):
    singer.receive(raising(errors.RateLimited("Busy.", retry_after=30)))

    assert 30 <= singer.queue.ready[0].delay <= 36


def test_a_bug_is_tried_again_and_tells_no_details(singer):
    assert singer.receive(raising(KeyError("secret"))) == []

    assert (singer.job["status"], singer.job["error_kind"], singer.job["fails"]) == ("queued", "internal", 1)
    assert "KeyError" in singer.job["error"]
    assert "secret" not in singer.job["error"]


def refused_by_postgres(job, services):
    return Outcome(SingOutput(sung=""), [Statement("insert into rig.results (job_id) values (null)")])


def with_nul_in_its_output(job, services):
    return Outcome(SingOutput(sung="a\x00b"))


def with_half_a_character_in_its_output(job, services):
    return Outcome(SingOutput.model_construct(sung="\ud800"))


def asking_nonsense(job, services):
    services.database.call("select nonsense")


@pytest.mark.parametrize(
    "run", [refused_by_postgres, with_nul_in_its_output, with_half_a_character_in_its_output, asking_nonsense]
)
def test_what_postgres_refuses_is_a_bug_of_the_stage_and_no_outage(singer, run):
    assert singer.receive(run) == []
    assert (singer.job["status"], singer.job["error_kind"], singer.job["fails"]) == ("queued", "internal", 1)


def test_a_message_with_characters_that_postgres_refuses_is_kept_without_them(singer):
    singer.receive(raising(errors.InvalidInput("a\x00b\ud800c")))

    assert (singer.job["status"], singer.job["error"]) == ("failed", "ab?c")


def test_calls_of_a_failed_attempt_are_counted(singer):
    def run(job, services):
        job.record(CALL)
        raise errors.BadOutput("Silence.", calls=[CALL])

    singer.receive(run)

    assert singer.rig.one("select sum(characters) as characters from public.usage_events")["characters"] == 14


def test_calls_that_are_recorded_immediately_are_counted_once(singer):
    def run(job, services):
        job.record(CALL, immediately=True)
        return Outcome(SingOutput(sung=""))

    singer.receive(run)

    assert singer.rig.one("select count(*) as calls from public.usage_events")["calls"] == 1


@pytest.mark.parametrize("nonsense", [float("nan"), float("inf"), -1.0])
def test_a_call_of_impossible_size_is_refused_where_it_is_made(nonsense):
    with pytest.raises(ValueError, match="seconds"):
        ProviderCall("paid", "m", seconds=nonsense)


def test_a_deferred_job_waits_with_its_state_and_is_woken(singer):
    singer.receive(lambda job, services: Deferral(45, {"ticket": 7}))

    assert (singer.job["status"], singer.job["state"], singer.job["fails"]) == ("queued", {"ticket": 7}, 0)
    assert [(job.id, job.delay) for job in singer.queue.ready] == [(singer.job_id, 45)]


def test_the_next_attempt_finds_the_state_of_the_deferral(singer):
    seen = []
    singer.receive(lambda job, services: Deferral(0, {"ticket": 7}))

    singer.receive(lambda job, services: seen.append(job.state) or Outcome(SingOutput(sung="")))

    assert seen == [{"ticket": 7}]


# --- what goes wrong around it --------------------------------------------------------------------------------------


def test_a_failing_queue_does_not_fail_what_is_done(singer):
    def refuse(jobs):
        raise OSError("no route")

    singer.queue.send = refuse

    assert singer.receive() == []
    assert singer.job["status"] == "succeeded"


def test_without_postgres_the_message_comes_again(singer):
    reachable = singer.services.database
    singer.services.engine._database = Database(
        "postgresql://127.0.0.1:1/nothing", "showrunner_worker", pauses_seconds=()
    )

    failures = singer.receive()
    singer.services.engine._database = reachable

    assert failures == [{"itemIdentifier": "0"}]
    assert singer.job["status"] == "queued"


def test_without_postgres_at_the_end_the_message_comes_again(singer):
    def run(job, services):
        services.engine._database = Database("postgresql://127.0.0.1:1/nothing", "nobody", pauses_seconds=())
        return Outcome(SingOutput(sung=""))

    assert singer.receive(run) == [{"itemIdentifier": "0"}]
    assert singer.job["status"] == "running"


def test_a_job_outlives_the_loss_of_its_connection(singer):
    def run(job, services):
        singer.rig.cut_connections()
        return Outcome(SingOutput(sung=""))

    assert singer.receive(run) == []
    assert singer.job["status"] == "succeeded"


def test_a_zombies_result_is_not_accepted_and_its_rows_are_not_written(singer):
    def run(job, services):
        singer.rig.age(job.id, lease_until=10_000)
        singer.rig.fail(job.id, job.attempt, "lost")
        return Outcome(
            SingOutput(sung=""), [Statement("insert into rig.results (job_id, attempt) values (%s, 1)", (job.id,))]
        )

    assert singer.receive(run) == []
    assert singer.job["status"] == "queued"
    assert singer.rig.owner.execute("select * from rig.results").fetchall() == []


def test_heartbeats_keep_a_short_lease_alive_and_carry_progress(beating):
    def run(job, services):
        first_lease = beating.job["lease_until"]
        job.progress(0.5)
        wait_until(
            lambda: beating.job["started_at"] < first_lease < beating.rig.one("select clock_timestamp() as t")["t"]
        )
        wait_until(lambda: beating.job["progress"] == 0.5)
        assert beating.rig.worker.execute("select * from engine.expired(10)").fetchall() == []
        return Outcome(SingOutput(sung="long"))

    beating.receive(run)

    assert beating.job["output"] == {"sung": "long"}


def test_work_stops_when_its_production_is_cancelled(beating):
    def run(job, services):
        beating.rig.cancel(beating.production)
        wait_until(lambda: job.pulse.stopped)
        job.raise_if_cancelled()
        return Outcome(SingOutput(sung="never"))

    assert beating.receive(run) == []
    assert (beating.job["status"], beating.sent) == ("cancelled", [])


def test_work_stops_when_its_lease_was_lost(beating):
    def run(job, services):
        beating.rig.age(job.id, lease_until=1_000)
        beating.rig.fail(job.id, job.attempt, "lost")
        wait_until(lambda: job.pulse.stopped)
        job.raise_if_cancelled()
        return Outcome(SingOutput(sung="never"))

    beating.receive(run)

    assert (beating.job["status"], beating.job["error_kind"]) == ("queued", "lost")
