"""What is wrong with a request, or with us: a status, a sentence, and what a client can act on."""

from __future__ import annotations

import json
import re
import uuid

import psycopg
import pytest

from api_problems import of_database
from api_requests import MOST_BYTES


@pytest.fixture
def ask(api, show):
    def ask(body, **headers):
        return api.call("POST", "/productions", show.user, body, **headers)

    return ask


def test_a_body_that_is_too_large_is_refused_before_it_is_read(api, ask):
    before = api.services.database.round_trips

    answer = ask(b'{"kind": "' + b"x" * MOST_BYTES + b'"}')

    assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")
    assert api.services.database.round_trips == before


def test_a_body_that_the_gateway_would_not_pass_is_refused(ask):
    assert ask(b"x" * (7 << 20)).status == 413


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_that_is_not_json_by_its_type_is_refused(ask, content_type):
    answer = ask(b"{}", content_type=content_type)

    assert answer.status == 415
    assert answer.json["errors"][0]["field"] == "content-type"


@pytest.mark.parametrize("body", [b"{", b"nonsense", b'{"kind": }', b"\xff\xfe", b"{'kind': 1}"])
def test_a_body_that_is_not_json_is_refused(ask, body):
    assert ask(body).status == 400


@pytest.mark.parametrize("body", [[], "text", 1, None, {}, {"kind": 1}, {"kind": None}, [[]]])
def test_a_body_of_another_shape_names_what_is_missing(ask, body):
    answer = ask(json.dumps(body).encode())

    assert answer.status == 422
    assert answer.json["errors"]


def test_every_wrong_field_is_named_at_once(ask):
    answer = ask({"kind": "episode", "subject_id": "x", "idempotency_key": "", "more": 1})

    assert {error["field"] for error in answer.json["errors"]} == {"subject_id", "idempotency_key", "more"}
    assert answer.json["status"] == 422
    assert answer.json["type"] == "about:blank"


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_text_that_cannot_be_stored_is_refused(ask, text):
    answer = ask({"kind": text, "subject_id": str(uuid.uuid4()), "idempotency_key": "k"})

    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == "kind"


@pytest.mark.parametrize("text", ["%s", "'; drop table public.productions; --", "\\", "$$", "ünï\u202e🎙️", "a" * 100])
def test_a_text_that_is_odd_is_only_text(ask, text):
    answer = ask({"kind": text, "subject_id": str(uuid.uuid4()), "idempotency_key": "k"})

    assert (answer.status, answer.json["code"]) == (422, "22023")
    assert answer.json["errors"][0] == {"field": "kind", "message": f"{text} is not a kind of production"}
    assert re.match(r"Allowed: .*\bepisode\b", answer.json["hint"])


@pytest.mark.parametrize("path", ["/", "/nothing", "/productions/", "/feeds", "/productions/%00/x"])
def test_an_unknown_address_is_a_problem(api, show, path):
    answer = api.call("GET", path, show.user)

    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


def refused(owner, sql):
    with pytest.raises(psycopg.Error) as caught:
        owner.execute(sql)
    return of_database(caught.value)


def test_a_broken_constraint_is_a_sentence_that_names_its_table(owner, show):
    problem = refused(owner, f"update public.projects set target_minutes = 500.0 where id = '{show.project}'")

    assert (problem.status, problem.code) == (422, "23514")
    assert problem.detail == "projects: target minutes is 1 to 120"


def test_a_value_that_is_missing_names_its_column(owner):
    problem = refused(owner, "insert into public.projects (organization_id, name) values (gen_random_uuid(), null)")

    assert (problem.status, problem.code) == (422, "23502")
    assert problem.errors[0]["field"] == "name"


def test_a_parent_that_does_not_exist_is_the_requests_fault(owner):
    problem = refused(owner, "insert into public.projects (organization_id, name) values (gen_random_uuid(), 'a')")

    assert problem.status in (422, 404)
    assert problem.code == "23503"


def test_a_value_of_another_type_is_the_requests_fault(owner):
    assert refused(owner, "select 'x'::uuid").status == 422


def test_an_sql_error_of_ours_is_a_bug_that_quotes_nothing(owner):
    problem = refused(owner, "select secret_column from public.projects")

    assert problem.status == 500
    assert "secret" not in problem.detail


@pytest.mark.parametrize("state", ["57014", "57P01", "53300", "40001", "40P01", "08006", "53100"])
def test_an_outage_asks_for_another_try(state):
    problem = of_database(psycopg.errors.lookup(state)() if state != "08006" else psycopg.OperationalError())

    assert problem.status == 503
    assert problem.headers["retry-after"]


def test_a_database_that_went_away_is_a_503_that_tells_no_address(make_api, show):
    api = make_api(database_url="postgresql://127.0.0.1:1/nothing")

    answer = api.call("GET", "/productions", show.user)

    assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "127.0.0.1" not in answer.body.decode()
