"""The audit log, events and webhook tables."""

from __future__ import annotations

import psycopg
import pytest

ADD_ENDPOINT = "insert into webhook_endpoints (organization_id, url) values (%s, %s)"


def log(connection, table):
    return connection.execute(
        "select action::text, old_values, new_values from audit_log where table_name = %s order by created_at", [table]
    ).fetchall()


def test_an_update_is_logged_with_its_changed_columns_alone(sign_up, make_show, as_user, owner):
    ada = sign_up()
    show = make_show(ada, name="Before")

    as_user(ada).execute("update projects set name = 'After', target_minutes = 10 where id = %s", [show])

    assert owner.execute(
        "select organization_id, actor_id, actor_role, action::text, table_name, row_id, old_values, new_values "
        "from audit_log"
    ).fetchall() == [
        (ada, ada, "authenticated", "update", "projects", show, {"name": "Before"}, {"name": "After"}),
    ]


def test_an_insert_and_a_delete_are_logged_with_the_whole_row(sign_up, make_show, make_episode, as_user, owner):
    ada = sign_up()
    episode = make_episode(ada, make_show(ada))
    connection = as_user(ada)

    connection.execute(
        "insert into blocks (organization_id, episode_id, position, speaker, markdown) "
        "values (%s, %s, 0, 'Ada', 'Hi.')",
        [ada, episode],
    )
    connection.execute("delete from blocks")

    (inserted, before, new), (deleted, old, after) = log(owner, "blocks")
    assert (inserted, before, new["markdown"]) == ("insert", None, "Hi.")
    assert (deleted, old["markdown"], after) == ("delete", "Hi.", None)


def test_an_update_that_changes_nothing_is_not_logged(sign_up, make_show, as_user, owner):
    ada = sign_up()
    make_show(ada)

    as_user(ada).execute("update projects set name = name")

    assert log(owner, "projects") == []


def test_what_functions_write_is_not_logged(sign_up, make_show, make_episode, as_worker, owner):
    ada = sign_up()
    make_episode(ada, make_show(ada))

    as_worker.execute("update episodes set title = 'Made'")

    assert log(owner, "episodes") == []


def test_what_a_server_does_with_the_service_role_is_logged_without_a_person(sign_up, as_service, owner):
    ada = sign_up(tier="free")

    as_service.execute("update organizations set tier = 'pro'")

    assert owner.execute(
        "select actor_id, actor_role, old_values, new_values, organization_id from audit_log"
    ).fetchall() == [(None, "service_role", {"tier": "free"}, {"tier": "pro"}, ada)]


def test_a_long_value_is_logged_as_its_length(sign_up, make_show, as_user, owner):
    ada = sign_up()
    show = make_show(ada)

    as_user(ada).execute(
        "insert into sources (organization_id, project_id, kind, content) values (%s, %s, 'text', %s)",
        [ada, show, "x" * 500_000],
    )

    [(_, _, new)] = log(owner, "sources")
    assert new["content"] == {"characters": 500_002}


def test_secrets_are_not_copied_into_the_log(sign_up, as_user, owner):
    ada = sign_up()

    [(_, secret)] = as_user(ada).execute("select * from create_webhook_endpoint(%s, 'https://example.com')", [ada])

    [(_, _, new)] = log(owner, "webhook_endpoints")
    assert new["url"] == "https://example.com"
    assert secret not in str(new)


def test_the_log_outlives_the_organization(sign_up, as_user, owner):
    ada = sign_up()
    as_user(ada).execute("update organizations set name = 'Changed'")

    owner.execute("delete from auth.users")

    assert len(log(owner, "organizations")) == 1


def test_an_event_is_delivered_to_an_endpoint_once(sign_up, owner):
    ada = sign_up()
    owner.execute(ADD_ENDPOINT, [ada, "https://example.com"])
    deliver = (
        "insert into webhook_deliveries (organization_id, endpoint_id, event_id, event_type, payload) "
        "select organization_id, id, '9c7f6a52-53cf-4f4b-8f43-0b8d2b8f6a11', 'x', '{}' from webhook_endpoints"
    )
    owner.execute(deliver)

    with pytest.raises(psycopg.errors.UniqueViolation, match="one_delivery_of_an_event_to_an_endpoint"):
        owner.execute(deliver)


@pytest.mark.parametrize("event_type", ["", "Has Spaces", "1st", "x" * 101])
def test_an_event_type_is_words(sign_up, as_user, event_type):
    ada = sign_up()

    with pytest.raises(psycopg.errors.CheckViolation, match="user_events_event_type_check"):
        as_user(ada).execute(
            "insert into user_events (organization_id, user_id, event_type) values (%s, %s, %s)", [ada, ada, event_type]
        )
