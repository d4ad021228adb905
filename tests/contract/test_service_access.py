"""Who gets in: every route, with no token, a wrong one, another namespace's and the right one."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from analysis.sources import recording as recordings
from tests.support.corpus import RECORDINGS, run
from tests.support.routes import Route, every_route
from tests.support.service import Answer, Client, serving

ONE = run("err1-1")
# For load balancers, kubelets and Prometheus, which carry no token; they tell nobody's data.
OPEN = {"/healthz", "/readyz", "/metrics"}
# Pages stand in no OpenAPI document, and have a table of their own in test_pages.
ROUTES = [route for route in every_route(hidden=False) if route[1] not in OPEN]
KEY = "rollout-of-the-shop"


def entry(name: str, **scope: Any) -> dict[str, Any]:
    return {
        "name": name,
        "sha256": hashlib.sha256(f"secret of {name}".encode()).hexdigest(),
    } | scope


ENTRIES = [
    entry("shop", namespaces=["shop"]),
    entry("bank", namespaces=["bank"]),
    entry("other", configs=["other"]),
    entry("stranger", namespaces=["bank"], configs=["other"]),
    entry("all"),
]


@contextmanager
def shop_served(folder: Path) -> Iterator[Callable[[str], Client]]:
    """Serve the shop's configuration to the tokens of `folder`; give a client for each."""
    configs = folder / "configs"
    configs.mkdir()
    (configs / "shop.yaml").write_text((RECORDINGS / "canary.yaml").read_text())
    tokens = folder / "tokens.json"
    tokens.write_text(json.dumps(ENTRIES))
    tape = recordings.load(RECORDINGS / ONE.name)
    with serving(
        configs,
        connect=lambda _: tape,
        clock=lambda: ONE.end + 60.0,
        tokens=tokens,
        inline=True,
        calls_per_second=1e6,
    ) as client:
        yield lambda name: replace(client, token=f"secret of {name}" if name else "")


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


@pytest.fixture
def as_token(tmp_path: Path) -> Iterator[Callable[[str], Client]]:
    with shop_served(tmp_path) as clients:
        yield clients


@pytest.fixture(scope="module")
def as_one_of_many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Client]]:
    """Serve once for the whole table."""
    with shop_served(tmp_path_factory.mktemp("access")) as clients:
        yield clients


def start(client: Client, key: str = KEY) -> Any:
    return client.put(key, **ASKED)


SIDE: dict[str, Any] = {"scope": "x", "location": "shop", "start": ONE.start, "end": ONE.end}
SIDE |= {"extendedScopeParams": {"run": ONE.name}}
EXECUTION = {
    "scopes": {"default": {"controlScope": SIDE, "experimentScope": SIDE | {"scope": "y"}}},
    "thresholds": {"pass": 95, "marginal": 75},
}
STANDALONE = {
    "scopes": [
        {
            "controlScope": "x",
            "experimentScope": "y",
            "controlLocation": "shop",
            "experimentLocation": "shop",
            "startTimeIso": ONE.start,
            "endTimeIso": ONE.end,
            "extendedScopeParams": {"run": ONE.name},
        }
    ],
    "thresholds": {"pass": 95, "marginal": 75},
}
METRIC = {
    "name": "m",
    "groups": ["g"],
    "query": {"type": "prometheus", "customInlineTemplate": 'PromQL:up{a="${scope}"}'},
}
CANARY_CONFIG = {"name": "kept", "applications": ["a"], "metrics": [METRIC]}
OTHER_CONFIG = CANARY_CONFIG | {"name": "new"}
PAIRS = [{"name": "m", "values": {"control": [1], "experiment": [1]}}]
HOOK = {"name": "web", "namespace": "shop", "metadata": {"config": "shop", "run": ONE.name}}
ASKED: dict[str, Any] = {"config": "shop", "variables": {"run": ONE.name, "namespace": "shop"}}
ASKED |= {"start": ONE.start, "end": ONE.end, "mode": "async"}
JUDGED = {
    "canaryConfig": CANARY_CONFIG,
    "scoreThresholds": {"pass": 95, "marginal": 75},
    "metricSetPairList": PAIRS,
}
# What a call needs beside its path, for the right token to be let in. A route that is not among
# them is called with nothing.
SENT: dict[Route, dict[str, Any]] = {
    ("PUT", "/v1/analyses/{key}"): {"json": ASKED},
    ("POST", "/v1/analyses"): {"json": ASKED},
    ("POST", "/v1/analyses/{analysis}/rejudge"): {"json": {}},
    **{("POST", f"/flagger/{name}"): {"json": HOOK} for name in ("start", "end", "event")},
    **{("POST", f"/flagger/{name}"): {"json": HOOK} for name in ("gate", "promote", "rollback")},
    ("GET", "/prom/api/v1/query"): {"params": {"query": "serinus_verdict"}},
    ("POST", "/prom/api/v1/query"): {"data": {"query": "serinus_verdict"}},
    ("POST", "/kayenta/canary/{config}"): {"json": EXECUTION},
    ("POST", "/kayenta/canary"): {
        "json": {"canaryConfig": CANARY_CONFIG, "executionRequest": EXECUTION}
    },
    ("POST", "/kayenta/standalone_canary_analysis/{config}"): {"json": STANDALONE},
    ("POST", "/kayenta/standalone_canary_analysis"): {
        "json": {"canaryConfig": CANARY_CONFIG, "executionRequest": STANDALONE}
    },
    ("POST", "/kayenta/canaryConfig"): {"json": OTHER_CONFIG},
    ("PUT", "/kayenta/canaryConfig/{config}"): {"json": CANARY_CONFIG},
    ("POST", "/kayenta/metricSetPairList"): {"json": PAIRS},
    ("POST", "/kayenta/judges/judge"): {
        "params": {"canaryConfigId": "kept", "metricSetPairListId": "{analysis}"}
    },
    ("POST", "/kayenta/fetch/prometheus/query"): {
        "params": {"dryRun": "true", "scope": "x", "customInlineTemplate": "PromQL:up"}
    },
    ("POST", "/judge"): {"json": JUDGED},
    ("POST", "/kayenta/judge"): {"json": JUDGED},
}
# In these paths a word stands for what the caller keeps here.
KEPT = {
    "PUT /kayenta/canaryConfig/{config}": {"config": "kept"},
    "DELETE /kayenta/canaryConfig/{config}": {"config": "kept"},
    "DELETE /kayenta/metricSetPairList/{analysis}": {"analysis": "{kept}"},
}
# Not yet, says the answer, and to the right token alone.
HELD = {f"POST /flagger/{hook}" for hook in ("gate", "promote", "rollback")}


@dataclass(frozen=True)
class Target:
    """An analysis of the shop's, and the words of a path that lead to it."""

    key: str
    analysis: str
    words: dict[str, str]

    def call(self, client: Client, method: str, path: str) -> Answer:
        """Call a route about the analysis."""
        given = SENT.get((method, path), {})
        params = {n: v.format(**self.words) for n, v in given.get("params", {}).items()}
        own = KEPT.get(f"{method} {path}", {})
        words = self.words | {n: v.format(**self.words) for n, v in own.items()}
        return client.call(method, path.format(**words), **given | {"params": params})


@pytest.fixture
def target(as_one_of_many: Callable[[str], Client]) -> Target:
    shop, key = as_one_of_many("shop"), f"{KEY}.{secrets.token_hex(4)}"
    told = start(shop, key).json
    shop.until_completed(told["id"])
    shop.call("POST", "/kayenta/canaryConfig", json=CANARY_CONFIG)
    kept = shop.call("POST", "/kayenta/metricSetPairList", json=PAIRS).json
    pairs = json.loads(shop.get(f"/kayenta/metricSetPairList/{told['id']}").text)
    words = {
        "key": key,
        "analysis": told["id"],
        "name": "shop",
        "config": "shop",
        "version": told["version"],
        "pair": pairs[0]["id"],
        "kept": kept["metricSetPairListId"],
    }
    return Target(key=key, analysis=told["id"], words=words)


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[" ".join(one) for one in ROUTES])
def test_the_right_token_is_let_in_and_that_of_another_namespace_learns_and_changes_nothing(
    as_one_of_many: Callable[[str], Client], target: Target, method: str, path: str
) -> None:
    shop = as_one_of_many("shop")

    stranger = target.call(as_one_of_many("stranger"), method, path)
    after = shop.get(f"/v1/analyses/{target.analysis}").json
    owner = target.call(shop, method, path)

    assert (after["status"], after["looks"]) == ("completed", 1)
    for secret in (target.analysis, KEY, ONE.name, "rose"):
        assert secret not in stranger.text
    assert owner.status < 400 or (owner.status == 403 and f"{method} {path}" in HELD), owner.text


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[" ".join(one) for one in ROUTES])
def test_no_route_answers_without_a_known_token(
    as_one_of_many: Callable[[str], Client], method: str, path: str
) -> None:
    told = [
        as_one_of_many(token).call(method, re.sub(r"{[^}]*}", "0", path), json={})
        for token in ("", "nobody")
    ]

    assert [one.status for one in told] == [401, 401]
    assert all("WWW-Authenticate" in one.headers and one.json for one in told)


def test_the_right_token_starts_and_sees_its_analyses(as_token: Callable[[str], Client]) -> None:
    shop = as_token("shop")

    told = start(shop)

    assert told.status in {200, 202}
    assert shop.get(f"/v1/analyses/{told.json['id']}").status == 200
    assert len(shop.get("/v1/analyses").json["analyses"]) == 1


@pytest.mark.parametrize("name", ["bank", "other", "stranger"])
def test_a_token_of_something_else_starts_sees_and_cancels_nothing(
    as_token: Callable[[str], Client], name: str
) -> None:
    analysis = start(as_token("shop")).json["id"]
    stranger = as_token(name)

    assert start(stranger).status == 403
    assert stranger.get("/v1/analyses").json["analyses"] == []
    assert stranger.get("/v1/analyses?namespace=shop").json["analyses"] == []
    for method, path in (("GET", ""), ("GET", "/series"), ("DELETE", ""), ("POST", "/rejudge")):
        told = stranger.call(method, f"/v1/analyses/{analysis}{path}", json={"config": "shop"})
        assert told.status == 404, path
    assert as_token("all").get(f"/v1/analyses/{analysis}").status == 200


def test_a_token_sees_the_names_of_its_configurations_alone(
    as_token: Callable[[str], Client],
) -> None:
    assert as_token("shop").get("/v1/configs").json == {"configs": ["shop"]}
    assert as_token("other").get("/v1/configs").json == {"configs": []}


def test_a_token_is_rotated_without_a_restart(
    as_token: Callable[[str], Client], tokens: Path
) -> None:
    assert as_token("shop").get("/v1/configs").status == 200

    tokens.write_text(json.dumps([entry("new"), entry("bank")]))

    assert as_token("shop").get("/v1/configs").status == 401
    assert as_token("new").get("/v1/configs").status == 200


def test_a_file_that_is_being_written_locks_nobody_out(
    as_token: Callable[[str], Client], tokens: Path
) -> None:
    assert as_token("shop").get("/v1/configs").status == 200

    tokens.write_text("[{")

    assert as_token("shop").get("/v1/configs").status == 200


@pytest.mark.parametrize("path", sorted(OPEN))
def test_probes_need_no_token_and_tell_no_name(
    as_token: Callable[[str], Client], path: str
) -> None:
    start(as_token("shop"))

    told = as_token("").get(path)

    assert told.status == 200
    assert ONE.name not in told.text
