"""What a caller of `/v1/analyses` may rely on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from analysis.service.permits import Address, Permits
from analysis.sources.port import MetricSource
from tests.support.corpus import RECORDINGS, run
from tests.support.service import Answer, Client, serving
from tests.support.tape import Tape

CONFIG = (RECORDINGS / "canary.yaml").read_text()
BAD, GOOD, OPEN = "err1-1", "aa-1", "aa-7"
DAY_S = 86400.0


@dataclass
class Clock:
    """A clock that the test turns."""

    now: float

    def __call__(self) -> float:
        return self.now


@dataclass
class Deployment:
    """A service, the tape it listens to, and the clock on its wall."""

    client: Client
    tape: Tape
    clock: Clock

    def ask(self, key: str = "shop.1", **body: Any) -> Answer:
        one = run(self.tape.name)
        told = {"config": "shop", "variables": {"run": one.name}, "start": one.start}
        return self.client.put(key, **(told | {"end": one.end} | body))


Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy(tmp_path: Path) -> Iterator[Deploy]:
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "shop.yaml").write_text(CONFIG)
    (configs / "faulty.yaml").write_text("version: 1\nname: faulty\nmetrics: []\n")
    with ExitStack() as services:

        def make(name: str, at_s: float | None = None, **settings: Any) -> Deployment:
            tape, one = Tape(name), run(name)
            clock = Clock(one.end + 60 if at_s is None else one.start + at_s)

            def connect(_: object) -> MetricSource:
                return tape

            client = services.enter_context(
                serving(configs, connect=connect, clock=clock, **settings)
            )
            return Deployment(client=client, tape=tape, clock=clock)

        yield make


@pytest.mark.parametrize(
    ("name", "verdict"), [(BAD, "fail"), (GOOD, "pass"), (OPEN, "inconclusive")]
)
def test_a_synchronous_call_answers_with_the_verdict_of_the_command(
    deploy: Deploy, name: str, verdict: str
) -> None:
    told = deploy(name).ask()

    assert told.status == 200
    assert (told.json["status"], told.json["verdict"]) == ("completed", verdict)
    assert told.json["argo"][:2] == [told.json["score"], verdict]


def test_what_argo_keeps_is_four_items_with_a_plain_reason(deploy: Deploy) -> None:
    told = deploy(BAD, public_url="https://judge.example").ask().json

    _score, _verdict, reason, url = told["argo"]
    assert "rose 949 %" in reason
    assert len(reason) <= 300
    assert not set(reason) & set("<>&\n")
    assert url == f"https://judge.example/analyses/{told['id']}"


def test_asking_twice_is_one_analysis_and_one_look(deploy: Deploy) -> None:
    shop = deploy(BAD)

    first, second = shop.ask().json, shop.ask().json

    assert second == first
    assert shop.tape.calls == 1


def test_callers_at_the_same_time_share_one_look(deploy: Deploy) -> None:
    shop = deploy(BAD)
    shop.tape.gate = threading.Event()

    with ThreadPoolExecutor(8) as callers:
        asked = [callers.submit(shop.ask) for _ in range(8)]
        while shop.tape.calls == 0:
            pass
        shop.tape.gate.set()
        ids = {one.result().json["id"] for one in asked}

    assert len(ids) == 1
    assert shop.tape.calls == 1


def test_another_question_under_the_same_key_is_another_analysis(deploy: Deploy) -> None:
    shop = deploy(GOOD)

    first = shop.ask().json
    second = shop.ask(end=run(GOOD).end - 60).json

    assert second["id"] != first["id"]
    assert (first["generation"], second["generation"]) == (1, 2)


def test_a_rollout_that_is_resumed_later_is_judged_anew(deploy: Deploy) -> None:
    shop = deploy(BAD, at_s=240.0)
    last: dict[str, Any] = {"start": None, "end": None, "lookback": "3m"}
    first = shop.ask(**last).json

    shop.clock.now += 14 * 60.0
    soon = shop.ask(**last).json
    shop.clock.now += 2 * 60.0
    later = shop.ask(**last).json

    assert first["status"] == "completed"
    assert (soon["id"], soon["generation"]) == (first["id"], 1)
    assert (later["key"], later["generation"]) == (first["key"], 2)


def test_a_verdict_on_a_given_stretch_of_time_never_changes(deploy: Deploy) -> None:
    shop = deploy(BAD)
    first = shop.ask().json

    shop.clock.now += 5 * DAY_S

    assert shop.ask().json == first


def test_an_undecided_analysis_is_running_and_looks_again_when_it_is_time(deploy: Deploy) -> None:
    shop = deploy(BAD, at_s=45.0)

    early = shop.ask()
    again = shop.ask().json
    shop.clock.now = run(BAD).end + 60.0
    late = shop.ask().json

    assert (early.status, early.json["status"], early.json["argo"][1]) == (
        202,
        "running",
        "running",
    )
    assert again["looks"] == 1  # nothing new can be known within the same step
    assert (late["verdict"], late["id"]) == ("fail", early.json["id"])


def test_an_analysis_that_begins_now_waits_for_its_first_data(deploy: Deploy) -> None:
    shop = deploy(GOOD)

    told = shop.ask(start=None, end=None)

    assert told.status == 202
    assert (told.json["verdict"], told.json["argo"][1]) == (None, "running")
    assert told.json["summary"].endswith("no data are there yet")
    assert shop.tape.calls == 0
    assert "serinus_bugs_total 0.0" in shop.client.get("/metrics").text


def test_an_asynchronous_run_is_decided_without_anybody_asking(deploy: Deploy) -> None:
    shop = deploy(BAD)

    started = shop.ask(mode="async")

    assert started.json["argo"][1] in {"running", "fail"}
    assert shop.client.until_completed(started.json["id"])["verdict"] == "fail"


def test_a_source_that_is_down_is_inconclusive_with_the_reason_and_never_an_error(
    deploy: Deploy,
) -> None:
    shop = deploy(GOOD)
    shop.tape.is_down = True

    down = shop.ask()
    shop.tape.is_down = False
    shop.clock.now += 11.0
    up = shop.ask()

    assert (down.status, down.json["argo"][1]) == (200, "inconclusive")
    assert "refused the connection" in down.json["argo"][2]
    assert down.json["status"] == "running"
    assert (up.json["verdict"], up.json["id"]) == ("pass", down.json["id"])


def test_a_source_that_stays_down_ends_inconclusive(deploy: Deploy) -> None:
    shop = deploy(BAD)
    shop.tape.is_down = True
    shop.ask()

    shop.clock.now += DAY_S
    told = shop.ask().json

    assert (told["status"], told["verdict"]) == ("completed", "inconclusive")


def test_a_slow_source_does_not_keep_the_caller_waiting(deploy: Deploy) -> None:
    shop = deploy(BAD)
    shop.tape.gate = threading.Event()

    told = shop.ask(budget="200ms")
    shop.tape.gate.set()

    assert (told.status, told.json["argo"][1]) == (202, "running")
    assert shop.client.until_completed(told.json["id"])["verdict"] == "fail"


def test_a_final_call_takes_what_is_there(deploy: Deploy) -> None:
    shop = deploy(OPEN, at_s=70.0)

    assert shop.ask().json["status"] == "running"
    shop.clock.now += 1.0
    told = shop.ask(final=True).json

    assert (told["status"], told["verdict"]) == ("completed", "inconclusive")


def test_every_argument_may_come_as_text_and_a_blank_one_is_none(deploy: Deploy) -> None:
    one = run(GOOD)

    told = deploy(GOOD).ask(start=str(one.start), end=f"{one.end}.0", lookback="", planned="")

    assert told.json["verdict"] == "pass"


def test_a_canceled_analysis_is_looked_at_no_more(deploy: Deploy) -> None:
    shop = deploy(BAD, at_s=45.0)
    told = shop.ask().json

    canceled = shop.client.call("DELETE", f"/v1/analyses/{told['id']}").json
    shop.clock.now += DAY_S
    later = shop.ask().json

    assert canceled["status"] == later["status"] == "canceled"
    assert later["argo"][1] == "inconclusive"


def test_a_list_is_filtered_and_goes_on_from_its_cursor(deploy: Deploy) -> None:
    shop = deploy(BAD)
    ids = []
    for number in range(3):
        shop.clock.now += 1.0
        ids.append(shop.ask(f"shop.{number}").json["id"])

    first = shop.client.get("/v1/analyses?limit=2&verdict=fail").json
    second = shop.client.get(f"/v1/analyses?limit=2&cursor={first['next']}").json

    assert [one["id"] for one in first["analyses"] + second["analyses"]] == ids[::-1]
    assert second["next"] is None
    assert shop.client.get("/v1/analyses?verdict=pass").json["analyses"] == []


def test_the_series_of_both_sides_can_be_fetched(deploy: Deploy) -> None:
    shop = deploy(BAD)
    told = shop.ask().json

    series = shop.client.get(f"/v1/analyses/{told['id']}/series").json["metrics"]["error ratio"]

    assert len(series["times"]) == len(series["baseline"]) == len(series["canary"]) > 0


def test_what_was_recorded_is_judged_again_by_the_configuration_of_today(
    deploy: Deploy, tmp_path: Path
) -> None:
    shop = deploy(BAD)
    told = shop.ask().json
    lenient = CONFIG.replace("ratio: 1.25", "ratio: 40").replace("ratio: 1.5", "ratio: 80")
    (tmp_path / "configs" / "lenient.yaml").write_text(lenient)

    again = shop.client.call(
        "POST", f"/v1/analyses/{told['id']}/rejudge", json={"config": "shop"}
    ).json
    otherwise = shop.client.call(
        "POST", f"/v1/analyses/{told['id']}/rejudge", json={"config": "lenient"}
    ).json

    assert (again["verdict"], again["score"]) == ("fail", told["score"])
    assert otherwise["verdict"] != "fail"
    assert shop.tape.calls == 1


def test_a_posted_analysis_has_a_key_of_its_own_each_time(deploy: Deploy) -> None:
    shop = deploy(BAD)
    body = {"config": "shop", "variables": {"run": BAD}, "start": run(BAD).start}
    body |= {"end": run(BAD).end}

    first, second = (shop.client.call("POST", "/v1/analyses", json=body) for _ in range(2))

    assert (first.status, first.json["verdict"]) == (200, "fail")
    assert first.json["key"] != second.json["key"]
    assert shop.client.get(f"/v1/analyses?key={first.json['key']}").json["analyses"]


def lenient(text: str) -> str:
    return text.replace("ratio: 1.25", "ratio: 40").replace("ratio: 1.5", "ratio: 80")


def test_an_analysis_names_the_version_that_it_was_judged_by_and_any_other_can_be_taken(
    deploy: Deploy, tmp_path: Path
) -> None:
    shop = deploy(BAD)
    told = shop.ask().json
    (tmp_path / "configs" / "shop.yaml").write_text(lenient(CONFIG))
    now = shop.client.get("/v1/configs/shop").json
    other = shop.ask("shop.2").json
    rejudge = f"/v1/analyses/{told['id']}/rejudge"

    listed = shop.client.get("/v1/configs/shop/versions").json["versions"]
    by_today = shop.client.call("POST", rejudge, json={}).json
    by_then = shop.client.call("POST", rejudge, json={"version": told["version"]}).json

    assert (other["version"], now["text"]) == (now["version"], lenient(CONFIG))
    assert {one["version"] for one in listed} == {told["version"], now["version"]}
    assert by_today["verdict"] != "fail"
    assert (by_then["verdict"], by_then["score"]) == ("fail", told["score"])
    shown = shop.client.get(f"/v1/configs/shop/versions/{told['version']}").json
    assert shown["text"] == CONFIG


def test_a_comment_makes_no_new_version(deploy: Deploy, tmp_path: Path) -> None:
    shop = deploy(BAD)
    before = shop.client.get("/v1/configs/shop").json["version"]

    (tmp_path / "configs" / "shop.yaml").write_text(f"# reviewed\n{CONFIG}")

    assert shop.client.get("/v1/configs/shop").json["version"] == before


@pytest.mark.parametrize(
    "path",
    ["/v1/configs/none", "/v1/configs/none/versions", f"/v1/configs/shop/versions/{'0' * 64}"],
)
def test_what_is_not_there_is_404(deploy: Deploy, path: str) -> None:
    assert deploy(GOOD).client.get(path).status == 404


MISTAKES: dict[str, tuple[dict[str, Any], int, str]] = {
    "a configuration that is not there": ({"config": "shoop"}, 404, "shop"),
    "a path for a configuration": ({"config": "../shop"}, 404, "there is no configuration"),
    "a faulty configuration": ({"config": "faulty"}, 422, "metrics"),
    "a missing variable": ({"variables": {}}, 422, "run"),
    "an unknown key": ({"colour": "red"}, 422, "colour"),
    "no configuration": ({"config": ""}, 422, "config"),
    "an instant without an offset": ({"start": "2026-11-22T10:00:00"}, 422, "offset"),
    "an end before the start": ({"end": 1_000_000_000}, 422, "choose a later end"),
    "too long a time": ({"start": 1_000_000_000}, 422, "choose a shorter stretch"),
    "start and lookback": ({"lookback": "5m"}, 422, "not both"),
    "a text for a duration": ({"start": "", "lookback": "soon"}, 422, "lookback"),
    "a name that is none": ({"variables": {"a-b": "c"}}, 422, "a-b"),
    "a configuration of one's own": ({"config": "", "inline": CONFIG}, 403, "takes no config"),
}


@pytest.mark.parametrize(("body", "status", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_in_json(
    deploy: Deploy, body: dict[str, Any], status: int, words: str
) -> None:
    told = deploy(GOOD).ask(**body)

    assert told.status == status
    assert words in told.json["error"]["message"]
    assert "/configs/" not in told.text  # where the operator keeps them is nobody's business


@pytest.mark.parametrize("key", ["a b", "../x", "%00", "<script>", "x" * 513])
def test_a_key_that_is_no_plain_word_is_refused(deploy: Deploy, key: str) -> None:
    told = deploy(GOOD).ask(key)

    assert told.status in {404, 422}
    assert told.json["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b'{"score": NaN}', b"\xff"])
def test_a_body_that_is_no_request_is_refused(deploy: Deploy, body: bytes) -> None:
    told = deploy(GOOD).client.call(
        "PUT", "/v1/analyses/k", data=body, headers={"Content-Type": "application/json"}
    )

    assert told.status in {400, 422}
    assert told.json["error"]["message"]


def test_a_body_beyond_the_limit_is_refused_unread(deploy: Deploy) -> None:
    shop = deploy(GOOD, most_body_bytes=2000)

    told = shop.ask(variables={"run": GOOD, "ballast": "x" * 3000})

    assert told.status == 413
    assert told.json["error"]["code"] == "too_large"


def test_a_caller_may_bring_a_configuration_where_the_operator_lets_it(deploy: Deploy) -> None:
    told = deploy(BAD, inline=True).ask(config="", inline=CONFIG)

    assert told.json["verdict"] == "fail"


def test_a_configuration_that_a_caller_brings_asks_no_other_server(deploy: Deploy) -> None:
    elsewhere = CONFIG.replace("${PROMETHEUS_URL}", "http://169.254.169.254")

    told = deploy(BAD, inline=True).ask(config="", inline=elsewhere)

    assert (told.status, told.json["error"]["code"]) == (403, "source_refused")
    assert "--allow-source" in told.json["error"]["message"]


def test_what_is_permitted_no_more_is_asked_no_more(deploy: Deploy, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/kept.db"
    elsewhere = CONFIG.replace("${PROMETHEUS_URL}", "https://prom.example")
    allowed = Permits(addresses=(Address.of("https://prom.example"),))
    before = deploy(BAD, at_s=45.0, inline=True, permits=allowed, database_url=database)
    told = before.ask(config="", inline=elsewhere).json

    after = deploy(BAD, inline=True, database_url=database)
    later = after.client.until_looked_again(told["id"], told["looks"])

    assert told["status"] == later["status"] == "running"
    assert "may not be asked" in later["summary"]
    assert after.tape.calls == 0


def test_a_value_is_a_label_value_and_never_promql(deploy: Deploy) -> None:
    shop = deploy(GOOD)

    told = shop.ask(variables={"run": 'x"} or vector(0) #'})

    assert all('run="x\\"} or' in q["query"] for m in told.json["metrics"] for q in m["queries"])


def test_every_answer_carries_the_headers_that_browsers_need(deploy: Deploy) -> None:
    for path in ("/healthz", "/v1/configs", "/nothing"):
        headers = deploy(GOOD).client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_service_says_whether_it_is_ready_and_what_it_did(deploy: Deploy) -> None:
    shop = deploy(BAD)
    shop.ask()

    metrics = shop.client.get("/metrics").text

    assert shop.client.get("/readyz").json == {"status": "ready"}
    assert 'serinus_verdicts_total{config="shop",verdict="fail"} 1.0' in metrics
    assert "serinus_look_seconds_count 1.0" in metrics
