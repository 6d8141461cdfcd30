import pytest

from local.postgres import Postgres
from tests.chaos.run import DATABASE, prepare
from tests.rigs.chaos import SCENARIOS, Chaos


@pytest.fixture
def server(postgres_home):
    """A server of the test's own, which it restarts."""
    postgres = Postgres(postgres_home, fast=True)
    prepare(postgres)
    return postgres


def test_every_invariant_holds_after_everything_at_once_and_a_restart(server):
    results = [
        Chaos(server, DATABASE, SCENARIOS[-1], seed, productions=24, workers=8).run() for seed in (1, 2)
    ]  # fmt: skip

    broken = [[name for name, times in result.violations.items() if times] for result in results]
    assert broken == [[], []], [result.remarks for result in results]
    assert min(result.productions for result in results) >= 24
    assert sum(result.crashes for result in results)
    assert sum(result.zombies for result in results)
    assert sum(result.cuts for result in results)
