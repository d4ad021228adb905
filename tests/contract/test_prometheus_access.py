"""Credentials: sent where they belong, shown nowhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from analysis.errors import ConfigError
from analysis.sources.prometheus import (
    BasicAuth,
    BearerToken,
    BearerTokenFile,
    PrometheusSource,
)
from tests.support.wire import (
    QUERY,
    T,
    a_source,
    answer_to,
    failure_of,
    matrix,
    samples,
)

ONE_POINT = matrix(({"pod": "a"}, [(T, "1")]))
SECRET = "s3cr3t-Pa55"


def authorization(server: HTTPServer) -> list[str]:
    return [received.headers.get("Authorization", "") for received, _ in server.log]


def test_nobody_is_named_where_nobody_is_configured(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(ONE_POINT)

    answer_to(a_source(server), samples())

    assert authorization(server) == [""]


def test_the_environment_adds_no_credentials_and_no_proxy(
    server: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    server.expect_request(QUERY).respond_with_data(ONE_POINT)

    answer_to(a_source(server), samples())

    assert authorization(server) == [""]


def test_user_and_password_are_sent_in_utf8(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(ONE_POINT)

    answer_to(a_source(server, auth=BasicAuth(user="jürgen", password="p:€")), samples())

    pair = base64.b64encode("jürgen:p:€".encode()).decode()
    assert authorization(server) == [f"Basic {pair}"]


def test_user_and_password_in_the_url_are_used_and_taken_out(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(ONE_POINT)
    url = server.url_for("/").replace("http://", "http://ops:p%40ss@")

    source = a_source(server, url=url)
    answer_to(source, samples())

    assert authorization(server) == ["Basic " + base64.b64encode(b"ops:p@ss").decode()]
    assert source.url == f"http://127.0.0.1:{server.port}"


def test_a_bearer_token_is_sent(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(ONE_POINT)

    answer_to(a_source(server, auth=BearerToken(token="abc")), samples())

    assert authorization(server) == ["Bearer abc"]


def test_a_token_file_is_read_anew_for_every_attempt(server: HTTPServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")

    def rotate(_: Received) -> Response:
        file.write_text("second\n")
        return Response("expired", status=503)

    server.expect_oneshot_request(QUERY).respond_with_handler(rotate)
    server.expect_oneshot_request(QUERY).respond_with_data(ONE_POINT)

    answer_to(a_source(server, auth=BearerTokenFile(path=file)), samples())

    assert authorization(server) == ["Bearer first", "Bearer second"]


def test_a_token_refused_while_its_file_rotated_is_replaced(
    server: HTTPServer, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")

    def rotate(_: Received) -> Response:
        file.write_text("second\n")
        return Response("expired", status=401)

    server.expect_oneshot_request(QUERY).respond_with_handler(rotate)
    server.expect_oneshot_request(QUERY).respond_with_data(ONE_POINT)

    answer_to(a_source(server, auth=BearerTokenFile(path=file)), samples())

    assert authorization(server) == ["Bearer first", "Bearer second"]


def test_a_token_refused_twice_is_not_tried_again(server: HTTPServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    server.expect_request(QUERY).respond_with_data("no", status=401)

    error = failure_of(a_source(server, auth=BearerTokenFile(path=file)), samples())

    assert error.code == "unauthorized"
    assert authorization(server) == ["Bearer first"]


USELESS = {
    "it is empty": (b"", "must hold one token"),
    "it holds two lines": (f"{SECRET}\n{SECRET}\n".encode(), "must hold one token"),
    "it is not text": (f"{SECRET}\xff".encode("latin-1"), "not ASCII text"),
}


@pytest.mark.parametrize(("content", "words"), USELESS.values(), ids=USELESS)
def test_a_useless_token_file_is_named_and_not_quoted(
    server: HTTPServer, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)

    error = failure_of(a_source(server, auth=BearerTokenFile(path=file)), samples())

    assert error.code == "unauthorized"
    assert str(file) in str(error)
    assert words in str(error)
    assert SECRET not in str(error)
    assert server.log == []


def test_a_missing_token_file_is_named(server: HTTPServer, tmp_path: Path) -> None:
    file = tmp_path / "nowhere"

    error = failure_of(a_source(server, auth=BearerTokenFile(path=file)), samples())

    assert error.code == "unauthorized"
    assert f"{file} is of no use: No such file" in str(error)


def test_tenant_headers_are_sent(server: HTTPServer) -> None:
    server.expect_request(QUERY, headers={"X-Scope-OrgID": "shop"}).respond_with_data(ONE_POINT)

    assert answer_to(a_source(server, headers={"X-Scope-OrgID": "shop"}), samples()).series


def echo(received: Received) -> Response:
    """Refuse, and repeat all that was sent, as a debugging proxy does."""
    password = received.authorization.password if received.authorization else ""
    return Response(f"who is {password}? {received.headers}", status=401)


CREDENTIALS = {
    "a password": {"auth": BasicAuth(user="ops", password=SECRET)},
    "a token": {"auth": BearerToken(token=SECRET)},
    "a header": {"headers": {"X-Api-Key": SECRET}},
    "a header with a token": {"headers": {"Authorization": f"Bearer {SECRET}"}},
}


@pytest.mark.parametrize("settings", CREDENTIALS.values(), ids=CREDENTIALS)
def test_a_secret_stands_in_no_message_even_if_the_server_repeats_it(
    server: HTTPServer, settings: Mapping[str, Any]
) -> None:
    server.expect_request(QUERY).respond_with_handler(echo)

    source = a_source(server, **settings)
    error = failure_of(source, samples())

    shown = f"{error} {source.description} {source!r}"
    assert "***" in str(error)
    assert SECRET not in shown
    assert base64.b64encode(f"ops:{SECRET}".encode()).decode() not in shown


def test_a_secret_cut_by_shortening_is_not_shown_in_part(server: HTTPServer) -> None:
    words = "x" * 295 + SECRET
    server.expect_request(QUERY).respond_with_data(words, status=401)

    error = failure_of(a_source(server, auth=BearerToken(token=SECRET)), samples())

    assert SECRET[:4] not in str(error)


def test_a_tenant_may_be_shown(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data("no such tenant: shop", status=401)

    error = failure_of(a_source(server, headers={"X-Scope-OrgID": "shop"}), samples())

    assert "no such tenant: shop" in str(error)


def test_the_password_of_a_server_that_is_down_is_not_shown() -> None:
    source = PrometheusSource(url=f"http://ops:{SECRET}@127.0.0.1:1", retries=0)

    error = failure_of(source, samples())

    shown = f"{error} {error.__cause__} {source.description} {source!r}"
    assert SECRET not in shown


REDIRECTS = (301, 302, 303, 307, 308)


@pytest.mark.parametrize("status", REDIRECTS)
def test_redirects_are_not_followed(server: HTTPServer, status: int) -> None:
    target = f"https://login:{SECRET}@sso.example/start?state={SECRET}"
    server.expect_request(QUERY).respond_with_data("", status, {"Location": target})

    error = failure_of(a_source(server, auth=BearerToken(token="abc")), samples())

    assert error.code == "refused"
    assert "points to https://sso.example/start;" in str(error)
    assert "give the final address" in str(error)
    assert len(server.log) == 1


def test_a_redirect_within_the_host_is_not_followed_either(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data("", 307, {"Location": "/prometheus/api"})
    server.expect_request("/prometheus/api").respond_with_data(ONE_POINT)

    assert "points to /prometheus/api" in str(failure_of(a_source(server), samples()))


WRONG = {
    "a URL without a scheme": ({"url": "prometheus:9090"}, "must start with http://"),
    "a URL without a host": ({"url": "http://"}, "must start with http://"),
    "a URL of another scheme": ({"url": "ftp://prometheus"}, "must start with http://"),
    "a URL with a bad port": ({"url": "http://prometheus:port"}, "got 'http://prometheus:port'"),
    "a URL with a blank": ({"url": "http://prome theus"}, "must start with http://"),
    "a URL with a query": ({"url": f"http://x/?token={SECRET}"}, r"must hold neither \?"),
    "a URL with a slash in its password": ({"url": f"http://u:1/{SECRET}@x"}, "%40"),
    "a password without a scheme": ({"url": f"ops:{SECRET}@prometheus"}, "got 'prometheus'"),
    "a header with a line end": ({"headers": {"X-Key": f"{SECRET}\n"}}, "value of header 'X-Key'"),
    "a header with a euro": ({"headers": {"X-Key": f"{SECRET}€"}}, "value of header 'X-Key'"),
    "a header with a colon": ({"headers": {"X-Key:": SECRET}}, "header name 'X-Key:'"),
    "no time": ({"timeout_s": 0}, "timeout_s must be above 0, got 0"),
    "no connections": ({"max_connections": 0}, "max_connections must be above 0"),
    "negative retries": ({"retries": -1}, "retries must not be negative, got -1"),
}


@pytest.mark.parametrize(("settings", "message"), WRONG.values(), ids=WRONG)
def test_wrong_settings_are_refused_without_showing_secrets(
    settings: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        PrometheusSource(**{"url": "http://prometheus", **settings})

    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("token", ["", "two words", f"{SECRET}\n", "schlüssel"])
def test_a_token_that_cannot_be_sent_is_refused(token: str) -> None:
    with pytest.raises(ConfigError, match="one word of printable ASCII") as raised:
        BearerToken(token=token)

    assert SECRET not in str(raised.value)


def test_all_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        PrometheusSource(url="http://prometheus", timeout_s=-1, retries=-1)

    assert len(raised.value.faults) == 2
