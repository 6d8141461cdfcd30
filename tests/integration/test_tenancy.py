"""Organizations, their members, and the people behind them."""

from __future__ import annotations

import json
import uuid

import psycopg
import pytest

from tests.rigs.refusals import LIMIT_REACHED, refused_with


@pytest.fixture
def team(sign_up, as_user, add_member):
    """A shared organization of an owner and an editor: (organization, owner, editor)."""
    owner, editor = sign_up("olga"), sign_up("edwin")
    organization = as_user(owner).execute("select create_organization('Team')").fetchone()[0]
    add_member(organization, editor, "editor")
    return organization, owner, editor


# --- signing up -----------------------------------------------------------------------------------------------------


def test_a_new_user_has_a_profile_and_a_personal_organization(sign_up, as_user):
    ada = sign_up("Ada")

    connection = as_user(ada)

    assert connection.execute("select id, display_name, timezone from users").fetchall() == [(ada, "Ada", "UTC")]
    assert connection.execute("select id, name, is_personal from organizations").fetchall() == [(ada, "Ada", True)]
    assert connection.execute("select organization_id, user_id, role from organization_members").fetchall() == [
        (ada, ada, "owner")
    ]


@pytest.mark.parametrize(
    ("given", "display_name", "timezone"),
    [
        ({"display_name": " Ada ", "timezone": "Europe/London"}, "Ada", "Europe/London"),
        ({"full_name": "Ada Lovelace"}, "Ada Lovelace", "UTC"),
        ({"display_name": "", "timezone": "Mars/Olympus"}, "ada", "UTC"),
        ({"display_name": "x" * 1000}, "x" * 200, "UTC"),
        (None, "ada", "UTC"),
    ],
)
def test_odd_profile_data_never_fails_a_sign_up(owner, given, display_name, timezone):
    owner.execute(
        "insert into auth.users (id, email, raw_user_meta_data) values (gen_random_uuid(), 'ada@example.com', %s)",
        [None if given is None else json.dumps(given)],
    )

    assert owner.execute("select display_name, timezone from users").fetchall() == [(display_name, timezone)]


def test_a_user_without_an_address_is_welcome_too(owner):
    owner.execute("insert into auth.users (id) values (gen_random_uuid())")

    assert owner.execute("select display_name from users").fetchall() == [("New user",)]


def test_a_person_edits_their_own_profile_and_no_other(sign_up, as_user, owner, team):
    _, olga, edwin = team

    changed = as_user(edwin).execute("update users set display_name = 'Changed'").rowcount

    assert changed == 1
    assert owner.execute("select display_name from users where id = %s", [olga]).fetchone() == ("olga",)


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "+03", "", "europe/london; drop"])
def test_an_unknown_time_zone_is_refused(sign_up, as_user, timezone):
    with pytest.raises(psycopg.errors.CheckViolation, match=r"timezone: .* is not a known time zone"):
        as_user(sign_up()).execute("update users set timezone = %s", [timezone])


def test_people_see_those_they_share_an_organization_with_alone(sign_up, as_user, team):
    _, olga, edwin = team
    stranger = sign_up("stranger")

    seen = {person for (person,) in as_user(edwin).execute("select id from users")}

    assert seen == {olga, edwin}
    assert stranger not in seen


def test_a_user_who_leaves_takes_their_personal_organization_along(owner, sign_up, make_show):
    ada = sign_up()
    make_show(ada)

    owner.execute("delete from auth.users where id = %s", [ada])

    assert owner.execute("select (select count(*) from organizations), (select count(*) from projects)").fetchone() == (
        0,
        0,
    )


# --- organizations --------------------------------------------------------------------------------------------------


def test_whoever_creates_an_organization_owns_it(sign_up, as_user):
    ada = as_user(sign_up())

    organization = ada.execute("select create_organization('Team')").fetchone()[0]

    assert ada.execute(
        "select name, tier, is_personal, role from organizations join organization_members on id = organization_id "
        "where id = %s",
        [organization],
    ).fetchall() == [("Team", "free", False, "owner")]


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_an_organization_needs_a_name(sign_up, as_user, name):
    with pytest.raises(psycopg.errors.CheckViolation, match="name: 1 to 200 characters"):
        as_user(sign_up()).execute("select create_organization(%s)", [name])


def test_the_same_key_gives_the_same_organization(sign_up, as_user, owner):
    ada, ben = as_user(sign_up()), as_user(sign_up("ben"))

    first, again, other = (
        person.execute("select create_organization('Team', 'a key')").fetchone()[0] for person in (ada, ada, ben)
    )

    assert first == again != other
    assert owner.execute("select count(*) from organizations where not is_personal").fetchone() == (2,)


def test_one_person_owns_ten_shared_organizations_at_most(sign_up, as_user):
    ada = as_user(sign_up())
    for number in range(10):
        ada.execute("select create_organization(%s)", [f"Team {number}"])

    with refused_with(LIMIT_REACHED, match="name: one person may own 10") as refused:
        ada.execute("select create_organization('One more')")
    ada.execute("update organizations set deleted_at = now() where name = 'Team 3'")

    assert "Delete one" in refused.value.diag.message_hint
    assert ada.execute("select create_organization('In its place')").rowcount == 1


def test_an_account_that_is_gone_creates_nothing(as_user):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="Sign in"):
        as_user(uuid.uuid4()).execute("select create_organization('Ghosts')")


def test_a_deleted_organization_is_gone_for_its_members_at_once(team, as_user, owner):
    organization, olga, edwin = team

    as_user(olga).execute("update organizations set deleted_at = '2000-01-01' where id = %s", [organization])

    assert as_user(edwin).execute("select count(*) from organizations where id = %s", [organization]).fetchone() == (0,)
    assert owner.execute(
        "select deleted_by, deleted_at > now() - interval '1 hour' from organizations where id = %s", [organization]
    ).fetchone() == (olga, True)


def test_an_admin_cannot_delete_the_organization(team, as_user, sign_up, add_member):
    organization, _, _ = team
    admin = sign_up("adam")
    add_member(organization, admin, "admin")

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_user(admin).execute("update organizations set deleted_at = now() where id = %s", [organization])


def test_a_personal_organization_cannot_be_deleted(sign_up, as_user):
    with pytest.raises(psycopg.errors.CheckViolation, match="deleted_at_is_not_for_personal_organizations"):
        as_user(sign_up()).execute("update organizations set deleted_at = now()")


# --- members --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "update organization_members set role = 'admin' where role = 'owner' and organization_id = %s",
        "delete from organization_members where role = 'owner' and organization_id = %s",
    ],
)
def test_the_last_owner_stays(team, as_user, sql):
    organization, olga, _ = team

    with pytest.raises(psycopg.errors.CheckViolation, match="at least one owner"):
        as_user(olga).execute(sql, [organization])


def test_ownership_can_be_handed_over_in_one_transaction(team, as_user, owner):
    organization, olga, edwin = team
    connection = as_user(olga)
    change = "update organization_members set role = %s where organization_id = %s and user_id = %s"

    with connection.transaction():
        connection.execute(change, ["owner", organization, edwin])
        connection.execute(change, ["admin", organization, olga])

    assert owner.execute(
        "select user_id from organization_members where organization_id = %s and role = 'owner'", [organization]
    ).fetchall() == [(edwin,)]


def test_an_admin_neither_promotes_nor_removes_owners(team, as_user, sign_up, add_member):
    organization, olga, _ = team
    admin = sign_up("adam")
    add_member(organization, admin, "admin")
    connection = as_user(admin)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("update organization_members set role = 'owner' where user_id = %s", [admin])

    where_olga = "where organization_id = %s and user_id = %s"
    assert connection.execute(f"delete from organization_members {where_olga}", [organization, olga]).rowcount == 0


def test_a_member_may_leave(team, as_user):
    organization, _, edwin = team
    connection = as_user(edwin)

    left = connection.execute("delete from organization_members where organization_id = %s", [organization]).rowcount

    assert left == 1
    assert connection.execute("select id from organizations").fetchall() == [(edwin,)]


# --- tiers ----------------------------------------------------------------------------------------------------------


def test_each_tier_allows_more_than_the_one_before(owner):
    limits = owner.execute("""
        select max_projects, processing_minutes_monthly, max_running_jobs, daily_budget_gbp
        from tier_limits
        order by tier
    """).fetchall()

    assert limits == sorted(limits)
    assert limits[-1][-1] == 50


def test_helpers_that_create_policies_refuse_unknown_commands(owner):
    for helper in ("let_worker('public.users', 'truncate')", "let_members('public.projects', 'viewer', 'all')"):
        with pytest.raises(psycopg.errors.RaiseException, match="is not one of select, insert, update, delete"):
            owner.execute(f"select private.{helper}")


def test_a_stranger_id_owns_nothing(as_user):
    assert as_user(uuid.uuid4()).execute("select count(*) from organizations").fetchone() == (0,)
