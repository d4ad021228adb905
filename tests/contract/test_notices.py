"""Who is told of a verdict, in which form, and that no verdict waits for it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from analysis.errors import ConfigError
from analysis.service.notices import courier, targets
from analysis.sources import recording as recordings
from tests.support.corpus import RECORDINGS, run
from tests.support.service import Client, serving

HEARD_WITHIN_S = 30.0
ENVIRONMENT = {"SIGN": "the secret"}
Told = Callable[..., Client]


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    """Serve with targets, and judge the rollout that fails."""
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "shop.yaml").write_text((RECORDINGS / "canary.yaml").read_text())
    tape, one = recordings.load(RECORDINGS / "err1-1"), run("err1-1")
    with ExitStack() as services:

        def make(*entries: dict[str, Any], database: str = "s.db") -> Client:
            path = tmp_path / "notices.json"
            path.write_text(json.dumps(entries))
            client = services.enter_context(
                serving(
                    configs,
                    connect=lambda _: tape,
                    clock=lambda: one.end + 60.0 + time.monotonic() % 1e6,
                    notices=targets.load(path, ENVIRONMENT),
                    public_url="https://judge.example",
                    database_url=f"sqlite:///{tmp_path}/{database}",
                )
            )
            body = {"config": "shop", "variables": {"run": "err1-1"}}
            answer = client.put("shop.1", **body, start=one.start, end=one.end)
            assert answer.json["verdict"] == "fail"
            return client

        yield make


def heard(server: HTTPServer, count: int = 1) -> list[Request]:
    """Wait until so many notices have come."""
    limit = time.monotonic() + HEARD_WITHIN_S
    while len(server.log) < count:
        assert time.monotonic() < limit, f"{len(server.log)} of {count} notices came"
        time.sleep(0.05)
    return [request for request, _ in server.log]


def test_a_cloudevent_is_signed_so_that_its_receiver_can_check_it(
    told: Told, server: HTTPServer
) -> None:
    server.expect_request("/events").respond_with_data("")
    told({"name": "events", "url": server.url_for("/events"), "secret_env": "SIGN"})

    (request,) = heard(server)
    stamp, proof = (
        part.partition("=")[2] for part in request.headers["X-Serinus-Signature"].split(",")
    )
    signed = f"{stamp}.".encode() + request.data
    event = json.loads(request.data)

    assert hmac.new(b"the secret", signed, hashlib.sha256).hexdigest() == proof
    assert request.headers["Content-Type"] == "application/cloudevents+json"
    assert (event["specversion"], event["subject"]) == ("1.0", "shop.1")
    assert (event["data"]["verdict"], event["id"]) == ("fail", event["data"]["id"])


FORMS: dict[str, Callable[[Any], str]] = {
    "slack": lambda told: told["text"] + told["blocks"][0]["text"]["text"],
    "teams": lambda told: json.dumps(told["attachments"][0]["content"]["body"]),
    "alertmanager": lambda told: told[0]["annotations"]["summary"] + told[0]["labels"]["verdict"],
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_tells_verdict_reason_and_where_to_look(
    told: Told, server: HTTPServer, form: str
) -> None:
    server.expect_request("/hook").respond_with_data("ok")
    told({"name": "hook", "form": form, "url": server.url_for("/hook")})

    (request,) = heard(server)

    text = FORMS[form](json.loads(request.data))
    assert "fail" in text
    assert "rose 949 %" in text
    assert b"https://judge.example/analyses/" in request.data


def test_a_receiver_that_fails_is_told_again_and_no_verdict_waited(
    told: Told, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "FIRST_S", 0.1)
    answers = iter([503, 500, 200])
    server.expect_request("/events").respond_with_handler(
        lambda _: Response(status=next(answers, 200))
    )

    client = told({"name": "events", "url": server.url_for("/events")})

    requests = heard(server, 3)
    time.sleep(3 * courier.TICK_S)
    assert len(server.log) == 3  # heard once, and not again
    assert len({json.loads(request.data)["id"] for request in requests}) == 1
    assert 'target="events"} 2.0' in client.get("/metrics").text.replace(
        'result="not_heard",target="events"', 'target="events"'
    )


def test_what_was_not_heard_before_a_restart_is_told_after_it(
    told: Told, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "FIRST_S", 0.1)
    nobody = told({"name": "events", "url": "http://127.0.0.1:1/"})
    assert nobody.service is not None
    nobody.service.courier.stop()

    server.expect_request("/events").respond_with_data("")
    told({"name": "events", "url": server.url_for("/events")})

    assert len(heard(server)) == 1


def test_who_wants_other_verdicts_or_configurations_is_left_in_peace(
    told: Told, server: HTTPServer
) -> None:
    server.expect_request("/all").respond_with_data("")
    told(
        {"name": "passes", "url": server.url_for("/passes"), "verdicts": ["pass"]},
        {"name": "bank", "url": server.url_for("/bank"), "configs": ["bank"]},
        {"name": "all", "url": server.url_for("/all")},
    )

    heard(server)
    time.sleep(2 * courier.TICK_S)

    assert [request.path for request, _ in server.log] == ["/all"]


def test_the_waits_between_tries_grow_to_an_hour() -> None:
    assert [courier.wait_s(n) for n in (0, 1, 2, 20)] == [5.0, 10.0, 20.0, 3600.0]


MISTAKES: dict[str, tuple[str, str]] = {
    "no JSON": ("[{", "cannot be used"),
    "an unknown form": ('[{"name": "a", "form": "fax", "url": "http://x"}]', "alertmanager"),
    "no address": ('[{"name": "a"}]', "url_env"),
    "an address that is none": ('[{"name": "a", "url": "ftp://x"}]', "http://"),
    "a secret that is not there": (
        '[{"name": "a", "url": "http://x", "secret_env": "NONE"}]',
        "no NONE",
    ),
    "a name twice": (
        '[{"name": "a", "url": "http://x"}, {"name": "a", "url": "http://y"}]',
        "twice",
    ),
}


@pytest.mark.parametrize(("text", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "notices.json"
    path.write_text(text)

    with pytest.raises(ConfigError) as raised:
        targets.load(path, ENVIRONMENT)

    assert words in str(raised.value)


def test_an_address_is_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "notices.json"
    path.write_text('[{"name": "a", "url": "http://hooks/secret", "secret_env": "SIGN"}]')

    shown = repr(targets.load(path, ENVIRONMENT))

    assert "secret" not in shown.replace("secret_env", "")
