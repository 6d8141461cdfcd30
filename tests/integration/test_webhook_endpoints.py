"""Webhook endpoints: who may add and change them, what an address may be, and secrets that nobody reads back."""

from __future__ import annotations

import threading

import psycopg
import pytest

CREATE = "select * from create_webhook_endpoint(%s, %s)"
URL = "https://example.com/hooks?from=showrunner"


@pytest.fixture
def ada(sign_up):
    return sign_up("ada")


@pytest.fixture
def endpoint(ada, as_user):
    return as_user(ada).execute(CREATE, [ada, URL]).fetchone()[0]


def valid_secrets(owner, endpoint):
    rows = owner.execute(
        "select secret from engine.webhook_secrets where endpoint_id = %s "
        "and (expires_at is null or expires_at > now()) order by created_at desc",
        [endpoint],
    )
    return [secret for (secret,) in rows]


def refusal(connection, sql, parameters):
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(sql, parameters)
    return caught.value.diag.message_primary, caught.value.diag.message_hint, caught.value.sqlstate


def test_the_answer_to_the_creation_has_the_secret(ada, as_user, owner):
    created = as_user(ada).execute(CREATE, [ada, URL]).fetchone()

    assert valid_secrets(owner, created[0]) == [created[1]]
    assert created[1].startswith("whsec_")
    assert as_user(ada).execute(
        "select url, event_types, is_active, consecutive_failures from webhook_endpoints"
    ).fetchall() == [(URL, ["production.completed", "production.failed"], True, 0)]


def test_no_two_secrets_are_alike(ada, as_user):
    secrets = {as_user(ada).execute(CREATE, [ada, URL]).fetchone()[1] for _ in range(5)}

    assert len(secrets) == 5


@pytest.mark.parametrize("role", ["authenticated", "service_role", "anon"])
def test_nobody_reads_a_secret_back(connect, ada, endpoint, role):
    connection = connect(role=role, claims={"sub": str(ada), "role": role})

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select secret from engine.webhook_secrets")
    columns = connection.execute(
        "select column_name from information_schema.columns where column_name ~ 'secret'"
    ).fetchall()
    assert columns == []


def test_an_endpoint_is_not_added_by_insert(ada, as_user):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_user(ada).execute("insert into webhook_endpoints (organization_id, url) values (%s, %s)", [ada, URL])


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "1 to 2000 characters"),
        (None, "1 to 2000 characters"),
        ("https://example.com/" + "x" * 2000, "1 to 2000 characters"),
        ("ftp://example.com", "not an https address"),
        ("javascript:alert(1)", "not an https address"),
        ("https://", "not an https address"),
        ("example.com", "not an https address"),
        ("http://example.com/", "not an https address"),
        ("http://10.0.0.1/", "not an https address"),
        ("https://example.com:8443/", "not an https address"),
        ("https://user:secret@example.com/", "user name or password"),
        ("https://user@example.com/", "user name or password"),
        ("https://example.com/#top", "fragment"),
        ("https://exa mple.com/", "characters that an address cannot have"),
        ("https://example.com/\n", "characters that an address cannot have"),
        ("https://bücher.example/", "characters that an address cannot have"),
        ("https://example.com\\@10.0.0.1/", "characters that an address cannot have"),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_its_field(ada, as_user, endpoint, url, words):
    connection = as_user(ada)

    created = refusal(connection, CREATE, [ada, url])
    changed = refusal(connection, "update webhook_endpoints set url = %s", [url])

    assert created[0].startswith("url: ")
    assert words in created[0]
    assert "secret" not in str(created)
    assert changed == created
    assert created[2] == "22023"


@pytest.mark.parametrize(
    "url",
    ["https://example.com", "https://example.com:443/a@b?c=d", "https://[2606:2800::1]/", "http://localhost:3000/x"],
)
def test_an_https_address_or_this_machine_is_accepted(ada, as_user, url):
    assert as_user(ada).execute(CREATE, [ada, url]).fetchone()[0]


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ([], "event_types: at least one is needed"),
        (None, "event_types: at least one is needed"),
        (["production.finished"], "event_types: production.finished is not an event"),
        (["production.failed", None], "event_types: null is not an event"),
    ],
)
def test_unknown_events_are_refused_with_those_there_are(ada, as_user, types, words):
    message, hint, _ = refusal(as_user(ada), "select create_webhook_endpoint(%s, %s, %s)", [ada, URL, types])

    assert message == words
    assert "production.requested, production.running, production.waiting" in hint


def test_an_organization_has_ten_endpoints_at_most(ada, as_user, owner):
    connection = as_user(ada)
    created = [connection.execute(CREATE, [ada, URL]).fetchone()[0] for _ in range(10)]

    message, _, _ = refusal(connection, CREATE, [ada, URL])
    connection.execute("update webhook_endpoints set deleted_at = now() where id = %s", [created[0]])
    connection.execute(CREATE, [ada, URL])
    restored, _, _ = refusal(connection, "update webhook_endpoints set deleted_at = null where id = %s", [created[0]])

    assert message == restored == "organization_id: has 10 webhook endpoints, the most allowed"


def test_two_requests_at_once_cannot_both_be_the_tenth(ada, as_user, owner):
    for _ in range(9):
        as_user(ada).execute(CREATE, [ada, URL])
    first, second = as_user(ada), as_user(ada)
    refused = []

    def create_second():
        try:
            second.execute(CREATE, [ada, URL])
        except psycopg.Error as error:
            refused.append(error.sqlstate)

    with first.transaction():
        first.execute(CREATE, [ada, URL])
        other = threading.Thread(target=create_second)
        other.start()
        waiting = (
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        while other.is_alive() and owner.execute(waiting).fetchone() == (0,):
            pass
    other.join()

    assert refused == ["PT429"]


def test_a_rotated_secret_signs_until_its_overlap_has_passed(ada, as_user, owner, endpoint):
    [old] = valid_secrets(owner, endpoint)

    new = as_user(ada).execute("select rotate_webhook_secret(%s)", [endpoint]).fetchone()[0]
    during = valid_secrets(owner, endpoint)
    owner.execute("update engine.webhook_secrets set expires_at = now() - interval '1 s' where expires_at is not null")
    after = valid_secrets(owner, endpoint)

    assert during == [new, old]
    assert after == [new]


def test_a_secret_that_leaked_is_ended_at_once(ada, as_user, owner, endpoint):
    as_user(ada).execute("select rotate_webhook_secret(%s)", [endpoint])

    new = as_user(ada).execute("select rotate_webhook_secret(%s, '0')", [endpoint]).fetchone()[0]

    assert owner.execute("select secret from engine.webhook_secrets").fetchall() == [(new,)]


@pytest.mark.parametrize("overlap", ["-1 s", "8 days", None])
def test_an_overlap_is_a_week_at_most(ada, as_user, endpoint, overlap):
    message, _, _ = refusal(as_user(ada), "select rotate_webhook_secret(%s, %s)", [endpoint, overlap])

    assert message == "overlap: 0 to 7 days are allowed"


REQUESTS = {
    "create": "select create_webhook_endpoint(%(organization)s, 'https://example.com')",
    "rotate": "select rotate_webhook_secret(%(endpoint)s)",
    "test": "select send_test_webhook(%(endpoint)s)",
    "redeliver": "select redeliver_webhook(%(delivery)s)",
}


@pytest.mark.parametrize("request_name", REQUESTS)
def test_requests_are_for_admins_and_another_tenants_id_does_not_exist(
    sign_up, add_member, as_user, owner, ada, endpoint, request_name
):
    delivery = as_user(ada).execute("select send_test_webhook(%s)", [endpoint]).fetchone()[0]
    owner.execute("update webhook_deliveries set status = 'failed'")
    ids = {"organization": ada, "endpoint": endpoint, "delivery": delivery}
    people = {role: sign_up(role) for role in ("viewer", "editor", "admin", "outsider")}
    for role in ("viewer", "editor", "admin"):
        add_member(ada, people[role], role)

    codes = {}
    for role, person in people.items():
        try:
            as_user(person).execute(REQUESTS[request_name], ids)
            codes[role] = "done"
        except psycopg.Error as error:
            codes[role] = error.sqlstate

    assert codes == {"viewer": "42501", "editor": "42501", "admin": "done", "outsider": "PT404"}


def test_other_tenants_see_neither_endpoints_nor_deliveries(sign_up, as_user, ada, endpoint):
    as_user(ada).execute("select send_test_webhook(%s)", [endpoint])
    stranger = as_user(sign_up("eve"))

    seen = stranger.execute(
        "select (select count(*) from webhook_endpoints), (select count(*) from webhook_deliveries)"
    )

    assert seen.fetchone() == (0, 0)


def test_what_is_kept_for_the_deliverer_is_closed_to_clients(connect, ada, endpoint):
    for role in ("authenticated", "service_role"):
        connection = connect(role=role, claims={"sub": str(ada), "role": role})
        for call in ("claim_webhooks(1, 1, 1, 1)", "finish_webhook(null, 1, 200, null, null)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select engine.{call}".encode())


def test_the_worker_changes_deliveries_by_functions_alone(as_worker, endpoint):
    for sql in (
        "update public.webhook_endpoints set is_active = false",
        "update public.webhook_deliveries set status = 'failed'",
        "delete from public.webhook_deliveries",
        "select secret from engine.webhook_secrets",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_worker.execute(sql.encode())


def test_a_test_event_goes_to_an_endpoint_whatever_it_listens_for_one_at_a_time(ada, as_user, owner, endpoint):
    admin = as_user(ada)
    send = "select send_test_webhook(%s)"

    admin.execute(send, [endpoint])
    too_soon = refusal(admin, send, [endpoint])
    owner.execute("update public.webhook_deliveries set status = 'delivered', delivered_at = now()")
    admin.execute(send, [endpoint])

    assert too_soon[::2] == ("endpoint: a test is under way", "PT409")
    assert (
        owner.execute("select event_type, payload -> 'data' ->> 'endpoint_id' from webhook_deliveries").fetchall()
        == [("webhook.test", str(endpoint))] * 2
    )
