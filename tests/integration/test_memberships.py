"""private.memberships, which every policy reads: at any time the members of the organizations that are not deleted."""

from __future__ import annotations

import psycopg
import pytest

from tests.rigs.together import start, wait_until_blocked

MEANT = """
    select member.user_id, member.organization_id, member.role
    from public.organization_members as member
    join public.organizations on organizations.id = member.organization_id
    where organizations.deleted_at is null
    order by 1, 2
"""
KEPT = "select user_id, organization_id, role from private.memberships order by 1, 2"
DELETE = "update public.organizations set deleted_at = now() where id = %s"
RESTORE = "update public.organizations set deleted_at = null where id = %s"
JOIN = "insert into public.organization_members (organization_id, user_id, role) values (%s, %s, 'editor')"


@pytest.fixture
def team(sign_up, as_user, add_member):
    """A shared organization of an owner and an editor: (organization, owner, editor)."""
    olga, edwin = sign_up("olga"), sign_up("edwin")
    organization = as_user(olga).execute("select create_organization('Team')").fetchone()[0]
    add_member(organization, edwin, "editor")
    return organization, olga, edwin


def kept_as_meant(owner):
    kept = owner.execute(KEPT).fetchall()
    assert kept == owner.execute(MEANT).fetchall()
    return kept


OF_EDITOR = "where user_id = %(editor)s and organization_id = %(organization)s"
CHANGES = {
    "a promotion": (f"update public.organization_members set role = 'admin' {OF_EDITOR}", 4),
    "a member who goes": (f"delete from public.organization_members {OF_EDITOR}", 3),
    "an account that goes": ("delete from auth.users where id = %(editor)s", 2),
    "a deleted organization": (DELETE.replace("%s", "%(organization)s"), 2),
    "an organization that is gone": ("delete from public.organizations where id = %(organization)s", 2),
    "one that is only renamed": ("update public.organizations set name = 'New' where id = %(organization)s", 4),
}


@pytest.mark.parametrize("change", CHANGES)
def test_memberships_follow(owner, team, change):
    statement, left = CHANGES[change]
    organization, _, editor = team
    before = len(kept_as_meant(owner))

    owner.execute(statement.encode(), {"organization": organization, "editor": editor})

    assert (before, len(kept_as_meant(owner))) == (4, left)


def test_a_restored_organization_has_the_members_and_roles_of_now(owner, team):
    organization, _, edwin = team
    owner.execute(DELETE, [organization])
    owner.execute(
        "update public.organization_members set role = 'viewer' where user_id = %s and organization_id = %s",
        [edwin, organization],
    )

    owner.execute(RESTORE, [organization])

    assert (edwin, organization, "viewer") in kept_as_meant(owner)


def test_who_joins_a_deleted_organization_is_none_of_it_until_it_is_restored(owner, team, sign_up):
    organization, _, _ = team
    late = sign_up("late")
    owner.execute(DELETE, [organization])

    owner.execute(JOIN, [organization, late])

    assert (late, organization, "editor") not in kept_as_meant(owner)
    owner.execute(RESTORE, [organization])
    assert (late, organization, "editor") in kept_as_meant(owner)


@pytest.mark.parametrize("change", [DELETE, RESTORE], ids=["deletion", "restoration"])
@pytest.mark.parametrize("change_is_first", [True, False], ids=["change first", "join first"])
def test_who_joins_while_the_organization_changes_is_not_missed(
    database, owner, connect, team, sign_up, change, change_is_first
):
    organization, _, _ = team
    late = sign_up("late")
    if change == RESTORE:
        owner.execute(DELETE, [organization])
    calls = [(change, [organization]), (JOIN, [organization, late])]
    first, second = calls if change_is_first else reversed(calls)
    ahead, behind = connect(), connect()

    with ahead.transaction():
        ahead.execute(*first)
        waiting = start(lambda: behind.execute(*second))
        wait_until_blocked(database.owner_url, behind)
    waiting.join()

    assert len([row for row in kept_as_meant(owner) if row[1] == organization]) == (3 if change == RESTORE else 0)


def test_people_see_their_own_memberships_alone_and_write_none(as_user, team):
    organization, olga, edwin = team
    connection = as_user(edwin)

    assert {row[0] for row in connection.execute(KEPT).fetchall()} == {edwin}
    for statement in (
        f"insert into private.memberships values ('{edwin}', '{olga}', 'owner')",
        "update private.memberships set role = 'owner'",
        f"delete from private.memberships where organization_id = '{organization}'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_user(edwin).execute(statement.encode())


def test_nobody_without_an_account_sees_a_membership(as_anon):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_anon.execute("select 1 from private.memberships")
