import gzip
import zlib

import pytest

from safe_fetch import Limits, fetch
from showrunner.addresses import is_public
from showrunner.errors import InvalidInput, RateLimited, Transient
from tests.web_server import WebServer

HTML = ("text/html",)
SMALL = Limits(bytes=100_000, seconds=5)


@pytest.fixture
def server():
    with WebServer() as server:
        yield server


@pytest.fixture
def get(server):
    """get(path): what is fetched from the test's own server."""

    def get(path, **options):
        options = {"accept": HTML, "allowed_hosts": {server.place}, "limits": SMALL, **options}
        return fetch(path if "://" in path else server.url(path), **options)

    return get


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:c0a8:101::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_told_apart(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"])
def test_a_public_address_is_public(address):
    assert is_public(address)


def test_a_page_is_fetched_with_its_type_and_charset(server, get):
    server.pages["/"] = ("text/html; charset=ISO-8859-1", b"caf\xe9")

    page = get("/")

    assert (page.content_type, page.charset, page.body) == ("text/html", "ISO-8859-1", b"caf\xe9")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "//example.com/",
        "not an address",
        "http://",
        "http://user:secret@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/\r\nX: y",
        "http://example.com:22/",
        "https://example.com:80/",
    ],
)
def test_an_address_of_the_wrong_form_is_refused_before_any_name_is_resolved(url):
    def resolve(host, port):
        raise AssertionError("must not be asked")

    with pytest.raises(InvalidInput, match=r"^url: ") as refusal:
        fetch(url, accept=HTML, resolve=resolve)

    assert "secret" not in refusal.value.message


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0x7f.1/", "http://2130706433/"]
)
def test_every_spelling_of_this_machine_is_refused(url):
    with pytest.raises(InvalidInput, match=r"^url: "):
        fetch(url, accept=HTML, limits=SMALL)


def test_a_name_with_one_private_address_among_public_ones_is_refused():
    with pytest.raises(InvalidInput, match="not on the public internet"):
        fetch("http://mixed.example/", accept=HTML, resolve=lambda host, port: ["93.184.215.14", "10.0.0.1"])


def test_the_address_that_was_checked_is_the_one_connected_to(server, get):
    server.pages["/"] = ("text/html", b"once")
    port = server.place.split(":")[1]
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    asked = []

    def resolve(host, port):
        asked.append(host)
        return next(answers)

    page = get(f"http://rebinding.example:{port}/", allowed_hosts={f"rebinding.example:{port}"}, resolve=resolve)

    assert page.body == b"once"
    assert asked == ["rebinding.example"]
    assert server.requests == [("/", f"rebinding.example:{port}")]


def test_a_redirect_is_followed_and_its_address_reported(server, get):
    server.pages["/old"] = lambda handler: server.send(
        handler, "text/html", b"", status=302, headers={"Location": "new"}
    )
    server.pages["/new"] = ("text/html", b"here")

    page = get("/old")

    assert (page.url, page.body) == (server.url("/new"), b"here")


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/", "http://localhost:5432/", "file:///etc/passwd"])
def test_a_redirect_to_a_private_place_is_refused(server, get, location):
    server.pages["/"] = lambda handler: server.send(
        handler, "text/html", b"", status=301, headers={"Location": location}
    )

    with pytest.raises(InvalidInput, match=r"^url: "):
        get("/")


def test_redirects_in_a_circle_end(server, get):
    server.pages["/"] = lambda handler: server.send(handler, "text/html", b"", status=302, headers={"Location": "/"})

    with pytest.raises(InvalidInput, match="redirects more than 5 times"):
        get("/")

    assert len(server.requests) == 6


def test_a_body_that_announces_too_much_is_refused_unread(server, get):
    server.pages["/"] = ("text/html", b"x" * 100_001)

    with pytest.raises(InvalidInput, match="larger than 100,000 bytes"):
        get("/")


def test_a_body_without_a_length_is_counted_while_it_arrives(server, get):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 10_000)
        except OSError:
            pass

    server.pages["/"] = endless

    with pytest.raises(InvalidInput, match="larger than 100,000 bytes"):
        get("/")


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_packed_bomb_is_stopped_by_its_unpacked_size(server, get, encoding, pack):
    bomb = pack(b"\0" * 20_000_000)
    server.pages["/"] = lambda handler: server.send(handler, "text/html", bomb, headers={"Content-Encoding": encoding})

    assert len(bomb) < SMALL.bytes
    with pytest.raises(InvalidInput, match="larger than 100,000 bytes"):
        get("/")


def test_a_packed_page_is_unpacked(server, get):
    body = gzip.compress(b"hello")
    server.pages["/"] = lambda handler: server.send(handler, "text/html", body, headers={"Content-Encoding": "gzip"})

    assert get("/").body == b"hello"


def test_what_cannot_be_unpacked_is_refused(server, get):
    server.pages["/"] = lambda handler: server.send(
        handler, "text/html", b"nonsense", headers={"Content-Encoding": "gzip"}
    )

    with pytest.raises(InvalidInput, match="cannot be unpacked"):
        get("/")


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>"]
)
def test_a_server_that_stops_talking_is_given_up_at_the_deadline(server, get, start):
    def stall(handler):
        handler.wfile.write(start)
        handler.wfile.flush()
        server.released.wait()

    server.pages["/"] = stall

    with pytest.raises(Transient, match="did not answer in time"):
        get("/", limits=Limits(seconds=0.2))


def test_a_page_of_another_type_is_refused_with_what_is_allowed(server, get):
    server.pages["/"] = ("video/mp4", b"x")

    with pytest.raises(InvalidInput, match="is video/mp4; allowed are text/html"):
        get("/")


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, InvalidInput, "needs a login"),
        (403, InvalidInput, "needs a login"),
        (404, InvalidInput, "does not exist"),
        (410, InvalidInput, "does not exist"),
        (418, InvalidInput, "status 418"),
        (204, Transient, "no page"),
        (500, Transient, "status 500"),
        (503, Transient, "status 503"),
    ],
)
def test_a_refusal_says_what_to_do(server, get, status, error, words):
    server.pages["/"] = lambda handler: server.send(handler, "text/html", b"", status=status)

    with pytest.raises(error, match=words):
        get("/")


def test_a_server_that_is_asked_too_often_says_when_to_come_back(server, get):
    server.pages["/"] = lambda handler: server.send(handler, "text/html", b"", status=429, headers={"Retry-After": "7"})

    with pytest.raises(RateLimited) as refusal:
        get("/")

    assert refusal.value.retry_after == 7


def test_a_port_where_nobody_listens_is_worth_another_try(get):
    with pytest.raises(Transient, match="could not be reached"):
        get("http://127.0.0.1:9/", allowed_hosts={"127.0.0.1:9"})
