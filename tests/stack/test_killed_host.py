"""The host itself is killed or interrupted: no process survives it, and the next start finishes what it began."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.postgres import Postgres
from local.processes import marked, wait_until
from local.stack import Addresses, database_home, running
from tests.rigs.laptop import PATIENCE, PROJECT, Laptop

SHOWRUNNER = [sys.executable, "-c", "from local.cli import app; app()"]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of all hosts of this module, which end before the next one starts."""
    state = tmp_path_factory.mktemp("host")
    yield state
    Postgres(database_home(state)).remove()


@pytest.fixture
def start(state: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """start(*command): a program on the state folder, ended after the test if it still runs."""
    started: list[subprocess.Popen[str]] = []
    # A test run in the background ignores Ctrl-C, and would hand that on to a program that is to be interrupted.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)

    def begin(*command: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "SHOWRUNNER_STATE": str(state), "NO_COLOR": "1", "COLUMNS": "200"}
        started.append(
            subprocess.Popen(
                command,
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return started[-1]

    yield begin
    signal.signal(signal.SIGINT, inherited)
    for program in started:
        program.terminate()
        program.wait(PATIENCE)
        if program.stdout is not None:
            program.stdout.close()
    assert wait_until(lambda: not list(marked(str(state))), PATIENCE)


def host_on(state: Path, start: Callable[..., subprocess.Popen[str]], provider_url: str) -> subprocess.Popen[str]:
    host = start(sys.executable, "-m", "tests.rigs.laptop", str(state), provider_url)
    assert wait_until(lambda: addresses_of(state, host) or host.poll() is not None, PATIENCE)
    assert host.poll() is None, host.communicate()[0]
    return host


def addresses_of(state: Path, host: subprocess.Popen[str]) -> Addresses | None:
    """Where this host is; what an earlier one left in the folder does not count."""
    found = running(state)
    return found if found is not None and found.pid == host.pid else None


def laptop_of(state: Path, provider) -> Laptop:
    addresses = running(state)
    assert addresses is not None
    return Laptop(addresses.database_url, provider)


def test_a_killed_host_leaves_no_process_and_the_next_one_goes_on(state, start, provider):
    host = host_on(state, start, provider.url)
    laptop = laptop_of(state, provider)
    provider.hold(3)
    production = laptop.request(laptop.show())
    laptop.wait(provider.held.is_set, "a line is being spoken")
    laptop.wait(lambda: laptop.accepted(production), "a line is accepted")
    before = laptop.accepted(production)
    alive = [process.pid for process in marked(str(state))]

    host.kill()
    host.communicate()
    survivors = not wait_until(lambda: not list(marked(str(state))), PATIENCE)
    provider.release()
    host_on(state, start, provider.url)

    laptop = laptop_of(state, provider)
    laptop.wait_until_completed(production)
    assert len(alive) >= 3
    assert not survivors
    laptop.assert_unharmed(production, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_ends_cleanly_and_its_episode_is_finished_and_taken_later(state, start, tmp_path, number):
    out = tmp_path / "out"
    arguments = ["--text", str(PROJECT / "examples" / "article.md"), "--minutes", "1", "--out", str(out)]
    demo = start(*SHOWRUNNER, "demo", *arguments)
    assert demo.stdout is not None
    printed = []
    for text in demo.stdout:
        printed.append(text)
        if re.match(r"speak_line +[1-9]", text):
            break
    production = next(found[1] for text in printed if (found := re.match(r"Production (\S+):", text)))

    demo.send_signal(number)
    farewell, _ = demo.communicate(timeout=PATIENCE)
    left = [*marked(str(state)), *filter(None, [Postgres(database_home(state)).process])]
    files = sorted(path.name for path in out.iterdir())
    stopped = state_of(state, start, production)
    watch = start(*SHOWRUNNER, "watch", production)
    watched, _ = watch.communicate(timeout=PATIENCE)
    later = tmp_path / "later"
    taken = start(*SHOWRUNNER, "files", production, "--out", str(later))
    said, _ = taken.communicate(timeout=PATIENCE)

    assert demo.returncode == 130, farewell
    assert "Stopped; what is finished is kept" in farewell
    assert "Traceback" not in farewell
    assert left == []
    assert files == []
    assert stopped
    assert watch.returncode == 0, watched
    assert watched.rstrip().endswith("It is completed.")
    assert taken.returncode == 0, said
    assert sorted(path.name for path in later.iterdir()) == [
        "chapters.json", "episode.mp3", "episode.vtt", "feed.xml", "report.json"
    ]  # fmt: skip


def state_of(state: Path, start: Callable[..., subprocess.Popen[str]], production: str) -> str:
    """What `showrunner status` says of a production while nothing runs."""
    status = start(*SHOWRUNNER, "status", production)
    said, _ = status.communicate(timeout=PATIENCE)
    assert status.returncode == 0, said
    assert "speak_line" in said
    return said
