"""The benchmark of the engine does what its figures claim: counted here, timed nowhere."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from benchmarks.engine.adapters.showrunner import LINES, SCHEMA, Showrunner
from benchmarks.engine.engines import ENGINES
from benchmarks.engine.measures import Speed
from benchmarks.engine.protocol import Order, carry_out
from benchmarks.engine.table import Results, tables
from tests.conftest import DatabaseForOneTest

OPEN_JOBS = ENGINES[0].open_jobs


@pytest.fixture
def order(database: DatabaseForOneTest, owner: psycopg.Connection) -> Order:
    owner.execute(SCHEMA)
    return Order("submit", database.owner_url, OPEN_JOBS, jobs=LINES, workers=2)


def test_every_job_is_claimed_and_completed_once(order: Order, owner: psycopg.Connection) -> None:
    carry_out(Showrunner(), order)

    ran = carry_out(Showrunner(), changed(order, action="run"))

    assert ran["jobs"] == LINES
    assert counts(owner) == {("speak", "succeeded", 1): LINES}


def test_each_request_is_a_production_of_its_own(order: Order, owner: psycopg.Connection) -> None:
    carry_out(Showrunner(), changed(order, each=True, jobs=3))

    assert owner.execute("select count(*), count(distinct organization_id) from public.productions").fetchone() == (
        3,
        3,
    )


def test_reported_calls_are_counted_and_nothing_stays_reserved(order: Order, owner: psycopg.Connection) -> None:
    carry_out(Showrunner(), changed(order, usage=True))

    carry_out(Showrunner(), changed(order, action="run", usage=True))

    assert owner.execute("select sum(calls) from public.token_usage_daily").fetchone() == (LINES,)
    assert owner.execute("select from public.jobs where reserved_on is not null").fetchall() == []


def test_a_production_joins_its_two_halves(order: Order, owner: psycopg.Connection) -> None:
    carry_out(Showrunner(), changed(order, action="production", jobs=2))

    assert counts(owner) == {
        ("plan", "succeeded", 1): 2,
        ("compose", "succeeded", 1): 40,
        ("paint", "succeeded", 1): 40,
        ("pair", "succeeded", 1): 2,
        ("render", "succeeded", 1): 2,
    }


def test_a_zombie_s_jobs_are_taken_back(order: Order, owner: psycopg.Connection, tmp_path: Path) -> None:
    carry_out(Showrunner(), changed(order, held=True, jobs=5))
    for (job,) in owner.execute("select id from public.jobs").fetchall():
        owner.execute("select engine.claim(%s, 'zombie', 0.1)", [job])

    carry_out(Showrunner(), changed(order, action="recover"))
    (tmp_path / "release-worker").touch()
    ran = carry_out(Showrunner(), changed(order, action="run", jobs=5, workers=5, folder=str(tmp_path)))

    assert ran["jobs"] == 5
    assert counts(owner) == {("speak", "succeeded", 2): 5}


def test_the_tables_show_medians_of_what_was_measured() -> None:
    results = Results()
    for rate in (100.0, 900.0, 300.0):
        results.speed["showrunner", 4].append(Speed(5000, rate, 2000, 2, 0.5, 0.001))
    results.wrong["showrunner"].append(0)

    page = tables(results, ENGINES[:1], [4])

    rates, costs = (line for line in page.splitlines() if line.startswith("| showrunner ") and "number" not in line)
    assert [cell.strip() for cell in rates.split("|")[1:-1]] == ["showrunner", "-", "5000", "300", "-", "-"]
    assert [cell.strip() for cell in costs.split("|")[1:-1]] == ["showrunner", "2.00", "-", "2.00", "50", "1.00", "0"]


def changed(order: Order, **details: object) -> Order:
    return Order(**(vars(order) | details))


def counts(owner: psycopg.Connection) -> dict[tuple[str, str, int], int]:
    rows = owner.execute("select stage, status::text, attempt, count(*) from public.jobs group by 1, 2, 3").fetchall()
    return {(stage, status, attempt): number for stage, status, attempt, number in rows}
