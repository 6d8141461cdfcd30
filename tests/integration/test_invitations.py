"""Invitations: who may make them, whom they let in, and when they end."""

from __future__ import annotations

import hashlib

import psycopg
import pytest

from tests.rigs.members import accept, invite
from tests.rigs.refusals import LIMIT_REACHED, NOT_FOUND, refused_with
from tests.rigs.together import together

# --- inviting -------------------------------------------------------------------------------------------------------


def test_an_invited_person_becomes_a_member_with_the_role_they_were_invited_to(team, as_user, address, roles):
    organization, people = team
    _, token = invite(as_user(people["admin"]), organization, address(people["guest"]), "editor")

    joined = accept(as_user(people["guest"]), token)

    assert joined == organization
    assert roles()["guest"] == "editor"


def test_an_address_counts_in_any_case_and_with_blanks_around_it(team, as_user, address, roles):
    organization, people = team
    _, token = invite(as_user(people["admin"]), organization, f"  {address(people['guest']).upper()} ")

    accept(as_user(people["guest"]), token)

    assert roles()["guest"] == "viewer"


def test_the_database_keeps_only_the_tokens_hash(team, as_user, owner):
    organization, people = team

    _, token = invite(as_user(people["admin"]), organization, "new@example.com")

    kept = owner.execute("select token_hash from organization_invitations").fetchone()[0]
    everything = owner.execute(
        "select string_agg(i::text, ' ') from organization_invitations as i union all "
        "select string_agg(a::text, ' ') from audit_log as a union all "
        "select string_agg(e::text, ' ') from user_events as e"
    ).fetchall()
    assert kept == hashlib.sha256(token.encode()).hexdigest()
    assert not any(token in text for (text,) in everything if text)


def test_inviting_again_replaces_the_invitation(team, as_user, address, owner):
    organization, people = team
    admin, guest = as_user(people["admin"]), as_user(people["guest"])
    _, old = invite(admin, organization, address(people["guest"]), "admin")
    _, new = invite(admin, organization, address(people["guest"]), "viewer")

    with pytest.raises(psycopg.Error, match="no open invitation"):
        accept(guest, old)
    accept(guest, new)

    states = owner.execute(
        "select role::text, accepted_at is not null, revoked_at is not null "
        "from organization_invitations order by created_at"
    ).fetchall()
    assert states == [("admin", False, True), ("viewer", True, False)]


@pytest.mark.parametrize(
    ("inviter", "role", "allowed"),
    [
        ("owner", "owner", True),
        ("owner", "admin", True),
        ("admin", "owner", False),
        ("admin", "admin", True),
        ("editor", "viewer", False),
        ("viewer", "viewer", False),
    ],
)
def test_admins_invite_and_owners_also_invite_owners(team, as_user, inviter, role, allowed):
    organization, people = team
    connection = as_user(people[inviter])

    try:
        invite(connection, organization, "new@example.com", role)
        found = True
    except psycopg.errors.InsufficientPrivilege:
        found = False

    assert found is allowed


def test_an_admin_does_not_undo_what_an_owner_offered(team, as_user):
    organization, people = team
    invitation, _ = invite(as_user(people["owner"]), organization, "new@example.com", "owner")
    admin = as_user(people["admin"])

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="email"):
        invite(admin, organization, "new@example.com", "viewer")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="invitation_id"):
        admin.execute("select revoke_invitation(%s)", [invitation])


@pytest.mark.parametrize(
    "email", [None, "", "x", "a@b", "a b@example.com", "a@b@example.com", "a@example.com\n", "é" * 300]
)
def test_what_is_no_address_is_refused(team, as_user, owner, email):
    organization, people = team
    given = email if email != "a@example.com\n" else "a\n@example.com"

    with pytest.raises(psycopg.errors.InvalidParameterValue, match="email: an address"):
        invite(as_user(people["admin"]), organization, given)

    assert owner.execute("select count(*) from organization_invitations").fetchone() == (0,)


def test_members_are_not_invited_again(team, as_user, address):
    organization, people = team

    with pytest.raises(psycopg.errors.UniqueViolation, match="email: this person is a member"):
        invite(as_user(people["admin"]), organization, address(people["viewer"]).upper())


def test_a_hundred_invitations_are_open_at_most(team, as_user, owner):
    organization, people = team
    admin = as_user(people["admin"])
    for number in range(100):
        invite(admin, organization, f"guest{number}@example.com")

    with refused_with(LIMIT_REACHED, match="email: 100 invitations are open"):
        invite(admin, organization, "one-more@example.com")

    invite(admin, organization, "guest7@example.com")  # in place of the one before
    owner.execute("update organization_invitations set expires_at = now() where email = 'guest8@example.com'")
    invite(admin, organization, "one-more@example.com")


def test_two_invitations_at_once_leave_one_open(team, as_user, owner):
    organization, people = team
    admins = [as_user(people["admin"]) for _ in range(4)]

    together([lambda admin=admin: invite(admin, organization, "new@example.com") for admin in admins])

    states = owner.execute("select count(*), count(revoked_at) from organization_invitations").fetchone()
    assert states == (4, 3)


# --- accepting ------------------------------------------------------------------------------------------------------


def test_accepting_again_changes_nothing(team, as_user, address, owner):
    organization, people = team
    _, token = invite(as_user(people["admin"]), organization, address(people["guest"]))
    guest = as_user(people["guest"])

    first, second = accept(guest, token), accept(guest, token)

    assert first == second == organization
    events = owner.execute("select count(*) from user_events where event_type = 'invitation_accepted'").fetchone()
    assert events == (1,)


def refusal(connection, token):
    with pytest.raises(psycopg.Error) as refused:
        accept(connection, token)
    error = refused.value
    return error.sqlstate, error.diag.message_primary, error.diag.message_hint


def test_every_wrong_token_gets_the_same_answer(team, as_user, sign_up, address, owner):
    organization, people = team
    admin, guest = as_user(people["admin"]), as_user(people["guest"])
    email = address(people["guest"])
    used_by_another = sign_up("early")
    tokens = {}
    _, tokens["replaced"] = invite(admin, organization, email)
    _, tokens["of another person"] = invite(admin, organization, "another@example.com")
    _, tokens["used"] = invite(admin, organization, address(used_by_another))
    accept(as_user(used_by_another), tokens["used"])
    _, tokens["expired"] = invite(admin, organization, email)
    owner.execute("update organization_invitations set expires_at = now() where email = %s", [email])
    tokens |= {"unknown": "0" * 64, "empty": "", "missing": None, "long": "x" * 1_000_000}

    answers = {name: refusal(guest, token) for name, token in tokens.items()}

    assert set(answers.values()) == {
        (
            "PT404",
            "token: there is no open invitation with this token for you",
            "Sign in with the address that was invited, or ask for a new invitation.",
        )
    }


@pytest.mark.parametrize(
    "trouble",
    [
        "update auth.users set email_confirmed_at = null where id = %(guest)s",
        "update auth.users set email = 'else@example.com' where id = %(guest)s",
        "update organizations set deleted_at = now() where id = %(organization)s",
        "delete from organization_members where (organization_id, user_id) = (%(organization)s, %(admin)s)",
        "update organization_members set role = 'editor' where user_id = %(admin)s and organization_id <> user_id",
        "delete from auth.users where id = %(admin)s",
    ],
)
def test_an_invitation_counts_for_a_confirmed_address_while_its_maker_could_make_it(
    team, as_user, address, owner, roles, trouble
):
    organization, people = team
    _, token = invite(as_user(people["admin"]), organization, address(people["guest"]))

    owner.execute(trouble, people | {"organization": organization})

    assert refusal(as_user(people["guest"]), token)[0] == "PT404"
    assert "guest" not in roles()


def test_the_address_in_forged_claims_counts_for_nothing(team, as_user, connect, address):
    organization, people = team
    _, token = invite(as_user(people["admin"]), organization, "another@example.com")
    forger = connect(
        role="authenticated",
        claims={"sub": str(people["guest"]), "role": "authenticated", "email": "another@example.com"},
    )

    assert refusal(forger, token)[0] == "PT404"


def test_an_invitation_never_lowers_a_role(team, as_user, address, owner, add_member, roles):
    organization, people = team
    _, token = invite(as_user(people["admin"]), organization, address(people["guest"]), "viewer")
    add_member(organization, people["guest"], "editor")

    accept(as_user(people["guest"]), token)

    assert roles()["guest"] == "editor"


def test_who_left_cannot_come_back_with_the_old_invitation(team, as_user, address, roles):
    organization, people = team
    _, token = invite(as_user(people["admin"]), organization, address(people["guest"]))
    guest = as_user(people["guest"])
    accept(guest, token)

    left = guest.execute("select leave_organization(%s)", [organization]).fetchone()

    assert left == (True,)
    assert refusal(guest, token)[0] == "PT404"
    assert "guest" not in roles()


# --- revoking -------------------------------------------------------------------------------------------------------


def test_a_revoked_invitation_is_useless(team, as_user, address):
    organization, people = team
    admin = as_user(people["admin"])
    invitation, token = invite(admin, organization, address(people["guest"]))

    first, second = (admin.execute("select revoke_invitation(%s)", [invitation]).fetchone()[0] for _ in range(2))

    assert (first, second) == (True, False)
    assert refusal(as_user(people["guest"]), token)[0] == "PT404"


@pytest.mark.parametrize("role", ["guest", "viewer", "editor"])
def test_for_others_an_invitation_does_not_exist(team, as_user, role):
    organization, people = team
    invitation, _ = invite(as_user(people["admin"]), organization, "new@example.com")

    with refused_with(NOT_FOUND, match=f"invitation_id: {invitation} does not exist"):
        as_user(people[role]).execute("select revoke_invitation(%s)", [invitation])


def test_nobody_is_written_into_an_organization_without_being_asked(team, as_user):
    organization, people = team

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_user(people["owner"]).execute(
            "insert into organization_members (organization_id, user_id, role) values (%s, %s, 'viewer')",
            [organization, people["guest"]],
        )
