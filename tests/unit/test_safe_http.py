"""The connection that ingestion and webhooks share: its deadline, its certificates, its choice among addresses."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from contextlib import suppress
from time import monotonic

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from showrunner.errors import InvalidInput, Transient
from showrunner.safe_http import Connection, hosts_of, target_of
from tests.web_server import WebServer


@pytest.fixture
def server():
    with WebServer() as server:
        server.pages["/"] = ("text/html", b"here")
        yield server


def get(url, addresses=("127.0.0.1",), seconds=10.0, **options):
    target = target_of(url, {"127.0.0.1:*", "site.example:*"})
    with Connection(target, monotonic() + seconds, resolve=lambda host, port: list(addresses), **options) as connection:
        response = connection.request("GET", {})
        return response.status, response.read()


@pytest.fixture
def certificate(tmp_path):
    """A file with the key and the certificate, signed by itself, of site.example."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "site.example")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("site.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "site.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return str(path)


@pytest.fixture
def secure_server(server, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
    return server


def port_of(server):
    return server.place.split(":")[1]


def test_a_certificate_of_the_name_is_accepted_wherever_the_name_leads(secure_server, certificate):
    answer = get(f"https://site.example:{port_of(secure_server)}/", authorities=certificate)

    assert answer == (200, b"here")
    assert secure_server.requests == [("/", f"site.example:{port_of(secure_server)}")]


def test_a_certificate_that_nobody_vouches_for_is_refused(secure_server):
    with pytest.raises(InvalidInput, match=r"the certificate of site\.example is not valid"):
        get(f"https://site.example:{port_of(secure_server)}/")

    assert secure_server.requests == []


def test_a_certificate_of_another_name_is_refused(secure_server, certificate):
    with pytest.raises(InvalidInput, match=r"the certificate of 127\.0\.0\.1 is not valid"):
        get(f"https://127.0.0.1:{port_of(secure_server)}/", authorities=certificate)


@pytest.fixture
def silent():
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_says_nothing_is_given_up_at_the_deadline(silent, scheme):
    with pytest.raises(Transient, match="did not answer in time"):
        get(f"{scheme}://site.example:{silent}/", seconds=0.3)


# Each byte comes soon enough for a timeout per read: only the deadline of the whole ends it.
DRIPS = {"http": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500, "https": b"\x16\x03\x03\x40\x00" + b"\x02" * 500}


@pytest.mark.parametrize("scheme", DRIPS)
def test_a_server_that_drips_is_given_up_at_the_deadline(scheme):
    ended = threading.Event()

    def drip(listener):
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            for byte in DRIPS[scheme]:
                connection.sendall(bytes([byte]))
                if ended.wait(0.02):
                    break

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=[listener])
        thread.start()
        with pytest.raises(Transient, match="did not answer in time"):
            get(f"{scheme}://site.example:{listener.getsockname()[1]}/", seconds=0.3)
        finished_first = not thread.is_alive()
        ended.set()
        thread.join()

    assert not finished_first


def test_the_next_address_is_tried_when_one_does_not_answer(server):
    answer = get(f"http://site.example:{port_of(server)}/", addresses=["127.0.0.2", "127.0.0.1"])

    assert answer == (200, b"here")


def test_a_name_without_an_address_cannot_be_reached():
    with pytest.raises(Transient, match=r"site\.example could not be reached"):
        get("http://site.example:1/", addresses=[])


def test_a_setting_lists_hosts():
    assert hosts_of(" localhost:*, 127.0.0.1:8080,,") == {"localhost:*", "127.0.0.1:8080"}
    assert hosts_of("") == frozenset()
