"""The barrier between stages: it opens exactly once, however its siblings finish."""

from __future__ import annotations

import pytest

from tests.rigs.engine import WRITE_SPEAK_MASTER, Stage
from tests.rigs.together import together

DIAMOND = (
    Stage("cut"),
    Stage("sound", after=("cut",)),
    Stage("picture", after=("cut",)),
    Stage("render", after=("sound", "picture"), joins=True),
)


def finish_together(rig, production, *stages):
    """Complete every queued job of the stages at the same instant; return what each completion told to send."""
    granted = []
    for job in rig.jobs(production):
        if job["stage"] in stages:
            claim = rig.claim(job["id"])
            assert claim["outcome"] == "granted"
            granted.append((job["id"], claim["attempt"], rig.open_worker()))
    return together([lambda one=one: rig.complete(one[0], one[1], on=one[2])["next"] for one in granted])


def test_the_last_of_several_siblings_opens_the_next_stage(rig):
    production = rig.start(rig.pipeline("film", WRITE_SPEAK_MASTER), write=2, speak=3, master=1)
    first, second = (rig.claim(job["id"]) and job["id"] for job in rig.jobs(production, "write"))

    nothing = rig.complete(first, 1)["next"]
    opened = rig.complete(second, 1)["next"]

    assert nothing == []
    assert [sent["stage"] for sent in opened] == ["speak"] * 3


@pytest.mark.parametrize("round_", range(3))
def test_siblings_that_finish_at_the_same_instant_open_the_next_stage_once(rig, round_):
    production = rig.start(rig.pipeline("film", WRITE_SPEAK_MASTER), write=8, speak=3, master=1)

    told = finish_together(rig, production, "write")

    assert sorted(len(jobs) for jobs in told) == [0] * 7 + [3]
    assert [job["status"] for job in rig.jobs(production, "speak")] == ["queued"] * 3
    assert rig.violations() == {}


@pytest.mark.parametrize("round_", range(3))
def test_two_stages_that_finish_at_the_same_instant_open_the_stage_that_joins_them_once(rig, round_):
    production = rig.start(rig.pipeline("video", DIAMOND), cut=1, sound=3, picture=3, render=1)
    rig.finish(production, "cut")

    told = finish_together(rig, production, "sound", "picture")

    assert sorted(len(jobs) for jobs in told) == [0] * 5 + [1]
    assert rig.stage(production, "render")["status"] == "running"


def test_a_joining_stage_waits_for_both_of_its_predecessors(rig):
    production = rig.start(rig.pipeline("video", DIAMOND), cut=1, sound=1, picture=1, render=1)
    rig.finish(production, "cut")

    rig.finish(production, "sound")

    assert rig.stage(production, "render")["status"] == "pending"
    assert rig.jobs(production, "render") == []


def test_the_joining_job_reads_what_its_predecessors_made(rig):
    production = rig.start(rig.pipeline("video", DIAMOND), cut=1, sound=2, picture=1, render=1)
    rig.finish(production, "cut", "sound", "picture")

    made = [job["output_hash"] for stage in ("picture", "sound") for job in rig.jobs(production, stage)]
    assert rig.jobs(production, "render")[0]["input"]["upstream"] == made


@pytest.mark.parametrize("width", [1, 40])
def test_a_production_completes_whatever_its_fan_out(rig, width):
    production = rig.start(rig.pipeline("film", WRITE_SPEAK_MASTER), write=1, speak=width, master=1)

    ran = rig.finish(production)

    row = rig.production(production)
    assert (len(ran), row["status"], row["progress"]) == (width + 2, "completed", 100)
    assert rig.violations(at_rest=True) == {}


def test_a_stage_without_jobs_is_done_at_once_and_the_next_opens(rig):
    production = rig.start(rig.pipeline("film", WRITE_SPEAK_MASTER), write=1, speak=0, master=1)

    ran = rig.finish(production)

    assert ran == [("write", "k000"), ("master", "k000")]
    assert rig.stage(production, "speak")["status"] == "done"
    assert rig.production(production)["status"] == "completed"


def test_the_stage_shows_how_many_of_how_many(rig):
    production = rig.start(rig.pipeline("song", [Stage("sing")]), sing=4)
    rig.complete(*rig.granted(production, "sing"))

    stage = rig.stage(production, "sing")

    assert (stage["total"], stage["remaining"], stage["status"]) == (4, 3, "running")


def test_progress_is_weighted_by_stage(rig):
    kind = rig.pipeline("song", [Stage("write", weight=1), Stage("sing", after=("write",), weight=9)])
    production = rig.start(kind, write=1, sing=2)

    rig.finish(production, "write")
    after_writing = rig.production(production)["progress"]
    rig.complete(*rig.granted(production, "sing"))

    assert (after_writing, rig.production(production)["progress"]) == (10, 55)


def test_progress_never_falls_when_a_stage_turns_out_larger(rig):
    production = rig.start(rig.pipeline("film", WRITE_SPEAK_MASTER), write=1, speak=30, master=1)
    seen = [0]

    while rig.production(production)["status"] != "completed":
        stage = rig.production(production)["current_stage"]
        rig.complete(*rig.granted(production, stage))
        seen.append(rig.production(production)["progress"])

    assert seen == sorted(seen)
    assert len(set(seen)) > 10


def test_a_stage_says_when_it_started_and_ended(rig):
    production = rig.start(rig.pipeline("song", [Stage("sing")]), sing=1)
    rig.finish(production)

    stage = rig.stage(production, "sing")

    assert stage["started_at"] < stage["finished_at"]


def test_the_current_stage_is_the_one_that_runs(rig):
    production = rig.start(rig.pipeline("film", WRITE_SPEAK_MASTER), write=1, speak=1, master=1)
    seen = [rig.production(production)["current_stage"]]

    for stage in ("write", "speak", "master"):
        rig.finish(production, stage)
        seen.append(rig.production(production)["current_stage"])

    assert seen == ["write", "speak", "master", "master"]
