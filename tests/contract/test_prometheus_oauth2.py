"""OAuth2 client credentials: one token for many queries, renewed in time, no secret shown."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from analysis.errors import SourceError
from analysis.sources.prometheus import ClientCredentials, PrometheusSource
from tests.support.wire import QUERY, T, a_source, answer_to, failure_of, form_of, matrix, samples

ONE_POINT = matrix(({"pod": "a"}, [(T, "1")]))
SECRET = "s3cr3t/+Pa55 w0rd"
TOKEN = "/oauth/token"


class Issuer:
    """An authorization server beside a Prometheus that takes its newest token alone.

    Attributes:
        asked: The forms that came, with the header `Authorization` that came with each.
        lifetime_s: What it says of its tokens; `None` says nothing.
        now: The clock of the client.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.asked: list[tuple[dict[str, str], str]] = []
        self.lifetime_s: float | None = 3600
        self.now = 0.0
        self.url = server.url_for(TOKEN)
        self._valid = ""
        self._one_by_one = threading.Lock()
        server.expect_request(TOKEN, method="POST").respond_with_handler(self._issue)
        server.expect_request(QUERY).respond_with_handler(self._answer)

    def credentials(self, **settings: Any) -> ClientCredentials:
        given = {"client_id": "serinus", "secret": lambda: SECRET, "clock": lambda: self.now}
        return ClientCredentials(token_url=self.url, **{**given, **settings})

    def revoke(self) -> None:
        self._valid = "another"

    def _issue(self, received: Received) -> Response:
        form = form_of(received)
        with self._one_by_one:
            self.asked.append((form, received.headers.get("Authorization", "")))
            self._valid = f"token-{len(self.asked)}"
            document: dict[str, Any] = {"access_token": self._valid, "token_type": "Bearer"}
        if self.lifetime_s is not None:
            document["expires_in"] = self.lifetime_s
        return Response(json.dumps(document), mimetype="application/json")

    def _answer(self, received: Received) -> Response:
        if received.headers.get("Authorization") != f"Bearer {self._valid}":
            return Response(f"no: {received.headers}", status=401)
        return Response(ONE_POINT, mimetype="application/json")


@pytest.fixture
def issuer(server: HTTPServer) -> Issuer:
    return Issuer(server)


def test_the_client_is_named_in_the_header_as_the_standard_has_it(
    server: HTTPServer, issuer: Issuer
) -> None:
    credentials = issuer.credentials(scopes=("read", "metrics"), params={"audience": "prom"})

    answer_to(a_source(server, auth=credentials), samples())

    ((form, header),) = issuer.asked
    assert form == {
        "grant_type": "client_credentials",
        "scope": "read metrics",
        "audience": "prom",
    }
    assert base64.b64decode(header.removeprefix("Basic ")) == b"serinus:s3cr3t%2F%2BPa55+w0rd"


def test_the_client_is_named_in_the_body_where_the_issuer_wants_that(
    server: HTTPServer, issuer: Issuer
) -> None:
    answer_to(a_source(server, auth=issuer.credentials(in_body=True)), samples())

    ((form, header),) = issuer.asked
    assert (form["client_id"], form["client_secret"], header) == ("serinus", SECRET, "")


def test_many_queries_at_once_share_one_token(server: HTTPServer, issuer: Issuer) -> None:
    source = a_source(server, auth=issuer.credentials())

    answers = source.answer([samples(f"m{n}") for n in range(40)])

    assert not any(isinstance(one, SourceError) for one in answers.values())
    assert len(issuer.asked) == 1


@pytest.mark.parametrize(
    ("lifetime_s", "still_s", "no_more_s"),
    [(3600, 3539, 3541), (100, 89, 91), (None, 269, 271)],
    ids=["a minute before its end", "a tenth of a short life", "unsaid: after five minutes"],
)
def test_a_token_is_renewed_before_it_expires(
    server: HTTPServer,
    issuer: Issuer,
    lifetime_s: float | None,
    still_s: float,
    no_more_s: float,
) -> None:
    issuer.lifetime_s = lifetime_s
    source = a_source(server, auth=issuer.credentials())
    answer_to(source, samples())

    issuer.now = still_s
    answer_to(source, samples())
    assert len(issuer.asked) == 1

    issuer.now = no_more_s
    answer_to(source, samples())
    assert len(issuer.asked) == 2


def test_a_token_revoked_in_the_middle_is_replaced_once(server: HTTPServer, issuer: Issuer) -> None:
    source = a_source(server, auth=issuer.credentials(), max_connections=1)
    answer_to(source, samples())
    issuer.revoke()

    answers = source.answer([samples(f"m{n}") for n in range(5)])

    assert not any(isinstance(one, SourceError) for one in answers.values())
    assert len(issuer.asked) == 2


def test_a_secret_that_rotates_is_read_anew_for_every_token(
    server: HTTPServer, issuer: Issuer
) -> None:
    secrets = iter(["first", "second"])
    source = a_source(server, auth=issuer.credentials(secret=lambda: next(secrets), in_body=True))
    answer_to(source, samples())

    issuer.now = 3600
    answer_to(source, samples())

    assert [form["client_secret"] for form, _ in issuer.asked] == ["first", "second"]


def a_refusal(received: Received) -> Response:
    """Refuse, and repeat all that was sent, as a debugging proxy does."""
    words = f"{received.headers} {received.get_data(as_text=True)} {SECRET}"
    document = {"error": "invalid_client", "error_description": words}
    return Response(json.dumps(document), status=401, mimetype="application/json")


def a_page(_: Received) -> Response:
    return Response(f"<html><title>Sign in {SECRET}</title></html>", mimetype="text/html")


def a_redirect(_: Received) -> Response:
    return Response("", status=302, headers={"Location": f"https://sso.example/?s={SECRET}"})


def a_flood(_: Received) -> Response:
    return Response(iter([b" " * 65536] * 1000))


def another_type(_: Received) -> Response:
    return Response(json.dumps({"access_token": "abc", "token_type": "mac"}))


def two_lines(_: Received) -> Response:
    return Response(json.dumps({"access_token": f"{SECRET}\nX-Evil: 1"}))


USELESS: dict[str, tuple[Callable[[Received], Response], str]] = {
    "it refuses the client": (a_refusal, "answered 401: invalid_client"),
    "it answers with a page": (a_page, "its answer holds no access_token"),
    "it redirects": (a_redirect, "answered 302"),
    "it answers without end": (a_flood, "its answer holds no access_token"),
    "its token is of another kind": (another_type, "of the type 'mac', not bearer"),
    "its token would break a header": (two_lines, "its answer holds no access_token"),
}


@pytest.mark.parametrize("in_body", [False, True], ids=["header", "body"])
@pytest.mark.parametrize(("answer", "words"), USELESS.values(), ids=USELESS)
def test_an_issuer_without_a_token_is_named_and_the_secret_is_not(
    server: HTTPServer, answer: Callable[[Received], Response], words: str, in_body: bool
) -> None:
    server.expect_request(TOKEN).respond_with_handler(answer)
    credentials = ClientCredentials(
        token_url=server.url_for(TOKEN),
        client_id="serinus",
        secret=lambda: SECRET,
        in_body=in_body,
    )
    source = a_source(server, auth=credentials)

    error = failure_of(source, samples())

    assert error.code == "unauthorized"
    assert words in str(error)
    assert "check token_url, client_id, the secret and the scopes" in str(error)
    shown = f"{error} {error.__cause__} {source!r} {credentials!r} {source.description}"
    for secret in (SECRET, "s3cr3t%2F%2BPa55+w0rd", "czNjcjN0"):
        assert secret not in shown
    assert len(server.log) == 1


def test_an_issuer_that_is_unwell_is_asked_again(server: HTTPServer) -> None:
    server.expect_oneshot_request(TOKEN).respond_with_data("busy", status=503)
    issuer = Issuer(server)

    assert answer_to(a_source(server, auth=issuer.credentials()), samples()).series


def test_an_issuer_that_is_down_is_named() -> None:
    credentials = ClientCredentials(
        token_url="http://127.0.0.1:1/token", client_id="serinus", secret=lambda: SECRET
    )
    source = PrometheusSource(url="http://127.0.0.1:2", auth=credentials, retries=0)

    error = failure_of(source, samples())

    assert "http://127.0.0.1:1/token cannot be reached: Connection refused" in str(error)
