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
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.api_document import PATH
from tests.rigs.api import OPERATOR_KEY

DOCUMENT = json.loads(PATH.read_text())
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {f"{found.ok().method.upper()} {found.ok().path}": found.ok() for found in SCHEMA.get_all_operations()}
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 25


@pytest.fixture
def known(api, show, stranger):
    """Values of the world for parameters that are ids, by the part of their name."""
    body = {"kind": "episode", "subject_id": str(show.episode), "idempotency_key": uuid.uuid4().hex}
    production = api.call("POST", "/productions", show.user, body).json["id"]
    announced = {"project_id": str(show.project), "kind": "text", "file_name": "a", "content_type": "text/plain"}
    upload = api.call("POST", "/uploads", show.user, announced | {"bytes": 5}).json["id"]
    return {
        "production_id": [production],
        "subject_id": [str(show.episode), str(stranger.episode)],
        "episode_id": [str(show.episode), str(stranger.episode)],
        "project_id": [str(show.project), str(stranger.project)],
        "organization_id": [str(show.organization), str(stranger.organization)],
        "upload_id": [upload],
    }


def put_in(values, known, choice):
    """Some ids of the world in place of invented ones; `choice` draws."""
    for name in sorted(set(values) & set(known)):
        if choice(st.booleans()):
            values[name] = choice(st.sampled_from(known[name]))


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_no_answer_is_a_server_error_or_an_undocumented_one(api, show, known, operation, caplog):
    caplog.set_level(logging.CRITICAL)
    token, session = api.token(show.user), requests.Session()

    @seed(20261121)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[operation].as_strategy(), data=st.data())
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

    send()
    session.close()


def test_every_route_is_in_the_document_and_the_document_is_the_one_that_is_kept():
    from local.api_document import render

    assert PATH.read_text() == render(), "run make docs"
