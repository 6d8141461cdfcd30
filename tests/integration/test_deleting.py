"""Deleting is setting deleted_at, restoring is taking it back; who did it and when is for the database to say."""

from __future__ import annotations

import pytest
from psycopg import sql

from local.access import access

TABLES = [
    name for name, table in access().tables.items() if "deleted_at" in table.updatable and name != "organizations"
]


@pytest.mark.parametrize("table", TABLES)
def test_a_row_is_deleted_in_ones_own_name_and_restored(tenants, table):
    entry = access().tables[table]
    actor = "admin"
    row = tenants.a.rows[table, actor if entry.personal else None]
    change = sql.SQL(
        "update public.{} set deleted_at = %s where id = %s returning deleted_at = now(), deleted_by"
    ).format(sql.Identifier(table))

    with tenants.acting(actor) as connection:
        deleted = connection.execute(change, ["2001-01-01", row["id"]]).fetchone()
        again = connection.execute(change, ["2002-02-02", row["id"]]).fetchone()
        restored = connection.execute(change, [None, row["id"]]).fetchone()

    assert deleted == again == (True, tenants.a.people[actor])
    assert restored == (None, None)


def test_a_show_comes_back_only_while_the_tier_has_room(tenants):
    owner = tenants.owner
    show = tenants.a.rows["projects", None]["id"]
    with owner.transaction(force_rollback=True):
        owner.execute("update tier_limits set max_projects = 1 where tier = 'pro'")
        with tenants.acting("editor") as connection:
            connection.execute("update projects set deleted_at = now() where id = %s", [show])
            connection.execute(
                "insert into projects (organization_id, name) values (%s, 'Another')", [tenants.a.organization]
            )
            with pytest.raises(Exception, match=r"projects: tier pro allows 1 show\(s\)") as refused:
                connection.execute("update projects set deleted_at = null where id = %s", [show])

    assert refused.value.sqlstate == "PT429"


def test_an_episode_of_a_deleted_show_is_not_requested_until_the_show_is_restored(tenants):
    show, episode = (tenants.a.rows[table, None]["id"] for table in ("projects", "episodes"))
    request = "select request_production('episode', %s, 'a key of this test')"
    restore = "update projects set deleted_at = %s where id = %s"

    with tenants.acting("editor") as connection:
        connection.execute(restore, ["2026-01-01", show])
        with (
            pytest.raises(Exception, match="project: the show of this episode is deleted") as refused,
            connection.transaction(),
        ):
            connection.execute(request, [episode])
        connection.execute(restore, [None, show])
        production = connection.execute(request, [episode]).fetchone()[0]

    assert refused.value.diag.message_hint == "Restore the show first."
    assert production is not None
