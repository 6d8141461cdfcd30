"""The preview of a rebuild: which jobs would run, why, and nothing is changed by asking."""

from __future__ import annotations

import psycopg
import pytest

from tests.rigs.engine import WRITE_SPEAK_MASTER, Stage


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


CHANGES = {
    "nothing": lambda rig, subject: None,
    "one item edited": lambda rig, subject: rig.edit(subject, "speak", "b", "other words"),
    "two items edited": lambda rig, subject: [rig.edit(subject, "speak", key, "other words") for key in "ac"],
    "an item added": lambda rig, subject: rig.add(subject, "speak", ["d"]),
    "an item removed": lambda rig, subject: rig.remove(subject, "speak", "b"),
    "the draft edited": lambda rig, subject: rig.edit(subject, "write", "draft", "another brief"),
    "the whole edited": lambda rig, subject: rig.edit(subject, "master", "whole", "louder"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_preview_is_what_runs(rig, finished, subject, change):
    CHANGES[change](rig, subject)
    foreseen = [(stage, key) for stage, key, _ in rig.preview(finished)]

    rig.rebuild(finished)

    assert sorted(rig.finish(finished)) == sorted(foreseen)


def test_the_preview_of_a_failed_production_is_what_runs(rig, kind, subject):
    production = rig.submit(rig.organization(), kind, subject)["production_id"]
    rig.finish(production, "write")
    rig.fail(*rig.granted(production, "speak", "b"), "invalid_input")
    rig.finish(production)

    assert rig.preview(production) == [("speak", "b", "failed"), ("master", "whole", "new")]


def test_the_preview_says_why_each_job_would_run(rig, finished, subject):
    rig.edit(subject, "speak", "b", "other words")
    rig.add(subject, "speak", ["d"])

    assert rig.preview(finished) == [
        ("speak", "b", "changed"),
        ("speak", "d", "new"),
        ("master", "whole", "follows"),
    ]


def test_the_preview_of_a_vanished_item_shows_what_joined_it(rig, finished, subject):
    rig.remove(subject, "speak", "b")

    assert rig.preview(finished) == [("master", "whole", "follows")]


def test_the_preview_of_a_named_stage_shows_it_and_what_follows(rig, finished):
    assert rig.preview(finished, "speak") == [
        ("speak", "a", "named"),
        ("speak", "b", "named"),
        ("speak", "c", "named"),
        ("master", "whole", "follows"),
    ]


def test_the_preview_follows_item_by_item_where_stages_share_their_keys(rig):
    kind = rig.pipeline(
        "dub", [Stage("translate"), Stage("speak", after=("translate",)), Stage("mix", after=("speak",))]
    )
    subject = rig.subject(translate=["a", "b"], speak=["a", "b"], mix=["whole"])
    production = rig.submit(rig.organization(), kind, subject)["production_id"]
    rig.finish(production)
    rig.edit(subject, "translate", "b", "other words")

    assert rig.preview(production) == [
        ("translate", "b", "changed"),
        ("speak", "b", "follows"),
        ("mix", "whole", "follows"),
    ]


def test_the_preview_changes_nothing(rig, finished, subject):
    rig.edit(subject, "speak", "b", "other words")
    before = rig.jobs(finished)

    rig.preview(finished)

    assert rig.jobs(finished) == before
    assert rig.production(finished)["build"] == 1


def test_the_preview_from_an_unknown_stage_names_the_known_ones(rig, finished):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"from_stage: sing is not .* write, speak, master"):
        rig.preview(finished, "sing")


def test_the_preview_of_an_unknown_production_names_it(rig, kind):
    with pytest.raises(psycopg.errors.NoDataFound, match=r"production: 00000000-.* does not exist"):
        rig.preview("00000000-0000-0000-0000-000000000000")
