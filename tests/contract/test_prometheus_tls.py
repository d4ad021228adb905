"""Certificates: the server's is checked, the client's is shown."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.support.wire import QUERY, T, a_source, answer_to, failure_of, matrix, samples

ONE_POINT = matrix(({"pod": "a"}, [(T, "1")]))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a key and a certificate that signs itself, in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not on the PATH")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=loopback"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, *request.split(), *names, *files], check=True, capture_output=True)
    certificate.write_text(key.read_text() + certificate.read_text())
    return certificate


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[HTTPServer]:
    """Give a server that speaks https and looks at a client's certificate if it has one."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificate))
    context.load_cert_chain(certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    with HTTPServer(host="127.0.0.1", port=0, ssl_context=context, threaded=True) as server:
        server.expect_request(QUERY).respond_with_data(ONE_POINT)
        yield server


def test_a_server_with_a_certificate_of_the_bundle_is_trusted(
    tls_server: HTTPServer, certificate: Path
) -> None:
    assert answer_to(a_source(tls_server, verify=str(certificate)), samples()).series


@pytest.fixture
def strict_server(tls_server: HTTPServer) -> HTTPServer:
    assert tls_server.ssl_context is not None
    tls_server.ssl_context.verify_mode = ssl.CERT_REQUIRED
    return tls_server


def test_a_client_certificate_is_shown(strict_server: HTTPServer, certificate: Path) -> None:
    both = str(certificate)

    assert answer_to(a_source(strict_server, verify=both, certificate=both), samples()).series


def test_a_client_certificate_that_is_missing_is_thought_of(
    strict_server: HTTPServer, certificate: Path
) -> None:
    error = failure_of(a_source(strict_server, verify=str(certificate)), samples())

    assert error.code == "unreachable"
    assert "does it want a client certificate, is that of cert_file still valid?" in str(error)


def test_an_unknown_certificate_is_refused_with_the_remedy(tls_server: HTTPServer) -> None:
    error = failure_of(a_source(tls_server), samples())

    assert error.code == "unreachable"
    assert "self-signed certificate: give the CA bundle" in str(error)
    assert tls_server.log == []


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_verification_can_be_switched_off(tls_server: HTTPServer) -> None:
    assert answer_to(a_source(tls_server, verify=False), samples()).series
