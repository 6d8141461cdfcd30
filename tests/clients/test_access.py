"""Both clients live under row-level security, and are told in Postgres's words why something is refused."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any, get_args

import pytest

from tests.clients.conftest import Backend
from tests.rigs.supabase_api import Language, SupabaseApi, User

each_language = pytest.mark.parametrize("language", get_args(Language))

GRANTS = """
    select grantee, table_schema || '.' || table_name as table, privilege_type
    from information_schema.role_table_grants
    where grantee in ('anon', 'authenticated') and table_schema in ('public', 'private', 'engine')
    order by 1, 2, 3
"""


def refusal(api: SupabaseApi, language: Language, user: User | None, **call: Any) -> tuple[Any, ...]:
    error = api.call(language, user, [call])[0]["error"]
    assert error is not None, f"{call} was not refused"
    return error["code"], error["message"], error["hint"]


def make_show(api: SupabaseApi, language: Language, user: User) -> dict[str, Any]:
    row = {"organization_id": user.id, "name": "Tides"}
    made = api.call(language, user, [{"table": "projects", "insert": row}])[0]
    assert made["error"] is None
    show: dict[str, Any] = made["data"][0]
    return show


@each_language
def test_signing_up_gives_a_profile_and_a_personal_organization(api: SupabaseApi, language: Language) -> None:
    user = api.sign_up("ada")

    profile, organizations, members = api.call(
        language,
        user,
        [
            {"table": "users", "select": "id, timezone"},
            {"table": "organizations", "select": "id, is_personal, tier"},
            {"table": "organization_members", "select": "user_id, role"},
        ],
    )

    assert profile["data"] == [{"id": str(user.id), "timezone": "UTC"}]
    assert organizations["data"] == [{"id": str(user.id), "is_personal": True, "tier": "free"}]
    assert members["data"] == [{"user_id": str(user.id), "role": "owner"}]


@each_language
def test_another_organizations_show_can_be_neither_seen_nor_changed(api: SupabaseApi, language: Language) -> None:
    owner, stranger = api.sign_up("ada"), api.sign_up("sam")
    show = make_show(api, language, owner)

    seen, changed = api.call(
        language,
        stranger,
        [
            {"table": "projects", "select": "id", "eq": {"id": show["id"]}},
            {"table": "projects", "update": {"name": "Mine"}, "eq": {"id": show["id"]}},
        ],
    )

    assert seen == changed == {"data": [], "error": None}
    kept = api.call(language, owner, [{"table": "projects", "select": "name"}])[0]
    assert kept["data"] == [{"name": "Tides"}]


@each_language
def test_who_has_not_signed_in_sees_the_voices_and_no_show(api: SupabaseApi, language: Language) -> None:
    voices = api.call(language, None, [{"table": "voices", "select": "id"}])[0]

    assert "espeak/ada" in [voice["id"] for voice in voices["data"]]
    assert refusal(api, language, None, table="projects", select="id") == (
        "42501",
        "permission denied for table projects",
        None,
    )


@each_language
def test_a_rule_that_is_broken_names_the_field(api: SupabaseApi, language: Language) -> None:
    user = api.sign_up("ada")

    row = {"organization_id": user.id, "name": "Tides", "speakers": [{"name": "Ada", "voice": "espeak/ada"}] * 2}
    code, message, _ = refusal(api, language, user, table="projects", insert=row)

    assert (code, message) == ("23514", "speakers: each name is used once.")


@each_language
def test_a_constraint_that_is_broken_is_named(api: SupabaseApi, language: Language) -> None:
    user = api.sign_up("ada")

    row = {"organization_id": user.id, "name": "Tides", "target_minutes": 500}
    code, message, _ = refusal(api, language, user, table="projects", insert=row)

    assert code == "23514"
    assert "target_minutes_is_1_to_120" in message


@each_language
def test_a_request_that_cannot_work_says_what_would_help(api: SupabaseApi, language: Language) -> None:
    user = api.sign_up("ada")
    show = make_show(api, language, user)
    row = {"organization_id": user.id, "project_id": show["id"]}
    episode = api.call(language, user, [{"table": "episodes", "insert": row}])[0]["data"][0]

    asked = {"kind": "episode", "subject_id": episode["id"], "idempotency_key": "first"}

    assert refusal(api, language, user, rpc="request_production", args=asked) == (
        "22023",
        "sources: the show has no active source",
        "Add a text, a web page, a PDF or a feed.",
    )


@each_language
def test_a_viewer_reads_and_is_told_which_role_a_request_needs(backend: Backend, language: Language) -> None:
    api, owner, viewer = backend.api, backend.api.sign_up("ada"), backend.api.sign_up("vera")
    show = make_show(api, language, owner)
    row = {"organization_id": owner.id, "project_id": show["id"]}
    episode = api.call(language, owner, [{"table": "episodes", "insert": row}])[0]["data"][0]
    backend.rows(
        "insert into public.organization_members (organization_id, user_id) values (%s, %s) returning role",
        owner.id,
        viewer.id,
    )

    seen = api.call(language, viewer, [{"table": "episodes", "select": "id", "eq": {"id": episode["id"]}}])[0]
    asked = {"kind": "episode", "subject_id": episode["id"], "idempotency_key": "first"}
    code, message, _ = refusal(api, language, viewer, rpc="request_production", args=asked)

    assert seen["data"] == [{"id": episode["id"]}]
    assert (code, message) == ("42501", "subject_id: this needs the role editor or above")


@each_language
def test_a_forged_token_is_nobodys(api: SupabaseApi, language: Language) -> None:
    user = api.sign_up("ada")
    header, claims, _ = user.token.split(".")
    forged = replace(user, token=f"{header}.{claims}.{'A' * 43}")

    assert refusal(api, language, forged, table="projects", select="id")[0] == "PGRST301"


@each_language
def test_what_belongs_to_others_is_answered_like_what_does_not_exist(api: SupabaseApi, language: Language) -> None:
    nothing = uuid.uuid4()

    code, message, _ = refusal(
        api, language, api.sign_up("ada"), rpc="explain_production", args={"production_id": nothing}
    )

    assert (code, message) == ("PT404", f"production: {nothing} does not exist")


@each_language
def test_a_status_is_not_for_members_to_write(api: SupabaseApi, language: Language) -> None:
    user = api.sign_up("ada")

    done = {"table": "productions", "update": {"status": "completed"}, "eq": {"organization_id": user.id}}
    code, message, _ = refusal(api, language, user, **done)

    assert (code, message) == ("42501", "permission denied for table productions")


def test_the_server_in_front_leaves_the_grants_as_the_migrations_made_them(backend: Backend, owner: Any) -> None:
    backend.api.call("js", backend.api.sign_up("ada"), [{"table": "projects", "select": "id"}])

    by_migrations = owner.execute(GRANTS).fetchall()

    assert [tuple(row.values()) for row in backend.rows(GRANTS)] == by_migrations
    assert not [row for row in by_migrations if row[0] == "anon" and row[2] != "SELECT"]
