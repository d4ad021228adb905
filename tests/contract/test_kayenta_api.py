"""What Kayenta's clients send and read, and the cases of Kayenta's own judge over HTTP."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analysis.service.kayenta import results
from analysis.sources import recording as recordings
from tests.support.builders import START, FakeSource, a_document, a_metric
from tests.support.corpus import FIXTURES, RECORDINGS, run
from tests.support.service import Answer, Client, serving

CASES = [
    case
    for case in json.loads((FIXTURES / "reference" / "kayenta_cases.json").read_text())["cases"]
    if case["kind"] == "judge" and "nondeterministic" not in case
]

JSON = {"Content-Type": "application/json"}


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


# As metricproviders/kayenta writes it: no further parameters, and the region as the location.
ARGO_BODY = (
    '{"scopes":{"default":{'
    '"controlScope":{"scope":"5d4c","location":"shop","step":60,"start":"%s","end":"%s"},'
    '"experimentScope":{"scope":"7f9b","location":"shop","step":60,"start":"%s","end":"%s"}}},'
    '"thresholds":{"pass":95,"marginal":75}}'
)
ARGO_PATH = (
    "/kayenta/canary/shop?application=A&metricsAccountName=M"
    "&configurationAccountName=C&storageAccountName=S"
)


def argo_body(begins: float, ends: float) -> str:
    return ARGO_BODY % (2 * (instant(begins), instant(ends)))


def test_argos_scope_and_region_reach_the_queries(tmp_path: Path) -> None:
    metric = a_metric(query='mem{hash="${hash}",namespace="${namespace}"}')
    document = {**a_document(metric), "variables": {}}
    (tmp_path / "shop.yaml").write_text(json.dumps(document))
    source, now = FakeSource(answers={}), START + 3600.0
    with serving(tmp_path, connect=lambda _: source, clock=lambda: now) as client:
        started = client.call("POST", ARGO_PATH, data=argo_body(START, START + 1800), headers=JSON)
        client.until_completed(started.json["canaryExecutionId"])
        told = client.get(f"/kayenta/canary/{started.json['canaryExecutionId']}")

    assert {one.query for one in source.asked} == {
        'mem{hash="5d4c",namespace="shop"}',
        'mem{hash="7f9b",namespace="shop"}',
    }
    score = told.json["result"]["judgeResult"]["score"]["score"]
    assert told.json["complete"] is True
    assert 75 <= int(score) < 95  # without data, undecided: Argo has no other word for it


def test_an_end_in_the_future_is_waited_for(tmp_path: Path) -> None:
    metric = a_metric(query='mem{hash="${hash}"}')
    document = {**a_document(metric), "variables": {}}
    (tmp_path / "shop.yaml").write_text(json.dumps(document))
    source = FakeSource(answers={})
    with serving(tmp_path, connect=lambda _: source, clock=lambda: START) as client:
        started = client.call("POST", ARGO_PATH, data=argo_body(START, START + 1800), headers=JSON)
        told = client.get(f"/kayenta/canary/{started.json['canaryExecutionId']}")

    assert (started.status, told.status) == (200, 200)
    assert (told.json["complete"], told.json["status"]) == (False, "running")


def test_one_faulty_configuration_hides_no_other(kayenta: Kayenta, tmp_path: Path) -> None:
    (tmp_path / "faulty.yaml").write_text("name: [")

    listed = json.loads(kayenta.get("/canaryConfig").text)
    asked = kayenta.get("/canaryConfig/faulty")

    assert [one["name"] for one in listed] == ["shop"]
    assert asked.status == 400
    assert "faults" in asked.json["message"]


def test_a_token_is_a_bearers_or_a_password(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.json"
    digest = hashlib.sha256(b"secret").hexdigest()
    tokens.write_text(json.dumps([{"name": "argo", "sha256": digest, "configs": ["shop"]}]))
    for name in ("shop", "other"):
        (tmp_path / f"{name}.yaml").write_text((RECORDINGS / "canary.yaml").read_text())
    with serving(tmp_path, connect=lambda _: FakeSource({}), tokens=tokens) as client:
        nobody = client.get("/kayenta/canaryConfig")
        bearer = client.call(
            "GET", "/kayenta/canaryConfig", headers={"Authorization": "Bearer secret"}
        )
        basic = client.call("GET", "/kayenta/canaryConfig", auth=("argo", "secret"))
        foreign = client.call("GET", "/kayenta/canaryConfig/other", auth=("argo", "secret"))
        unknown = client.call("POST", "/judge", json={}, auth=("argo", "wrong"))

    assert (nobody.status, unknown.status, foreign.status) == (401, 401, 404)
    assert nobody.json["message"]
    assert (bearer.status, basic.status) == (200, 200)
    assert [one["name"] for one in json.loads(basic.text)] == ["shop"]


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


LISTS = {
    "all of them": ("", 2),
    "those of an application": ("?application=A", 2),
    "those of a configuration": ("?application=shop", 2),
    "none of another": ("?application=B", 0),
    "those that run": ("?statuses=RUNNING,CANCELED", 1),
    "those that ended": ("?statuses=SUCCEEDED", 1),
    "a page": ("?limit=1&page=2", 1),
    "a page beyond the last": ("?limit=2&page=2", 0),
}


def test_a_list_of_executions_is_narrowed(kayenta: Kayenta) -> None:
    kayenta.result()
    kayenta.now[0] = kayenta.run.start + 40.0
    kayenta.start()

    listed = {
        name: len(json.loads(kayenta.get(f"/canary/executions{query}").text))
        for name, (query, _) in LISTS.items()
    }

    assert listed == {name: count for name, (_, count) in LISTS.items()}


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
    one_pair = kayenta.get(f"/metricSetPairList/{told['metricSetPairListId']}/{pairs[0]['id']}")
    assert one_pair.json == pairs[0]


EVERYTHING = [
    "/credentials", "/judges", "/metricsServices", "/canaryConfig", "/canaryConfig/shop",
    "/metadata/metricsService?metricsAccountName=M&filter=x", "/canary/executions",
]  # fmt: skip


def test_what_clients_fill_their_menus_with_is_there(kayenta: Kayenta) -> None:
    assert {path: kayenta.get(path).status for path in EVERYTHING} == dict.fromkeys(EVERYTHING, 200)
    accounts = json.loads(kayenta.get("/credentials").text)
    types = {kind for account in accounts for kind in account["supportedTypes"]}
    assert types == {"METRICS_STORE", "OBJECT_STORE", "CONFIGURATION_STORE"}


def test_spinnakers_nulls_and_parameters_that_nothing_uses_do_no_harm(kayenta: Kayenta) -> None:
    parameters = {"run": "err1-1", "step": "60", "window": "5m", "app-name": "x", "zone": "b"}

    started = kayenta.start(location=None, region=None, extendedScopeParams=parameters)

    assert started.status == 200
    ended = kayenta.client.until_completed(started.json["canaryExecutionId"])
    assert ended["verdict"] == "fail"


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
    assert kayenta.start(passing=0, marginal=0).status == 400  # nothing could fail by these
    assert kayenta.get("/canary/0123").status == 404
    assert kayenta.get(f"/metricSetPairList/{kayenta.result()['pipelineId']}/0").status == 404
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


STRANGE: dict[str, str] = {
    "no JSON": "{",
    "no object": "[]",
    "an integer beyond doubles": '{"values": {"control": [1%s]}}' % ("0" * 400),
    "a number that is none": '{"values": {"control": ["much"]}}',
    "half a character": r'{"tags": {"pod": "\ud800"}}',
}


@pytest.mark.parametrize("path", ["/judge", "/kayenta/judge"])
@pytest.mark.parametrize("pair", STRANGE.values(), ids=STRANGE)
def test_what_no_kayenta_sends_is_refused_in_its_words(judge: Client, path: str, pair: str) -> None:
    named = pair.replace("{", '{"name": "m", ', 1)
    limits = '"scoreThresholds": {"pass": 95, "marginal": 75}'
    body = f'{{"canaryConfig": {{}}, {limits}, "metricSetPairList": [{named}]}}'

    told = judge.call("POST", path, data=body, headers=JSON)

    assert told.status == 400
    assert set(told.json) == {"message"}


STRANGE_CONFIGS: dict[str, dict[str, Any]] = {
    "a judge that is half a character": {"judge": {"judgeConfigurations": {"kind": "\ud800"}}},
    "a group that is": {"classifier": {"groupWeights": {"\ud800": "x"}}},
    "a factor beyond doubles": {
        "metrics": [
            {
                "name": "m",
                "analysisConfigurations": {
                    "canary": {"outliers": {"strategy": "remove", "outlierFactor": 10**400}}
                },
            }
        ]
    },
}


@pytest.mark.parametrize("config", STRANGE_CONFIGS.values(), ids=STRANGE_CONFIGS)
def test_a_canary_config_that_cannot_be_used_is_refused(
    judge: Client, config: dict[str, Any]
) -> None:
    body = {
        "canaryConfig": config,
        "scoreThresholds": {"pass": 95, "marginal": 75},
        "metricSetPairList": [{"name": "m", "values": {"control": [1], "experiment": [2]}}],
    }

    told = judge.call("POST", "/judge", json=body)

    assert told.status == 400
    assert set(told.json) == {"message"}


def test_values_without_a_number_are_read_and_written_as_texts(judge: Client) -> None:
    case = {
        "judge_params": {
            "analysisConfigurations": {"m": {"canary": {}}},
            "groups": {"m": ["g"]},
            "groupWeights": {},
            "thresholds": {"pass": 95, "marginal": 75},
        },
        "baseline": [0.0, "NaN", 0.0],
        "canary": [1.0, "Infinity", 2.0],
    }

    told = judge.call("POST", "/judge", json=remote_request(case)).json["results"][0]

    assert told["controlMetadata"]["stats"]["count"] == 2
    assert told["experimentMetadata"]["stats"]["max"] == "Infinity"
    assert told["resultMetadata"] == {"ratio": "NaN"}


@pytest.mark.parametrize("verdict", ["pass", "inconclusive", "fail"])
@pytest.mark.parametrize("own", [None, 0.0, 49.9, 74.9, 94.99, 100.0])
def test_a_score_stays_between_0_and_100(verdict: str, own: float | None) -> None:
    class Told:
        score = own

    told = Told()
    told.verdict = verdict  # type: ignore[attr-defined]
    for limits in ((95.0, 75.0), (100.0, 0.0), (1.0, 0.0), (100.0, 100.0)):
        assert 0.0 <= results.score(told, limits) <= 100.0  # type: ignore[arg-type]
