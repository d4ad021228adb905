"""What Flagger sends, and the codes that it honors."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.argo import documents
from tests.support.corpus import RECORDINGS, run
from tests.support.service import Answer, Client, serving
from tests.support.tape import Tape

DEPLOY = Path(__file__).parents[2] / "deploy"
HOOKS = ("start", "gate", "promote", "rollback", "end", "event")


@dataclass
class Rollout:
    """A Canary of Flagger's that is judged on a recorded run."""

    client: Client
    tape: Tape
    now: list[float]
    database: Path

    def hook(self, path: str, **changes: Any) -> Answer:
        """Send what Flagger sends."""
        body = {
            "name": "podinfo",
            "namespace": "test",
            "phase": "Progressing",
            "checksum": "85d557f47b",
            "metadata": {"config": "shop", "run": self.tape.name},
        }
        return self.client.call("POST", f"/flagger/{path}", json=body | changes)

    def pass_time(self) -> dict[str, Any]:
        """Go to the end of the run, and wait for the verdict of that time."""
        self.now[0] = run(self.tape.name).end + 30.0
        record = self.client.service.analyses.store.latest("flagger.test.podinfo.85d557f47b")  # type: ignore[union-attr]
        told: dict[str, Any] = self.client.until_completed(record.id)  # type: ignore[union-attr]
        return told

    def query(self, promql: str) -> Any:
        """Ask the facade as a MetricTemplate does."""
        return self.client.call("GET", "/prom/api/v1/query", params={"query": promql})


Roll = Callable[[str], Rollout]


@pytest.fixture
def roll(tmp_path: Path) -> Iterator[Roll]:
    (tmp_path / "shop.yaml").write_text((RECORDINGS / "canary.yaml").read_text())
    services: list[Any] = []

    def make(name: str) -> Rollout:
        tape, now = Tape(name), [float(run(name).start)]
        database = tmp_path / f"{name}.db"
        service = serving(
            tmp_path,
            connect=lambda _: tape,
            clock=lambda: now[0],
            look_every_s=1.0,
            database_url=f"sqlite:///{database}",
        )
        services.append(service)
        return Rollout(client=service.__enter__(), tape=tape, now=now, database=database)

    yield make
    for service in services:
        service.__exit__(None, None, None)


def test_the_gate_opens_once_for_traffic_to_come_and_then_holds(roll: Roll) -> None:
    rollout = roll("aa-1")
    assert rollout.hook("start").status == 200

    assert rollout.hook("gate").status == 200
    held = rollout.hook("gate")

    assert held.status == 403
    assert held.json.startswith("running: ")


def test_a_pass_opens_the_gate_and_does_not_roll_back(roll: Roll) -> None:
    rollout = roll("aa-1")
    for hook in ("start", "gate"):
        rollout.hook(hook)

    assert rollout.pass_time()["verdict"] == "pass"

    assert rollout.hook("gate").status == 200
    assert rollout.hook("rollback").status == 403


def test_a_fail_rolls_back_and_the_refusal_says_why_in_a_line(roll: Roll) -> None:
    rollout = roll("err1-1")
    for hook in ("start", "gate"):
        rollout.hook(hook)

    assert rollout.pass_time()["verdict"] == "fail"

    gate, rollback = rollout.hook("gate"), rollout.hook("rollback")
    assert (gate.status, rollback.status) == (403, 200)
    assert gate.json.startswith("fail: error ratio")
    assert "\n" not in gate.text


def test_a_source_that_is_down_holds_and_never_rolls_back(roll: Roll) -> None:
    rollout = roll("err1-1")
    rollout.tape.is_down = True
    rollout.now[0] += 120.0
    for hook in ("start", "gate"):
        rollout.hook(hook)

    statuses = {(rollout.hook("gate").status, rollout.hook("rollback").status) for _ in range(3)}

    assert statuses == {(403, 403)}


def test_a_revision_that_no_start_hook_announced_is_begun_by_the_first_hook(roll: Roll) -> None:
    rollout = roll("aa-1")

    first, second = rollout.hook("gate"), rollout.hook("rollback")

    assert first.status == 200
    (begun,) = rollout.client.get("/v1/analyses").json["analyses"]
    assert first.json["url"].endswith(begun["id"])
    assert second.json == "running: no look has been made yet"


def test_a_lost_answer_at_weight_0_is_asked_for_again_and_given_again(roll: Roll) -> None:
    rollout = roll("aa-1")
    for hook in ("rollback", "start", "gate"):  # one tick, whose last answer is lost
        rollout.hook(hook)

    ticks = [[rollout.hook(hook).status for hook in ("rollback", "start", "gate")] for _ in "ab"]

    assert ticks == [[403, 200, 200]] * 2


def test_a_gate_first_asked_ticks_after_the_start_is_a_promotion_and_holds(roll: Roll) -> None:
    rollout = roll("aa-1")
    for hook in ("rollback", "start", "rollback"):  # as in A/B and blue/green: no weight to raise
        rollout.hook(hook)

    assert rollout.hook("gate").status == 403


def test_a_gate_first_asked_after_a_fail_does_not_open(roll: Roll) -> None:
    rollout = roll("err1-1")
    rollout.hook("start")

    assert rollout.pass_time()["verdict"] == "fail"

    assert rollout.hook("gate").status == 403
    assert [rollout.hook(hook).status for hook in ("start", "gate")] == [200, 403]


@pytest.mark.parametrize(("name", "status"), [("aa-1", 200), ("err1-1", 403)])
def test_nothing_is_promoted_unjudged(roll: Roll, name: str, status: int) -> None:
    rollout = roll(name)

    assert [rollout.hook("promote").status for _ in range(2)] == [403, 403]
    rollout.pass_time()

    assert rollout.hook("promote").status == status


def test_a_store_that_is_down_holds_and_says_so_where_flagger_shows_it(roll: Roll) -> None:
    rollout = roll("err1-1")
    rollout.hook("start")
    assert rollout.pass_time()["verdict"] == "fail"
    with sqlite3.connect(rollout.database) as database:
        database.execute("ALTER TABLE analyses RENAME TO elsewhere")
    database.close()

    told = [rollout.hook(hook) for hook in ("gate", "promote", "rollback")]

    assert [one.status for one in told] == [403, 403, 403]
    assert {one.json for one in told} == {
        "undecided: the database does not answer; nothing was changed"
    }
    assert rollout.hook("start").status == 503  # which Flagger tries again


def test_another_checksum_is_another_analysis(roll: Roll) -> None:
    rollout = roll("aa-1")

    assert rollout.hook("start").json["url"] != rollout.hook("start", checksum="77").json["url"]


def test_the_sides_are_the_workloads_that_flagger_makes(roll: Roll) -> None:
    rollout = roll("aa-1")
    metadata = {"config": "shop", "run": "aa-1", "canary.version": "2", "baseline.version": "1"}
    rollout.hook("start", metadata=metadata)

    (told,) = rollout.client.get("/v1/analyses").json["analyses"]
    request = rollout.client.get(f"/v1/analyses/{told['id']}").json["request"]

    assert (request["baseline"]["workload"], request["canary"]["workload"]) == (
        "podinfo-primary",
        "podinfo",
    )
    assert (request["baseline"]["version"], request["canary"]["version"]) == ("1", "2")
    assert request["canary"]["namespace"] == "test"


def test_the_end_of_a_rollout_ends_its_analysis_and_asking_again_is_harmless(roll: Roll) -> None:
    rollout = roll("aa-1")
    rollout.hook("start")

    assert [rollout.hook("end", phase="Succeeded").status for _ in range(2)] == [200, 200]
    assert rollout.client.get("/v1/analyses?status=canceled").json["analyses"]
    assert rollout.hook("end", checksum="never-seen").status == 200


def test_an_event_is_taken_with_the_fields_that_only_events_have(roll: Roll) -> None:
    told = roll("aa-1").hook(
        "event", eventMessage="x", eventType="Normal", timestamp="1795380922000"
    )

    assert told.status == 200


@pytest.mark.parametrize("hook", HOOKS)
def test_a_mistake_is_a_4xx_whose_body_flagger_shows(roll: Roll, hook: str) -> None:
    rollout = roll("aa-1")

    assert rollout.hook(hook, name="a b").status == 422
    if hook in {"start", "gate", "promote", "rollback"}:
        unknown = rollout.hook(hook, metadata={"config": "shoop"})
        assert unknown.status == 404
        assert unknown.json.startswith("there is no configuration 'shoop'")


def test_the_facade_answers_the_probe_of_a_metric_provider(roll: Roll) -> None:
    rollout = roll("aa-1")

    (one,) = rollout.query("vector(1)").json["data"]["result"]
    posted = rollout.client.call("POST", "/prom/api/v1/query", data={"query": "vector(1)"})

    assert one["value"][1] == "1"
    assert posted.json["data"]["result"][0]["value"][1] == "1"


def test_the_facade_tells_verdict_and_score_of_a_target(roll: Roll) -> None:
    rollout = roll("err1-1")
    rollout.hook("start")
    selector = '{config="shop",namespace="test",target="podinfo",key=~"flagger.*"}'

    (undecided,) = rollout.query(f"serinus_verdict{selector}").json["data"]["result"]
    assert rollout.query(f"serinus_score{selector}").json["data"]["result"] == []
    rollout.pass_time()
    (decided,) = rollout.query(f"serinus_verdict{selector}").json["data"]["result"]
    (score,) = rollout.query(f"serinus_score{selector}").json["data"]["result"]

    assert (undecided["value"][1], decided["value"][1], score["value"][1]) == ("0", "-1", "0")
    assert decided["metric"]["target"] == "podinfo"


NOTHING = (
    'serinus_score{target="other"}',
    "up",
    'serinus_verdict{key!~"flagger.*"}',
    'serinus_verdict{config!="shop"}',
)


@pytest.mark.parametrize("promql", NOTHING)
def test_what_the_facade_does_not_have_is_an_empty_vector(roll: Roll, promql: str) -> None:
    rollout = roll("aa-1")
    rollout.hook("start")

    told = rollout.query(promql)

    assert (told.status, told.json["data"]["result"]) == (200, [])


@pytest.mark.parametrize("promql", ["((", "", "rate(x[1m])", "1", 'serinus_score{key=~"(a+)+$"}'])
def test_what_the_facade_cannot_answer_is_an_error_in_prometheus_own_form(
    roll: Roll, promql: str
) -> None:
    told = roll("aa-1").query(promql)

    assert told.status == 400
    assert (told.json["status"], told.json["errorType"]) == ("error", "bad_data")
    assert json.dumps(told.json["error"])


def test_the_shipped_canary_asks_each_question_of_the_hook_that_can_answer_it(roll: Roll) -> None:
    canary, template = documents(DEPLOY / "flagger" / "canary.yaml")
    asked = {
        hook["type"]: hook["url"].rpartition("/flagger/")[2]
        for hook in canary["spec"]["analysis"]["webhooks"]
    }

    assert asked == {
        "pre-rollout": "start",
        "confirm-traffic-increase": "gate",
        "confirm-promotion": "promote",
        "rollback": "rollback",
        "post-rollout": "end",
    }
    filled = re.sub(r"{{ (\w+) }}", "x", template["spec"]["query"])
    assert roll("aa-1").query(filled).status == 200
