"""my_productions: the newest of all the caller's organizations, in pages that are together the whole."""

from __future__ import annotations

import uuid

import psycopg
import pytest

MADE = """
    insert into public.productions (organization_id, kind, subject_id, status, created_at)
    select %s, 'episode', gen_random_uuid(), 'queued', now() - number / 3 * interval '1 minute'
    from generate_series(1, %s) as number
"""


@pytest.fixture
def ada(owner, sign_up, as_user, add_member):
    """A member of two organizations with eight productions each, three of every minute; others have more."""
    ada, bob = sign_up("ada"), sign_up("bob")
    team = as_user(bob).execute("select create_organization('Team')").fetchone()[0]
    add_member(team, ada, "viewer")
    for organization in (ada, team, bob):
        owner.execute(MADE, [organization, 8])
    return ada


def pages(connection, size):
    found, last = [], (None, None)
    while rows := connection.execute(
        "select id, created_at from public.my_productions(%s, %s, %s)", [size, last[1], last[0]]
    ).fetchall():
        found.append([row[0] for row in rows])
        last = rows[-1]
    return found


@pytest.mark.parametrize("size", [1, 3, 7, 16, 100])
def test_pages_are_the_whole_newest_first_whatever_their_size(as_user, ada, size):
    connection = as_user(ada)
    whole = [
        row[0]
        for row in connection.execute("select id from public.productions order by created_at desc, id").fetchall()
    ]

    found = pages(connection, size)

    assert len(whole) == 16
    assert [row for page in found for row in page] == whole
    assert {len(page) for page in found[:-1]} <= {size}


def test_what_is_deleted_with_its_organization_or_left_is_not_listed(owner, as_user, ada):
    owner.execute("delete from public.organization_members where user_id = %s and organization_id <> %s", [ada, ada])

    organizations = as_user(ada).execute("select distinct organization_id from public.my_productions()").fetchall()

    assert organizations == [(ada,)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("0", "page_size: 1 to 100, not 0"),
        ("101", "page_size: 1 to 100, not 101"),
        ("null", "page_size: 1 to 100, not null"),
        (f"20, null, '{uuid.UUID(int=1)}'", "before_created_at: before_id says nothing without it"),
    ],
)
def test_a_page_that_cannot_be_is_refused_by_its_field(as_user, ada, arguments, message):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=message):
        as_user(ada).execute(f"select * from public.my_productions({arguments})".encode())
