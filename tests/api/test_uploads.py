"""Uploads over HTTP: what is announced, what arrives, and what becomes a source."""

from __future__ import annotations

import hashlib
import uuid
from base64 import b64encode
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from api_problems import Invalid
from api_upload_files import LONGEST_NAME, shown_name, title_of
from maintain import maintain
from showrunner.source_text import MOST_FILE_BYTES
from tests.pdfs import make_pdf
from tests.rigs.line import BUCKET
from tests.texts import ARTICLE

PDF = make_pdf([["A page about tides."]])
TEXT = ARTICLE.encode()
TYPES = {"pdf": "application/pdf", "text": "text/plain", "markdown": "text/markdown"}


def announce(api, show, body=TEXT, kind="text", user=None, **changes):
    wanted = {
        "project_id": str(show.project),
        "kind": kind,
        "file_name": "Tides.txt",
        "content_type": TYPES.get(kind, "text/plain"),
        "bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    wanted = {name: value for name, value in (wanted | changes).items() if value is not None}
    return api.call("POST", "/uploads", user or show.user, wanted)


def put(place, body=TEXT):
    """What S3 makes of the PUT; moto checks no signature."""
    key = urlsplit(place.json["url"]).path.removeprefix(f"/{BUCKET}/").lstrip("/")
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body, ContentType=place.json["headers"]["content-type"])
    return key


def complete(api, show, place, user=None):
    return api.call("POST", f"/uploads/{place.json['id']}/complete", user or show.user)


def sources(owner, show):
    return owner.execute(
        "select id::text, kind::text, title, upload_key from public.sources"
        " where project_id = %s and upload_key is not null",
        [show.project],
    ).fetchall()


def stored(key):
    return boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()


@pytest.mark.parametrize(("kind", "body"), [("text", TEXT), ("markdown", TEXT), ("pdf", PDF)])
def test_a_file_that_was_announced_and_arrived_becomes_a_source(api, owner, show, kind, body):
    place = announce(api, show, body, kind)
    put(place, body)

    answer = complete(api, show, place)

    [(source, made, title, key)] = sources(owner, show)
    assert (place.status, answer.status) == (201, 200)
    assert (answer.json, made, title) == ({"source_id": source}, kind, "Tides")
    assert key.startswith(f"organizations/{show.organization}/uploads/")
    assert stored(key) == body


def test_the_address_takes_this_type_length_and_hash_alone(api, show):
    place = announce(api, show).json

    query = parse_qs(urlsplit(place["url"]).query)

    assert set(query["X-Amz-SignedHeaders"][0].split(";")) == {
        "content-length", "content-type", "host", "x-amz-checksum-sha256",
    }  # fmt: skip
    assert query["X-Amz-Expires"] == ["900"]
    assert place["headers"] == {
        "content-type": "text/plain",
        "content-length": str(len(TEXT)),
        "x-amz-checksum-sha256": b64encode(hashlib.sha256(TEXT).digest()).decode(),
    }


def test_a_hash_is_not_needed(api, owner, show):
    place = announce(api, show, sha256=None)
    put(place)

    assert complete(api, show, place).status == 200
    assert len(sources(owner, show)) == 1


def test_an_upload_may_be_for_one_episode_alone(api, owner, show):
    place = announce(api, show, episode_id=str(show.episode))
    put(place)

    source = complete(api, show, place).json["source_id"]

    assert owner.execute("select episode_id from public.sources where id = %s", [source]).fetchone() == (show.episode,)


def test_completing_twice_gives_the_same_source(api, owner, show):
    place = announce(api, show)
    put(place)

    first, second = complete(api, show, place), complete(api, show, place)

    assert (first.status, first.json) == (second.status, second.json)
    assert len(sources(owner, show)) == 1


def test_two_completions_at_the_same_moment_make_one_source(api, owner, show):
    """Both have read the upload as not completed, and checked the file."""
    upload = announce(api, show).json["id"]
    complete = "select engine.complete_upload(%s, 'Tides') as source_id"

    [first], [second] = (api.services.database.call(complete, (upload,)) for _ in range(2))

    assert first == second
    assert len(sources(owner, show)) == 1


def test_what_its_sender_puts_there_afterwards_changes_nothing(api, owner, show):
    place = announce(api, show)
    put(place)
    complete(api, show, place)

    put(place, b"x" * len(TEXT))

    assert stored(sources(owner, show)[0][3]) == TEXT


def test_what_has_not_arrived_cannot_be_completed(api, owner, show):
    place = announce(api, show)

    answer = complete(api, show, place)

    assert (answer.status, sources(owner, show)) == (409, [])
    assert "has not arrived" in answer.json["detail"]


NOT_AS_ANNOUNCED = {
    "longer": (TEXT + b"!", {}, "bytes"),
    "shorter": (TEXT[:-1], {}, "bytes"),
    "another content": (b"x" * len(TEXT), {}, "sha256"),
    "no PDF": (TEXT, {"kind": "pdf"}, "kind"),
    "a PDF as text": (PDF, {"body": PDF}, "kind"),
    "an archive as a PDF": (b"PK\x03\x04" * 20, {"kind": "pdf", "body": b"PK\x03\x04" * 20}, "kind"),
    "a header too late": (b" " * 2000 + PDF, {"kind": "pdf", "body": b" " * 2000 + PDF}, "kind"),
    "binary as text": (bytes(range(256)), {"body": bytes(range(256))}, "kind"),
    "blanks": (b" \n" * 20, {"body": b" \n" * 20}, "kind"),
}


@pytest.mark.parametrize("case", NOT_AS_ANNOUNCED)
def test_what_is_not_as_announced_becomes_nothing(api, owner, show, case):
    body, announced, field = NOT_AS_ANNOUNCED[case]
    place = announce(api, show, **announced)
    put(place, body)

    answer = complete(api, show, place)

    assert (place.status, answer.status) == (201, 422)
    assert answer.json["errors"][0]["field"] == field
    assert sources(owner, show) == []


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("bytes", {"bytes": 0}),
        ("bytes", {"bytes": MOST_FILE_BYTES + 1}),
        ("bytes", {"bytes": -5}),
        ("bytes", {"bytes": "many"}),
        ("kind", {"kind": "web_page"}),
        ("content_type", {"content_type": "application/zip"}),
        ("content_type", {"kind": "pdf", "content_type": "text/plain"}),
        ("sha256", {"sha256": "ab"}),
        ("file_name", {"file_name": ""}),
        ("file_name", {"file_name": "../.."}),
        ("file_name", {"file_name": "\u202e\u200b"}),
        ("file_name", {"file_name": "a\0b"}),
        ("project_id", {"project_id": "1"}),
        ("surprise", {"surprise": 1}),
    ],
)
def test_a_wrong_announcement_names_its_field(api, show, field, changes):
    answer = announce(api, show, **changes)

    assert answer.status == 422
    assert field in [error["field"] for error in answer.json["errors"]]


def test_nobody_uploads_to_anothers_show_or_completes_anothers_upload(api, owner, show, stranger, sign_up, add_member):
    viewer = sign_up("viewer")
    add_member(show.organization, viewer, "viewer")
    place = announce(api, show)
    put(place)

    assert announce(api, show, user=stranger.user).status == 404
    assert announce(api, show, user=viewer).status == 403
    assert announce(api, show, episode_id=str(stranger.episode)).status == 404
    assert complete(api, show, place, stranger.user).status == 404
    assert complete(api, show, place, viewer).status == 403
    assert sources(owner, show) == []


def test_an_unknown_upload_is_answered_like_anothers(api, show):
    assert api.call("POST", f"/uploads/{uuid.uuid4()}/complete", show.user).status == 404


def test_an_upload_that_was_not_completed_in_time_is_over(api, owner, show):
    place = announce(api, show)
    put(place)
    owner.execute("update engine.uploads set expires_at = now() - interval '1 s' where id = %s", [place.json["id"]])

    answer = complete(api, show, place)

    assert (answer.status, answer.json["hint"]) == (409, "Ask for a new upload.")


def test_a_days_files_are_counted(api, owner, show):
    owner.execute(
        "insert into engine.uploads (organization_id, project_id, kind, file_name, content_type, bytes)"
        " select %s, %s, 'text', 'a', 'text/plain', 1 from generate_series(1, 99)",
        [show.organization, show.project],
    )

    assert announce(api, show).status == 201
    refused = announce(api, show)
    owner.execute(
        "update engine.uploads set created_at = now() - interval '25 h' where project_id = %s", [show.project]
    )

    assert (refused.status, refused.json["code"]) == (429, "PT429")
    assert announce(api, show).status == 201


def test_a_days_bytes_are_counted(api, owner, show):
    owner.execute(
        "insert into engine.uploads (organization_id, project_id, kind, file_name, content_type, bytes)"
        " select %s, %s, 'text', 'a', 'text/plain', 10000000 from generate_series(1, 50)",
        [show.organization, show.project],
    )

    answer = announce(api, show)

    assert answer.status == 429
    assert answer.json["errors"][0]["field"] == "bytes"


def test_what_was_never_completed_is_forgotten_with_its_file(api, owner, show, stranger):
    unfinished, finished = announce(api, show), announce(api, stranger)
    key, other = put(unfinished), put(finished)
    complete(api, stranger, finished)
    age = "update engine.uploads set created_at = now() - interval '3 days' where id = any (%s)"
    owner.execute(age, [[unfinished.json["id"], finished.json["id"]]])

    maintain(api.services)
    owner.execute("update engine.file_deletions set queued_at = now() - interval '2 h'")
    maintain(api.services)

    s3 = boto3.client("s3")
    left = {one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())}
    assert not {key, other} & left
    assert {row[3] for row in sources(owner, stranger)} <= left
    assert complete(api, show, unfinished).status == 404


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Tides.pdf", "Tides.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\Tides.pdf", "Tides.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\r\nSet-Cookie: x", "a Set-Cookie: x"),
        (".htaccess", "htaccess"),
        ("  a \t b  ", "a b"),
        ("\x1b[31mred", "[31mred"),
        ("e\u0301te\u0301.txt", "été.txt"),
        ("日本語.pdf", "日本語.pdf"),
        ("a" * 500, "a" * LONGEST_NAME),
    ],
)
def test_a_name_is_shown_without_what_hides_or_misleads(name, shown):
    assert shown_name(name) == shown


@pytest.mark.parametrize("name", ["", "...", "/", "\\", "\u200b", "\n", "a/.."])
def test_a_name_needs_something_to_show(name):
    with pytest.raises(Invalid):
        shown_name(name)


@pytest.mark.parametrize(
    ("name", "title"), [("Tides.pdf", "Tides"), ("Tides", "Tides"), ("v1.2 of it all", "v1.2 of it all"), (".a", ".a")]
)
def test_a_title_is_a_name_without_its_extension(name, title):
    assert title_of(name) == title
