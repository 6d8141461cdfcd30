"""How people leave an organization, and how what they may do there is changed."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from tests.rigs.members import invite
from tests.rigs.together import together


def test_leaving_twice_and_leaving_what_is_not_ones_own_look_the_same(team, as_user, roles):
    organization, people = team
    editor = as_user(people["editor"])

    answers = [
        connection.execute("select leave_organization(%s)", [which]).fetchone()[0]
        for connection, which in (
            (editor, organization),
            (editor, organization),
            (as_user(people["guest"]), organization),
            (as_user(people["guest"]), uuid.uuid4()),
        )
    ]

    assert answers == [True, False, False, False]
    assert "editor" not in roles()


def test_the_last_owner_cannot_leave(team, as_user, roles):
    organization, people = team

    with pytest.raises(psycopg.errors.CheckViolation, match="role: an organization needs at least one owner"):
        as_user(people["owner"]).execute("select leave_organization(%s)", [organization])

    assert roles()["owner"] == "owner"


def test_of_two_owners_who_leave_at_once_one_stays(team, as_user, owner, roles):
    organization, people = team
    owner.execute("update organization_members set role = 'owner' where user_id = %s", [people["admin"]])
    owners = [as_user(people[name]) for name in ("owner", "admin")]

    def leave(connection):
        try:
            return connection.execute("select leave_organization(%s)", [organization]).fetchone()[0]
        except psycopg.errors.CheckViolation:
            return False

    left = together([lambda connection=connection: leave(connection) for connection in owners])

    assert sorted(left) == [False, True]
    assert list(roles().values()).count("owner") == 1


def test_nobody_leaves_their_personal_organization(as_user, team, add_member):
    _, people = team
    ada = people["guest"]
    add_member(ada, people["owner"], "owner")

    for connection, call in (
        (as_user(ada), "leave_organization(%(ada)s)"),
        (as_user(people["owner"]), "remove_member(%(ada)s, %(ada)s)"),
        (as_user(people["owner"]), "set_member_role(%(ada)s, %(ada)s, 'viewer')"),
    ):
        with pytest.raises(psycopg.errors.CheckViolation, match="personal organization belongs to its person"):
            connection.execute(f"select {call}", {"ada": ada})


@pytest.mark.parametrize(
    ("actor", "target", "outcome"),
    [
        ("owner", "admin", True),
        ("admin", "viewer", True),
        ("admin", "guest", False),
        ("admin", "owner", "only an owner"),
        ("editor", "viewer", "needs the role admin"),
        ("guest", "viewer", "does not exist"),
    ],
)
def test_who_may_remove_whom(team, as_user, roles, actor, target, outcome):
    organization, people = team
    before = roles()

    try:
        found = (
            as_user(people[actor]).execute("select remove_member(%s, %s)", [organization, people[target]]).fetchone()[0]
        )
    except psycopg.Error as error:
        found = str(error)

    assert found is outcome if isinstance(outcome, bool) else outcome in found
    assert roles() == {name: role for name, role in before.items() if outcome is not True or name != target}


@pytest.mark.parametrize(
    ("actor", "target", "role", "outcome"),
    [
        ("owner", "viewer", "owner", True),
        ("owner", "admin", "viewer", True),
        ("admin", "viewer", "editor", True),
        ("admin", "viewer", "viewer", False),
        ("admin", "viewer", "owner", "role: only an owner"),
        ("admin", "owner", "viewer", "user_id: only an owner"),
        ("admin", "guest", "viewer", "is not a member"),
        ("admin", "viewer", None, "role: a role is needed"),
        ("owner", "owner", "admin", "role: an organization needs at least one owner"),
        ("editor", "viewer", "editor", "needs the role admin"),
        ("guest", "viewer", "editor", "does not exist"),
    ],
)
def test_who_may_appoint_whom(team, as_user, roles, actor, target, role, outcome):
    organization, people = team
    before = roles()

    try:
        found = (
            as_user(people[actor])
            .execute("select set_member_role(%s, %s, %s)", [organization, people[target], role])
            .fetchone()[0]
        )
    except psycopg.Error as error:
        found = str(error)

    assert found is outcome if isinstance(outcome, bool) else outcome in found
    assert roles() == (before | {target: role} if outcome is True else before)


def test_what_was_done_with_members_is_told(team, as_user, address, owner):
    organization, people = team
    admin = as_user(people["admin"])
    invitation, _ = invite(admin, organization, "new@example.com")
    admin.execute("select revoke_invitation(%s)", [invitation])
    admin.execute("select set_member_role(%s, %s, 'editor')", [organization, people["viewer"]])
    admin.execute("select remove_member(%s, %s)", [organization, people["viewer"]])
    as_user(people["editor"]).execute("select leave_organization(%s)", [organization])

    events = owner.execute("select event_type, user_id from user_events order by created_at").fetchall()
    audited = owner.execute(
        "select table_name, action::text from audit_log where actor_id in (%s, %s) order by created_at",
        [people["admin"], people["editor"]],
    ).fetchall()
    assert events == [
        ("organization_created", people["owner"]),
        ("member_invited", people["admin"]),
        ("invitation_revoked", people["admin"]),
        ("member_role_changed", people["admin"]),
        ("member_removed", people["admin"]),
        ("organization_left", people["editor"]),
    ]
    assert audited == [
        ("organization_invitations", "insert"),
        ("organization_invitations", "update"),
        ("organization_members", "update"),
        ("organization_members", "delete"),
        ("organization_members", "delete"),
    ]
