"""Claims and outcomes of deliveries, one transition at a time, as the deliverer calls them."""

from __future__ import annotations

import uuid

import pytest

from tests.rigs.refusals import NOT_NOW, refused_with
from tests.rigs.rows import insert
from tests.rigs.webhooks import listen

LEASE = 45
DELAYS = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]  # seconds


@pytest.fixture
def organization(sign_up):
    return sign_up("ada")


@pytest.fixture
def endpoint(owner, organization):
    return listen(owner, organization)


@pytest.fixture
def production(owner):
    """production(organization, *statuses): a production that passes through them; its id."""

    def make(organization, *statuses):
        made = insert(owner, "productions", {"organization_id": organization, "kind": "k", "subject_id": uuid.uuid4()})
        for status in statuses:
            move(owner, made, status)
        return made

    return make


def move(owner, production, status):
    owner.execute(
        "update public.productions set status = %s, error = 'It broke.', "
        "finished_at = case when %s in ('completed', 'failed', 'cancelled') then now() end where id = %s",
        [status, status, production],
    )


@pytest.fixture
def claim(as_worker):
    """claim(): (delivery, attempt, event type) of each."""

    def claim(limit=100, ailing=100, per_endpoint=100):
        rows = as_worker.execute(
            "select delivery_id, attempt, event_type from engine.claim_webhooks(%s, %s, %s, %s)",
            [limit, ailing, per_endpoint, LEASE],
        )
        return rows.fetchall()

    return claim


@pytest.fixture
def finish(as_worker):
    """finish(claimed, status): (accepted, status, retry seconds)"""

    def finish(claimed, status, error="It broke.", retry_after=None):
        return as_worker.execute(
            "select accepted, status::text, retry_seconds from engine.finish_webhook(%s, %s, %s, %s, %s)",
            [claimed[0], claimed[1], status, None if status == 200 else error, retry_after],
        ).fetchone()

    return finish


def let_time_pass(owner):
    """Everything that waits is due, every lease has passed."""
    owner.execute("update public.webhook_deliveries set next_attempt_at = now() where status = 'pending'")
    owner.execute("update public.webhook_deliveries set lease_until = now() where status = 'delivering'")


def state(owner, delivery):
    return owner.execute(
        "select status::text, attempts, fails, error from public.webhook_deliveries where id = %s", [delivery]
    ).fetchone()


def endpoint_state(owner, endpoint):
    return owner.execute(
        "select is_active, consecutive_failures, disabled_reason, disabled_at is not null "
        "from public.webhook_endpoints where id = %s",
        [endpoint],
    ).fetchone()


def test_of_one_production_only_the_first_is_claimed_and_the_next_after_it(
    organization, endpoint, production, claim, finish
):
    production(organization, "running", "completed")
    seen = []

    while claimed := claim():
        assert claim() == []
        seen += [event_type for _, _, event_type in claimed]
        finish(claimed[0], 200)

    assert seen == ["production.requested", "production.running", "production.completed"]


def test_what_comes_while_the_first_waits_for_its_next_attempt_waits_with_it(
    owner, organization, endpoint, production, claim, finish
):
    made = production(organization, "running")
    [first] = claim()
    finish(first, 500)
    move(owner, made, "completed")

    waiting = owner.execute("select distinct next_attempt_at > now() from public.webhook_deliveries").fetchall()
    other = production(organization)

    assert waiting == [(True,)]
    [claimed] = claim()
    assert owner.execute(
        "select production_id from public.webhook_deliveries where id = %s", claimed[:1]
    ).fetchone() == (other,)


def test_what_waited_behind_a_failure_goes_as_soon_as_it_has_arrived(
    owner, organization, endpoint, production, claim, finish
):
    production(organization, "running")
    [first] = claim()
    finish(first, 500)
    owner.execute("update public.webhook_deliveries set next_attempt_at = now() where id = %s", first[:1])
    [again] = claim()
    finish(again, 200)

    assert [event_type for _, _, event_type in claim()] == ["production.running"]


def test_one_that_is_given_up_lets_the_next_go(owner, organization, endpoint, production, claim, finish):
    production(organization, "running")
    for _ in range(len(DELAYS) + 1):
        let_time_pass(owner)
        [claimed] = claim()
        finish(claimed, 500)

    assert state(owner, claimed[0])[0] == "failed"
    [(_, attempt, event_type)] = claim()
    assert (attempt, event_type) == (1, "production.running")


def test_attempts_are_spaced_as_promised_and_end(owner, organization, endpoint, production, claim, finish):
    production(organization)
    delays = []
    for _ in range(len(DELAYS) + 1):
        let_time_pass(owner)
        [claimed] = claim()
        delays.append(finish(claimed, None, "It did not answer in time."))

    assert [status for _, status, _ in delays] == ["pending"] * 9 + ["failed"]
    for (_, _, seconds), least in zip(delays, DELAYS, strict=False):
        assert least <= seconds <= 1.2 * least
    assert delays[-1][2] is None
    assert state(owner, claimed[0]) == ("failed", 10, 10, "It did not answer in time.")
    let_time_pass(owner)
    assert claim() == []


def test_a_receiver_that_asks_for_more_time_gets_it_up_to_a_day(
    organization, endpoint, production, claim, finish, owner
):
    production(organization)

    [claimed] = claim()
    asked = finish(claimed, 429, retry_after=600)
    let_time_pass(owner)
    [claimed] = claim()
    too_long = finish(claimed, 429, retry_after=10**12)

    assert asked[2] == 600
    assert too_long[2] == 86400


def test_a_lease_that_has_passed_is_claimed_again_under_the_same_event(
    owner, organization, endpoint, production, claim, finish
):
    production(organization)
    [lost] = claim()
    assert claim() == []
    let_time_pass(owner)

    after_the_lease = claim()
    let_time_pass(owner)
    [again] = claim()
    late = finish(lost, 200)
    in_time = finish(again, 200)

    assert after_the_lease == []  # it failed once more, so that it comes back after the first delay
    assert (again[0], again[1]) == (lost[0], 2)
    assert late[0] is False
    assert in_time == (True, "delivered", None)
    assert state(owner, lost[0])[:2] == ("delivered", 2)


def test_a_success_is_counted_once(owner, organization, endpoint, production, claim, finish):
    production(organization)
    [claimed] = claim()

    first = finish(claimed, 200)
    second = finish(claimed, 500)

    assert (first[0], second[0]) == (True, False)
    assert state(owner, claimed[0])[0] == "delivered"
    assert endpoint_state(owner, endpoint)[1] == 0


def test_two_claims_at_once_take_no_delivery_twice_and_wait_for_nothing(
    owner, connect, database, organization, endpoint, production, claim
):
    for _ in range(3):
        production(organization)
    other = connect(database.login_url, role="showrunner_worker")

    with other.transaction():
        taken = other.execute("select delivery_id from engine.claim_webhooks(2, 2, 2, 45)").fetchall()
        meanwhile = claim()
    afterwards = claim()

    assert (len(taken), meanwhile, len(afterwards)) == (2, [], 1)
    assert not {row[0] for row in taken} & {row[0] for row in afterwards}


def test_an_endpoint_has_a_few_under_way_and_one_while_it_fails(
    owner, organization, endpoint, production, claim, finish
):
    for _ in range(8):
        production(organization)

    well = claim(per_endpoint=4)
    full = claim(per_endpoint=4)
    for claimed in well:
        finish(claimed, 500)
    ailing = claim(per_endpoint=4)
    finish(ailing[0], 200)
    recovered = claim(per_endpoint=4)

    assert (len(well), len(full), len(ailing), len(recovered)) == (4, 0, 1, 3)


def test_ailing_endpoints_together_take_no_more_than_their_share(owner, organization, production, claim, finish):
    for _ in range(6):
        listen(owner, organization, consecutive_failures=3, failing_since="now")
    production(organization)
    well = listen(owner, organization)
    production(organization)

    claimed = claim(limit=4, ailing=2)

    endpoints = owner.execute(
        "select endpoint_id from public.webhook_deliveries where id = any (%s)", [[row[0] for row in claimed]]
    ).fetchall()
    assert len(claimed) == 3
    assert (well,) in endpoints


def test_failures_are_counted_until_a_success(owner, organization, endpoint, production, claim, finish):
    for _ in range(3):
        production(organization)
    first, second, third = claim()

    finish(first, 500)
    finish(second, 500)
    failing = endpoint_state(owner, endpoint)
    finish(third, 200)

    assert failing == (True, 2, None, False)
    assert endpoint_state(owner, endpoint) == (True, 0, None, False)


def test_an_endpoint_that_failed_for_days_is_switched_off_with_its_reason(
    owner, as_user, organization, endpoint, production, claim, finish
):
    production(organization, "running")
    [first] = claim()
    finish(first, 500)
    owner.execute("update public.webhook_endpoints set failing_since = '2026-01-02 03:04+00'")
    let_time_pass(owner)
    [again] = claim()

    outcome = finish(again, 503, "It answered with status 503.")

    reason = "Nothing has arrived since 2026-01-02 03:04 UTC. The last error: It answered with status 503."
    assert outcome == (True, "failed", None)
    assert endpoint_state(owner, endpoint) == (False, 2, reason, True)
    assert as_user(organization).execute("select disabled_reason from webhook_endpoints").fetchone() == (reason,)
    assert owner.execute("select distinct status::text from public.webhook_deliveries").fetchall() == [("failed",)]
    production(organization)
    let_time_pass(owner)
    assert claim() == []


def test_a_receiver_that_is_gone_is_switched_off_at_once(owner, organization, endpoint, production, claim, finish):
    production(organization)
    [claimed] = claim()

    outcome = finish(claimed, 410, "It answered with status 410.")

    assert outcome == (True, "failed", None)
    assert endpoint_state(owner, endpoint) == (False, 1, "It answered 410 Gone.", True)


def test_switching_on_again_forgets_the_failures(owner, as_user, organization, endpoint, production, claim, finish):
    production(organization)
    finish(claim()[0], 410)

    as_user(organization).execute("update webhook_endpoints set is_active = true")
    production(organization)

    assert endpoint_state(owner, endpoint) == (True, 0, None, False)
    assert len(claim()) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [("is_active = false", "The endpoint was switched off."), ("deleted_at = now()", "The endpoint was deleted.")],
)
def test_an_endpoint_that_is_off_or_deleted_is_sent_nothing_more(
    owner, as_user, organization, endpoint, production, claim, finish, change, words
):
    production(organization)
    production(organization)
    under_way, *_ = claim(limit=1)

    as_user(organization).execute(f"update webhook_endpoints set {change}")
    late = finish(under_way, 200)

    assert late[0] is False
    assert owner.execute("select distinct status::text, error from public.webhook_deliveries").fetchall() == [
        ("failed", words)
    ]
    let_time_pass(owner)
    assert claim() == []


def test_an_admin_sends_one_again_with_the_id_it_had(owner, as_user, organization, endpoint, production, claim, finish):
    production(organization)
    [first] = claim()
    finish(first, 200)
    event = owner.execute("select event_id from public.webhook_deliveries").fetchone()

    as_user(organization).execute("select redeliver_webhook(%s)", [first[0]])
    [again] = claim()
    finish(again, 200)

    assert (again[0], again[1]) == (first[0], 2)
    assert owner.execute("select event_id from public.webhook_deliveries").fetchone() == event
    assert state(owner, first[0])[0] == "delivered"


def test_one_that_was_given_up_begins_its_attempts_anew(
    owner, as_user, organization, endpoint, production, claim, finish
):
    production(organization)
    owner.execute("update public.webhook_deliveries set status = 'failed', fails = 10, attempts = 10")
    delivery = owner.execute("select id from public.webhook_deliveries").fetchone()[0]

    as_user(organization).execute("select redeliver_webhook(%s)", [delivery])
    [claimed] = claim()
    outcome = finish(claimed, 500)

    assert claimed[1] == 11
    assert outcome[1] == "pending"
    assert 5 <= outcome[2] <= 6


def test_an_old_one_sent_again_does_not_overtake_the_one_under_way(
    organization, endpoint, production, claim, finish, as_user
):
    production(organization, "running")
    [first] = claim()
    finish(first, 200)
    [second] = claim()

    as_user(organization).execute("select redeliver_webhook(%s)", [first[0]])
    while_under_way = claim()
    finish(second, 200)

    assert while_under_way == []
    assert [row[0] for row in claim()] == [first[0]]


@pytest.mark.parametrize("of", ["under way", "of an endpoint that is off"])
def test_what_cannot_be_sent_again_says_why(organization, endpoint, production, claim, as_user, of):
    production(organization)
    [claimed] = claim()
    if of != "under way":
        as_user(organization).execute("update webhook_endpoints set is_active = false")

    with refused_with(NOT_NOW, match=r"being sent at this moment|switched off"):
        as_user(organization).execute("select redeliver_webhook(%s)", [claimed[0]])
