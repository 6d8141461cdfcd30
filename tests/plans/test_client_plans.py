"""What client apps ask under row-level security reads few rows, their own organizations', and no table whole."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api_assets import _LIST as assets
from api_productions import _LIST as productions
from tests.rigs import past
from tests.rigs.client_queries import NAMED, UNNAMED, for_member
from tests.rigs.reads import reads

# Small ones, which Postgres reads whole because that is less work than an index.
SMALL = {"tier_limits", "pipelines"}


def given(connection, number):
    organization = past.id_of("o", number)
    latest = connection.execute(
        "select id, subject_id, created_at from public.productions where organization_id = %s and status = 'completed'"
        " order by created_at desc limit 1",
        [organization],
    ).fetchone()
    return {
        "organization": organization,
        "show": past.id_of("s", number),
        "production": latest["id"],
        "episode": latest["subject_id"],
        "seen": latest["created_at"] - timedelta(days=30),
    }


@pytest.mark.parametrize("query", [*NAMED, *UNNAMED])
def test_a_typical_members_query_reads_few_rows(owner, member, query):
    values = given(owner, past.TYPICAL)
    connection = member(past.TYPICAL)
    text = for_member({**NAMED, **UNNAMED}[query])

    found = reads(connection, text, by_name=values, warm_up=2)

    # An organization has about twenty productions, each with 50 jobs.
    assert sum(found.rows.values()) <= 100
    assert found.buffers <= 150
    assert found.scanned <= SMALL


@pytest.mark.parametrize("query", NAMED)
def test_the_query_of_a_large_organizations_member_reads_what_it_returns(owner, member, query):
    values = given(owner, past.LARGE)
    connection = member(past.LARGE)

    found = reads(connection, NAMED[query], by_name=values, warm_up=2)

    # 2,000 productions are theirs, among 20,000.
    assert sum(found.rows.values()) <= 2_500
    assert found.scanned <= SMALL


@pytest.mark.parametrize("query", UNNAMED)
def test_what_names_no_organization_reads_the_callers_own(owner, member, query):
    values = given(owner, past.LARGE)
    connection = member(past.LARGE)

    found = reads(connection, for_member(UNNAMED[query]), by_name=values, warm_up=2)

    # A tenth of all is theirs, and two other organizations': the rest is not read.
    assert max(found.rows.values()) <= 2_200
    assert found.scanned <= SMALL


@pytest.mark.parametrize("page", ["newest", "next"])
def test_the_newest_of_all_ones_organizations_are_read_and_no_more(owner, member, page):
    latest = given(owner, past.LARGE)
    place = [latest["seen"], latest["production"]] if page == "next" else [None, None]
    connection = member(past.LARGE)

    found = reads(connection, "select id from public.my_productions(20, %s, %s)", *place)

    # Twenty of each of three organizations, one of which has 2,000, and the caller's memberships.
    assert sum(found.rows.values()) <= 70
    assert found.buffers <= 150
    assert found.scanned <= SMALL


def test_a_prepared_query_for_a_shows_episodes_reads_the_shows_newest(owner, member):
    """The Data API prepares its queries: their plan is made without knowing the show."""
    connection = member(past.LARGE)
    connection.execute("set local plan_cache_mode = force_generic_plan")
    query = NAMED["the episodes of a show"].replace("%(show)s", "$1").replace("limit 20", "limit 5")
    connection.execute(f"prepare episodes_of (uuid) as {query}".encode())

    found = reads(connection, f"execute episodes_of ('{past.id_of('s', past.LARGE)}')", warm_up=1)

    # Five, and the caller's organizations; not all 2,000 of the show, as without statistics on whose episodes they are.
    assert sum(found.rows.values()) <= 20


def test_every_members_policy_can_be_answered_by_an_index(owner):
    filters = owner.execute(
        "select tablename, policyname from pg_policies"
        " where concat(qual, with_check) ~ 'IN \\( SELECT memberships\\.|my_organizations\\(' and schemaname = 'public'"
    ).fetchall()

    assert filters == [], "use private.let_members, or call private.index_policies()"


def test_a_callers_organizations_are_looked_up_once_for_a_query(owner, member):
    connection = member(past.LARGE)

    plan = "\n".join(
        row["QUERY PLAN"]
        for row in connection.execute("explain (analyze, costs off, timing off) select id from public.productions")
    )

    assert plan.count("on memberships") == 1
    assert "Index Only Scan using memberships_pkey" in plan
    assert "SubPlan" not in plan


@pytest.mark.parametrize("listing", [productions, assets], ids=["productions", "assets"])
def test_the_apis_lists_read_a_page_of_each_organization(owner, member, listing):
    nothing = dict.fromkeys(("organization", "subject", "status", "production", "kind", "time", "id"))
    connection = member(past.LARGE)

    found = reads(connection, listing, by_name={**nothing, "limit": 21}, warm_up=1)

    assert sum(found.rows.values()) <= 3 * 21 + 10
    assert found.scanned <= SMALL
