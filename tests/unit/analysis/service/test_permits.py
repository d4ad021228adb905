"""Which Prometheus a configuration may ask, and every way around that we know of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analysis.config import parse_config
from analysis.errors import ConfigError
from analysis.service.permits import Address, Permits
from tests.support.builders import a_config, a_metric

ALLOWED = "https://prom.example/tenant"
OWN = {"PROMETHEUS_URL": "http://user:secret@own:9090", "SECRET": "hunter2"}


def ask(url: str | None, *, by_caller: bool, allowed: str | None = ALLOWED, **further: Any) -> None:
    addresses = (Address.of(allowed),) if allowed else ()
    given = {} if url is None else {"url": url}
    config = a_config(a_metric(), source={"prometheus": {**given, **further}})
    Permits(addresses=addresses, environment=OWN).check(config, by_caller=by_caller)


LET_THROUGH = [
    "https://prom.example/tenant",
    "https://PROM.example:443/tenant/",
    "https://prom.example./tenant/a",
    "http://own:9090",
    "http://own:9090/below",
    "${PROMETHEUS_URL}",
    None,
]


@pytest.mark.parametrize("by_caller", [True, False])
@pytest.mark.parametrize("url", LET_THROUGH)
def test_an_allowed_address_what_lies_below_it_and_the_services_own_may_be_asked(
    url: str | None, by_caller: bool
) -> None:
    ask(url, by_caller=by_caller)


REFUSED = {
    "another host": "https://evil.example/tenant",
    "another scheme": "http://prom.example/tenant",
    "another port": "https://prom.example:8443/tenant",
    "another path": "https://prom.example/",
    "a path that begins alike": "https://prom.example/tenants",
    "a step up": "https://prom.example/tenant/../admin",
    "a step up in disguise": "https://prom.example/tenant/%2e%2e/admin",
    "a host that begins alike": "https://prom.example.evil/tenant",
    "a host as a user": "https://prom.example@evil.example/tenant",
    "a host as a user, in disguise": "https://prom.example%2f@evil.example/tenant",
    "a backslash": "https://evil.example\\@prom.example/tenant",
    "the cloud's metadata": "http://169.254.169.254/tenant",
    "the service itself": "http://127.0.0.1:8080/tenant",
    "a file": "file:///etc/passwd",
    "a query": "https://prom.example/tenant?x=https://evil",
    "a port that is none": "https://prom.example:x/tenant",
    "brackets that do not match": "https://[::1/tenant",
}


@pytest.mark.parametrize("by_caller", [True, False])
@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
def test_anything_else_may_not(url: str, by_caller: bool) -> None:
    with pytest.raises(ConfigError, match=r"source\.prometheus\.url"):
        ask(url, by_caller=by_caller)


def test_without_a_list_the_operators_configurations_ask_anything_and_callers_nothing() -> None:
    ask("https://anywhere", by_caller=False, allowed=None)

    with pytest.raises(ConfigError, match="--allow-source"):
        ask("https://anywhere", by_caller=True, allowed=None)
    ask(None, by_caller=True, allowed=None)


SERVER = {"prometheus": {"url": ALLOWED}}
WAYS_AROUND: dict[str, dict[str, Any]] = {
    "a second source": {"sources": {"a": SERVER, "b": {"prometheus": {"url": "http://evil"}}}},
    "a file of the service's as a table": {"source": {"table": {"path": "/etc/passwd.csv"}}},
    "a table beside a server": {
        "sources": {"a": SERVER, "b": {"table": {"path": "/x.csv", "step": "15s"}}}
    },
}


@pytest.mark.parametrize("sources", WAYS_AROUND.values(), ids=WAYS_AROUND)
def test_a_caller_finds_no_way_around(sources: dict[str, Any]) -> None:
    config = a_config(a_metric(), **sources)
    permits = Permits(addresses=(Address.of(ALLOWED),), environment=OWN)

    with pytest.raises(ConfigError, match=r"sources?"):
        permits.check(config, by_caller=True)


def test_a_secret_is_sent_to_no_other_issuer_of_tokens() -> None:
    oauth2 = {"client_id": "c", "client_secret_env": "SECRET"}

    with pytest.raises(ConfigError, match=r"source\.prometheus\.oauth2\.token_url"):
        ask(ALLOWED, by_caller=False, oauth2=oauth2 | {"token_url": "https://evil/token"})
    ask(ALLOWED, by_caller=False, oauth2=oauth2 | {"token_url": f"{ALLOWED}/token"})


OF_THE_OPERATOR: dict[str, dict[str, Any]] = {
    "a file of the service's": {"bearer_token_file": "/etc/shadow"},
    "a variable of the service's": {"bearer_token_env": "SECRET"},
    "a tenant": {"headers": {"X-Scope-OrgID": "other"}},
    "an authority": {"ca_file": "/etc/passwd"},
}


@pytest.mark.parametrize("further", OF_THE_OPERATOR.values(), ids=OF_THE_OPERATOR)
def test_a_caller_brings_no_credentials_files_or_tenants(further: dict[str, Any]) -> None:
    (name,) = further

    with pytest.raises(ConfigError, match=f"has no {name}"):
        ask(ALLOWED, by_caller=True, **further)
    ask(ALLOWED, by_caller=False, **further)


@pytest.mark.parametrize(
    "url", ["https://prom.example/tenant/${SECRET}", "${PROMETHEUS_URL:-http://evil}"]
)
def test_a_caller_does_not_read_the_environment(url: str) -> None:
    with pytest.raises(ConfigError, match="without the environment") as refused:
        ask(url, by_caller=True)

    assert "hunter2" not in str(refused.value)


def test_a_refusal_shows_no_secret() -> None:
    with pytest.raises(ConfigError) as refused:
        ask("https://user:${SECRET}@evil.example", by_caller=False)

    assert "hunter2" not in str(refused.value)
    assert "user" not in str(refused.value)


def test_every_source_of_several_is_held_against_the_list() -> None:
    document = {
        "name": "shop",
        "sources": {
            "near": {"prometheus": {"url": "https://prom.example"}},
            "far": {"prometheus": {"url": "http://169.254.169.254"}},
        },
        "variables": {"baseline": {"v": "a"}, "canary": {"v": "b"}},
        "metrics": [{"name": "cpu", "query": 'cpu{v="${v}"}'}],
    }
    permits = Permits(addresses=(Address.of("https://prom.example"),))

    with pytest.raises(ConfigError, match="--allow-source"):
        permits.check(parse_config(json.dumps(document)), by_caller=False)


def test_a_caller_reads_no_file_of_this_machine() -> None:
    document = {
        "name": "shop",
        "source": {"table": {"path": "/etc/passwd.csv"}},
        "variables": {"baseline": {"v": "a"}, "canary": {"v": "b"}},
        "metrics": [{"name": "cpu", "query": 'cpu{v="${v}"}'}],
    }

    with pytest.raises(ConfigError, match="a caller's configuration has no table"):
        Permits().check(parse_config(json.dumps(document)), by_caller=True)
