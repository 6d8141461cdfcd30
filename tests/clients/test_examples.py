"""The example apps make an episode, and fit the generated types."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.clients.conftest import Backend
from tests.rigs.laptop import PROJECT
from tests.rigs.supabase_api import CLIENTS, NODE, PACKAGES, node, run

WEB_CLIENT = Path("examples/web-client")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Where the examples are as in the repository, with the packages installed."""
    for folder in ("clients", "examples"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    (tmp_path / WEB_CLIENT / "node_modules").symlink_to(PACKAGES)
    return tmp_path


@pytest.mark.parametrize(
    "program",
    [
        [str(NODE), "examples/web-client/make_episode.ts"],
        [sys.executable, "examples/python-client/make_episode.py"],
    ],
    ids=["web-client", "python-client"],
)
def test_an_example_makes_an_episode_that_can_be_heard(program: list[str], workspace: Path, backend: Backend) -> None:
    user = backend.api.sign_up("erin")
    settings = {"EMAIL": user.email, "PASSWORD": user.password, "PYTHONPATH": "clients/python"}

    address = run([*program, "examples/article.md"], workspace, backend.environment | settings).strip()

    with urlopen(address, timeout=30) as audio:
        beginning = audio.read(3)
    assert audio.headers["content-type"] == "audio/mpeg"
    assert beginning == b"ID3"


def test_the_web_client_fits_the_types(workspace: Path) -> None:
    node("node_modules/typescript/bin/tsc", "--project", ".", cwd=workspace / WEB_CLIENT)


def test_the_web_client_asks_for_the_client_that_is_tested() -> None:
    asked = json.loads((PROJECT / WEB_CLIENT / "package.json").read_text())["dependencies"]
    tested = json.loads((CLIENTS / "package.json").read_text())["dependencies"]

    assert asked.items() <= tested.items()
