"""Rebuild: what exists is compared with what is desired, and only the difference runs."""

from __future__ import annotations

import psycopg
import pytest

from tests.rigs.engine import WRITE_SPEAK_MASTER, Stage
from tests.rigs.together import start, wait_until_blocked


@pytest.fixture
def kind(rig):
    return rig.pipeline("film", WRITE_SPEAK_MASTER)


@pytest.fixture
def subject(rig):
    return rig.subject(write=["draft"], speak=["a", "b", "c"], master=["whole"])


@pytest.fixture
def finished(rig, kind, subject):
    production = rig.submit(rig.organization(), kind, subject)["production_id"]
    rig.finish(production)
    return production


def attempts(rig, production):
    return {(job["stage"], job["key"]): job["attempt"] for job in rig.jobs(production)}


def test_a_rebuild_of_what_is_up_to_date_runs_nothing(rig, finished):
    jobs = rig.rebuild(finished)

    row = rig.production(finished)
    assert (jobs, rig.finish(finished)) == ([], [])
    assert (row["status"], row["build"], row["progress"]) == ("completed", 2, 100)


def test_an_edited_item_runs_again_with_what_joins_it_and_nothing_else(rig, finished, subject):
    rig.edit(subject, "speak", "b", "other words")

    rig.rebuild(finished)

    assert rig.finish(finished) == [("speak", "b"), ("master", "whole")]
    assert attempts(rig, finished)["speak", "a"] == 1


def test_kept_jobs_are_the_very_same_rows(rig, finished, subject):
    before = {job["key"]: job for job in rig.jobs(finished, "speak")}
    rig.edit(subject, "speak", "b", "other words")

    rig.rebuild(finished)
    rig.finish(finished)

    after = {job["key"]: job for job in rig.jobs(finished, "speak")}
    assert [key for key in after if after[key] != before[key]] == ["b"]
    assert after["b"]["id"] == before["b"]["id"]


def test_an_output_that_did_not_change_stops_the_rebuild_there(rig, finished, subject):
    rig.edit(subject, "speak", "b", "other words")
    rig.rebuild(finished)
    job, attempt = rig.granted(finished, "speak", "b")
    before = {"of": {"text": "text of b", "upstream": None}}

    rig.complete(job, attempt, before)

    assert rig.production(finished)["status"] == "completed"
    assert attempts(rig, finished)["master", "whole"] == 1


def test_a_new_item_runs_with_what_joins_it(rig, finished, subject):
    rig.add(subject, "speak", ["d"])

    rig.rebuild(finished)

    assert rig.finish(finished) == [("speak", "d"), ("master", "whole")]


def test_a_vanished_item_is_retired_and_what_joined_it_runs_again(rig, finished, subject):
    rig.remove(subject, "speak", "b")

    rig.rebuild(finished)

    retired = next(job for job in rig.jobs(finished, "speak") if job["key"] == "b")
    assert rig.finish(finished) == [("master", "whole")]
    assert (retired["status"], retired["error"]) == ("cancelled", "Nothing desires this job any more.")
    assert rig.stage(finished, "speak")["total"] == 2


def test_a_retired_item_that_comes_back_runs_again(rig, finished, subject):
    rig.remove(subject, "speak", "b")
    rig.rebuild(finished)
    rig.finish(finished)
    rig.add(subject, "speak", ["b"])

    rig.rebuild(finished)

    assert ("speak", "b") in rig.finish(finished)


def test_an_authoring_stage_is_kept_although_its_input_changed(rig, finished, subject):
    rig.edit(subject, "write", "draft", "another brief")

    rig.rebuild(finished)

    assert rig.finish(finished) == []


def test_an_authoring_stage_runs_again_when_it_is_named(rig, finished):
    rig.rebuild(finished, "write")

    assert rig.finish(finished) == [("write", "draft")]


def test_an_authoring_stage_after_the_named_one_runs_when_its_input_changed(rig):
    kind = rig.pipeline(
        "book", [Stage("outline", sticky=True), Stage("script", after=("outline",), sticky=True, joins=True)]
    )
    production = rig.start(kind, outline=1, script=1)
    rig.finish(production)
    rig.rebuild(production, "outline")

    rig.complete(*rig.granted(production, "outline"), {"another": "outline"})

    assert rig.finish(production) == [("script", "k000")]


def test_a_named_stage_runs_whole(rig, finished):
    rig.rebuild(finished, "speak")

    assert rig.finish(finished) == [("speak", "a"), ("speak", "b"), ("speak", "c")]


def test_a_failed_production_resumes_at_what_failed(rig, kind, subject):
    production = rig.submit(rig.organization(), kind, subject)["production_id"]
    rig.finish(production, "write")
    rig.fail(*rig.granted(production, "speak", "b"), "invalid_input")
    rig.finish(production)
    rig.edit(subject, "speak", "b", "words that can be spoken")

    rig.rebuild(production)

    assert rig.finish(production) == [("speak", "b"), ("master", "whole")]
    assert rig.production(production)["status"] == "completed"
    assert rig.production(production)["error"] is None


def test_a_production_that_an_environment_failed_resumes_with_what_was_parked(rig, kind, subject):
    production = rig.submit(rig.organization(), kind, subject)["production_id"]
    rig.finish(production, "write")
    rig.fail(*rig.granted(production, "speak", "b"), "auth")

    rig.rebuild(production)

    assert [job["attempt"] for job in rig.jobs(production, "speak")] == [0, 1, 0]
    assert rig.finish(production) == [("speak", "a"), ("speak", "b"), ("speak", "c"), ("master", "whole")]


def test_a_cancelled_production_resumes_with_what_was_not_done(rig, kind, subject):
    production = rig.submit(rig.organization(), kind, subject)["production_id"]
    rig.finish(production, "write")
    rig.complete(*rig.granted(production, "speak", "a"))
    rig.cancel(production)

    rig.rebuild(production)

    assert rig.finish(production) == [("speak", "b"), ("speak", "c"), ("master", "whole")]


def test_an_attempt_that_outlived_a_cancel_is_fenced_off_by_the_rebuild(rig, kind, subject):
    production = rig.submit(rig.organization(), kind, subject)["production_id"]
    zombie = rig.granted(production, "write")
    rig.cancel(production)

    rig.rebuild(production)

    assert not rig.complete(*zombie)["accepted"]
    assert rig.violations() == {}
    assert rig.granted(production, "write")[1] == zombie[1] + 1


def test_a_rebuild_gives_back_what_an_outliving_attempt_held(rig, kind):
    organization = rig.organization()
    production = rig.submit(organization, kind, rig.subject(estimate=2, write=1))["production_id"]
    rig.granted(production, "write")
    rig.cancel(production)

    rig.rebuild(production)

    assert rig.reserved(organization) == 0
    assert rig.violations() == {}


def test_the_place_of_an_outliving_attempt_goes_to_the_next_job_with_the_rebuild(rig, kind):
    organization = rig.organization(running=1)
    production = rig.submit(organization, kind, rig.subject(write=1))["production_id"]
    rig.granted(production, "write")
    waiting = rig.jobs(rig.submit(organization, kind, rig.subject(write=1))["production_id"])[0]["id"]
    rig.claim(waiting)
    rig.cancel(production)

    rig.rebuild(production)

    assert rig.job(waiting)["status"] == "queued"
    assert rig.claim(waiting)["outcome"] == "granted"


def test_a_rebuild_whose_caller_sends_nothing_leaves_the_next_job_to_the_sweep(rig, kind):
    organization = rig.organization(running=1)
    production = rig.submit(organization, kind, rig.subject(write=1))["production_id"]
    rig.granted(production, "write")
    waiting = rig.jobs(rig.submit(organization, kind, rig.subject(write=1))["production_id"])[0]["id"]
    rig.claim(waiting)
    rig.cancel(production)

    rig.call("rebuild", production, None, False)

    assert str(waiting) in [sent["id"] for sent in rig.sweep()]


def test_a_running_production_cannot_be_rebuilt(rig, kind, subject):
    production = rig.submit(rig.organization(), kind, subject)["production_id"]

    with pytest.raises(psycopg.errors.ObjectInUse, match=f"production: {production} is queued"):
        rig.rebuild(production)


def test_a_rebuild_from_an_unknown_stage_names_the_known_ones(rig, finished):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"from_stage: sing is not .* write, speak, master"):
        rig.rebuild(finished, "sing")


def test_a_rebuild_counts_only_what_it_queues(rig, kind):
    subject = rig.subject(estimate=1, write=1, speak=3, master=1)
    production = rig.submit(rig.organization(), kind, subject)["production_id"]
    rig.finish(production)
    rig.edit(subject, "speak", "k001", "other words")

    rig.rebuild(production)
    rig.finish(production)

    assert rig.production(production)["estimate_gbp"] == 2


def test_progress_of_a_rebuild_starts_with_what_is_kept(rig, finished, subject):
    rig.edit(subject, "speak", "b", "other words")

    rig.rebuild(finished)

    assert 33 <= rig.production(finished)["progress"] < 100


def test_two_rebuilds_at_once_are_one(rig, finished, subject):
    rig.edit(subject, "speak", "b", "other words")
    rig.owner.execute("begin")
    rig.owner.execute("select from public.production_stages where production_id = %s for no key update", [finished])
    workers = [rig.open_worker() for _ in range(2)]
    answers = []

    def rebuild(worker):
        try:
            answers.append(rig.call("rebuild", finished, None, True, on=worker)["build"])
        except psycopg.errors.ObjectInUse:
            answers.append("in use")

    threads = [start(lambda worker=worker: rebuild(worker)) for worker in workers]
    for worker in workers:
        wait_until_blocked(rig.owner_url, worker)
    rig.owner.execute("commit")
    for thread in threads:
        thread.join()

    assert sorted(map(str, answers)) == ["2", "in use"]


def test_a_completion_that_opens_a_stage_and_a_rebuild_that_is_refused_do_not_block_each_other(rig, finished, subject):
    """The rebuild waits for the running job; the completion writes jobs of the next stage, which exist already."""
    rig.edit(subject, "speak", "b", "other words")
    rig.rebuild(finished)
    job, attempt = rig.granted(finished, "speak", "b")
    worker, rebuilder = rig.open_worker(), rig.open_worker()
    worker.execute("begin")
    worker.execute("select engine.fence(%s, %s)", [job, attempt])
    refused = []

    def rebuild():
        try:
            rig.call("rebuild", finished, None, True, on=rebuilder)
        except psycopg.Error as error:
            refused.append(error.sqlstate)

    thread = start(rebuild)
    wait_until_blocked(rig.owner_url, rebuilder)

    finish = rig.complete(job, attempt, on=worker)
    worker.execute("commit")
    thread.join()

    assert [sent["stage"] for sent in finish["next"]] == ["master"]
    assert refused == ["55006"]


AUTHORED = (
    Stage("outline", sticky=True, max_fails=1),
    Stage("script", after=("outline",), sticky=True, joins=True),
    Stage("speak", after=("script",), joins=True),
)


@pytest.fixture
def broken_off(rig):
    """A finished book whose outline was to be written again; that failed."""
    production = rig.start(rig.pipeline("book", AUTHORED), outline=1, script=1, speak=1)
    rig.finish(production)
    rig.rebuild(production, "outline")
    rig.fail(*rig.granted(production, "outline"), "transient")
    return production


def test_a_retry_still_means_what_the_rebuild_that_failed_was_asked_for(rig, broken_off):
    foreseen = [(stage, key) for stage, key, _ in rig.preview(broken_off)]
    rig.rebuild(broken_off)
    rig.complete(*rig.granted(broken_off, "outline"), {"another": "outline"})

    ran = rig.finish(broken_off)

    assert ran == [("script", "k000"), ("speak", "k000")]
    assert foreseen == [("outline", "k000"), *ran]


def test_a_later_rebuild_from_further_down_does_not_forget_the_one_that_failed(rig, broken_off):
    rig.rebuild(broken_off, "speak")
    rig.complete(*rig.granted(broken_off, "outline"), {"another": "outline"})

    assert rig.finish(broken_off) == [("script", "k000"), ("speak", "k000")]


def test_a_retry_keeps_what_the_rebuild_that_failed_had_already_made_anew(rig, broken_off):
    rig.rebuild(broken_off)
    rig.complete(*rig.granted(broken_off, "outline"), {"another": "outline"})
    rig.fail(*rig.granted(broken_off, "script"), "invalid_input")

    rig.rebuild(broken_off)

    assert rig.finish(broken_off) == [("script", "k000"), ("speak", "k000")]


def test_a_build_that_completed_protects_authoring_stages_again(rig, broken_off):
    rig.rebuild(broken_off)
    rig.finish(broken_off)
    subject = rig.production(broken_off)["subject_id"]
    rig.edit(subject, "script", "k000", "another brief")

    rig.rebuild(broken_off)

    assert rig.finish(broken_off) == []


def test_a_rebuild_has_the_stages_that_the_pipeline_has_gained(rig):
    kind = rig.pipeline("hum", [Stage("hum")])
    subject = rig.subject(hum=1, master=1)
    production = rig.submit(rig.organization(), kind, subject)["production_id"]
    rig.finish(production)
    rig.owner.execute(
        "insert into engine.pipelines (kind, stage, position, after) values ('hum', 'master', 2, '{hum}')"
    )

    rig.rebuild(production)

    assert rig.finish(production) == [("master", "")]
    assert rig.production(production)["status"] == "completed"
