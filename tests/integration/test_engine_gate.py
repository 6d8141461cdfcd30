"""Gates: a stage that waits for a person's approval."""

from __future__ import annotations

import pytest

from tests.rigs.engine import Stage


@pytest.fixture
def kind(rig):
    return rig.pipeline(
        "story",
        [Stage("write"), Stage("speak", after=("write",), gate=True, joins=True), Stage("publish", after=("speak",))],
    )


def approve(rig, production):
    return rig.call("approve", production, True)["approve"]


@pytest.fixture
def waiting(rig, kind):
    production = rig.start(kind, write=1, speak=2, publish=1)
    rig.finish(production)
    return production


def test_a_gate_stops_the_production_and_says_for_what(rig, waiting):
    row = rig.production(waiting)

    assert (row["status"], row["waiting_for"], row["current_stage"]) == ("waiting", "approval", "speak")
    assert rig.stage(waiting, "speak")["status"] == "waiting"
    assert rig.jobs(waiting, "speak") == []


def test_approval_opens_the_gate_and_returns_the_jobs(rig, waiting):
    opened = approve(rig, waiting)

    assert [job["stage"] for job in opened] == ["speak", "speak"]
    assert (rig.production(waiting)["status"], rig.production(waiting)["waiting_for"]) == ("running", None)


def test_an_approved_production_completes(rig, waiting):
    approve(rig, waiting)

    rig.finish(waiting)

    assert rig.production(waiting)["status"] == "completed"


def test_approving_twice_opens_once(rig, waiting):
    approve(rig, waiting)

    assert approve(rig, waiting) is None
    assert len(rig.jobs(waiting, "speak")) == 2


def test_nothing_to_approve_is_no_approval(rig, kind):
    production = rig.start(kind, write=1, speak=1, publish=1)

    assert approve(rig, production) is None
    rig.finish(production)
    assert rig.production(production)["status"] == "waiting"


def test_a_cancelled_production_cannot_be_approved(rig, waiting):
    rig.cancel(waiting)

    assert approve(rig, waiting) is None


def test_a_production_that_waits_for_approval_can_be_rebuilt(rig, waiting):
    rig.rebuild(waiting, "write")

    assert rig.finish(waiting) == [("write", "k000")]
    assert rig.production(waiting)["waiting_for"] == "approval"


def test_an_approval_stands_while_what_was_approved_is_kept(rig, waiting):
    approve(rig, waiting)
    rig.fail(*rig.granted(waiting, "speak"), "invalid_input")
    rig.finish(waiting)

    rig.rebuild(waiting)

    assert rig.finish(waiting) == [("speak", "k000"), ("publish", "k000")]
    assert rig.production(waiting)["status"] == "completed"


def test_an_approval_falls_when_what_was_approved_is_made_anew(rig, waiting):
    approve(rig, waiting)
    rig.finish(waiting)
    rig.edit(rig.production(waiting)["subject_id"], "write", "k000", "another text")

    rig.rebuild(waiting)

    assert rig.finish(waiting) == [("write", "k000")]
    assert rig.production(waiting)["waiting_for"] == "approval"


def test_the_time_since_when_it_waits_stands_still_while_a_parallel_stage_works(rig):
    kind = rig.pipeline("video", [Stage("cut"), Stage("sign", after=("cut",), gate=True), Stage("mix", after=("cut",)),
                                  Stage("master", after=("mix",))])  # fmt: skip
    production = rig.start(kind, cut=1, sign=1, mix=1, master=1)
    rig.finish(production, "cut")
    since = rig.stage(production, "sign")["started_at"]

    rig.finish(production)

    assert rig.stage(production, "sign")["started_at"] == since
    assert rig.production(production)["waiting_for"] == "approval"
