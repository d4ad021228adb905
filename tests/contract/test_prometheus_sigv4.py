"""SigV4: what botocore signs is what the published procedure gives for what arrived."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from analysis.errors import ConfigError
from analysis.sources.prometheus_http.sigv4 import SigV4, signer
from tests.support.wire import (
    QUERY,
    QUERY_RANGE,
    T,
    a_range,
    a_source,
    answer_to,
    failure_of,
    matrix,
    samples,
)

ONE_POINT = matrix(({"pod": "a"}, [(T, "1")]))
KEY, SECRET, SESSION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", "FQoGZXIvYXdzEJr"
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>[^,]+), "
    r"SignedHeaders=(?P<names>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)


@pytest.fixture(autouse=True)
def amazon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give botocore credentials in the environment, and nothing else to find."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def auth() -> SigV4:
    return signer(region="eu-central-1", service="aps", profile=None)


def digest(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def expected(received: Received, named: Mapping[str, str]) -> str:
    """Sign what arrived, as `Create a signed AWS API request` of the AWS documentation tells."""
    names = named["names"].split(";")
    headers = "".join(f"{name}:{received.headers[name].strip()}\n" for name in names)
    body = hashlib.sha256(received.get_data()).hexdigest()
    canonical = "\n".join([received.method, received.path, "", headers, named["names"], body])
    when = received.headers["X-Amz-Date"]
    said = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", when, named["scope"], said])
    key = f"AWS4{SECRET}".encode()
    for part in named["scope"].split("/"):
        key = digest(key, part)
    return digest(key, to_sign).hex()


def verify(received: Received) -> Response:
    found = _SIGNED.fullmatch(received.headers["Authorization"])
    assert found is not None, received.headers["Authorization"]
    is_signed = hmac.compare_digest(found["signature"], expected(received, found.groupdict()))
    is_whole = {"host", "x-amz-date", "content-type"} <= set(found["names"].split(";"))
    if is_signed and is_whole and found["scope"].endswith("/eu-central-1/aps/aws4_request"):
        return Response(ONE_POINT, mimetype="application/json")
    return Response("the signature does not match", status=403)


@pytest.fixture
def strict(server: HTTPServer) -> HTTPServer:
    for path in (QUERY, QUERY_RANGE):
        server.expect_request(path).respond_with_handler(verify)
    return server


def test_the_signature_is_that_of_the_published_procedure(strict: HTTPServer, auth: SigV4) -> None:
    query = samples('up{job="ä b", code=~"5..|4.."}')

    assert answer_to(a_source(strict, auth=auth), query).series
    assert answer_to(a_source(strict, auth=auth), a_range()).series


def test_a_workspace_in_the_path_is_signed(server: HTTPServer, auth: SigV4) -> None:
    server.expect_request(f"/workspaces/ws-1{QUERY}").respond_with_handler(verify)

    source = a_source(server, url=server.url_for("/workspaces/ws-1"), auth=auth)

    assert answer_to(source, samples()).series


def test_the_session_token_of_a_role_is_sent(strict: HTTPServer, auth: SigV4) -> None:
    answer_to(a_source(strict, auth=auth), samples())

    received, _ = strict.log[0]
    assert received.headers["X-Amz-Security-Token"] == SESSION


def test_every_attempt_is_signed_anew(server: HTTPServer, auth: SigV4) -> None:
    server.expect_oneshot_request(QUERY).respond_with_data("", status=503)
    server.expect_request(QUERY).respond_with_handler(verify)

    assert answer_to(a_source(server, auth=auth), samples()).series


def test_no_secret_is_shown_even_if_the_server_repeats_it(server: HTTPServer, auth: SigV4) -> None:
    def echo(received: Received) -> Response:
        return Response(f"{received.headers}", status=403)

    server.expect_request(QUERY).respond_with_handler(echo)
    source = a_source(server, auth=auth)

    error = failure_of(source, samples())

    shown = f"{error} {auth!r} {source!r}"
    assert error.code == "unauthorized"
    assert "***" in shown
    for secret in (SECRET, SESSION):
        assert secret not in shown


def test_missing_credentials_are_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(ConfigError, match="finds no credentials; set AWS_ACCESS_KEY_ID"):
        signer(region="eu-central-1", service="aps", profile=None)


def test_a_profile_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigError, match="nobody"):
        signer(region="eu-central-1", service="aps", profile="nobody")
