"""The API against its own document: whatever is sent, no answer is a 5xx or one that the document does not have.

The examples are the same on each run. Ids that exist, another organization's and none at all take turns, so that
requests get past the first check.
"""

from __future__ import annotations

import json
import logging
import uuid

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.api_document import PATH
from tests.rigs.api import OPERATOR_KEY
from tests.rigs.rows import insert
from tests.rigs.shows import add_episode

DOCUMENT = json.loads(PATH.read_text())
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {f"{found.ok().method.upper()} {found.ok().path}": found.ok() for found in SCHEMA.get_all_operations()}
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 25
# The world is not in the state that these need: the production runs, and no file has arrived.
NEVER_READY = {
    "POST /productions/{production_id}/approve",
    "POST /productions/{production_id}/rebuild",
    "POST /productions/{production_id}/retry",
    "POST /uploads/{upload_id}/complete",
}
ALWAYS_WELL = {"GET /health", "GET /health/db"}


def valid(operation):
    return OPERATIONS[operation].as_strategy()


def broken(operation):
    """Requests that break the document somewhere; not every operation has something to break."""
    wrong = OPERATIONS[operation].as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return wrong if OPERATIONS[operation].body or list(OPERATIONS[operation].iter_parameters()) else valid(operation)


@pytest.fixture
def known(api, show, stranger, owner, operation):
    """Values of the world by the name of their parameter."""
    body = {"kind": "episode", "subject_id": str(show.episode), "idempotency_key": uuid.uuid4().hex}
    production = api.call("POST", "/productions", show.user, body).json["id"]
    announced = {"project_id": str(show.project), "kind": "text", "file_name": "a", "content_type": "text/plain"}
    upload = api.call("POST", "/uploads", show.user, announced | {"bytes": 5}).json["id"]
    [(token,)] = owner.execute("select token from public.feeds where project_id = %s", [show.project]).fetchall()
    asset = insert(owner, "assets", {
        "organization_id": show.organization, "kind": "cover", "content_type": "image/png", "bytes": 1,
        "key": f"organizations/{show.organization}/cover/a.png", "sha256": "ab" * 32,
    })  # fmt: skip
    owner.execute("update public.projects set cover_asset_id = %s where id = %s", [asset, show.project])
    file = {"kind": ["text"], "content_type": ["text/plain"]} if operation == "POST /uploads" else {"kind": ["episode"]}
    return {
        **file,
        "asset_id": [str(asset)],
        "token": [token],
        "name": [f"{asset}.png" if "media" in operation else f"{token}.xml"],
        "production_id": [production],
        "subject_id": [str(add_episode(owner, show.organization, show.project, 2, 1)), str(stranger.episode)],
        "episode_id": [str(show.episode), str(stranger.episode)],
        "project_id": [str(show.project), str(stranger.project)],
        "organization_id": [str(show.organization), str(stranger.organization)],
        "upload_id": [upload],
    }


def put_in(values, known, choice):
    """Some ids of the world in place of invented ones; `choice` draws."""
    for name in sorted(set(values) & set(known)):
        if choice(st.integers(0, 3)):
            values[name] = choice(st.sampled_from(known[name]))


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_no_answer_is_a_server_error_or_an_undocumented_one(api, show, known, operation, caplog):
    caplog.set_level(logging.CRITICAL)
    token, session, seen = api.token(show.user), requests.Session(), set()

    @seed(20261121)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=valid(operation) | broken(operation), data=st.data())
    def send(case, data):
        if isinstance(case.path_parameters, dict):
            put_in(case.path_parameters, known, data.draw)
        for values in (case.query, case.body):
            if isinstance(values, dict):
                put_in(values, known, data.draw)
        bearer = data.draw(st.sampled_from([token, token, token, OPERATOR_KEY, "nonsense"]))
        response = case.call(
            base_url=api.gateway.base_url, session=session, headers={"authorization": f"Bearer {bearer}"},
            allow_redirects=False, timeout=60,
        )  # fmt: skip
        case.validate_response(response, checks=CHECKS)
        seen.add(response.status_code)

    send()
    session.close()
    assert seen & {200, 201, 202, 302} or operation in NEVER_READY, seen
    assert seen - {200, 201, 202, 302} or operation in ALWAYS_WELL, seen


def test_every_route_is_in_the_document_and_the_document_is_the_one_that_is_kept():
    from local.api_document import render

    assert PATH.read_text() == render(), "run make docs"
