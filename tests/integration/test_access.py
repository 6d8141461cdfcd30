"""Who may do what with which table, for every role and command; and what holds for all tables at once."""

from __future__ import annotations

import json

import psycopg
import pytest

# From least to most; each sees and does what those before it do.
ROLES = ["anon", "outsider", "viewer", "editor", "admin", "owner"]
NOBODY = None

# The least role that may, per command.
ACCESS = {
    "organizations": {"select": "viewer", "insert": NOBODY, "update": "admin", "delete": NOBODY},
    "organization_members": {"select": "viewer", "insert": "admin", "update": "admin", "delete": "admin"},
    "audit_log": {"select": "admin", "insert": NOBODY, "update": NOBODY, "delete": NOBODY},
    "webhook_endpoints": {"select": "admin", "insert": NOBODY, "update": "admin", "delete": NOBODY},
    "webhook_deliveries": {"select": "admin", "insert": NOBODY, "update": NOBODY, "delete": NOBODY},
    "projects": {"select": "viewer", "insert": "editor", "update": "editor", "delete": NOBODY},
    "episodes": {"select": "viewer", "insert": "editor", "update": "editor", "delete": NOBODY},
    "sources": {"select": "viewer", "insert": "editor", "update": "editor", "delete": NOBODY},
    "source_items": {"select": "viewer", "insert": NOBODY, "update": NOBODY, "delete": NOBODY},
    "blocks": {"select": "viewer", "insert": "editor", "update": "editor", "delete": "editor"},
    "planning_notes": {"select": "viewer", "insert": "editor", "update": "editor", "delete": NOBODY},
    "feeds": {"select": "viewer", "insert": NOBODY, "update": NOBODY, "delete": NOBODY},
    "episode_schedule_queue": {"select": "viewer", "insert": NOBODY, "update": NOBODY, "delete": NOBODY},
    "agent_memories": {"select": "viewer", "insert": "editor", "update": "editor", "delete": NOBODY},
    "voices": {"select": "anon", "insert": NOBODY, "update": NOBODY, "delete": NOBODY},
    "tier_limits": {"select": "anon", "insert": NOBODY, "update": NOBODY, "delete": NOBODY},
    "voice_rates": {"select": NOBODY, "insert": NOBODY, "update": NOBODY, "delete": NOBODY},
}

ROWS = {
    "organization_members": "organization_id = %(organization)s and user_id = %(guest)s",
    "organizations": "id = %(organization)s",
    "voices": "id = 'espeak/ada'",
    "tier_limits": "tier = 'free'",
    "voice_rates": "true",
}
OF_THE_ORGANIZATION = "organization_id = %(organization)s"

INSERTS = {
    "organizations": "(name) values ('New')",
    "organization_members": "(organization_id, user_id, role) values (%(organization)s, %(outsider)s, 'viewer')",
    "audit_log": "(organization_id, actor_role, action, table_name) values (%(organization)s, 'x', 'insert', 'x')",
    "webhook_endpoints": "(organization_id, url) values (%(organization)s, 'https://example.com')",
    "webhook_deliveries": "(organization_id, endpoint_id, event_id, event_type, payload) "
    "select organization_id, id, gen_random_uuid(), 'x', '{}' from webhook_endpoints",
    "projects": "(organization_id, name) values (%(organization)s, 'New')",
    "episodes": "(organization_id, project_id) values (%(organization)s, %(show)s)",
    "sources": "(organization_id, project_id, kind, content) values (%(organization)s, %(show)s, 'text', 'New')",
    "source_items": "(organization_id, source_id, guid) values (%(organization)s, %(source)s, 'new')",
    "blocks": "(organization_id, episode_id, position, speaker, markdown) "
    "values (%(organization)s, %(episode)s, 9, 'Ada', 'New.')",
    "planning_notes": "(organization_id, project_id, note) values (%(organization)s, %(show)s, 'New')",
    "feeds": "(organization_id, project_id) values (%(organization)s, %(show)s)",
    "episode_schedule_queue": "(organization_id, project_id, scheduled_for) values (%(organization)s, %(show)s, now())",
    "agent_memories": "(organization_id, project_id, content) values (%(organization)s, %(show)s, 'New')",
    "voices": "(id, provider, name, language, gender, label) values ('a/b', 'a', 'b', 'mul', 'female', 'B')",
    "tier_limits": "(tier) values ('free')",
    "voice_rates": "(voice, language) values ('espeak/ben', 'en-GB')",
}

UPDATES = {
    "organizations": "name = 'Changed'",
    "organization_members": "role = 'editor'",
    "audit_log": "actor_id = null",
    "webhook_endpoints": "description = 'Changed'",
    "webhook_deliveries": "status = 'failed'",
    "projects": "name = 'Changed'",
    "episodes": "title = 'Changed'",
    "sources": "title = 'Changed'",
    "source_items": "title = 'Changed'",
    "blocks": "markdown = 'Changed.'",
    "planning_notes": "status = 'dismissed'",
    "feeds": "version = 9",
    "episode_schedule_queue": "status = 'skipped', processed_at = now()",
    "agent_memories": "content = 'Changed'",
    "voices": "is_active = false",
    "tier_limits": "max_projects = 9",
    "voice_rates": "seconds = 9",
}


@pytest.fixture
def world(owner, sign_up, add_member, make_show, make_episode):
    """One organization with a member of each role and a row in each table, and an outsider with a show of their own."""
    ids = {name: sign_up(name) for name in ("owner", "admin", "editor", "viewer", "guest", "outsider")}
    ids["organization"] = ids["owner"]
    for role in ("admin", "editor", "viewer"):
        add_member(ids["organization"], ids[role], role)
    add_member(ids["organization"], ids["guest"], "viewer")
    ids["show"] = make_show(ids["organization"])
    ids["episode"] = make_episode(ids["organization"], ids["show"])
    ids["their_show"] = make_show(ids["outsider"])
    ids["their_episode"] = make_episode(ids["outsider"], ids["their_show"])
    rows = {name: INSERTS[name] for name in INSERTS if name not in ("organizations", "feeds", "tier_limits", "voices")}
    del rows["organization_members"]  # they are in
    source = owner.execute(f"insert into sources {rows.pop('sources')} returning id", ids).fetchone()
    ids["source"] = source[0]
    for table, values in rows.items():
        owner.execute(f"insert into {table} {values}", ids)
    return ids


def statement(table, command):
    row = ROWS.get(table, OF_THE_ORGANIZATION)
    return {
        "select": f"select 1 from public.{table} where {row}",
        "insert": f"insert into public.{table} {INSERTS[table].replace('9, ', '10, ')}",
        "update": f"update public.{table} set {UPDATES[table]} where {row}",
        "delete": f"delete from public.{table} where {row}",
    }[command]


def may(owner, world, role, sql):
    """Whether the statement touches a row for someone of that role. Nothing of it stays."""
    database_role = "anon" if role == "anon" else "authenticated"
    claims = {"role": database_role} | ({"sub": str(world[role])} if role in world else {})
    with owner.transaction(force_rollback=True):
        owner.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
        owner.execute(f"set local role {database_role}")
        try:
            return owner.execute(sql, world).rowcount > 0
        except psycopg.errors.InsufficientPrivilege:
            return False


@pytest.mark.parametrize("table", ACCESS)
def test_each_role_may_do_exactly_what_is_meant(owner, world, table):
    meant = {
        command: [] if least is NOBODY else ROLES[ROLES.index(least) :] for command, least in ACCESS[table].items()
    }

    found = {
        command: [role for role in ROLES if may(owner, world, role, statement(table, command))]
        for command in ACCESS[table]
    }

    assert found == meant


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("organizations", "tier = 'pro'"),
        ("organizations", "personal_user_id = null"),
        ("organizations", "deleted_by = null"),
        ("organization_members", "user_id = gen_random_uuid()"),
        ("webhook_endpoints", "consecutive_failures = 0"),
        ("webhook_endpoints", "disabled_reason = null"),
        ("projects", "organization_id = gen_random_uuid()"),
        ("projects", "cadence_set_at = null"),
        ("projects", "deleted_by = null"),
        ("episodes", "project_id = gen_random_uuid()"),
        ("episodes", "number = 7"),
        ("episodes", "status = 'published'"),
        ("episodes", "audio_asset_id = null"),
        ("episodes", "duration_seconds = 1"),
        ("episodes", "generation_status = 'completed'"),
        ("episodes", "generation_progress = 100"),
        ("episodes", "generation_job_id = null"),
        ("sources", "project_id = gen_random_uuid()"),
        ("sources", "kind = 'pdf'"),
        ("sources", "extracted_asset_id = null"),
        ("sources", "content_sha256 = null"),
        ("blocks", "episode_id = gen_random_uuid()"),
        ("planning_notes", "consumed_at = now()"),
        ("planning_notes", "created_by = null"),
    ],
)
def test_columns_that_functions_write_are_closed_even_to_owners(world, as_user, table, change):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_user(world["owner"]).execute(f"update {table} set {change}")


@pytest.mark.parametrize(
    "sql",
    [
        "insert into projects (organization_id, name) values (%(outsider)s, 'Mine')",
        "insert into episodes (organization_id, project_id) values (%(outsider)s, %(their_show)s)",
        "insert into planning_notes (organization_id, project_id, note) values (%(outsider)s, %(their_show)s, 'Mine')",
        "insert into organization_members (organization_id, user_id, role) values (%(outsider)s, %(owner)s, 'viewer')",
        "insert into user_events (organization_id, user_id, event_type) values (%(outsider)s, %(owner)s, 'x')",
        "insert into user_events (organization_id, user_id, event_type) values (%(organization)s, %(viewer)s, 'x')",
    ],
)
def test_nobody_writes_into_another_organization_or_in_anothers_name(world, as_user, sql):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        as_user(world["owner"]).execute(sql, world)


@pytest.mark.parametrize(
    "sql",
    [
        "insert into episodes (organization_id, project_id) values (%(organization)s, %(their_show)s)",
        "insert into sources (organization_id, project_id, kind, content) "
        "values (%(organization)s, %(their_show)s, 'text', 'x')",
        "insert into sources (organization_id, project_id, episode_id, kind, content) "
        "values (%(organization)s, %(show)s, %(their_episode)s, 'text', 'x')",
        "insert into blocks (organization_id, episode_id, position, speaker, markdown) "
        "values (%(organization)s, %(their_episode)s, 0, 'Ada', 'x')",
        "insert into planning_notes (organization_id, project_id, note) values (%(organization)s, %(their_show)s, 'x')",
        "insert into agent_memories (organization_id, project_id, content) "
        "values (%(organization)s, %(their_show)s, 'x')",
        "insert into chat_sessions (organization_id, project_id) values (%(organization)s, %(their_show)s)",
        "insert into highlights (organization_id, episode_id, quote) values (%(organization)s, %(their_episode)s, 'x')",
    ],
)
def test_nothing_can_hang_under_another_organizations_rows(world, as_user, sql):
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        as_user(world["owner"]).execute(sql, world)


def test_conversations_are_their_persons_alone(world, as_user):
    editor, owner = as_user(world["editor"]), as_user(world["owner"])
    session = editor.execute(
        "insert into chat_sessions (organization_id) values (%(organization)s) returning id", world
    ).fetchone()[0]
    speak = "insert into chat_messages (organization_id, session_id, content) values (%s, %s, 'Hello')"
    editor.execute(speak, [world["organization"], session])

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute(speak, [world["organization"], session])

    everything = "select (select count(*) from chat_sessions), (select count(*) from chat_messages)"
    assert owner.execute(everything).fetchone() == (0, 0)
    assert editor.execute(everything).fetchone() == (1, 1)


def test_nobody_puts_words_into_the_agents_mouth(world, as_user):
    editor = as_user(world["editor"])
    session = editor.execute(
        "insert into chat_sessions (organization_id) values (%(organization)s) returning id", world
    ).fetchone()[0]

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        editor.execute(
            "insert into chat_messages (organization_id, session_id, content, role) "
            "values (%s, %s, 'Yes', 'assistant')",
            [world["organization"], session],
        )


def test_a_highlight_is_seen_by_members_and_changed_by_its_maker(world, as_user):
    viewer, editor = as_user(world["viewer"]), as_user(world["editor"])
    viewer.execute(
        "insert into highlights (organization_id, episode_id, quote) values (%(organization)s, %(episode)s, 'x')", world
    )

    changed = [person.execute("update highlights set note = 'Nice'").rowcount for person in (editor, viewer)]

    assert editor.execute("select count(*) from highlights").fetchone() == (1,)
    assert changed == [0, 1]


def test_events_are_seen_by_their_person_and_by_admins(world, as_user):
    report = "insert into user_events (organization_id, user_id, event_type) values (%s, %s, 'show.opened')"
    as_user(world["viewer"]).execute(report, [world["organization"], world["viewer"]])

    seen = {
        role: as_user(world[role])
        .execute("select count(*) from user_events where event_type = 'show.opened'")
        .fetchone()[0]
        for role in ("viewer", "editor", "admin", "outsider")
    }

    assert seen == {"viewer": 1, "editor": 0, "admin": 1, "outsider": 0}


# --- what holds for all tables --------------------------------------------------------------------------------------


def test_every_table_has_row_level_security(owner):
    without = owner.execute("""
        select relname from pg_class
        where relnamespace in ('public'::regnamespace, 'engine'::regnamespace) and relkind = 'r' and not relrowsecurity
    """).fetchall()

    assert without == []


def test_every_policy_is_for_one_command_and_named_roles(owner):
    found = owner.execute("""
        select tablename, policyname from pg_policies
        where schemaname = 'public' and (cmd = 'ALL' or 'public' = any (roles))
    """).fetchall()

    assert found == []


def test_every_update_policy_also_checks_the_new_row(owner):
    found = owner.execute("""
        select tablename, policyname from pg_policies
        where schemaname = 'public' and cmd = 'UPDATE' and with_check is null
    """).fetchall()

    assert found == []


def test_without_signing_in_only_reference_data_is_seen(owner):
    granted = owner.execute("""
        select distinct table_name, privilege_type from information_schema.role_table_grants
        where grantee = 'anon' and table_schema in ('public', 'private', 'engine')
    """).fetchall()

    assert sorted(granted) == [("tier_limits", "SELECT"), ("voices", "SELECT")]


def test_without_signing_in_no_function_can_be_called(owner):
    callable_by_anon = owner.execute("""
        select oid::regprocedure::text from pg_proc
        where pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'engine'::regnamespace)
            and has_function_privilege('anon', oid, 'execute')
    """).fetchall()

    assert callable_by_anon == []


def test_every_function_fixes_its_search_path(owner):
    found = owner.execute("""
        select oid::regprocedure::text from pg_proc
        where pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'engine'::regnamespace)
            and not coalesce(proconfig, '{}') @> array['search_path=""']
    """).fetchall()

    assert found == []


def test_every_tenant_column_leads_an_index(owner):
    without = owner.execute("""
        select attrelid::regclass::text
        from pg_attribute
        join pg_class on pg_class.oid = attrelid and relkind = 'r' and relnamespace = 'public'::regnamespace
        where attname = 'organization_id'
            and not exists (select from pg_index where indrelid = attrelid and indkey[0] = attnum)
    """).fetchall()

    assert without == []


def test_every_foreign_key_has_an_index_to_delete_by(owner):
    without = owner.execute("""
        select conrelid::regclass::text, conname
        from pg_constraint
        where contype = 'f' and connamespace = 'public'::regnamespace
            -- Who deleted a row, or asked for it, is rarely looked up; accounts are rarely removed.
            and confrelid not in ('auth.users'::regclass, 'public.users'::regclass, 'public.tier_limits'::regclass)
            and not exists (
                select from pg_index
                where indrelid = conrelid and indkey[0] = any (conkey)
                    and (cardinality(conkey) = 1 or indkey[1] = any (conkey) or conkey[2] = indkey[0])
            )
    """).fetchall()

    assert without == []
