"""The migrations apply, roll back and apply again, on every Postgres that the wheel carries."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest

from local import migrations

EVERYTHING = """
    select class.relname from pg_class as class
    where class.relnamespace in (select oid from pg_namespace where nspname in ('public', 'private', 'engine'))
    union all
    select proname from pg_proc
    where pronamespace in (select oid from pg_namespace where nspname in ('public', 'private', 'engine'))
    union all
    select typname from pg_type
    where typnamespace in (select oid from pg_namespace where nspname in ('public', 'private', 'engine'))
    union all
    select tgname from pg_trigger where tgrelid = 'auth.users'::regclass and not tgisinternal
    union all
    select nspname from pg_namespace where nspname in ('private', 'engine')
"""


@pytest.mark.parametrize("postgres_version", [16, 18])
def test_migrations_apply_roll_back_to_nothing_and_apply_again(empty_database):
    url = empty_database.owner_url
    versions = [migration.version for migration in migrations.migrations()]

    forward = migrations.migrate(url)
    back = migrations.rollback(url)

    with psycopg.connect(url) as connection:
        left = connection.execute(EVERYTHING).fetchall()
    assert (forward, back, left) == (versions, versions[::-1], [])
    assert migrations.migrate(url) == versions


def test_every_migration_has_a_rollback_of_the_same_name():
    found = migrations.migrations()

    without = [migration.path.name for migration in found if not migration.rollback_path.exists()]

    assert found
    assert without == []


def test_migrating_again_changes_nothing(database):
    assert migrations.migrate(database.owner_url) == []


def test_rolling_back_to_a_version_keeps_it_and_what_came_before(empty_database):
    url = empty_database.owner_url
    versions = migrations.migrate(url)

    undone = migrations.rollback(url, to_version=versions[0])

    with psycopg.connect(url) as connection:
        assert migrations.applied(connection) == versions[:1]
    assert undone == versions[:0:-1]


BEFORE_REPLACEMENTS = "20261121000650"
DEFINITIONS = """
    select oid::regprocedure::text, pg_get_functiondef(oid), coalesce(proacl::text, '')
    from pg_proc where pronamespace = 'engine'::regnamespace
    union all
    select tgrelid::regclass::text || ' ' || tgname, pg_get_triggerdef(oid), '' from pg_trigger where not tgisinternal
    union all
    select indexrelid::regclass::text, pg_get_indexdef(indexrelid), '' from pg_index
    where indrelid in (select oid from pg_class where relnamespace in ('public'::regnamespace, 'engine'::regnamespace))
    order by 1
"""


def test_functions_that_were_replaced_are_what_they_were_after_a_rollback(empty_database):
    url = empty_database.owner_url
    migrations.migrate(url, to_version=BEFORE_REPLACEMENTS)
    with psycopg.connect(url, autocommit=True) as connection:
        before = connection.execute(DEFINITIONS).fetchall()

        migrations.migrate(url)
        migrations.rollback(url, to_version=BEFORE_REPLACEMENTS)

        assert connection.execute(DEFINITIONS).fetchall() == before


def test_organizations_that_were_there_before_the_engine_have_their_limits(empty_database):
    url = empty_database.owner_url
    migrations.migrate(url, to_version="20261121000100")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("insert into public.organizations (name, tier) values ('Early', 'creator')")

        migrations.migrate(url)

        limits = connection.execute(
            "select max_running_jobs, daily_budget_gbp from engine.organization_limits"
        ).fetchall()
    assert limits == [(10, 20)]


def test_two_programs_that_migrate_at_once_apply_each_migration_once(empty_database):
    results: list[list[str]] = []
    programs = [
        threading.Thread(target=lambda: results.append(migrations.migrate(empty_database.owner_url))) for _ in range(2)
    ]

    for program in programs:
        program.start()
    for program in programs:
        program.join()

    assert sorted(results[0] + results[1]) == [migration.version for migration in migrations.migrations()]


def test_migrations_are_recorded_as_the_supabase_cli_records_them(database, owner):
    recorded = owner.execute(
        "select version, name, cardinality(statements) > 5 from supabase_migrations.schema_migrations order by version"
    ).fetchall()

    assert recorded[0] == ("20261121000050", "foundation", True)


def test_migrations_need_no_superuser(owner):
    assert owner.execute("select rolsuper from pg_roles where rolname = current_user").fetchone() == (False,)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "rollbacks").mkdir()
    return tmp_path


def test_a_failing_statement_is_named_by_file_and_line_and_leaves_nothing(empty_database, project):
    script = "-- A story.\ncreate table public.kept (id int);\n\ncreate table public.kept (\n    id int\n);\n"
    (project / "migrations" / "20260101000000_twice.sql").write_text(script)

    with pytest.raises(migrations.MigrationError, match=r'twice.sql:4: relation "kept" already exists'):
        migrations.migrate(empty_database.owner_url, project)

    with psycopg.connect(empty_database.owner_url) as connection:
        assert connection.execute("select to_regclass('public.kept')").fetchone() == (None,)
        assert migrations.applied(connection) == []


def test_an_error_within_a_statement_is_named_by_its_own_line(empty_database, project):
    (project / "migrations" / "20260101000000_typo.sql").write_text(
        "create table public.a (\n    id uuid,\n    x intt\n);"
    )

    with pytest.raises(migrations.MigrationError, match=r'typo.sql:3: type "intt" does not exist'):
        migrations.migrate(empty_database.owner_url, project)


def test_a_migration_without_rollback_is_not_undone(empty_database, project):
    (project / "migrations" / "20260101000000_alone.sql").write_text("create table public.a (id int);")
    migrations.migrate(empty_database.owner_url, project)

    with pytest.raises(migrations.MigrationError, match="no rollback file"):
        migrations.rollback(empty_database.owner_url, directory=project)


@pytest.mark.parametrize("name", ["1_short.sql", "20260101000000-dash.sql", "20260101000000.sql"])
def test_a_file_name_that_supabase_would_ignore_is_refused(project, name):
    (project / "migrations" / name).write_text("select 1;")

    with pytest.raises(migrations.MigrationError, match="a migration is named"):
        migrations.migrations(project)


def test_two_files_of_one_version_are_refused(project):
    for name in ("20260101000000_a.sql", "20260101000000_b.sql"):
        (project / "migrations" / name).write_text("select 1;")

    with pytest.raises(migrations.MigrationError, match=r"its version is taken by 20260101000000_a.sql"):
        migrations.migrations(project)


def test_a_semicolon_ends_a_statement_only_outside_of_quotes_and_comments():
    script = """
        -- first; comment
        select ';', E'it\\'s;', "odd;name"; /* second; comment */
        do $body$ begin perform 1; perform $$a;b$$; end $body$;
        select 'it''s; fine'
    """

    found = [(statement.line, statement.text.split()[0]) for statement in migrations.statements(script)]

    assert found == [(3, "select"), (4, "do"), (5, "select")]
