"""What Kayenta's clients send and read, and the cases of Kayenta's own judge over HTTP."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analysis.service.kayenta import execution
from analysis.sources import recording as recordings
from tests.support.corpus import FIXTURES, RECORDINGS, run
from tests.support.service import Answer, Client, serving

CASES = [
    case
    for case in json.loads((FIXTURES / "reference" / "kayenta_cases.json").read_text())["cases"]
    if case["kind"] == "judge" and "nondeterministic" not in case
]


def instant(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, tz=UTC).isoformat().replace("+00:00", "Z")


class Kayenta:
    """A client of the facade, on one recorded run."""

    def __init__(self, client: Client, name: str, now: list[float]) -> None:
        self.client, self.run, self.now = client, run(name), now

    def get(self, path: str) -> Answer:
        return self.client.get(f"/kayenta{path}")

    def start(self, passing: int = 95, marginal: int = 75, **scope: Any) -> Answer:
        """Send what Argo's provider sends."""
        side = {
            "scope": "x",
            "location": "ns",
            "step": 60,
            "start": instant(self.run.start),
            "end": instant(self.run.end),
        }
        side |= {"extendedScopeParams": {"run": self.run.name}} | scope
        body = {
            "scopes": {"default": {"controlScope": side, "experimentScope": side}},
            "thresholds": {"pass": passing, "marginal": marginal},
        }
        accounts = "application=A&metricsAccountName=M&configurationAccountName=C"
        path = f"/kayenta/canary/shop?{accounts}&storageAccountName=S"
        return self.client.call("POST", path, json=body)

    def result(self, **limits: int) -> Any:
        """Start, wait, and fetch."""
        execution_id = self.start(**limits).json["canaryExecutionId"]
        self.client.until_completed(execution_id)
        return self.get(f"/canary/{execution_id}").json


@pytest.fixture
def kayenta(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kayenta]:
    name = getattr(request, "param", "err1-1")
    (tmp_path / "shop.yaml").write_text((RECORDINGS / "canary.yaml").read_text())
    tape, now = recordings.load(RECORDINGS / name), [run(name).end + 60.0]
    with serving(tmp_path, connect=lambda _: tape, clock=lambda: now[0]) as client:
        yield Kayenta(client, name, now)


def test_argo_finds_its_configuration_by_name(kayenta: Kayenta) -> None:
    told = kayenta.get("/canaryConfig?application=A&configurationAccountName=S")

    (one,) = json.loads(told.text)
    assert told.status == 200
    assert (one["id"], one["name"], type(one["updatedTimestamp"])) == ("shop", "shop", int)
    assert isinstance(one["applications"], list)


def test_argo_polls_until_complete_and_reads_a_number(kayenta: Kayenta) -> None:
    kayenta.now[0] = kayenta.run.start + 40.0
    started = kayenta.start()
    early = kayenta.get(f"/canary/{started.json['canaryExecutionId']}")
    kayenta.now[0] = kayenta.run.end + 60.0
    kayenta.client.until_completed(started.json["canaryExecutionId"])
    late = kayenta.get(f"/canary/{started.json['canaryExecutionId']}")

    assert (started.status, early.status, late.status) == (200, 200, 200)
    assert (early.json["complete"], late.json["complete"]) == (False, True)
    assert "result" not in early.json
    assert late.json["result"]["judgeResult"]["score"]["score"] < 75


@pytest.mark.parametrize(
    ("kayenta", "grade"),
    [("err1-1", "Fail"), ("aa-1", "Pass"), ("aa-7", "Marginal")],
    indirect=["kayenta"],
)
@pytest.mark.parametrize("limits", [(95, 75), (60, 50), (100, 99), (90, 0), (50, 10)])
def test_the_truncated_score_says_the_verdict_under_any_thresholds(
    kayenta: Kayenta, grade: str, limits: tuple[int, int]
) -> None:
    passing, marginal = limits
    told = kayenta.result(passing=passing, marginal=marginal)["result"]["judgeResult"]["score"]

    whole = int(told["score"])
    argo = "Pass" if whole >= passing else "Marginal" if whole >= marginal else "Fail"
    assert told["classification"] == grade
    if marginal > 0 or grade != "Fail":  # below 0 there is no score to fail with
        assert argo == grade


def test_each_call_starts_an_execution_of_its_own(kayenta: Kayenta) -> None:
    ids = {kayenta.start().json["canaryExecutionId"] for _ in range(2)}

    assert len(ids) == 2
    listed = json.loads(kayenta.get("/canary/executions?application=shop").text)
    assert {one["pipelineId"] for one in listed} == ids


def test_spinnaker_and_referee_find_the_fields_that_they_read(kayenta: Kayenta) -> None:
    told = kayenta.result()

    assert (told["status"], told["application"]) == ("succeeded", "A")
    assert told["canaryExecutionRequest"]["thresholds"] == {"pass": 95, "marginal": 75}
    assert told["config"]["metrics"][0]["analysisConfigurations"]["canary"] is not None
    assert {"buildTimeIso", "startTimeIso", "endTimeIso", "canaryConfigId"} <= set(told)
    pairs = json.loads(kayenta.get(f"/metricSetPairList/{told['metricSetPairListId']}").text)
    results = told["result"]["judgeResult"]["results"]
    assert [pair["id"] for pair in pairs] == [one["id"] for one in results]
    for one in results:
        assert one["classification"] in {"Pass", "High", "Low", "Nodata"}
        assert all(math.isfinite(x) for x in one["controlMetadata"]["stats"].values())
        assert one["groups"]
    assert "High" in {one["classification"] for one in results}
    for path in ("/credentials", "/judges", "/canaryConfig/shop"):
        assert kayenta.get(path).status == 200


def test_orca_cancels_with_202(kayenta: Kayenta) -> None:
    kayenta.now[0] = kayenta.run.start + 40.0
    analysis = kayenta.start().json["canaryExecutionId"]

    canceled = kayenta.client.call("PUT", f"/kayenta/pipelines/{analysis}/cancel")
    told = kayenta.get(f"/canary/{analysis}").json

    assert canceled.status == 202
    assert (told["complete"], told["status"]) == (True, "canceled")


def test_a_region_is_a_location_and_names_the_namespace(kayenta: Kayenta) -> None:
    analysis = kayenta.start(location="", region="eu").json["canaryExecutionId"]

    request = kayenta.client.get(f"/v1/analyses/{analysis}").json["request"]

    assert request["canary"] == {
        "scope": "x", "hash": "x", "location": "eu", "namespace": "eu", "run": "err1-1",
    }  # fmt: skip


def test_a_mistake_is_worded_as_kayenta_does(kayenta: Kayenta) -> None:
    unknown = kayenta.client.call("POST", "/kayenta/canary/shop", json={"scopes": {}})
    shifted = kayenta.start(extendedScopeParams={"run": "x"}, end="never")

    assert (unknown.status, shifted.status) == (400, 400)
    assert kayenta.get("/canary/0123").status == 404
    assert unknown.json["message"]
    assert kayenta.get("/canaryConfig/none").json["message"]


def remote_request(case: dict[str, Any], **judge: Any) -> dict[str, Any]:
    given = case["judge_params"]
    names = list(given["analysisConfigurations"])

    def side(name: str, of: str) -> Any:
        return case[of][name] if isinstance(case[of], dict) else case[of]

    return {
        "canaryConfig": {
            "name": "c",
            "judge": {"name": "RemoteJudge-v1.0", "judgeConfigurations": judge},
            "metrics": [
                {
                    "name": name,
                    "groups": given["groups"][name],
                    "analysisConfigurations": given["analysisConfigurations"][name],
                }
                for name in names
            ],
            "classifier": {"groupWeights": given["groupWeights"]},
        },
        "scoreThresholds": given["thresholds"],
        "metricSetPairList": [
            {
                "name": name,
                "id": name,
                "tags": {},
                "values": {"control": side(name, "baseline"), "experiment": side(name, "canary")},
            }
            for name in names
        ],
    }


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("none"), connect=lambda _: pytest.fail("asked")) as client:
        yield client


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_as_its_remote_judge_we_answer_as_kayentas_own(judge: Client, case: dict[str, Any]) -> None:
    told = judge.call("POST", "/judge", json=remote_request(case))

    expected = case["expected"]
    assert told.status == 200
    assert told.json["score"] == expected["score"]
    assert {g["name"]: g["score"] for g in told.json["groupScores"]} == expected["groupScores"]
    for one, wanted in zip(told.json["results"], expected["results"], strict=True):
        for key in ("name", "classification", "critical", "muted", "classificationReason"):
            assert one.get(key) == wanted.get(key), key
        for name in ("control", "experiment"):
            found = one[f"{name}Metadata"]["stats"]
            assert found == pytest.approx(wanted[f"{name}Stats"], nan_ok=True), name


def test_as_its_remote_judge_we_judge_by_our_own_judges_on_request(judge: Client) -> None:
    worse = {
        "judge_params": {
            "analysisConfigurations": {"m": {"canary": {"direction": "increase"}}},
            "groups": {"m": ["g"]},
            "groupWeights": {"g": 100},
            "thresholds": {"pass": 95, "marginal": 75},
        },
        "baseline": [10.0 + (n * 7 % 5) / 10 for n in range(60)],
        "canary": [20.0 + (n * 3 % 7) / 10 for n in range(60)],
    }

    told = judge.call("POST", "/judge", json=remote_request(worse, kind="mann_whitney"))
    unknown = judge.call("POST", "/judge", json=remote_request(worse, kind="magic"))

    assert told.json["judgeName"] == "Serinus mann_whitney"
    assert told.json["results"][0]["classification"] == "High"
    assert told.json["score"]["classification"] == "Fail"
    assert unknown.status == 400
    assert "magic" in unknown.json["message"]


@pytest.mark.parametrize("verdict", ["pass", "inconclusive", "fail"])
@pytest.mark.parametrize("own", [None, 0.0, 49.9, 74.9, 94.99, 100.0])
def test_a_score_stays_between_0_and_100(verdict: str, own: float | None) -> None:
    class Told:
        score = own

    told = Told()
    told.verdict = verdict  # type: ignore[attr-defined]
    for limits in ((95.0, 75.0), (100.0, 0.0), (1.0, 0.0), (100.0, 100.0)):
        assert 0.0 <= execution.score(told, limits) <= 100.0  # type: ignore[arg-type]
