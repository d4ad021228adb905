"""Who gets in: every route, with no token, a wrong one, another namespace's and the right one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from analysis.service.app import ROUTERS
from analysis.sources import recording as recordings
from tests.support.corpus import RECORDINGS, run
from tests.support.service import Client, serving

ONE = run("err1-1")
# For load balancers, kubelets and Prometheus, which carry no token; they tell nobody's data.
# Neither does how pages look.
OPEN = {"/healthz", "/readyz", "/metrics", "/static/pages.css", "/static/pages.js"}
ROUTES = sorted(
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and route.path not in OPEN
    for method in route.methods or ()
)


def entry(name: str, **scope: Any) -> dict[str, Any]:
    return {
        "name": name,
        "sha256": hashlib.sha256(f"secret of {name}".encode()).hexdigest(),
    } | scope


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.json"
    entries = [
        entry("shop", namespaces=["shop"]),
        entry("bank", namespaces=["bank"]),
        entry("other", configs=["other"]),
        entry("all"),
    ]
    path.write_text(json.dumps(entries))
    return path


@pytest.fixture
def as_token(tmp_path: Path, tokens: Path) -> Iterator[Callable[[str], Client]]:
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "shop.yaml").write_text((RECORDINGS / "canary.yaml").read_text())
    tape = recordings.load(RECORDINGS / ONE.name)
    with serving(
        configs, connect=lambda _: tape, clock=lambda: ONE.end + 60.0, tokens=tokens
    ) as client:
        yield lambda name: replace(client, token=f"secret of {name}" if name else "")


def start(client: Client) -> Any:
    return client.put(
        "shop.1",
        config="shop",
        variables={"run": ONE.name, "namespace": "shop"},
        start=ONE.start,
        end=ONE.end,
        mode="async",
    )


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[" ".join(one) for one in ROUTES])
@pytest.mark.parametrize("token", ["", "nobody"])
def test_no_route_answers_without_a_known_token(
    as_token: Callable[[str], Client], method: str, path: str, token: str
) -> None:
    told = as_token(token).call(method, re.sub(r"{[^}]*}", "0", path), json={})

    assert told.status == 401
    assert "WWW-Authenticate" in told.headers
    assert told.json


def test_the_right_token_starts_and_sees_its_analyses(as_token: Callable[[str], Client]) -> None:
    shop = as_token("shop")

    told = start(shop)

    assert told.status in {200, 202}
    assert shop.get(f"/v1/analyses/{told.json['id']}").status == 200
    assert len(shop.get("/v1/analyses").json["analyses"]) == 1


@pytest.mark.parametrize("name", ["bank", "other"])
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
