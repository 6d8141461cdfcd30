"""The program as its user runs it, in processes of its own: an episode, one edited line, what it says of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.postgres import Postgres
from local.stack import database_home
from tests.rigs.laptop import PROJECT
from tests.rigs.program import Program


@pytest.fixture(scope="module")
def showrunner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    state = tmp_path_factory.mktemp("state")
    state.chmod(0o711)
    yield Program(state)
    Postgres(database_home(state)).remove()


@pytest.fixture(scope="module")
def demo(showrunner: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a demo of one minute left."""
    folder = tmp_path_factory.mktemp("out")
    showrunner("demo", "--minutes", "1", "--out", str(folder))
    return folder


@pytest.fixture(scope="module")
def report(demo: Path) -> dict[str, object]:
    value: dict[str, object] = json.loads((demo / "report.json").read_text())
    return value


def lines_of(showrunner: Program, production: str) -> list[str]:
    """The ids of the script's lines, in order."""
    query = (
        "select blocks.id from public.blocks join public.productions on subject_id = episode_id "
        f"where productions.id = '{production}' order by position"
    )
    return showrunner("psql", "-At", "-c", query).split()


def test_a_demo_leaves_every_file(demo: Path) -> None:
    assert {path.name for path in demo.iterdir()} == {
        "episode.mp3", "episode.vtt", "chapters.json", "feed.xml", "report.json"
    }  # fmt: skip
    assert (demo / "episode.vtt").read_text().startswith("WEBVTT")
    assert json.loads((demo / "chapters.json").read_text())["version"] == "1.2.0"


def test_the_report_has_the_episodes_figures(report: dict[str, object]) -> None:
    assert report["status"] == "completed"
    assert report["duration_seconds"] == pytest.approx(60, rel=0.05)
    assert report["integrated_lufs"] == pytest.approx(-16, abs=0.5)
    assert isinstance(report["true_peak_dbtp"], float)
    assert report["true_peak_dbtp"] <= -1
    assert report["jobs"] == report["attempts"]
    stages = report["seconds_per_stage"]
    assert isinstance(stages, dict)
    assert list(stages) == [
        "ingest_sources", "write_outline", "write_script", "speak_line", "master_episode", "publish_episode"
    ]  # fmt: skip
    assert (report["estimated_cost_gbp"], report["measured_cost_gbp"]) == (0, 0)


def test_one_edited_line_is_the_only_one_spoken_again(
    showrunner: Program, demo: Path, report: dict[str, object]
) -> None:
    production = str(report["production_id"])
    line = lines_of(showrunner, production)[2]

    showrunner("edit", line, "--text", "Pineapples are quite rare on this coast.")
    plan = showrunner("rebuild", production, "--dry-run")
    showrunner("rebuild", production)
    showrunner("files", production, "--out", str(demo))

    assert "3 jobs, about 0.0000 GBP" in plan
    assert plan.count("speak_line") == 1
    assert line in plan
    assert "Pineapples are quite rare" in (demo / "episode.vtt").read_text().replace("\n", " ")
    again = json.loads((demo / "report.json").read_text())
    assert (again["build"], again["attempts"]) == (2, again["jobs"] + 3)
    assert "Nothing has changed" in showrunner("rebuild", production, "--dry-run")


def test_a_request_is_made_by_the_stack_that_runs_next(showrunner: Program, demo: Path) -> None:
    production = showrunner("request", "--minutes", "1", "--key", "once").strip()
    before = showrunner("status", production)

    after = showrunner("watch", production)

    assert "0 of 1 done. It is in the queue" in before
    assert "It is completed." in after


def test_status_lists_productions_and_explains_one(showrunner: Program, report: dict[str, object]) -> None:
    production = str(report["production_id"])

    assert production in showrunner("status")
    assert "It is completed." in showrunner("status", production)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("demo", "--minutes", "0"), "minutes: 0 is out of range; allowed: 1 to 120."),
        (("demo", "--minutes", "10000"), "minutes: 10000 is out of range; allowed: 1 to 120."),
        (("demo", "--text", "nowhere.md"), "text: nowhere.md is not a file."),
        (("demo", "--voices", "espeak/nobody"), "voices: 'espeak/nobody' is unknown"),
        (("status", "17"), "id: '17' is not an id"),
        (("watch", "00000000-0000-4000-8000-000000000000"), "production 00000000-0000-4000-8000-000000000000"),
        (("cancel", "00000000-0000-4000-8000-000000000000"), "production: 00000000-0000-4000-8000-000000000000"),
        (("ask", "00000000-0000-4000-8000-000000000000", "Why?"), "production 00000000-0000-4000-8000-000000000000"),
        (("clip", "00000000-0000-4000-8000-000000000000"), "subject_id: 00000000-0000-4000-8000-000000000000"),
        (("invoke", "nothing"), "function: 'nothing' has no sample event"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(
    showrunner: Program, demo: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    said = showrunner(*arguments, code=2)

    assert sentence in said
    assert "Traceback" not in said


def test_an_episode_is_asked_about_and_a_highlight_is_taken(
    showrunner: Program, demo: Path, report: dict[str, object], tmp_path: Path
) -> None:
    production = str(report["production_id"])

    answer = showrunner("ask", production, "What do the Moon and the Earth do to the tide?")
    listed = showrunner("highlights", production)
    highlight = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", listed)[0]
    cut = showrunner("clip", highlight, "--out", str(tmp_path))

    assert re.search(r"\[1\].*\n +\[1\] (?:\d+:\d\d-\d+:\d\d|\S+).* “.+”", answer, re.DOTALL)
    assert "review" in listed
    assert "LUFS" in cut
    assert (tmp_path / "clip.mp3").stat().st_size > 10_000
    assert (tmp_path / "clip.txt").read_text().strip()


def test_a_function_answers_its_sample_event(showrunner: Program, demo: Path) -> None:
    answer = json.loads(showrunner("invoke", "sweep_jobs"))

    # An episode's review may be waiting to be sent.
    assert answer == {"lost": 0, "ready": answer["ready"], "sent": answer["ready"]}


def test_all_migrations_are_applied(showrunner: Program, demo: Path) -> None:
    listed = showrunner("migrate", "--status").splitlines()

    assert len(listed) == len(list((PROJECT / "supabase" / "migrations").glob("*.sql")))
    assert all(line.startswith("applied") for line in listed)


def test_status_tells_how_the_database_stands(showrunner: Program, demo: Path) -> None:
    said = showrunner("status", "--db")
    query = "select count(*) from public.jobs where status = "
    queued, running, parked = (
        showrunner("psql", "-At", "-c", f"{query}'{status}'").strip() for status in ("queued", "running", "parked")
    )

    assert "public.jobs" in said
    assert re.search(r"connections +\d+ \w+.* of at most \d+", said)
    assert re.search(rf"jobs +{queued} queued, {running} running, {parked} parked", said)


def test_a_token_needs_a_stack_that_runs(showrunner: Program, demo: Path) -> None:
    assert "No stack is running" in showrunner("token", code=1)
