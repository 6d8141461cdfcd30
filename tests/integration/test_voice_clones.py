"""Voice clones: with consent or not at all, of one's own recordings, and as many as the tier allows."""

from __future__ import annotations

from functools import partial

import psycopg
import pytest

from tests.rigs.refusals import LIMIT_REACHED, refused_with
from tests.rigs.rows import insert
from tests.rigs.together import together

CLONE = {
    "name": "Ada, warm",
    "provider": "elevenlabs",
    "speaker_name": "Ada",
    "consent_statement": "I agree that my voice is cloned.",
    "consent_given_at": "2026-01-05T09:00:00Z",
}
ALLOWED = {"free": 0, "creator": 3, "pro": 20}


def clone(connection, organization, **columns):
    return insert(connection, "voice_clones", {"organization_id": organization, **CLONE, **columns})


def audio(owner, organization, content_type="audio/wav"):
    return insert(
        owner,
        "assets",
        {
            "organization_id": organization,
            "kind": "voice_sample",
            "key": f"organizations/{organization}/voice_sample/{content_type}",
            "content_type": content_type,
            "bytes": 1,
            "sha256": "a" * 64,
        },
    )


# --- how many -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tier", "allowed"), ALLOWED.items())
def test_a_tier_allows_so_many_clones_and_not_one_more(sign_up, as_user, tier, allowed):
    ada = sign_up(tier=tier)
    connection = as_user(ada)
    for _ in range(allowed):
        clone(connection, ada)

    with refused_with(LIMIT_REACHED, rf"voice_clones: tier {tier} allows {allowed} voice clone\(s\)") as refused:
        clone(connection, ada)

    assert refused.value.diag.message_hint.endswith("hoose a higher tier.")
    assert connection.execute("select count(*) from voice_clones").fetchone() == (allowed,)


def test_a_deleted_clone_makes_room_and_comes_back_only_while_there_is_some(sign_up, as_user):
    ada = sign_up(tier="creator")
    connection = as_user(ada)
    first, *_ = [clone(connection, ada) for _ in range(3)]
    connection.execute("update voice_clones set deleted_at = now() where id = %s", [first])
    another = clone(connection, ada)

    with refused_with(LIMIT_REACHED, "voice_clones: tier creator allows 3"):
        connection.execute("update voice_clones set deleted_at = null where id = %s", [first])

    connection.execute("update voice_clones set deleted_at = now() where id = %s", [another])
    connection.execute("update voice_clones set deleted_at = null where id = %s", [first])
    with refused_with(LIMIT_REACHED):
        clone(connection, ada)


def test_two_clones_made_at_once_do_not_pass_the_limit(sign_up, as_user):
    ada = sign_up(tier="creator")
    for _ in range(2):
        clone(as_user(ada), ada)

    def make(connection):
        try:
            clone(connection, ada)
        except psycopg.Error as error:
            return error.sqlstate
        return "made"

    outcomes = together([partial(make, as_user(ada)) for _ in range(4)])

    assert sorted(outcomes) == [LIMIT_REACHED] * 3 + ["made"]


def test_another_organizations_clones_count_for_nobody_else(sign_up, as_user):
    ada, bob = sign_up("ada", tier="creator"), sign_up("bob", tier="creator")
    for _ in range(3):
        clone(as_user(bob), bob)

    clone(as_user(ada), ada)

    assert as_user(ada).execute("select organization_id from voice_clones").fetchall() == [(ada,)]


# --- consent and recordings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["speaker_name", "consent_statement", "consent_given_at"])
def test_without_consent_there_is_no_clone(sign_up, as_user, missing):
    ada = sign_up()

    with pytest.raises(psycopg.errors.NotNullViolation) as refused:
        clone(as_user(ada), ada, **{missing: None})

    assert refused.value.diag.column_name == missing


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("consent_given_at", "2999-01-01T00:00:00Z", "consent_given_at: consent is given before a voice is cloned"),
        ("consent_statement", "yes      ", "consent_statement_has_10_to_4000_characters"),
        ("speaker_name", " ", "speaker_name_has_1_to_200_characters"),
        ("name", "x" * 201, "name_has_1_to_200_characters"),
        ("language", "English", "language_is_bcp_47_like_en_gb"),
        ("provider", "Eleven Labs", "provider_is_a_word_in_lower_case"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_its_column(sign_up, as_user, column, value, message):
    ada = sign_up()

    with pytest.raises(psycopg.errors.CheckViolation, match=message):
        clone(as_user(ada), ada, **{column: value})


@pytest.mark.parametrize("column", ["speaker_name", "consent_statement", "consent_given_at", "consent_asset_id"])
def test_consent_is_never_rewritten_by_a_member(sign_up, as_user, column):
    ada = sign_up()
    clone(as_user(ada), ada)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_user(ada).execute(f"update voice_clones set {column} = null".encode())


def test_a_clone_is_its_makers_and_begins_pending(sign_up, as_user):
    ada = sign_up()

    clone(as_user(ada), ada)

    made = as_user(ada).execute("select created_by, status::text, provider_voice_id from voice_clones").fetchall()
    assert made == [(ada, "pending", None)]


def test_a_recording_is_an_audio_file_of_the_organization(owner, sign_up, as_user):
    ada, eve = sign_up("ada"), sign_up("eve")
    clone(as_user(ada), ada, reference_asset_id=audio(owner, ada))

    for asset in (audio(owner, eve), audio(owner, ada, "image/png")):
        with pytest.raises(
            psycopg.errors.ForeignKeyViolation, match="reference_asset_id: the organization has no such audio file"
        ):
            clone(as_user(ada), ada, reference_asset_id=asset)


def test_a_document_of_consent_is_the_organizations(owner, sign_up, as_user):
    ada, eve = sign_up("ada"), sign_up("eve")
    clone(as_user(ada), ada, consent_asset_id=audio(owner, ada, "application/pdf"))

    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="consent_asset_id: the organization has no such file"):
        clone(as_user(ada), ada, consent_asset_id=audio(owner, eve))


def test_a_voice_that_was_made_keeps_its_recording(owner, sign_up, as_user):
    ada = sign_up()
    made = clone(as_user(ada), ada, reference_asset_id=audio(owner, ada))
    owner.execute("update voice_clones set status = 'cloning' where id = %s", [made])

    with pytest.raises(psycopg.errors.CheckViolation, match="reference_asset_id: the voice was made from another"):
        as_user(ada).execute("update voice_clones set reference_asset_id = %s", [audio(owner, ada, "audio/flac")])


# --- what functions write -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "constraint"),
    [("status = 'ready'", "ready_has_its_voice"), ("status = 'failed'", "failed_says_why")],
)
def test_a_state_has_what_it_stands_for(owner, sign_up, change, constraint):
    clone(owner, sign_up())

    with pytest.raises(psycopg.errors.CheckViolation, match=constraint):
        owner.execute(f"update voice_clones set {change}".encode())


def test_a_providers_voice_belongs_to_one_clone(owner, sign_up):
    for person in (sign_up("ada"), sign_up("eve")):
        clone(owner, person)
    owner.execute("update voice_clones set provider_voice_id = 'v1' where id = (select id from voice_clones limit 1)")

    with pytest.raises(psycopg.errors.UniqueViolation):
        owner.execute("update voice_clones set provider_voice_id = 'v1'")


def test_a_deleted_clone_is_forgotten_once_its_voice_is_gone_at_the_provider(owner, as_worker, sign_up):
    ada = sign_up()
    kept, gone, young = (clone(owner, ada) for _ in range(3))
    owner.execute("alter table voice_clones disable trigger stamp_deletion")
    owner.execute("update voice_clones set deleted_at = now() - interval '40 days' where id <> %s", [young])
    owner.execute("update voice_clones set deleted_at = now() where id = %s", [young])
    owner.execute("update voice_clones set provider_voice_id = 'v1' where id = %s", [kept])

    removed = as_worker.execute("select engine.purge_deleted_voice_clones(interval '30 days', 10)").fetchone()

    assert removed == (1,)
    left = {row[0] for row in owner.execute("select id from voice_clones").fetchall()}
    assert left == {kept, young} - {gone}


def test_what_members_change_is_in_the_audit_log(owner, sign_up, as_user):
    ada = sign_up()
    clone(as_user(ada), ada)
    as_user(ada).execute("update voice_clones set name = 'Renamed'")

    logged = owner.execute(
        "select action::text, actor_id from audit_log where table_name = 'voice_clones' order by created_at"
    ).fetchall()

    assert [(action.lower(), person) for action, person in logged] == [("insert", ada), ("update", ada)]
