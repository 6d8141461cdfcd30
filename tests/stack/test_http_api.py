"""The API of a running laptop edition, as an app uses it: sign in, upload, request, listen."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests

from local.sign_in import read_sign_in
from tests.rigs.laptop import OFFLINE_SPEAKERS, PROJECT, Laptop
from tests.rigs.shows import Show
from tests.stack.conftest import Running
from tests.texts import ARTICLE

TEXT = ARTICLE.encode()

Call = Callable[..., requests.Response]


@pytest.fixture
def show(laptop: Laptop) -> Show:
    return laptop.show(speakers=OFFLINE_SPEAKERS)


@pytest.fixture
def call(running_stack: Running, show: Show) -> Call:
    """call(method, path, json): as the show's user, with a token of the laptop."""
    base = running_stack.stack.base_url
    token = read_sign_in(running_stack.state).token(show.user, f"{base}/auth/v1")

    def call(method: str, path: str, json: Any = None, **headers: str) -> requests.Response:
        bearer = {"authorization": f"Bearer {token}", **headers}
        return requests.request(method, base + path, json=json, headers=bearer, timeout=120, allow_redirects=False)

    return call


def test_a_file_is_uploaded_made_into_an_episode_and_heard(call: Call, laptop: Laptop, show: Show) -> None:
    announced = {
        "project_id": str(show.project), "kind": "markdown", "file_name": "Tides.md", "content_type": "text/markdown",
        "bytes": len(TEXT), "sha256": hashlib.sha256(TEXT).hexdigest(),
    }  # fmt: skip
    place = call("POST", "/uploads", announced).json()
    sent = requests.put(place["url"], data=TEXT, headers=place["headers"], timeout=60)
    source = call("POST", f"/uploads/{place['id']}/complete").json()["source_id"]
    laptop.rows("update public.sources set is_active = false where project_id = %s and id <> %s", show.project, source)

    request = {"kind": "episode", "subject_id": str(show.episode), "idempotency_key": "once"}
    accepted = call("POST", "/productions", request)
    laptop.wait_until_completed(UUID(accepted.json()["id"]))

    assert (sent.status_code, accepted.status_code) == (200, 202)
    production = call("GET", accepted.headers["location"]).json()
    assert (production["status"], production["progress"], len(production["stages"])) == ("completed", 100, 6)
    assert call("GET", f"/episodes/{show.episode}/script").json()["blocks"]
    [audio] = call("GET", f"/assets?production_id={production['id']}&kind=episode_audio").json()["assets"]
    part = requests.get(audio["url"], headers={"range": "bytes=100-199"}, timeout=60)
    assert (part.status_code, len(part.content)) == (206, 100)
    assert part.headers["content-range"] == f"bytes 100-199/{audio['bytes']}"
    assert part.headers["content-disposition"] == 'inline; filename="episode_audio.mp3"'
    whole = requests.get(audio["url"], timeout=60).content
    assert hashlib.sha256(whole).hexdigest() == audio["sha256"]
    hear_the_feed(laptop, show, call, whole)


def hear_the_feed(laptop: Laptop, show: Show, call: Call, audio: bytes) -> None:
    """As a podcast app: without a token of a user, by the feed's own."""
    [(token,)] = laptop.rows("select token from public.feeds where project_id = %s", show.project)
    feed = call("GET", f"/feeds/{token}.xml")
    again = call("GET", f"/feeds/{token}.xml", **{"if-none-match": feed.headers["etag"]})
    assert (feed.status_code, again.status_code, again.content) == (200, 304, b"")
    assert feed.headers["cache-control"] == "private, no-cache"

    enclosure = re.search(r'<enclosure url="([^"]+)"', feed.text)
    assert enclosure is not None
    head = requests.head(enclosure[1], allow_redirects=True, timeout=60)
    part = requests.get(enclosure[1], headers={"range": f"bytes={len(audio) - 50}-"}, timeout=60)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(audio)))
    assert head.headers["accept-ranges"] == "bytes"
    assert (part.status_code, part.content) == (206, audio[-50:])
    assert part.history[0].status_code == 302
    assert part.history[0].headers["cache-control"] == "no-store"


def test_the_laptops_keys_are_served_and_another_laptops_token_is_refused(
    running_stack: Running, call: Call, show: Show, tmp_path: Path
) -> None:
    base = running_stack.stack.base_url
    [key] = requests.get(f"{base}/auth/v1/.well-known/jwks.json", timeout=60).json()["keys"]
    foreign = read_sign_in(tmp_path).token(show.user, f"{base}/auth/v1")

    refused = requests.get(f"{base}/productions", headers={"authorization": f"Bearer {foreign}"}, timeout=60)

    assert (key["alg"], key["kty"], "d" in key) == ("ES256", "EC", False)
    assert refused.status_code == 401
    assert call("GET", "/productions").status_code == 200
    assert (running_stack.state / "sign-in-key.pem").stat().st_mode & 0o777 == 0o600


def test_the_program_prints_a_token_that_the_api_takes(running_stack: Running, show: Show) -> None:
    environment = {**os.environ, "SHOWRUNNER_STATE": str(running_stack.state)}
    program = [sys.executable, "-c", "from local.cli import app; app()", "token"]

    def productions(*options: str) -> requests.Response:
        command = [*program, *options]
        said = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=True)
        headers = {"authorization": f"Bearer {said.stdout.strip()}"}
        return requests.get(f"{running_stack.stack.base_url}/productions", headers=headers, timeout=60)

    assert (productions().status_code, productions("--user", str(show.user)).status_code) == (200, 200)


def test_a_page_of_another_origin_may_ask_as_the_template_says(running_stack: Running) -> None:
    headers = {"origin": "https://localhost:3000", "access-control-request-method": "POST"}

    allowed = requests.options(f"{running_stack.stack.base_url}/productions", headers=headers, timeout=60)
    refused = requests.options(
        f"{running_stack.stack.base_url}/productions", headers=headers | {"origin": "https://evil.example"}, timeout=60
    )

    assert allowed.headers["access-control-allow-origin"] == "https://localhost:3000"
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    assert "access-control-allow-origin" not in refused.headers


def test_the_example_of_the_documentation_works(
    running_stack: Running, show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [program] = re.findall(r"^```python\n(.*?)^```", (PROJECT / "docs/api.md").read_text(), re.MULTILINE | re.DOTALL)
    base = running_stack.stack.base_url
    (tmp_path / "examples").symlink_to(PROJECT / "examples")
    monkeypatch.chdir(tmp_path)
    token = read_sign_in(running_stack.state).token(show.user, f"{base}/auth/v1")

    exec(program, {"API": base, "TOKEN": token, "SHOW": str(show.project), "EPISODE": str(show.episode)})

    sound = (tmp_path / "episode.mp3").read_bytes()
    assert sound[:3] == b"ID3" or sound[0] == 0xFF
    assert len(sound) > 100_000
