"""Who is let in over TLS, and what happens when a certificate is renewed."""

from __future__ import annotations

import logging
import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from analysis.errors import ConfigError
from analysis.service.tls import Certificates
from tests.support.authorities import Authority, Pair
from tests.support.builders import FakeSource
from tests.support.corpus import RECORDINGS
from tests.support.service import Client, serving

# The server looks at its files about once a second.
SEEN_WITHIN_S = 20.0


@pytest.fixture
def authority(requires_openssl: Path, tmp_path: Path) -> Authority:
    folder = tmp_path / "tls"
    folder.mkdir()
    return Authority(requires_openssl, folder)


@pytest.fixture
def pair(authority: Authority) -> Pair:
    return authority.issue("service")


@contextmanager
def https(authority: Authority, certificates: Certificates, folder: Path) -> Iterator[Client]:
    configs = folder / "configs"
    configs.mkdir()
    (configs / "shop.yaml").write_text((RECORDINGS / "canary.yaml").read_text())
    with serving(configs, connect=lambda _: FakeSource({}), certificates=certificates) as client:
        yield replace(client, tls={"verify": str(authority.certificate)})


@pytest.fixture
def plain(authority: Authority, pair: Pair, tmp_path: Path) -> Iterator[Client]:
    """Serve to whoever trusts the authority."""
    certificates = Certificates(certificate=pair.certificate, key=pair.key)
    with https(authority, certificates, tmp_path) as client:
        yield client


@pytest.fixture
def mutual(authority: Authority, pair: Pair, tmp_path: Path) -> Iterator[Client]:
    """Serve to whoever shows a certificate of the authority."""
    certificates = Certificates(
        certificate=pair.certificate, key=pair.key, client_ca=authority.certificate
    )
    with https(authority, certificates, tmp_path) as client:
        yield client


def showing(client: Client, pair: Pair) -> Client:
    files = (str(pair.certificate), str(pair.key))
    return replace(client, tls={**client.tls, "cert": files})


def serial(client: Client) -> str:
    """Read the certificate that the service shows now."""
    host, port = client.url.removeprefix("https://").split(":")
    return ssl.get_server_certificate((host, int(port)))


def test_who_trusts_the_authority_speaks_tls(plain: Client) -> None:
    assert plain.url.startswith("https://")
    assert plain.get("/v1/configs").json == {"configs": ["shop"]}


def test_who_does_not_trust_it_is_not_fooled(plain: Client) -> None:
    with pytest.raises(requests.exceptions.SSLError, match=r"self-signed|unable to get local"):
        replace(plain, tls={}).get("/v1/configs")


def test_a_client_of_the_authority_is_let_in(mutual: Client, authority: Authority) -> None:
    assert showing(mutual, authority.issue("argo")).get("/v1/configs").status == 200


def test_a_client_without_a_certificate_is_not(mutual: Client) -> None:
    with pytest.raises(requests.exceptions.ConnectionError):
        mutual.get("/healthz")


def test_a_client_of_another_authority_is_not(
    mutual: Client, requires_openssl: Path, tmp_path: Path
) -> None:
    stranger = Authority(requires_openssl, tmp_path, "stranger").issue("argo")

    with pytest.raises(requests.exceptions.ConnectionError):
        showing(mutual, stranger).get("/healthz")


def test_a_kubelet_that_only_connects_is_let_go_in_silence(
    mutual: Client, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """A tcpSocket probe connects and hangs up, every ten seconds of a pod's life."""
    host, port = mutual.url.removeprefix("https://").split(":")
    for _ in range(5):
        socket.create_connection((host, int(port))).close()

    assert showing(mutual, authority.issue("argo")).get("/healthz").status == 200
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


def until_shown(client: Client, before: str) -> str:
    limit = time.monotonic() + SEEN_WITHIN_S
    while (shown := serial(client)) == before and time.monotonic() < limit:
        pass
    return shown


def test_a_renewed_certificate_is_shown_without_a_restart(
    plain: Client, authority: Authority, pair: Pair
) -> None:
    before = serial(plain)

    authority.issue("service")

    assert until_shown(plain, before) == ssl.DER_cert_to_PEM_cert(
        ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())
    )
    assert plain.get("/v1/configs").status == 200


def test_half_a_pair_changes_nothing_until_the_other_half_is_there(
    authority: Authority, pair: Pair
) -> None:
    certificates = Certificates(certificate=pair.certificate, key=pair.key)
    certificates.check()
    live = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    live.load_cert_chain(pair.certificate, pair.key)
    renewed = authority.issue("renewed")

    shutil.copy(renewed.certificate, pair.certificate)
    half = certificates.renew(live)
    shutil.copy(renewed.key, pair.key)

    assert half is False
    assert certificates.renew(live) is True
    assert certificates.renew(live) is False


def test_a_key_that_wants_a_password_is_refused_and_nobody_is_asked(
    authority: Authority,
) -> None:
    locked = authority.issue("locked", encrypted_with="secret")

    with pytest.raises(ConfigError, match="unencrypted"):
        Certificates(certificate=locked.certificate, key=locked.key).check()


def test_a_key_of_another_certificate_is_refused(authority: Authority, pair: Pair) -> None:
    other = authority.issue("other")

    with pytest.raises(ConfigError, match="cannot be used"):
        Certificates(certificate=pair.certificate, key=other.key).check()


def test_a_client_ca_that_is_none_is_refused(pair: Pair, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")

    with pytest.raises(ConfigError, match="holds no certificates"):
        Certificates(certificate=pair.certificate, key=pair.key, client_ca=empty).check()
