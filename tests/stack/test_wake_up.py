"""What is asked for by RPC is begun when it is committed, though the sweeper does not come by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from local.postgres import Postgres
from local.stack import Stack, database_home
from tests.rigs.finished_episode import Listener
from tests.rigs.laptop import OFFLINE_SPEAKERS, PROJECT, HoldingProvider, Laptop, options
from tests.stack.conftest import Running

NEVER = 86_400.0


@pytest.fixture(scope="module")
def unswept(provider: HoldingProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A laptop whose sweeper ticks at the start, and then no more."""
    state = tmp_path_factory.mktemp("unswept")
    rarely = replace(options(provider.url), schedule_seconds={"sweep_jobs": NEVER})
    with Stack(PROJECT, state, rarely) as stack:
        yield Running(stack, state, Laptop(stack.database_url, provider), provider)
    Postgres(database_home(state)).remove()


def test_an_episode_is_made_and_a_question_about_it_answered_without_a_sweep(unswept: Running) -> None:
    laptop = unswept.laptop
    show = laptop.show(speakers=OFFLINE_SPEAKERS)

    laptop.wait_until_completed(laptop.request(show))

    with psycopg.connect(laptop.database_url, autocommit=True) as connection:
        listener = Listener(connection, show.user, show)
        answer = listener.ask("What do the Moon and the Earth do to the tide?")
        laptop.wait(lambda: listener.answer(answer)[0] in ("completed", "failed"), "the answer is written")
        assert listener.answer(answer)[0] == "completed"


def test_a_database_that_was_killed_wakes_again(unswept: Running) -> None:
    laptop = unswept.laptop
    show = laptop.show(speakers=OFFLINE_SPEAKERS)
    Postgres(database_home(unswept.state)).kill()
    laptop.rows("select 1")

    laptop.wait_until_completed(laptop.request(show))
