"""The rules of shows and their voices: a refusal names the field and says what is allowed."""

from __future__ import annotations

import threading

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.rigs.refusals import LIMIT_REACHED, refused_with

CADENCE = {"days": ["mon", "thu"], "time": "07:30", "time_zone": "Europe/London", "catch_up": "latest"}
ADA = {"name": "Ada", "voice": "espeak/ada"}
BEN = {"name": "Ben", "voice": "espeak/ben"}


def test_a_show_begins_with_sensible_choices_and_an_open_feed(sign_up, as_user):
    ada = sign_up()
    connection = as_user(ada)

    connection.execute("insert into projects (organization_id, name) values (%s, 'The Show')", [ada])

    assert connection.execute(
        "select language, format::text, writer, speakers, target_minutes, memories, is_active from projects"
    ).fetchone() == ("en-GB", "dialogue", "offline/extractive", [ADA, BEN], 10, [], True)
    [(token, version, revoked_at)] = connection.execute("select token, version, revoked_at from feeds").fetchall()
    assert (len(token), version, revoked_at) == (64, 1, None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([], "an object with days, time, time_zone and catch_up"),
        ({**CADENCE, "weekly": True}, r"cadence_config\.weekly: unknown"),
        ({**CADENCE, "days": []}, r"cadence_config\.days: one or more of mon"),
        ({**CADENCE, "days": ["monday"]}, r"cadence_config\.days: one or more of mon"),
        ({**CADENCE, "days": ["mon", "mon"]}, r"cadence_config\.days: .* each once"),
        ({**CADENCE, "days": "mon"}, r"cadence_config\.days: one or more of mon"),
        ({**CADENCE, "time": "7:30"}, r"cadence_config\.time: a local time .* as HH:MM"),
        ({**CADENCE, "time": "24:00"}, r"cadence_config\.time: a local time"),
        ({**CADENCE, "time": 730}, r"cadence_config\.time: a local time"),
        ({**CADENCE, "time_zone": None}, r"cadence_config\.time_zone: the name of a time zone"),
        ({**CADENCE, "time_zone": "Europe/Nowhere"}, r"cadence_config\.time_zone: \"Europe/Nowhere\" is not a known"),
        ({**CADENCE, "catch_up": "some"}, r"cadence_config\.catch_up: latest, all or none"),
        ({"days": ["mon"], "time": "07:30"}, r"cadence_config\.time_zone: the name of a time zone"),
    ],
)
def test_a_wrong_cadence_is_refused_by_its_part(sign_up, make_show, wrong, message):
    ada = sign_up()

    with pytest.raises(psycopg.errors.CheckViolation, match=message) as refused:
        make_show(ada, cadence_config=Jsonb(wrong))

    assert refused.value.diag.column_name == "cadence_config"


def test_a_cadence_may_leave_catch_up_to_the_default(sign_up, make_show, owner):
    make_show(sign_up(), cadence_config={key: CADENCE[key] for key in ("days", "time", "time_zone")})

    assert owner.execute("select cadence_set_at is not null from projects").fetchone() == (True,)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([], "an array of 1 to 8 speakers"),
        ([{**ADA, "name": f"Ada {number}"} for number in range(9)], "an array of 1 to 8 speakers"),
        ([ADA], "dialogue needs at least 2 speakers"),
        ([ADA, {**BEN, "name": "ada"}], "each name is used once"),
        ([ADA, {**BEN, "name": ""}], "a name has 1 to 50 characters"),
        ([ADA, {**BEN, "name": " Ben"}], "without blanks around it"),
        ([ADA, {**BEN, "name": "B" * 51}], "a name has 1 to 50 characters"),
        ([ADA, {"name": "Ben"}], r"each is \{\"name\""),
        ([ADA, {**BEN, "pitch": 2}], "two texts and nothing else"),
        ([ADA, "Ben"], r"each is \{\"name\""),
        (
            [ADA, {**BEN, "voice": "espeak/zoe"}],
            r"there is no voice \"espeak/zoe\"\. Allowed are .* such as espeak/ada",
        ),
    ],
)
def test_wrong_speakers_are_refused_with_what_is_allowed(sign_up, make_show, wrong, message):
    ada = sign_up()

    with pytest.raises(psycopg.errors.CheckViolation, match=f"^speakers: .*{message}") as refused:
        make_show(ada, speakers=wrong)

    assert refused.value.diag.column_name == "speakers"


def test_a_bulletin_needs_one_speaker(sign_up, make_show, owner):
    make_show(sign_up(), format="bulletin", speakers=[ADA])

    assert owner.execute("select count(*) from projects").fetchone() == (1,)


def test_a_withdrawn_voice_stays_until_the_speakers_are_edited(sign_up, make_show, owner):
    show = make_show(sign_up())
    owner.execute("update voices set is_active = false where id = 'espeak/ada'")

    owner.execute("update projects set name = 'Renamed' where id = %s", [show])

    with pytest.raises(psycopg.errors.CheckViolation, match='there is no voice "espeak/ada"'):
        owner.execute("update projects set speakers = %s where id = %s", [Jsonb([ADA, {**BEN, "name": "Bo"}]), show])


@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("name", " ", "name_has_1_to_200_characters"),
        ("target_minutes", 0, "target_minutes_is_1_to_120"),
        ("target_minutes", 10_000, "target_minutes_is_1_to_120"),
        ("target_minutes", 121, "target_minutes_is_1_to_120"),
        ("language", "English", "language_is_bcp_47_like_en_gb"),
        ("writer", "gpt", "writer_is_provider_slash_model"),
        ("website_url", "javascript:alert(1)", "website_url_is_http_or_https"),
        ("memories", [1], "memories_is_an_array_of_at_most_100_strings"),
        ("memories", {"a": "b"}, "memories_is_an_array_of_at_most_100_strings"),
        ("memories", ["x"] * 101, "memories_is_an_array_of_at_most_100_strings"),
        ("category", "", "category_has_1_to_100_characters"),
    ],
)
def test_a_wrong_value_of_a_show_is_refused_by_a_constraint_that_says_what_is_allowed(
    sign_up, make_show, column, value, constraint
):
    ada = sign_up()

    with pytest.raises(psycopg.Error, match=constraint):
        make_show(ada, **{column: value})


def test_a_cover_of_another_organization_is_refused(sign_up, make_show, owner):
    ada, eve = sign_up("ada"), sign_up("eve")
    cover = owner.execute(
        "insert into assets (organization_id, kind, key, content_type, bytes, sha256) "
        "values (%s, 'cover', %s, 'image/png', 1, %s) returning id",
        [eve, f"organizations/{eve}/cover/a.png", "a" * 64],
    ).fetchone()[0]

    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="cover_asset_id: the organization has no such asset"):
        make_show(ada, cover_asset_id=cover)


def test_the_tier_limits_the_number_of_shows(sign_up, make_show, owner):
    ada = sign_up(tier="free")
    first = make_show(ada)

    with refused_with(LIMIT_REACHED, r"projects: tier free allows 1 show\(s\)"):
        make_show(ada)
    owner.execute("update projects set deleted_at = now() where id = %s", [first])
    make_show(ada)

    with refused_with(LIMIT_REACHED, "tier free allows 1"):
        owner.execute("update projects set deleted_at = null where id = %s", [first])


def test_two_shows_created_at_once_do_not_pass_the_limit(sign_up, connect, owner):
    ada = sign_up(tier="free")
    outcomes = []

    def create(connection):
        try:
            connection.execute("insert into projects (organization_id, name) values (%s, 'One')", [ada])
            outcomes.append("created")
        except psycopg.Error as error:
            outcomes.append(error.sqlstate)

    creators = [threading.Thread(target=create, args=[connect()]) for _ in range(2)]
    for creator in creators:
        creator.start()
    for creator in creators:
        creator.join()

    assert sorted(outcomes) == [LIMIT_REACHED, "created"]


def test_deleting_is_stamped_by_the_database_and_can_be_undone(sign_up, make_show, as_user):
    ada = sign_up()
    make_show(ada)
    connection = as_user(ada)

    connection.execute("update projects set deleted_at = '2000-01-01'")
    deleted = connection.execute("select deleted_by, deleted_at > '2020-01-01' from projects").fetchone()
    connection.execute("update projects set deleted_at = null")

    assert deleted == (ada, True)
    assert connection.execute("select deleted_by, deleted_at from projects").fetchone() == (None, None)


# --- voices ---------------------------------------------------------------------------------------------------------


def test_the_offline_voices_cover_six_languages(owner):
    languages = owner.execute("""
        select count(distinct split_part(language, '-', 1)), count(*) from voices
        where provider = 'espeak' and is_active
    """).fetchone()

    assert languages == (6, 12)


@pytest.mark.parametrize("voice", ["espeak/ada", "polly/Amy", "openai/alloy"])
def test_each_provider_has_its_voices(owner, voice):
    assert owner.execute("select is_active from voices where id = %s", [voice]).fetchone() == (True,)
