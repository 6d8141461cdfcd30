"""The connection: one message is one transaction, as one role, whatever the parameters hold and whoever hangs up."""

from __future__ import annotations

import threading

import psycopg
import pytest
from psycopg.types.json import Jsonb

from showrunner.database import Database, Statement, is_outage
from tests.rigs.together import start, together


@pytest.fixture
def workers(rig):
    database = Database(rig.login_url, "showrunner_worker", pauses_seconds=(0, 0))
    yield database
    database.close()


def insert(attempt, job="00000000-0000-0000-0000-000000000001"):
    return Statement("insert into rig.results (job_id, attempt) values (%s, %s)", (job, attempt))


def results(rig):
    return [row["attempt"] for row in rig.owner.execute("select attempt from rig.results order by 1").fetchall()]


def test_several_statements_are_one_transaction_and_the_last_ones_rows_are_returned(rig, workers):
    rows = workers.run(
        [
            insert(1),
            insert(2),
            Statement("select count(*) as n, txid_current_if_assigned() is null as idle from rig.results"),
        ]
    )

    assert rows == [{"n": 2, "idle": False}]
    assert results(rig) == [1, 2]


def test_several_statements_are_one_round_trip(rig, workers):
    workers.run([insert(1), insert(2), insert(3)])

    assert workers.round_trips == 1


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_statement_that_fails_undoes_those_beside_it(rig, workers, place):
    statements = [insert(1), insert(2)]
    statements.insert(place, Statement("select 1 / 0"))

    with pytest.raises(psycopg.errors.DivisionByZero):
        workers.run(statements)

    assert results(rig) == []


def test_a_failed_message_leaves_a_connection_that_works(rig, workers):
    with pytest.raises(psycopg.errors.DivisionByZero):
        workers.call("select 1 / 0")

    assert workers.call("select 1 as one") == [{"one": 1}]


def test_statements_run_as_the_worker(rig, workers):
    assert workers.call("select current_user::text as role") == [{"role": "showrunner_worker"}]


def test_the_role_lasts_no_longer_than_the_transaction(rig, workers):
    workers.call("select 1")

    assert workers._connection.execute("select current_user::text as role").fetchone() == {"role": "showrunner_login"}


def test_the_login_alone_may_do_nothing(rig, workers):
    workers.call("select 1")

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        workers._connection.execute("select * from public.jobs")


def test_another_role_may_be_taken(rig):
    database = Database(rig.login_url, "authenticated")

    role = database.call("select current_user::text as role")[0]["role"]
    database.close()

    assert role == "authenticated"


def test_a_statement_without_rows_returns_none(rig, workers):
    assert workers.run([Statement("select 1"), insert(1)]) == []


def test_named_parameters_work_too(rig, workers):
    assert workers.call("select %(a)s::text || %(b)s as both", {"a": "x", "b": "y"}) == [{"both": "xy"}]


NASTY = [
    "it's",
    "''",
    'a "quoted" word',
    "100 %",
    "%s %(name)s %%",
    "back\\slash",
    "\\'; drop table rig.results; --",
    "'; drop table rig.results; --",
    "$$; drop table rig.results; $$",
    "/* comment",
    "-- comment",
    "line\nbreak\r\n\ttab",
    "ünï çødé 日本語 العربية 🎙️",
    "\u202e\u200b\ufeff",
    "\x01\x1f\x7f",
    "E'\\n'",
    "; select 1",
    "",
]


@pytest.mark.parametrize("text", NASTY)
def test_a_text_arrives_as_it_was_sent(rig, workers, text):
    assert workers.call("select %s::text as text, %s::int as beside", (text, 7)) == [{"text": text, "beside": 7}]


@pytest.mark.parametrize("text", NASTY)
def test_a_text_arrives_as_it_was_sent_whatever_the_servers_quoting(rig, text):
    """A server may read backslashes as escapes in plain strings."""
    database = Database(rig.login_url + "?options=-c%20standard_conforming_strings%3Doff", "showrunner_worker")

    shown = database.run(
        [Statement("select %s::text as text, current_setting('standard_conforming_strings') as s", (text,))]
    )
    database.close()

    assert shown == [{"text": text, "s": "off"}]


def test_json_arrives_as_it_was_sent(rig, workers):
    value = {text: [text, {"deep": None}] for text in NASTY}

    assert workers.call("select %s as value", (Jsonb(value),)) == [{"value": value}]


def test_bytes_and_nothing_arrive_as_they_were_sent(rig, workers):
    assert workers.call("select %s::bytea as raw, %s::text as none", (bytes(range(256)), None)) == [
        {"raw": bytes(range(256)), "none": None}
    ]


def test_a_nul_is_refused_before_it_is_sent(rig, workers):
    with pytest.raises(psycopg.DataError):
        workers.call("select %s::text", ("a\x00b",))

    assert not is_outage(psycopg.DataError())


def test_a_role_with_an_odd_name_cannot_inject(rig):
    database = Database(rig.login_url, 'x"; create table rig.injected (); --')

    with pytest.raises(psycopg.errors.InvalidParameterValue):
        database.call("select 1")
    database.close()

    assert rig.one("select to_regclass('rig.injected') as made")["made"] is None


def test_a_killed_connection_is_opened_again(rig, workers):
    workers.call("select 1")
    rig.cut_connections()

    assert workers.call("select 1 as one") == [{"one": 1}]


def test_a_message_that_is_cut_off_is_run_again_whole(rig, workers):
    """The first run waits for a lock when its connection is killed; what it had done is undone with it."""
    rig.owner.execute("begin")
    rig.owner.execute("lock table rig.results in exclusive mode")
    running = threading.Thread(target=lambda: workers.run([Statement("select 1"), insert(1), insert(2)]))
    running.start()
    while (
        rig.one("select count(*) as n from pg_locks where not granted and relation = 'rig.results'::regclass")["n"] == 0
    ):
        pass
    rig.cut_connections()
    rig.owner.execute("commit")
    running.join()

    assert results(rig) == [1, 2]
    assert workers.round_trips == 2


def test_what_never_comes_back_is_raised_after_the_last_try(rig):
    database = Database("postgresql://127.0.0.1:1/nothing", "showrunner_worker", pauses_seconds=(0, 0))

    with pytest.raises(psycopg.OperationalError) as caught:
        database.call("select 1")

    assert is_outage(caught.value)


def test_a_deadlock_is_tried_again(rig, workers):
    """Each holds one lock and waits at a gate; behind the gate each wants the lock of the other."""
    other = Database(rig.login_url, "showrunner_worker", pauses_seconds=(0, 0, 0))
    lock, gate = "select pg_advisory_xact_lock(%s)", Statement("select pg_advisory_xact_lock_shared(3)")
    rig.owner.execute("select pg_advisory_lock(3)")
    threads = [
        start(lambda: workers.run([Statement(lock, (1,)), gate, Statement(lock, (2,)), insert(1)])),
        start(lambda: other.run([Statement(lock, (2,)), gate, Statement(lock, (1,)), insert(2)])),
    ]
    while rig.one("select count(*) as n from pg_locks where locktype = 'advisory' and not granted")["n"] < 2:
        pass
    rig.owner.execute("select pg_advisory_unlock(3)")
    for thread in threads:
        thread.join()
    other.close()

    assert results(rig) == [1, 2]
    assert workers.round_trips + other.round_trips == 3


def test_threads_may_share_a_database(rig, workers):
    answers = together([lambda n=n: workers.call("select %s::int as n", (n,))[0]["n"] for n in range(8)])

    assert answers == list(range(8))


def test_nothing_is_prepared_on_the_server(rig, workers):
    for _ in range(10):
        workers.call("select %s::int as n", (1,))

    assert workers.call("select count(*) as n from pg_prepared_statements") == [{"n": 0}]


@pytest.mark.parametrize(
    ("sqlstate", "expected"),
    [("57014", True), ("53100", True), ("08006", True), ("58030", True), ("40001", True), ("23505", False),
     ("42601", False), ("22P05", False), ("SR001", False)],
)  # fmt: skip
def test_an_outage_is_told_from_a_refusal(sqlstate, expected):
    error = psycopg.errors.lookup(sqlstate)() if sqlstate != "SR001" else psycopg.DatabaseError()
    error.sqlstate = sqlstate

    assert is_outage(error) is expected
