"""Links to where a query can be seen again, which give no secret away and run nothing."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from analysis.consumers.links import Links, links_of, seen_again
from analysis.errors import ConfigError
from analysis.report import AskedQuery
from tests.support.builders import START, a_window

SELECTOR = 'http_requests_total{code=~"5..", path="/a&b#c"}'
WINDOW = a_window(minutes=30, step_s=15)
BOTH = Links(
    prometheus={"": "https://prom.example.com/base/"},
    grafana="https://g.example.com/?datasource=uid&orgId=2",
)


def asked(kind: str, query: str = SELECTOR, source: str = "") -> AskedQuery:
    return AskedQuery(side="canary", role="query", kind=kind, query=query, series=1, source=source)


def addresses(kind: str) -> dict[str, str]:
    return dict(seen_again(asked(kind), WINDOW, BOTH))


def test_prometheus_shows_the_query_over_the_window() -> None:
    address = urlsplit(addresses("range")["Prometheus"])

    assert (address.netloc, address.path) == ("prom.example.com", "/base/graph")
    told = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert told == {
        "g0.expr": SELECTOR,
        "g0.tab": "0",
        "g0.range_input": "1800s",
        "g0.end_input": "2027-01-15 08:30:00",
    }


def test_grafana_shows_it_in_its_data_source_and_organization() -> None:
    address = urlsplit(addresses("range")["Grafana"])

    assert (address.netloc, address.path) == ("g.example.com", "/explore")
    told = parse_qs(address.query)
    pane = json.loads(told["panes"][0])["a"]
    assert told["orgId"] == ["2"]
    assert pane["datasource"] == "uid"
    assert pane["queries"][0]["expr"] == SELECTOR
    assert pane["range"] == {"from": f"{START * 1000:.0f}", "to": f"{(START + 1800) * 1000:.0f}"}


EXPRESSIONS = {
    "a counter as its rate": ("samples", f"sum(rate({SELECTOR}[60s]))"),
    "a histogram as a quantile": (
        "buckets",
        f"histogram_quantile(0.95, sum by (le) (rate({SELECTOR}[60s])))",
    ),
    "an expression as it is": ("range", SELECTOR),
}


@pytest.mark.parametrize(("kind", "expression"), EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_a_query_is_linked(kind: str, expression: str) -> None:
    asked_for = parse_qs(urlsplit(addresses(kind)["Prometheus"]).query)

    assert asked_for["g0.expr"] == [expression]


def test_without_an_address_there_is_no_link() -> None:
    assert seen_again(asked("range"), WINDOW, Links()) == []


ASKED = {"metrics": "http://metrics:9090", "business": "http://business:8428", "table": None}
LED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "each source where it was asked": (
        {},
        {"metrics": "http://metrics:9090", "business": "http://business:8428"},
    ),
    "the first where nothing but prometheus is said": (
        {"prometheus": "https://prom"},
        {"metrics": "https://prom", "business": "http://business:8428"},
    ),
    "another by its name": (
        {"prometheus.business": "https://vm"},
        {"metrics": "http://metrics:9090", "business": "https://vm"},
    ),
    "the first by its name, whatever else is said": (
        {"prometheus": "https://prom", "prometheus.metrics": "https://one"},
        {"metrics": "https://one", "business": "http://business:8428"},
    ),
}


@pytest.mark.parametrize(("given", "led"), LED.values(), ids=LED)
def test_every_source_leads_to_its_own_server(given: dict[str, str], led: dict[str, str]) -> None:
    links = links_of(given).for_sources(ASKED)

    found = {
        name: [url.partition("/graph?")[0] for _, url in seen_again(one, WINDOW, links)]
        for name in ASKED
        for one in [asked("range", source=name)]
    }
    assert found == {name: [led[name]] if name in led else [] for name in ASKED}


def test_a_link_for_a_source_that_there_is_not_is_refused_with_the_nearest() -> None:
    links = links_of({"prometheus": "https://p", "prometheus.bussiness": "https://vm"})

    with pytest.raises(ConfigError, match="no source 'bussiness'; did you mean 'business'"):
        links.check_sources(ASKED)


REFUSED = {
    "a script": ("javascript:alert(1)", "must be an address such as"),
    "a file": ("file:///etc/passwd", "must be an address such as"),
    "no host": ("https://", "must be an address such as"),
    "a password": ("https://me:secret@g.example.com", "must hold no user or password"),
}


@pytest.mark.parametrize(("url", "message"), REFUSED.values(), ids=REFUSED)
def test_an_address_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        links_of({"grafana": url})

    assert "secret" not in str(refused.value)
