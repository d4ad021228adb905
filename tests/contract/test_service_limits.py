"""What the service refuses before it reads: too many calls, too much at once, no JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.service.rates import NEVER_REFUSED
from tests.support.builders import FakeSource
from tests.support.corpus import RECORDINGS
from tests.support.service import Answer, Client, serving

Serve = Callable[..., Client]
# With a tenth of a call a second a bucket holds one call.
ONE_CALL = {"calls_per_second": 0.1}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    (tmp_path / "shop.yaml").write_text((RECORDINGS / "canary.yaml").read_text())
    with ExitStack() as services:

        def make(**settings: Any) -> Client:
            running = serving(tmp_path, connect=lambda _: FakeSource({}), **settings)
            return services.enter_context(running)

        yield make


def words(told: Answer, path: str) -> str:
    """Read the message of a refusal as a caller of that path does."""
    body = told.json
    if path.startswith("/prom"):
        assert (body["status"], body["errorType"]) == ("error", "too_many_requests")
        return str(body["error"])
    if path.startswith("/flagger"):
        return str(body)
    return str(body["message"] if path.startswith("/kayenta") else body["error"]["message"])


@pytest.mark.parametrize(
    "path", ["/v1/configs", "/kayenta/canaryConfig", "/prom/api/v1/query", "/flagger/gate"]
)
def test_calls_beyond_the_rate_are_told_when_to_come_again(serve: Serve, path: str) -> None:
    client = serve(**ONE_CALL)
    client.get("/v1/configs")

    told = client.get(path)

    assert told.status == 429
    assert 9 <= int(told.headers["Retry-After"]) <= 10
    assert "--calls-per-second" in words(told, path)


def test_a_browser_that_calls_too_often_is_told_on_a_page(serve: Serve) -> None:
    client = serve(**ONE_CALL)
    client.get("/")

    told = client.call("GET", "/", headers=BROWSER)
    of_a_program = client.call("GET", "/kayenta/canaryConfig", headers=BROWSER)

    assert (told.status, of_a_program.status) == (429, 429)
    assert told.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "style-src 'self'" in told.headers["Content-Security-Policy"]
    assert 9 <= int(told.headers["Retry-After"]) <= 10
    assert "<h1>Too often</h1>" in told.text
    assert "--calls-per-second" in told.text
    assert set(of_a_program.json) == {"message"}


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in pieces"])
def test_a_browser_that_sends_too_much_is_told_on_a_page(serve: Serve, announced: bool) -> None:
    client, body = serve(most_body_bytes=1000), b"start=" + b"x" * 2000
    headers = BROWSER | {
        "Content-Type": "application/x-www-form-urlencoded",
        "Sec-Fetch-Site": "same-origin",
    }

    sent = body if announced else iter([body[:900], body[900:]])
    told = client.call("POST", "/judge/start", data=sent, headers=headers)

    assert told.status == 413
    assert "<h1>Too much</h1>" in told.text
    assert "at most 1,000 bytes" in told.text


@pytest.mark.parametrize("path", sorted(NEVER_REFUSED))
def test_probes_are_never_refused(serve: Serve, path: str) -> None:
    client = serve(**ONE_CALL)

    assert {client.get(path).status for _ in range(20)} == {200}


def test_200_runs_that_poll_every_10_s_and_all_at_once_after_a_restart_are_let_through(
    serve: Serve,
) -> None:
    client = serve()

    assert {client.get("/v1/configs").status for _ in range(200)} == {200}


@pytest.fixture
def with_tokens(serve: Serve, tmp_path: Path) -> Client:
    path = tmp_path / "tokens.json"
    digests = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("argo", "ci")}
    path.write_text(json.dumps([{"name": n, "sha256": d} for n, d in digests.items()]))
    return serve(tokens=path, **ONE_CALL)


def test_each_token_has_a_rate_of_its_own(with_tokens: Client) -> None:
    statuses = [
        replace(with_tokens, token=token).get("/v1/configs").status
        for token in ("argo", "argo", "ci", "ci")
    ]

    assert statuses == [200, 429, 200, 429]


def test_guesses_at_a_token_share_the_rate_of_their_address(with_tokens: Client) -> None:
    guesses = [replace(with_tokens, token=f"guess {n}").get("/v1/configs").status for n in range(3)]

    assert guesses == [401, 429, 429]
    assert replace(with_tokens, token="argo").get("/v1/configs").status == 200


def test_series_may_be_larger_than_questions(serve: Serve) -> None:
    client = serve(most_body_bytes=1000, most_series_bytes=4000)
    pair = {"name": "m", "values": {"control": [1.0] * 300, "experiment": [1.0] * 300}}
    body = {
        "canaryConfig": {"metrics": [{"name": "m", "groups": ["g"]}]},
        "scoreThresholds": {"pass": 95, "marginal": 75},
        "metricSetPairList": [pair],
    }

    judged = client.call("POST", "/judge", json=body)
    too_much = client.call("POST", "/judge", json=body | {"metricSetPairList": [pair] * 3})
    question = client.put("k", config="shop", variables={"run": "x" * 2000})

    assert judged.json["score"]["score"] == 100.0
    assert too_much.status == 413
    assert "4,000 bytes" in too_much.json["message"]
    assert "1,000 bytes" in question.json["error"]["message"]


NO_JSON = {
    "curl without a header": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
    "nothing said": None,
}


@pytest.mark.parametrize("sent", NO_JSON.values(), ids=NO_JSON)
def test_a_body_that_is_not_said_to_be_json_is_told_of_the_header(
    serve: Serve, sent: str | None
) -> None:
    told = serve().call(
        "PUT", "/v1/analyses/k", data=b'{"config": "shop"}', headers={"Content-Type": sent}
    )

    assert told.status == 422
    assert "send it with the header Content-Type: application/json" in told.text


def test_json_that_is_no_request_is_not_told_of_the_header(serve: Serve) -> None:
    told = serve().call("PUT", "/v1/analyses/k", json=[1])

    assert told.status == 422
    assert "Content-Type" not in told.text
