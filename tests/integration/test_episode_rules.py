"""The rules of sources, episodes, scripts, notes and feeds: a refusal names the field and says what is allowed."""

from __future__ import annotations

import psycopg
import pytest

from tests.rigs.refusals import NOT_FOUND, refused_with

# --- sources --------------------------------------------------------------------------------------------------------


def add_source(owner, organization, show, **columns):
    names = ", ".join(["organization_id", "project_id", *columns])
    marks = ", ".join(["%s"] * (len(columns) + 2))
    owner.execute(f"insert into sources ({names}) values ({marks})", [organization, show, *columns.values()])


@pytest.fixture
def show(sign_up, make_show):
    """(organization, show)"""
    organization = sign_up()
    return organization, make_show(organization)


@pytest.mark.parametrize(
    "columns",
    [
        {"kind": "text", "content": "News."},
        {"kind": "markdown", "upload_key": "organizations/{organization}/uploads/a.md"},
        {"kind": "web_page", "url": "https://example.com/a"},
        {"kind": "pdf", "url": "https://example.com/a.pdf"},
        {"kind": "pdf", "upload_key": "organizations/{organization}/uploads/a.pdf"},
        {"kind": "feed", "url": "http://example.com/feed.xml"},
        {"kind": "text", "content": "x" * 1_000_000},
    ],
    ids=lambda columns: "-".join([columns["kind"], *list(columns)[1:]]),
)
def test_each_kind_of_source_is_accepted_with_what_it_needs(show, owner, columns):
    filled = {name: value.format(organization=show[0]) for name, value in columns.items()}

    add_source(owner, *show, **filled)

    assert owner.execute("select kind::text from sources").fetchall() == [(columns["kind"],)]


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"kind": "text"}, "kind_needs_its_own_of_url_content_and_upload_key"),
        ({"kind": "text", "url": "https://example.com"}, "kind_needs_its_own_of_url_content_and_upload_key"),
        ({"kind": "feed", "content": "x"}, "kind_needs_its_own_of_url_content_and_upload_key"),
        (
            {"kind": "web_page", "url": "https://example.com", "content": "x"},
            "kind_needs_its_own_of_url_content_and_upload_key",
        ),
        ({"kind": "pdf"}, "kind_needs_its_own_of_url_content_and_upload_key"),
        ({"kind": "text", "content": ""}, "content_is_not_blank"),
        ({"kind": "text", "content": " \n\t "}, "content_is_not_blank"),
        ({"kind": "text", "content": "x" * 1_000_001}, "content_has_at_most_1000000_characters"),
        ({"kind": "web_page", "url": "file:///etc/passwd"}, "url_is_http_or_https"),
        ({"kind": "web_page", "url": "https://"}, "url_is_http_or_https"),
        ({"kind": "pdf", "upload_key": "organizations/another/uploads/a.pdf"}, "upload_key_is_the_organizations_own"),
        ({"kind": "pdf", "upload_key": "{own}../another/a.pdf"}, "upload_key_is_the_organizations_own"),
        ({"kind": "pdf", "upload_key": "{own}"}, "upload_key_is_the_organizations_own"),
    ],
    ids=str,
)
def test_a_wrong_source_is_refused_by_a_constraint_that_says_what_is_allowed(show, owner, columns, constraint):
    own = f"organizations/{show[0]}/"

    with pytest.raises(psycopg.errors.CheckViolation, match=constraint):
        add_source(owner, *show, **{name: value.replace("{own}", own) for name, value in columns.items()})


def test_a_source_of_one_episode_goes_with_it(show, make_episode, owner):
    episode = make_episode(*show)
    add_source(owner, *show, kind="text", content="Only now.", episode_id=episode)

    owner.execute("delete from episodes")

    assert owner.execute("select count(*) from sources").fetchone() == (0,)


# --- episodes and their scripts ---------------------------------------------------------------------------------------


def test_episodes_are_numbered_within_their_show_and_take_its_length(sign_up, make_show, make_episode, owner):
    ada = sign_up()
    first, second = make_show(ada, target_minutes=7), make_show(ada)

    for show in (first, first, second):
        make_episode(ada, show)

    found = owner.execute("select project_id, number, target_minutes from episodes order by created_at").fetchall()
    assert found == [(first, 1, 7), (first, 2, 7), (second, 1, 10)]


def test_a_deleted_show_gets_no_new_episode(show, make_episode, owner):
    owner.execute("update projects set deleted_at = now()")

    with pytest.raises(psycopg.errors.CheckViolation, match="project_id: the show was deleted"):
        make_episode(*show)


@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("target_minutes", 0, "target_minutes_is_1_to_120"),
        ("generation_progress", 101, "generation_progress_is_0_to_100"),
        ("status", "published", "published_at_is_set_when_published"),
        ("title", "x" * 301, "title_has_at_most_300_characters"),
    ],
)
def test_a_wrong_value_of_an_episode_is_refused(show, make_episode, column, value, constraint):
    with pytest.raises(psycopg.errors.CheckViolation, match=constraint):
        make_episode(*show, **{column: value})


def add_line(connection, organization, episode, position, speaker="Ada", markdown="Good morning."):
    connection.execute(
        "insert into blocks (organization_id, episode_id, position, speaker, markdown) values (%s, %s, %s, %s, %s)",
        [organization, episode, position, speaker, markdown],
    )


def test_lines_change_places_in_one_statement(show, make_episode, as_user):
    episode = make_episode(*show)
    editor = as_user(show[0])
    for position, speaker in enumerate(["Ada", "Ben"]):
        add_line(editor, show[0], episode, position, speaker)

    editor.execute("update blocks set position = 1 - position")

    assert editor.execute("select speaker from blocks order by position").fetchall() == [("Ben",), ("Ada",)]


def test_two_lines_cannot_have_one_place(show, make_episode, owner):
    episode = make_episode(*show)
    add_line(owner, show[0], episode, 0)

    with pytest.raises(psycopg.errors.UniqueViolation, match="blocks_episode_id_position"):
        add_line(owner, show[0], episode, 0)


def test_a_line_is_spoken_by_one_of_the_shows_speakers(show, make_episode, owner):
    episode = make_episode(*show)

    with pytest.raises(
        psycopg.errors.CheckViolation, match=r'the show has no speaker "Eve"\. Its speakers are Ada, Ben.'
    ):
        add_line(owner, show[0], episode, 0, speaker="Eve")


@pytest.mark.parametrize("markdown", ["", " \n ", "x" * 10_001], ids=["empty", "blank", "too long"])
def test_a_line_says_something_short_enough(show, make_episode, owner, markdown):
    episode = make_episode(*show)

    with pytest.raises(psycopg.errors.CheckViolation, match="markdown_has_1_to_10000_characters"):
        add_line(owner, show[0], episode, 0, markdown=markdown)


def test_imported_episodes_with_audio_are_marked_as_completed(show, make_episode, owner):
    audio = owner.execute(
        "insert into assets (organization_id, kind, key, content_type, bytes, sha256) "
        "values (%s, 'episode_audio', %s, 'audio/mpeg', 1, %s) returning id",
        [show[0], f"organizations/{show[0]}/episode_audio/a.mp3", "a" * 64],
    ).fetchone()[0]
    published = {"status": "published", "published_at": "2026-01-01"}
    with_audio = make_episode(*show, **published, audio_asset_id=audio)
    make_episode(*show, **published)
    make_episode(*show, audio_asset_id=audio)

    marked = owner.execute("select engine.backfill_generation_status()").fetchone()

    assert marked == (1,)
    assert owner.execute(
        "select id, generation_progress from episodes where generation_status = 'completed'"
    ).fetchall() == [(with_audio, 100)]


# --- notes and feeds ------------------------------------------------------------------------------------------------


def test_a_note_that_an_episode_took_up_cannot_be_changed(show, make_episode, as_user, owner):
    episode = make_episode(*show)
    editor = as_user(show[0])
    editor.execute("insert into planning_notes (organization_id, project_id, note) values (%s, %s, 'Rivers.')", [*show])
    owner.execute(
        "update planning_notes set status = 'consumed', consumed_at = now(), consumed_in_episode_id = %s", [episode]
    )

    changed = editor.execute("update planning_notes set note = 'Lakes.'").rowcount

    assert changed == 0
    with pytest.raises(psycopg.errors.CheckViolation, match="status: an episode has already taken up this note"):
        owner.execute("update planning_notes set note = 'Lakes.'")


def test_an_editor_cannot_claim_that_a_note_was_consumed(show, as_user):
    editor = as_user(show[0])
    editor.execute("insert into planning_notes (organization_id, project_id, note) values (%s, %s, 'Rivers.')", [*show])

    with pytest.raises(psycopg.Error, match=r"consumed_says_when|row-level security"):
        editor.execute("update planning_notes set status = 'consumed'")


def test_revoking_a_feeds_token_gives_it_another(show, as_user):
    editor = as_user(show[0])
    feed, old_token = editor.execute("select id, token from feeds").fetchone()

    new_token = editor.execute("select revoke_feed_token(%s)", [feed]).fetchone()[0]

    assert new_token != old_token
    assert editor.execute("select token, version, revoked_at from feeds").fetchone() == (new_token, 2, None)


def test_a_feed_can_be_closed_and_opened_again(show, as_user):
    editor = as_user(show[0])
    feed = editor.execute("select id from feeds").fetchone()[0]

    editor.execute("select revoke_feed_token(%s, close => true)", [feed])
    closed = editor.execute("select revoked_at is not null from feeds").fetchone()
    editor.execute("select revoke_feed_token(%s)", [feed])

    assert closed == (True,)
    assert editor.execute("select revoked_at, version from feeds").fetchone() == (None, 3)


@pytest.mark.parametrize("role", ["viewer", "outsider"])
def test_only_editors_revoke_a_feeds_token(show, sign_up, add_member, as_user, owner, role):
    feed, token = owner.execute("select id, token from feeds").fetchone()
    person = sign_up("person")
    if role == "viewer":
        add_member(show[0], person, "viewer")

    with refused_with(NOT_FOUND, match="there is no such feed that you may change"):
        as_user(person).execute("select revoke_feed_token(%s)", [feed])

    assert owner.execute("select token from feeds").fetchone() == (token,)
