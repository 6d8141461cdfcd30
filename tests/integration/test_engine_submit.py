"""Submit: a request becomes a production with its first jobs, once."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from tests.rigs.engine import WRITE_SPEAK_MASTER, Stage


@pytest.fixture
def kind(rig):
    return rig.pipeline("film", WRITE_SPEAK_MASTER)


def test_a_new_request_queues_the_jobs_of_the_first_stage_and_returns_them(rig, kind):
    organization = rig.organization()

    submitted = rig.submit(organization, kind, rig.subject(write=2, speak=3, master=1))

    queued = rig.jobs(submitted["production_id"])
    assert submitted["is_new"]
    assert [(job["stage"], job["key"], job["status"]) for job in queued] == [
        ("write", "k000", "queued"),
        ("write", "k001", "queued"),
    ]
    assert sorted(job["id"] for job in submitted["jobs"]) == sorted(str(job["id"]) for job in queued)
    assert {(job["stage"], job["organization_id"], job["delay"]) for job in submitted["jobs"]} == {
        ("write", str(organization), 0)
    }


def test_every_stage_of_the_pipeline_has_its_row_from_the_start(rig, kind):
    production = rig.start(kind, write=1, speak=3, master=1)

    assert [rig.stage(production, name)["status"] for name in ("write", "speak", "master")] == [
        "running",
        "pending",
        "pending",
    ]


def test_the_same_idempotency_key_returns_the_same_production_and_no_jobs(rig, kind):
    organization, subject = rig.organization(), rig.subject(write=1)
    first = rig.submit(organization, kind, subject, "tap")

    second = rig.submit(organization, kind, subject, "tap")

    assert second == {"production_id": first["production_id"], "is_new": False, "jobs": []}


def test_two_organizations_may_use_the_same_idempotency_key(rig, kind):
    first = rig.submit(rig.organization(), kind, rig.subject(write=1), "tap")

    second = rig.submit(rig.organization(), kind, rig.subject(write=1), "tap")

    assert second["is_new"]
    assert second["production_id"] != first["production_id"]


def test_an_idempotency_key_of_another_subject_is_refused(rig, kind):
    organization = rig.organization()
    rig.submit(organization, kind, rig.subject(write=1), "tap")

    with pytest.raises(psycopg.errors.UniqueViolation, match="idempotency_key: tap was used for another request"):
        rig.submit(organization, kind, rig.subject(write=1), "tap")


def test_a_second_open_production_of_a_subject_is_refused_and_names_the_first(rig, kind):
    organization, subject = rig.organization(), rig.subject(write=1)
    first = rig.submit(organization, kind, subject)

    with pytest.raises(psycopg.errors.UniqueViolation, match=f"already being made by .* {first['production_id']}"):
        rig.submit(organization, kind, subject)


@pytest.mark.parametrize("key", [None, "tap"])
def test_a_production_that_ends_while_another_is_asked_for_is_not_in_the_way(rig, kind, key):
    """It is there when the row is refused, and over when it is looked for."""
    organization, subject = rig.organization(), rig.subject(write=1)
    first = rig.submit(organization, kind, subject)
    rig.owner.execute(
        """create function rig.end_it() returns trigger language plpgsql as $$
           begin
               update public.productions set status = 'cancelled', finished_at = now() where status = 'queued';
               drop trigger ends_meanwhile on public.productions;
               return null;
           end $$"""
    )
    rig.owner.execute(
        "create trigger ends_meanwhile after insert on public.productions"
        " for each statement execute function rig.end_it()"
    )

    second = rig.submit(organization, kind, subject, key)

    assert second["is_new"]
    assert second["production_id"] != first["production_id"]


def test_a_subject_may_be_made_again_when_its_production_is_over(rig, kind):
    organization, subject = rig.organization(), rig.subject(write=1)
    first = rig.submit(organization, kind, subject)
    rig.finish(first["production_id"])

    second = rig.submit(organization, kind, subject)

    assert second["is_new"]


def test_an_unknown_kind_is_refused_and_the_known_ones_are_named(rig, kind):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"kind: opera is not .* allowed: .*film"):
        rig.submit(rig.organization(), "opera", uuid.uuid4())


def test_a_request_that_its_caller_does_not_dispatch_is_due_at_once(rig, kind):
    submitted = rig.submit(rig.organization(), kind, rig.subject(write=1), dispatched=False)

    assert [job["id"] for job in rig.sweep()] == [job["id"] for job in submitted["jobs"]]


def test_a_request_that_its_caller_dispatches_is_left_alone_by_the_sweeper(rig, kind):
    rig.submit(rig.organization(), kind, rig.subject(write=1), dispatched=True)

    assert rig.sweep() == []


def test_a_production_of_nothing_completes_at_once(rig, kind):
    production = rig.start(kind)

    row = rig.production(production)
    assert (row["status"], row["progress"], row["finished_at"] is not None) == ("completed", 100, True)


def test_a_stage_without_a_view_has_one_job_with_an_empty_key(rig):
    kind = rig.pipeline("single", [Stage("only", fans_out=False)])

    production = rig.start(kind)

    assert [(job["key"], job["input"]) for job in rig.jobs(production)] == [("", {})]


def test_the_production_sums_the_estimates_of_what_it_queued(rig, kind):
    production = rig.start(kind, estimate=0.25, write=3)

    assert float(rig.production(production)["estimate_gbp"]) == 0.75
