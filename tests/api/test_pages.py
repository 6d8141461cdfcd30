"""Lists by keyset: whole, in order, without a row twice, whatever is inserted meanwhile."""

from __future__ import annotations

import base64
import json
import uuid

import pytest

from api_pages import after, page
from api_problems import Invalid


def make(owner, show, seconds, count=1):
    """Productions of some seconds ago; several of one moment differ by their ids alone."""
    return [
        owner.execute(
            "insert into public.productions (organization_id, kind, subject_id, status, finished_at, created_at)"
            " values (%s, 'episode', gen_random_uuid(), 'completed', now(),"
            " '2026-11-21Z'::timestamptz - %s * '1 s'::interval)"
            " returning id::text",
            [show.organization, seconds],
        ).fetchone()[0]
        for _ in range(count)
    ]


def pages(api, show, limit, between=lambda: None, path="/productions", name="productions"):
    found, cursor = [], ""
    while True:
        answer = api.call("GET", f"{path}?limit={limit}{cursor}", show.user).json
        found.append([row["id"] for row in answer[name]])
        if answer["next"] is None:
            return found
        cursor = f"&cursor={answer['next']}"
        between()


def flat(found):
    return [row for one in found for row in one]


def test_pages_are_the_whole_newest_first(api, owner, show):
    made = [make(owner, show, seconds)[0] for seconds in (5, 1, 3, 2, 4)]

    found = pages(api, show, 2)

    assert [len(one) for one in found] == [2, 2, 1]
    assert flat(found) == [made[at] for at in (1, 3, 2, 4, 0)]


def test_rows_of_one_moment_are_neither_lost_nor_doubled(api, owner, show):
    made = make(owner, show, 1, 7)

    assert flat(pages(api, show, 3)) == sorted(made, key=lambda one: uuid.UUID(one).bytes)


def test_rows_that_come_meanwhile_shift_nothing(api, owner, show):
    made = [make(owner, show, seconds)[0] for seconds in range(10, 16)]

    found = flat(pages(api, show, 2, lambda: make(owner, show, 0)))

    assert found == made


def test_a_row_that_goes_meanwhile_takes_no_other_with_it(api, owner, show):
    made = [make(owner, show, seconds)[0] for seconds in range(1, 6)]

    delete = "delete from public.productions where id = %s"
    found = flat(pages(api, show, 2, lambda: owner.execute(delete, [made[1]])))

    assert found == made


def test_a_full_last_page_is_the_last(api, owner, show):
    make(owner, show, 1, 4)

    assert [len(one) for one in pages(api, show, 2)] == [2, 2]


def test_lists_can_be_narrowed(api, owner, show):
    [production] = make(owner, show, 1)
    [(subject,)] = owner.execute("select subject_id from public.productions where id = %s", [production]).fetchall()

    for query, expected in (
        (f"subject_id={subject}", [production]),
        (f"subject_id={uuid.uuid4()}", []),
        ("status=completed", [production]),
        ("status=failed", []),
        (f"organization_id={show.organization}", [production]),
        (f"organization_id={uuid.uuid4()}", []),
    ):
        rows = api.call("GET", f"/productions?{query}", show.user).json["productions"]
        assert [row["id"] for row in rows] == expected, query


def test_a_cursor_of_another_organization_opens_nothing(api, owner, show, stranger):
    make(owner, show, 1, 3)
    cursor = api.call("GET", "/productions?limit=1", show.user).json["next"]

    assert api.call("GET", f"/productions?cursor={cursor}", stranger.user).json["productions"] == []


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    ["x", "é", "=", encoded({}), encoded([]), encoded([1, 2]), encoded(["2026-11-21", str(uuid.UUID(int=0))]),
     encoded(["2026-11-21T00:00:00+00:00", "7"]), encoded("[" * 100), encoded([None, None])],
)  # fmt: skip
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(Invalid):
        after(cursor)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "status=odd", "cursor=x", "organization_id=1"])
def test_a_wrong_query_names_its_field(api, show, query):
    answer = api.call("GET", f"/productions?{query}", show.user)

    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == query.partition("=")[0]


def test_nothing_has_no_next():
    assert page([], 5) == ([], None)
