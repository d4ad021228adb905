"""From a configuration to its source: every backend and every way in, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.errors import ConfigError, SourceError
from analysis.sources.connect import named_variables, open_source
from analysis.sources.prometheus import (
    BasicAuth,
    BearerToken,
    BearerTokenFile,
    ClientCredentials,
    Form,
    PrometheusSource,
    SigV4,
)
from analysis.sources.several import Several
from analysis.sources.table import TableSource
from tests.support.builders import a_config, a_metric

SECRET = "s3cr3t"
URL = "http://there:9090"


def opened(
    settings: dict[str, Any], *, url: str | None = None, **environment: str
) -> PrometheusSource:
    config = a_config(source={"prometheus": {"url": URL, **settings}})
    source = open_source(config, url, environment)
    assert isinstance(source, PrometheusSource)
    return source


BACKENDS: dict[str, tuple[dict[str, str], str, dict[str, str], dict[str, str]]] = {
    "Prometheus is told nothing": ({}, URL, {}, {}),
    "Thanos denies partial answers and reads no downsampled data": (
        {"backend": "thanos", "tenant": "shop"},
        URL,
        {"THANOS-TENANT": "shop"},
        {"dedup": "true", "partial_response": "false", "max_source_resolution": "0s"},
    ),
    "Mimir is told the tenant": (
        {"backend": "mimir", "tenant": "a|b"},
        URL,
        {"X-Scope-OrgID": "a|b"},
        {},
    ),
    "a single VictoriaMetrics reads fresh data": (
        {"backend": "victoriametrics"},
        URL,
        {},
        {"nocache": "1", "deny_partial_response": "1"},
    ),
    "a cluster of VictoriaMetrics has the tenant in its path": (
        {"backend": "victoriametrics", "tenant": "42:7"},
        f"{URL}/select/42:7/prometheus",
        {},
        {"nocache": "1", "deny_partial_response": "1"},
    ),
}


@pytest.mark.parametrize(("settings", "url", "headers", "params"), BACKENDS.values(), ids=BACKENDS)
def test_a_backend_is_told_what_it_must_know(
    settings: dict[str, str], url: str, headers: dict[str, str], params: dict[str, str]
) -> None:
    source = opened(settings)

    assert (source.url, source.headers, source.params) == (url, headers, params)


def test_what_the_author_writes_wins_over_the_backend() -> None:
    settings = {
        "backend": "thanos",
        "tenant": "${TEAM}",
        "headers": {"THANOS-TENANT": "other"},
        "params": {"dedup": "false", "engine": "${ENGINE}"},
    }

    source = opened(settings, TEAM="shop", ENGINE="thanos")

    assert source.headers == {"THANOS-TENANT": "other"}
    assert source.params["dedup"] == "false"
    assert source.params["engine"] == "thanos"


def test_only_victoriametrics_sums_exactly() -> None:
    forms = {
        name: opened({"backend": name}).form
        for name in ("prometheus", "thanos", "mimir", "victoriametrics", "google", "amazon")
    }

    assert {name for name, form in forms.items() if form is Form.EXACT} == {"victoriametrics"}


@pytest.mark.parametrize(("backend", "lag_s"), [("prometheus", 30), ("google", 240)])
def test_the_newest_data_are_left_out_as_long_as_the_backend_needs(
    backend: str, lag_s: int
) -> None:
    config = a_config(source={"prometheus": {"backend": backend}})

    assert config.lag.total_seconds() == lag_s


def test_the_bounds_are_handed_on() -> None:
    source = opened({"max_connections": 3, "max_samples": 5_000_000, "timeout": "7s"})

    assert (source.max_connections, source.max_samples, source.timeout_s) == (3, 5_000_000, 7.0)
    assert source.max_answer_bytes >= 30 * source.max_samples


def test_certificates_are_handed_on() -> None:
    both = opened({"ca_file": "ca.pem", "cert_file": "c.pem", "key_file": "k.pem"})
    one = opened({"cert_file": "both.pem"})

    assert (both.verify, both.certificate) == ("ca.pem", ("c.pem", "k.pem"))
    assert (one.verify, one.certificate) == (True, "both.pem")


# ---- ways in


def test_every_way_in_becomes_its_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    oauth2 = {"token_url": "https://idp/token", "client_id": "c", "client_secret_file": str(file)}
    ways: list[tuple[dict[str, Any], type]] = [
        ({"username": "u", "password_file": str(file)}, BasicAuth),
        ({"username": "u", "password_env": "P"}, BasicAuth),
        ({"bearer_token_env": "P"}, BearerToken),
        ({"bearer_token_file": str(file)}, BearerTokenFile),
        ({"oauth2": oauth2}, ClientCredentials),
        ({"sigv4": {"region": "eu-central-1"}}, SigV4),
    ]
    for settings, kind in ways:
        source = opened(settings, P=SECRET)

        assert isinstance(source.auth, kind)
        assert SECRET not in repr(source)


def test_an_oauth2_client_is_read_from_the_environment() -> None:
    oauth2 = {
        "token_url": "https://${IDP}/token",
        "client_id": "${CLIENT}",
        "client_secret_env": "P",
        "scopes": ["read"],
        "params": {"audience": "${AUDIENCE}"},
        "client_auth": "body",
    }

    auth = opened({"oauth2": oauth2}, IDP="idp", CLIENT="c", P=SECRET, AUDIENCE="prom").auth

    assert isinstance(auth, ClientCredentials)
    assert (auth.token_url, auth.client_id, auth.secret()) == ("https://idp/token", "c", SECRET)
    assert (auth.scopes, auth.params, auth.in_body) == (("read",), {"audience": "prom"}, True)


IDP = {"token_url": "https://idp/token", "client_id": "c"}
MISSING: dict[str, tuple[dict[str, Any], str]] = {
    "a token": ({"bearer_token_env": "T"}, "bearer_token_env: the environment has no T"),
    "a password": (
        {"username": "u", "password_file": "/nowhere/p"},
        "password_file: /nowhere/p cannot be read: No such file",
    ),
    "a client's secret": (
        {"oauth2": {**IDP, "client_secret_env": "S"}},
        "oauth2.client_secret_env: the environment has no S",
    ),
    "a file of a client's secret": (
        {"oauth2": {**IDP, "client_secret_file": "/nowhere/s"}},
        "oauth2.client_secret_file: /nowhere/s cannot be read",
    ),
    "an address of tokens": (
        {"oauth2": {**IDP, "token_url": "idp/token", "client_secret_env": "HOME"}},
        "must start with http:// or https://",
    ),
    "a variable of a parameter": (
        {"params": {"engine": "${E}"}},
        "source.prometheus.params.engine: the variable 'E' has no value in the environment",
    ),
}


@pytest.mark.parametrize(("settings", "message"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_told_with_its_place(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        opened(settings, HOME="x")

    assert message in str(raised.value)


# ---- several, and tables


def some_sources(tmp_path: Path, **settings: Any) -> Any:
    (tmp_path / "t.csv").write_text("time,metric,value\n1,orders,2\n")
    sources = {
        "metrics": {"prometheus": {"url": URL, "step": "1m"}},
        "business": {"table": {"path": "${FOLDER}/t.csv"}},
    }
    config = a_config(a_metric(source="business"), sources=sources)
    return open_source(config, settings.get("url"), {"FOLDER": str(tmp_path)})


def test_several_sources_are_opened_by_name(tmp_path: Path) -> None:
    source = some_sources(tmp_path)

    assert isinstance(source, Several)
    assert source.description == (
        f"metrics: Prometheus at {URL}; business: table {tmp_path / 't.csv'}"
    )


def test_the_url_of_the_command_line_is_that_of_the_first(tmp_path: Path) -> None:
    source = some_sources(tmp_path, url="http://elsewhere")

    assert source.sources["metrics"].url == "http://elsewhere"
    assert isinstance(source.sources["business"], TableSource)


def test_a_fault_of_a_named_source_is_told_with_its_name() -> None:
    sources = {"a": {}, "b": {"prometheus": {"url": "${NOWHERE}"}}}

    with pytest.raises(ConfigError, match=r"^sources\.b\.prometheus\.url: the variable"):
        open_source(a_config(sources=sources), URL, {})


def test_a_table_has_no_url(tmp_path: Path) -> None:
    config = a_config(source={"table": {"path": str(tmp_path / "t.csv")}})

    with pytest.raises(ConfigError, match="the source is a table; leave --prometheus out"):
        open_source(config, URL, {})
    with pytest.raises(SourceError, match="No such file"):
        open_source(config, None, {})


def test_the_variables_that_the_sources_need_are_named() -> None:
    oauth2 = {**IDP, "client_id": "${CLIENT}", "client_secret_env": "SECRET"}
    sources = {
        "a": {"prometheus": {"url": "http://${HOST:-there}", "headers": {"X-Key": "${KEY}"}}},
        "b": {"prometheus": {"oauth2": oauth2, "params": {"x": "${PARAM}"}}},
        "c": {"table": {"path": "${FOLDER}/t.csv", "step": "15s"}},
    }

    assert named_variables(a_config(sources=sources)) == {
        *("HOST", "KEY", "CLIENT", "SECRET", "PARAM", "FOLDER", "PROMETHEUS_URL"),
    }
